"""End-to-end scenarios: the playbooks that users type, in a sandbox of real parts.

Each scenario is a file; `make e2e SCENARIO=name` runs one by itself. A scenario has a sandbox of its own, because the
account must be empty at its start. SANDBOX_HOSTS chooses the kind of hosts as it does everywhere.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from sandbox.api import Sandbox
from sandbox.moments import AtModule, AtWrite, Begun, Module, Moment, environment, modules, tasks
from sandbox.starting import KINDS
from sandbox.traffic import Traffic

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


@dataclass
class Run:
    """One ansible-playbook that has ended."""

    code: int
    text: str
    seconds: float
    calls: list = field(default_factory=list)
    tasks: list[Begun] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)
    killed_at: str = ""  # the call in whose middle it was killed, as service.Action

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        names = ("ok", "changed", "unreachable", "failed")
        return {host: dict(zip(names, map(int, counts))) for host, *counts in RECAP.findall(self.text)}

    @property
    def writes(self) -> list[str]:
        """The AWS calls of this run that change something, as `service.Action`."""
        return [f"{call['service']}.{call['action']}" for call in self.calls if call["access"] == "write"]

    @property
    def lines(self) -> list[str]:
        """The lines of the plan, which a run says before it begins: one for each step."""
        told = self.text.partition("PLAY RECAP")[0]
        return [line[2:] for line in told.splitlines() if line.startswith("- ")]

    @property
    def digest(self) -> str:
        """The digest of the plan, as it is shown."""
        found = re.search(r"\(plan ([0-9a-f]{12})\)", self.text)
        return found[1] if found else ""

    def said(self) -> str:
        """All the text on one line, since the callback wraps long messages."""
        return re.sub(r"\s+", " ", self.text)


class Stage:
    """A sandbox with everything a scenario asks of it."""

    def __init__(self, sandbox: Sandbox, folder: pathlib.Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.hosts = list(sandbox.hosts)
        self.runs = 0
        self.originals = self.environment_files()
        self.original_parameter = self.parameter()

    def play(
        self, playbook: str, *arguments: str, moments: Sequence[Moment | AtWrite | AtModule] = (), **variables
    ) -> Run:
        """Run a playbook with the sandbox's inventory; `variables` are extra variables.

        `moments` are what happens when a task of it begins; a run that one kills has the code -9.
        """
        self.runs += 1
        said, tasks_file = (self.folder / f"run-{self.runs}.{kind}" for kind in ("txt", "tasks"))
        before = len(self.calls())
        command = [
            str(pathlib.Path(sys.executable).with_name("ansible-playbook")),
            playbook,
            "-i",
            self.sandbox.inventory,
            *arguments,
        ]
        variables.setdefault("migration_report_dir", str(self.folder / "report"))
        command += ["-e", json.dumps(variables)]
        began = time.monotonic()
        env = {**os.environ, **self.sandbox.env, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}
        env.update(environment(moments, tasks_file))
        with said.open("wb") as output:  # a pipe would be held open by what a killed run leaves running
            ended = subprocess.run(
                command, cwd=CHECKOUT, env=env, stdout=output, stderr=output, timeout=600, check=False
            )
        self.wait_for_keeper(tasks_file)  # its last call belongs to this run
        took, noted = time.monotonic() - began, tasks_file.exists()
        run = Run(
            ended.returncode,
            said.read_text(errors="replace"),
            took,
            self.calls()[before:],
            tasks(tasks_file) if noted else [],
            modules(tasks_file) if noted else [],
            self.sandbox.held() if any(isinstance(moment, AtWrite) for moment in moments) else "",
        )
        print(f"\n$ {' '.join(command)}\n{run.text}\n-> {run.code} after {run.seconds:.1f} s", flush=True)
        return run

    def wait_for_keeper(self, tasks_file: pathlib.Path) -> None:
        """Until the process that keeps the lock of this run has let go of it, which it does within a second."""
        end = time.monotonic() + 20
        while time.monotonic() < end and self.left_running("lock_keeper", tasks_file):
            time.sleep(0.1)

    def migrate(self, *arguments: str, **variables) -> Run:
        return self.play("migrate.yml", *arguments, **variables)

    def calls(self) -> list:
        return [call for call in self.sandbox.calls()["calls"] if not call.get("internal")]

    @contextmanager
    def load(self, seconds: float = 900):
        """Users' requests from where a load balancer is; yields a function that ends them and gives the figures."""
        traffic = Traffic(self.sandbox, self.folder / "load.json", "scenario", rate=15, seconds=seconds)

        def stop() -> dict:
            figures = traffic.stop()
            print("requests {requests_total}, failed {failed}, retried {retried}".format(**figures))
            return figures

        try:
            yield stop
        finally:
            traffic.stop()

    def old_redis(self, code: str = "") -> str:
        """Run Python on a client `r` of the old Redis; without code, the digest of all its data."""
        url = re.findall(rb"^(?:REDIS|CACHE)_URL=(\S+)", next(iter(self.originals.values())), re.M)[0] + b"\n"
        script = (
            ["-c", f"import redis; r = redis.Redis.from_url(input())\n{code}"]
            if code
            else ["-m", "sandbox.seed", "--digest"]
        )
        done = self.sandbox.beside(next(iter(self.sandbox.hosts)), [sys.executable, *script], input=url)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def restart_app(self) -> None:
        """Host by host, as users are served meanwhile."""
        service = KINDS[self.sandbox.kind].SERVICE
        command = [*service.get("sandbox_supervisorctl", ["systemctl"]), "restart", "shop"]
        for host in self.sandbox.hosts:
            done = self.sandbox.run(host, command)
            assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
            end = time.monotonic() + 20
            while not self.healthy()[host]:
                assert time.monotonic() < end, self.healthy()
                time.sleep(0.2)

    def left_running(self, what: str = "", tasks_file: pathlib.Path | None = None) -> dict[int, str]:
        """Processes of runs, also of killed ones, or of the run that writes its tasks there.

        The shared connections that ssh keeps open are none of them.
        """
        mark, found = f"SANDBOX_TASKS={tasks_file or f'{self.folder}/'}".encode(), {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                is_of_a_run = mark in (process / "environ").read_bytes()
            except OSError:  # ended meanwhile
                continue
            if is_of_a_run and command and not command.startswith("ssh: ") and what in command:
                found[int(process.name)] = command
        return found

    def replace_file(self, host: str, path: str, content: bytes) -> None:
        """By a rename, as owner and mode are kept; a reader sees the old or the new."""
        script = 'cp -p "$1" "$1.new" && cat >"$1.new" && mv "$1.new" "$1"'
        done = self.sandbox.run(host, ["sh", "-c", script, "sh", path], input=content)
        assert done.returncode == 0, done.stderr.decode()

    def environment_files(self) -> dict[str, bytes]:
        return {host: self.sandbox.read(host, "/opt/shop/.env") for host in self.sandbox.hosts}

    def parameter(self) -> str:
        ssm = self.sandbox.client("ssm")
        return ssm.get_parameter(Name="/kempian/sandbox/REDIS_URL", WithDecryption=True)["Parameter"]["Value"]

    def token(self) -> str:
        secrets = self.sandbox.client("secretsmanager")
        return secrets.get_secret_value(SecretId="kempian/sandbox/cache-token")["SecretString"]

    def group(self) -> dict:
        found = self.sandbox.client("elasticache").describe_replication_groups(ReplicationGroupId="kempian-cache")
        return found["ReplicationGroups"][0]

    def primary_address(self) -> str:
        return self.group()["NodeGroups"][0]["PrimaryEndpoint"]["Address"]

    def break_app(self, host: str, how: str = "os._exit(3)") -> bytes:
        """Make the app of a host end at once where it is pointed at TLS, or do this; returns its code, to mend it."""
        path, marker = "/opt/shop/app/serve.py", b"from __future__ import annotations\n"
        serve = self.sandbox.read(host, path)
        assert marker in serve
        broken = f"import os, time\nif 'rediss://' in open('/opt/shop/.env').read():\n    {how}\n".encode()
        self.sandbox.write(host, path, serve.replace(marker, marker + broken))
        return serve

    def limit_starts(self, host: str) -> None:
        """Let systemd refuse to start the app of a host once it has failed five times within ten minutes."""
        if self.sandbox.kind == "machines":
            limit = "mkdir -p $0 && echo '[Unit]\nStartLimitIntervalSec=600' >$0/limit.conf && systemctl daemon-reload"
            done = self.sandbox.run(host, ["sh", "-c", limit, "/etc/systemd/system/shop.service.d"])
            assert done.returncode == 0, done.stderr.decode()

    def fault(self, *rules: dict) -> None:
        """Let calls to AWS fail from now on; without rules, none."""
        self.sandbox.faults(list(rules))

    def connections(self) -> dict[str, dict[str, int]]:
        """From each host, the established connections to the old and to the new, as its kernel sees them."""
        counts = {}
        for host in self.sandbox.hosts:
            table = self.sandbox.run(host, ["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout.decode()
            peers = [remote_of(line) for line in table.splitlines() if " 01 " in line]
            counts[host] = {
                "old": sum(address == "172.31.3.1" for address, port in peers if port == 6379),
                "new": sum(address.startswith("172.31.2.") for address, port in peers if port in (6379, 11211)),
            }
        return counts

    def healthy(self) -> dict[str, bool]:
        ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/healthz', timeout=3).status)"
        return {
            host: self.sandbox.run(host, ["/opt/shop/venv/bin/python", "-c", ask]).stdout.strip() == b"200"
            for host in self.sandbox.hosts
        }

    def all_healthy(self) -> bool:
        return all(self.healthy().values())

    def on_old(self) -> bool:
        return all(count["old"] > 0 and count["new"] == 0 for count in self.connections().values())

    def on_new(self) -> bool:
        return all(count["new"] > 0 and count["old"] == 0 for count in self.connections().values())


def remote_of(line: str) -> tuple[str, int]:
    """The peer of one line of /proc/net/tcp or tcp6 (addresses are little-endian words)."""
    address, port = line.split()[2].split(":")
    word = bytes.fromhex(address[-8:])
    return ".".join(str(byte) for byte in reversed(word)), int(port, 16)


@pytest.fixture(scope="session")
def stage_of():
    """Makes a stage of a sandbox that a scenario has brought up itself."""
    return Stage


def pytest_collection_modifyitems(items):
    """The first test of a scenario waits for its sandbox and its first runs too, and a busy machine takes its time."""
    here = pathlib.Path(__file__).parent
    for item in items:
        if here in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="module")
def stage(request, tmp_path_factory):
    """A fresh sandbox for the scenario, taken down afterwards."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "")
    hosts, seconds = getattr(request.module, "HOSTS", 3), getattr(request.module, "CREATING_SECONDS", 2)
    sandbox = Sandbox.up(f"e2e{name}"[:16], hosts=hosts, creating_seconds=seconds)
    try:
        yield Stage(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        if not os.environ.get("KEEP"):
            sandbox.down()


@pytest.fixture(scope="module")
def load(stage):
    """Users' requests all the time; a function that ends them and gives the figures."""
    with stage.load() as stop:
        yield stop
