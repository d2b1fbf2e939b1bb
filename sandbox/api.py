"""A sandbox as an object, for the command line, the demo and tests: `Sandbox.up("name")`, `Sandbox.attach("name")`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any

from sandbox import cleanup, emulator, faults, host_app, inventory, network, starting
from sandbox.aws.keys import AccessKey, Keys
from sandbox.places import Places, SandboxError, state_root
from sandbox.rootfs import locked
from sandbox.shell import Ground, environment


def to_stderr(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox. `hosts` maps each app host's name to its address."""

    name: str
    kind: str
    state: Path
    port: int
    hosts: dict[str, str]
    app: str
    enter: tuple[str, ...]

    @classmethod
    def up(
        cls,
        name: str = "sandbox",
        *,
        hosts: int = 3,
        kind: str | None = None,
        old_redis: str = "plain",
        app: str = host_app.WEB,
        creating_seconds: float = 8,
        seed: bool = True,
        say: Callable[[str], None] = to_stderr,
    ) -> Sandbox:
        """Make a fresh sandbox; what was there under this name is removed first.

        `kind` is that of the hosts, as `check.LIMITS` has them, `old_redis` one of `old_redis.KINDS`, and `app` one of
        `host_app.APPS`.
        """
        places = Places.of(name)
        with locked(_lock(places)):
            started = starting.start(
                places,
                hosts=hosts,
                kind=kind,
                old_redis=old_redis,
                app=app,
                creating_seconds=creating_seconds,
                seed=seed,
                say=say,
            )
            sandbox = cls(name, state=places.root, **started)
            record = {**asdict(sandbox), "state": str(places.root)}
            partial = places.record.with_suffix(".tmp")
            partial.write_text(json.dumps(record, indent=2) + "\n")
            partial.rename(places.record)  # last: a sandbox with a record is complete
        return sandbox

    @classmethod
    def attach(cls, name: str = "sandbox") -> Sandbox:
        places = Places.of(name)
        try:
            record = json.loads(places.record.read_text())
        except FileNotFoundError:
            raise SandboxError(f"sandbox {name!r} is not up: run `make sandbox` or `python -m sandbox up {name}`")
        if not cleanup.is_running(places):
            raise SandboxError(f"sandbox {name!r} was up and its processes are gone: run `python -m sandbox up {name}`")
        known = {field.name: record[field.name] for field in fields(cls)}
        return cls(**{**known, "state": Path(record["state"]), "enter": tuple(record["enter"])})

    @classmethod
    def names(cls) -> list[str]:
        """Every sandbox in the state folder, also one that a crash left."""
        root = state_root()
        return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.exists() else []

    def down(self) -> None:
        take_down(self.name)

    @property
    def places(self) -> Places:
        return Places(self.name, self.state)

    @property
    def _kind(self) -> ModuleType:
        return starting.KINDS[self.kind]

    @property
    def inventory(self) -> str:
        """The folder whose settings are those of its app."""
        return host_app.INVENTORIES[self.app]

    @property
    def ground(self) -> Ground:
        return Ground(self.enter)

    @property
    def _key(self) -> AccessKey:
        return Keys.read(self.places.keys).operator

    @property
    def env(self) -> dict[str, str]:
        """What ansible-playbook needs to have in its environment."""
        return inventory.exports(self.places, self.port)

    def client(self, service: str) -> Any:
        """A boto3 client of the emulated AWS; its calls are in `calls`."""
        return emulator.client(service, self.port, Keys.read(self.places.keys).owner)

    def calls(self, since: int = 0) -> dict[str, Any]:
        """The AWS calls after number `since`: `{next, calls}`."""
        return emulator.calls(self.port, self._key, since)

    def held(self) -> str:
        """The AWS call, as service.Action, in whose middle a run was killed by AtWrite; empty where none was."""
        return emulator.held(self.port, self._key)

    def faults(self, orders: list[dict[str, Any]]) -> None:
        """Let AWS calls fail: `[{action, how: throttle|500|cut-before|cut-after, nth, times}]`; none ends it."""
        emulator.order_faults(self.port, self._key, orders)

    def policy(self, document: dict[str, Any] | None) -> None:
        """Hold who runs playbooks to an IAM policy from now on; None lets them do all again."""
        emulator.give_policy(self.port, self._key, "operator", document)

    def settings(self, **wanted: float) -> dict[str, float]:
        """Change how long AWS takes, as `failing_over_seconds`; returns all settings."""
        return emulator.change_settings(self.port, self._key, wanted)

    def drop(self, host: str) -> None:
        """Let a host fall out of the network, as by a pulled cable; `bring_back` ends it."""
        network.drop_host(self.ground, self.places, host, self._number(host))

    def bring_back(self, host: str) -> None:
        network.bring_back_host(self.ground, self.places, host, self._number(host))

    def fill_disk(self, host: str, folder: str) -> None:
        """Leave no byte free on the disk of that folder, and of no other; what is in it stays. `free_disk` ends it."""
        self._change_disk(host, faults.fill_command(folder))

    def free_disk(self, host: str, folder: str) -> None:
        self._change_disk(host, faults.free_command(folder))

    def _change_disk(self, host: str, command: list[str]) -> None:
        done = self.run(host, command)
        if done.returncode:
            raise SandboxError(f"{host}: {done.stderr.decode(errors='replace').strip()}")

    def advance_clock(self, seconds: float) -> str:
        """Let the time of AWS, which every answer tells, jump forward; returns what it is then."""
        return emulator.advance_clock(self.port, self._key, seconds)

    def _number(self, host: str) -> int:
        self._check(host)
        return list(self.hosts).index(host) + 1

    def _check(self, host: str) -> None:
        if host not in self.hosts:
            raise SandboxError(f"sandbox {self.name} has no host {host!r}: {', '.join(self.hosts)}")

    def host_command(self, host: str, argv: Sequence[str]) -> list[str]:
        """A command line for the machine that runs `argv` on the host, as root there."""
        self._check(host)
        return [*self._kind.enter_host(self.places, self.ground, host), *argv]

    def control_command(self, argv: Sequence[str]) -> list[str]:
        """A command line for a program of this machine on the sandbox's bridge, where a load balancer would be."""
        return list(self._kind.network_command(self.places, self.ground, self.places.control, argv))

    def beside_command(self, host: str, argv: Sequence[str]) -> list[str]:
        """The same in the network of a host: from its address, so that security groups admit what they admit it."""
        return list(self._kind.network_command(self.places, self.ground, self.places.netns(host), argv))

    def run(
        self, host: str, argv: Sequence[str], input: bytes | None = None, check: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.host_command(host, argv), input=input, capture_output=True, check=check, env=environment()
        )

    def control(self, argv: Sequence[str], input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.control_command(argv), input=input, capture_output=True, check=False, env=environment()
        )

    def beside(self, host: str, argv: Sequence[str], input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.beside_command(host, argv), input=input, capture_output=True, check=False, env=environment()
        )

    def read(self, host: str, path: str) -> bytes:
        done = self.run(host, ["cat", path])
        if done.returncode:
            raise FileNotFoundError(f"{host}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def write(self, host: str, path: str, data: bytes) -> None:
        """Write through: owner and mode of an existing file stay."""
        done = self.run(host, ["sh", "-c", 'cat >"$1"', "sh", path], input=data)
        if done.returncode:
            raise OSError(f"{host}: {done.stderr.decode(errors='replace').strip()}")


def take_down(name: str) -> bool:
    """Remove a sandbox, complete or not, running or not; False where there was none."""
    places = Places.of(name)
    with locked(_lock(places)):
        found = places.root.exists() or cleanup.is_running(places)
        cleanup.clear(places)
    return found


def _lock(places: Places) -> Path:
    return places.root.with_name(f".{places.name}.lock")
