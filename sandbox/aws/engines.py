"""Real engine processes: one directory, one address and one administration socket each.

The configuration goes to the engine's standard input, so no secret lies on disk or in an argument list. The sandbox
speaks to engines through a Unix socket as the user `_service`, so TLS, tokens and security groups do not touch it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.aws.access import Access
from sandbox.aws.doors import Door
from sandbox.aws.gate import Gate, Place
from sandbox.aws.pki import Certificate

# ElastiCache answers these with `unknown command`, which is what a renamed command answers too.
HIDDEN = ("config", "debug", "migrate", "replicaof", "slaveof", "save", "bgsave", "bgrewriteaof", "shutdown", "module")
SERVERS = {
    "redis": ("redis-server", "redis-check-rdb"),
    "valkey": ("valkey-server", "valkey-check-rdb"),
    "memcached": ("memcached",),
}
COMMANDS = "appendonlydir"  # the engines' own name for the folder
EMPTY = '""'  # a value of nothing, in a configuration file
LONGEST_SOCKET_PATH = 107  # sun_path of Linux


class EngineMissing(Exception):
    """The machine has no such engine; the text says how to get it."""


class EngineFailed(Exception):
    """An engine did not do what it was asked."""


class Binaries:
    """Where the engines' programs are: the folders of SANDBOX_BIN first, then PATH."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._found: dict[str, Path] = {}

    def find(self, engine: str) -> Path:
        """The engine's server under its own name, linked into our folder."""
        if engine not in self._found:
            self._found[engine] = self._look_for(engine)
        return self._found[engine]

    def _look_for(self, engine: str) -> Path:
        """Debian 12 ships the server inside redis-tools as redis-check-rdb: it is the same program, and what it does
        depends on the name that it is called by."""
        name = SERVERS[engine][0]
        link = self.folder / name
        search = os.pathsep.join(x for x in (os.environ.get("SANDBOX_BIN"), os.environ.get("PATH", os.defpath)) if x)
        for program in SERVERS[engine]:
            found = shutil.which(program, path=search)
            if found is None:
                continue
            link.unlink(missing_ok=True)
            link.symlink_to(Path(found).resolve())
            if _is_server(link):
                return link
        link.unlink(missing_ok=True)
        raise EngineMissing(
            f"{name} is not in the folders of SANDBOX_BIN nor on PATH. Install it (Debian and Ubuntu: "
            f"apt-get install redis-tools or redis-server; for Valkey: valkey-server; memcached), or name its folder "
            "there."
        )


def _is_server(program: Path) -> bool:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return answer.returncode == 0 and ("server v=" in answer.stdout or answer.stdout.startswith("memcached "))


@dataclass(frozen=True)
class EngineSettings:
    """What one node is started with."""

    program: Path
    folder: Path
    address: str
    port: int
    maxmemory: int
    parameters: Sequence[tuple[str, str]]
    access: Access
    secret: str  # shared by the nodes of a group
    certificate: Certificate | None = None  # where the node speaks TLS
    speaks_plain: bool = True
    second_address: str = ""  # see Engine
    seed: Path | None = None  # what to start from: an RDB file, or a folder of Engine.write_commands
    more: Sequence[tuple[str, str]] = ()  # directives of its own kind of node


class Engine:
    """One redis-server or valkey-server process.

    At AWS a node in the transit encryption mode `preferred` speaks plain and TLS on one port. A real engine cannot: it
    speaks the second protocol on another port, and the packet filter makes that port the node's own on a second
    address. The names for plain and for TLS differ at AWS too, so each name leads to the protocol it is for.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self.address, self.port, self.second_address = settings.address, settings.port, settings.second_address
        self.plain_port = settings.port if settings.speaks_plain else 0
        self.tls_port = 0
        if settings.certificate is not None:
            self.tls_port = self._second_port if self.plain_port else settings.port
        self._socket = settings.folder / "admin.sock"
        if len(str(self._socket)) > LONGEST_SOCKET_PATH:
            raise EngineFailed(f"{self._socket} is too long for a Unix socket: choose a shorter --state folder")
        self._process: subprocess.Popen[bytes] | None = None
        self._gate: Gate | None = None
        self._admin = redis.Redis(
            unix_socket_path=str(self._socket),
            username="_service",
            password=settings.secret,
            decode_responses=True,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
        )

    # -- life ----------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the process and wait until it answers."""
        settings = self._settings
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._starts_from_commands:
            shutil.copytree(settings.seed, settings.folder / COMMANDS)
        elif settings.seed is not None:
            shutil.copyfile(settings.seed, settings.folder / "dump.rdb")
        with (settings.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [settings.program, "-"], stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
        assert self._process.stdin is not None
        self._process.stdin.write("\n".join(self._configuration()).encode() + b"\n")
        self._process.stdin.close()
        until(self._answers, 20, f"the engine on {self.address} does not start; see {settings.folder}/log")
        if self._starts_from_commands:
            self.configure("appendonly", "no")
        self._set_gate()

    def restart_empty(self) -> None:
        """Come back as a machine that was replaced: the same address, no data."""
        (self._settings.folder / "dump.rdb").unlink(missing_ok=True)
        shutil.rmtree(self._settings.folder / COMMANDS, ignore_errors=True)
        self._settings = replace(self._settings, seed=None)
        self.start()

    def kill(self) -> None:
        if self._gate is not None:
            self._gate.close()
            self._gate = None
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(20)

    @property
    def is_valkey(self) -> bool:
        return self._settings.program.name == SERVERS["valkey"][0]

    @property
    def _starts_from_commands(self) -> bool:
        return self._settings.seed is not None and self._settings.seed.is_dir()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def forget(self) -> None:
        """Kill it and remove its directory, which may hold its data."""
        self.kill()
        self._admin.close()
        shutil.rmtree(self._settings.folder, ignore_errors=True)

    def _configuration(self) -> list[str]:
        settings, secret = self._settings, self._settings.secret
        lines = [
            f"bind {self.address}",
            f"bind-source-addr {self.address}",  # else a replica comes from the address that the route gives it
            "protected-mode no",
            f"dir {settings.folder}",
            "daemonize no",
            f"unixsocket {self._socket}",
            "unixsocketperm 700",
            'save ""',
            f"appendonly {'yes' if self._starts_from_commands else 'no'}",
            f"maxmemory {settings.maxmemory}",
            "masteruser _replica",
            f"masterauth {secret}",
            "repl-diskless-sync-delay 0",
            f"replica-announce-ip {self.address}",
            *(f"user {name} {' '.join(rules)}" for name, rules in settings.access.rules().items()),
            f"user _replica on >{secret} +psync +replconf +ping",
            f"user _service on >{secret} ~* &* +@all",
            *(f"{name} {value or EMPTY}" for name, value in (*settings.parameters, *settings.more)),
            *(f"rename-command {command} {secret}-{command}" for command in HIDDEN),
        ]
        lines.append(f"port {self.plain_port}")
        if settings.certificate is not None:
            lines += [f"{name} {value}" for name, value in tls_settings(settings.certificate).items()]
        return [*lines, f"tls-port {self._behind_gate if self._needs_gate else self.tls_port}"]

    def _answers(self) -> bool:
        if not self.is_running:
            raise EngineFailed(f"the engine on {self.address} ended at once; see {self._settings.folder}/log")
        try:
            return bool(self._admin.ping())
        except redis.ConnectionError:  # not there yet, or still loading its file
            return False

    # -- administration ------------------------------------------------------------------------------------------
    def info(self) -> dict[str, Any]:
        return dict(self._admin.info("all"))

    def command(self, *words: object) -> Any:
        """Any command, as the sandbox's own user."""
        return self._admin.execute_command(*words)  # type: ignore[no-untyped-call]

    def hidden(self, command: str, *arguments: object) -> Any:
        """Call a command that the application does not have."""
        return self.command(f"{self._settings.secret}-{command}", *arguments)

    def configure(self, name: str, value: object) -> None:
        self.hidden("config", "set", name, value)

    def admit(self, access: Access) -> None:
        """From now on; who is logged in stays, unless the user is gone."""
        wanted = access.rules()
        for name, rules in wanted.items():
            self.command("ACL", "SETUSER", name, *rules)
        for name in set(self._settings.access.rules()) - set(wanted):
            self.command("ACL", "DELUSER", name)
        self._settings = replace(self._settings, access=access)
        self._set_gate()

    # -- users who log in by IAM, see gate -----------------------------------------------------------------------
    @property
    def _needs_gate(self) -> bool:
        return bool(self.tls_port) and self._settings.access.needs_gate

    @property
    def _behind_gate(self) -> int:
        return self.port + 15000 if self.port + 15000 <= 65535 else self.port - 15000

    def _set_gate(self) -> None:
        """The engine's own port is the gate's then; who is connected stays, unless the gate goes."""
        certificate = self._settings.certificate
        if self._needs_gate and self._gate is None and certificate is not None:
            self._listen_for_tls_on(self._behind_gate)
            place = Place(self.address, self.tls_port, self._socket, certificate)
            self._gate = Gate(place, self._exchange)
        elif self._gate is not None and not self._needs_gate:
            self._gate.close()
            self._gate = None
            self._listen_for_tls_on(self.tls_port)

    def _exchange(self, user: str, token: str) -> str | None:
        """By whom the engine knows now."""
        return self._settings.access.exchange(user, token)

    def _listen_for_tls_on(self, port: int) -> None:
        self.configure("tls-port", port)

    def dump(self, to: Path) -> None:
        """Write a real RDB file."""
        self.hidden("bgsave")
        until(lambda: not self.info()["rdb_bgsave_in_progress"], 60, f"the snapshot on {self.address} does not end")
        if self.info()["rdb_last_bgsave_status"] != "ok":
            raise EngineFailed(f"the snapshot on {self.address} failed; see {self._settings.folder}/log")
        shutil.copyfile(self._settings.folder / "dump.rdb", to)

    def write_commands(self) -> Path:
        """Hold back writes, and write all data as the commands that make it, which an older engine reads too."""
        self.hold_writes()
        self.configure("aof-use-rdb-preamble", "no")
        self.hidden("bgrewriteaof")
        until(lambda: not self._is_rewriting(), 60, f"the commands on {self.address} do not come to an end")
        if self.info()["aof_last_bgrewrite_status"] != "ok":
            raise EngineFailed(f"writing the commands on {self.address} failed; see {self._settings.folder}/log")
        return self._settings.folder / COMMANDS

    def _is_rewriting(self) -> bool:
        found = self.info()
        return bool(found["aof_rewrite_in_progress"] or found["aof_rewrite_scheduled"])

    def hold_writes(self) -> None:
        """Let writers wait, for a minute at most."""
        self.command("CLIENT", "PAUSE", 60_000, "WRITE")

    def release_writes(self) -> None:
        self.command("CLIENT", "UNPAUSE")

    # -- protocols -----------------------------------------------------------------------------------------------
    @property
    def _second_port(self) -> int:
        return self.port + 10000 if self.port + 10000 <= 65535 else self.port - 10000

    @property
    def replication_port(self) -> int:
        return self.plain_port or self.tls_port

    def address_for(self, tls: bool) -> str:
        """Where this protocol is spoken on the node's own port."""
        return self.address if (self.tls_port if tls else self.plain_port) == self.port else self.second_address

    def doors(self, security_groups: tuple[str, ...], peers: tuple[str, ...]) -> Iterator[Door]:
        """Its own port for each protocol; `peers` come in without a rule, also where that is behind."""
        public = (self.port, self.port)
        for port in (self.plain_port, self.tls_port):
            if port == self.port:
                yield Door(self.address, public, security_groups, peers)
            elif port:
                yield Door(self.second_address, public, security_groups, peers, behind=(self.address, port))

    def speak_tls(self, certificate: Certificate, second_address: str) -> None:
        """Speak TLS besides plain, from now on; no connection is cut."""
        pairs = [word for pair in tls_settings(certificate).items() for word in pair]
        self.hidden("config", "set", *pairs)
        self.tls_port = self.port if self.plain_port != self.port else self._second_port
        self.configure("tls-port", self.tls_port)
        self._take(second_address, certificate)

    def speak_plain(self, second_address: str) -> None:
        """Speak plain besides TLS, from now on; no connection is cut."""
        self.plain_port = self.port if self.tls_port != self.port else self._second_port
        self.configure("port", self.plain_port)
        self._take(second_address, self._settings.certificate)

    def _take(self, second_address: str, certificate: Certificate | None) -> None:
        self.second_address = self.second_address or second_address
        self._settings = replace(
            self._settings, certificate=certificate, speaks_plain=True, second_address=self.second_address
        )

    def stop_plain(self) -> None:
        self.configure("port", 0)
        self.plain_port = 0
        self._settings = replace(self._settings, speaks_plain=False)

    def stop_tls(self) -> None:
        self.configure("tls-port", 0)
        self.tls_port = 0
        self._settings = replace(self._settings, certificate=None)

    # -- replication ---------------------------------------------------------------------------------------------
    def follow(self, primary: Engine) -> None:
        """Become a replica and wait until the link is up; over TLS where the primary speaks nothing else."""
        self.configure("tls-replication", "no" if primary.plain_port else "yes")
        self.hidden("replicaof", primary.address, primary.replication_port)
        until(lambda: self.info().get("master_link_status") == "up", 60, f"{self.address} does not sync")
        until(lambda: primary.sees_online(self), 60, f"{primary.address} does not see its replica {self.address}")

    def follow_stranger(self, address: str, port: int) -> None:
        """Become a replica of an engine that is not the sandbox's own, and so knows no user of its; do not wait."""
        self.configure("masteruser", "")
        self.configure("masterauth", "")
        self.hidden("replicaof", address, port)

    def end_following(self) -> None:
        """Become a primary, whose own replicas stay with it."""
        self.promote()
        self.configure("masteruser", "_replica")
        self.configure("masterauth", self._settings.secret)

    def sees_online(self, replica: Engine) -> bool:
        """Only such a replica can be handed over to."""
        found = [value for name, value in self.info().items() if re.fullmatch(r"slave\d+", name)]
        return any(entry["ip"] == replica.address and entry["state"] == "online" for entry in found)

    def promote(self) -> None:
        self.hidden("replicaof", "NO", "ONE")

    def hand_over_to(self, replica: Engine) -> None:
        """Swap roles without losing a write: FAILOVER pauses writers until the replica has everything."""
        self.configure("tls-replication", "no" if replica.plain_port else "yes")
        self.command("FAILOVER", "TO", replica.address, replica.replication_port, "TIMEOUT", 10000)
        until(lambda: self._is("slave") and replica._is("master"), 20, f"{self.address} does not hand over")

    def _is(self, role: str) -> bool:
        return bool(self.info()["role"] == role)


def tls_settings(certificate: Certificate) -> dict[str, str]:
    return {
        "tls-cert-file": str(certificate.file),
        "tls-key-file": str(certificate.file),
        "tls-ca-cert-file": str(certificate.authority),
        "tls-auth-clients": "no",
    }


def new_secret() -> str:
    return secrets.token_hex(16)


def until(is_true: Callable[[], bool], seconds: float, complaint: str) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            raise EngineFailed(complaint)
        time.sleep(0.02)
