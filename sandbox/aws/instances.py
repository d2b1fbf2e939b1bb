"""EC2 instances as processes: an instance's user data is the service that runs on it while it runs.

Level-triggered: after each EC2 call that may have changed something, compare moto's instances with our processes. So
protection, retries and odd orders come out right without hooks into moto.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.aws.doors import ALL_PORTS, Door
from sandbox.aws.names import Names

STOP_SECONDS = 20


class Instances:
    """The processes of the instances, their names and their doors."""

    def __init__(self, ec2: Any, folder: Path, names: Names, programs: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._ec2, self._folder, self._names, self._programs = ec2, folder, names, programs
        self._lock = threading.Lock()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._running: list[dict[str, Any]] = []
        self._without: set[str] = set()  # running, and no service on them that is ours

    def settle(self) -> None:
        """Make the processes equal to what EC2 says now."""
        with self._lock:
            found = [i for r in self._ec2.describe_instances()["Reservations"] for i in r["Instances"]]
            self._running = [i for i in found if i["State"]["Name"] == "running"]
            running = {i["InstanceId"] for i in self._running}
            for name in set(self._processes) - running:
                stop(self._processes.pop(name))
            self._without &= running
            for instance in self._running:
                if instance["InstanceId"] not in {*self._processes, *self._without}:
                    self._start(instance)
            self._names.change({i["PrivateDnsName"]: i["PrivateIpAddress"] for i in found if i.get("PrivateDnsName")})

    def _start(self, instance: dict[str, Any]) -> None:
        name = instance["InstanceId"]
        answer = self._ec2.describe_instance_attribute(InstanceId=name, Attribute="userData")
        script = base64.b64decode(answer["UserData"].get("Value") or "").decode()
        if not script.strip():
            self._without.add(name)
            return
        environment = {
            **os.environ,
            "PATH": f"{self._programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PRIVATE_IP": instance["PrivateIpAddress"],
            "INSTANCE_ID": name,
        }
        with (self._folder / f"{name}.log").open("ab") as log, open(in_memory(script), "rb") as source:
            self._processes[name] = subprocess.Popen(
                ["sh", f"/dev/fd/{source.fileno()}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=[source.fileno()],
                start_new_session=True,
            )

    def doors(self) -> Iterator[Door]:
        for instance in list(self._running):
            if instance["InstanceId"] in self._processes:
                groups = tuple(g["GroupId"] for g in instance["SecurityGroups"])
                yield Door(instance["PrivateIpAddress"], ALL_PORTS, groups)

    def stop_all(self) -> None:
        with self._lock:
            for process in self._processes.values():
                stop(process)
            self._processes.clear()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a service as its machine would: ask, wait, then by force; whole process group."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


def in_memory(text: str) -> int:
    """A file without a name: user data may hold a password, and an argument list is seen by everybody."""
    descriptor = os.memfd_create("user-data")
    os.write(descriptor, text.encode() + b"\n")
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
