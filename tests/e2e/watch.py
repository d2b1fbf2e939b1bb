"""A process on each host that sees every change of its .env while playbooks run, come and are killed."""

from __future__ import annotations

import pathlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.shell import environment

MODIFY, MOVED_FROM, MOVED_TO, DELETE = 0x2, 0x40, 0x80, 0x200
READY = "ready"

# A file that is replaced by a rename never shows MODIFY, so that no half-written state can be missed by reading late.
SCRIPT = f"""
import ctypes, hashlib, os, struct
libc = ctypes.CDLL(None)
events = libc.inotify_init()
libc.inotify_add_watch(events, b"/opt/shop", {MODIFY | MOVED_FROM | MOVED_TO | DELETE})
print("{READY}", flush=True)
while True:
    data, at = os.read(events, 65536), 0
    while at < len(data):
        _, mask, _, length = struct.unpack_from("iIII", data, at)
        name = data[at + 16 : at + 16 + length].rstrip(b"\\0")
        at += 16 + length
        if name == b".env":
            content = open("/opt/shop/.env", "rb").read() if os.path.exists("/opt/shop/.env") else b""
            print(mask, hashlib.sha256(content).hexdigest()[:12], flush=True)
"""


@dataclass
class Watch:
    files: dict[str, pathlib.Path] = field(default_factory=dict)

    def seen(self) -> list[tuple[str, int, str]]:
        """Host, what happened to the file, and the digest of what was in it then."""
        return [
            (host, int(line.split()[0]), line.split()[1])
            for host, path in self.files.items()
            for line in path.read_text().splitlines()
            if line != READY
        ]

    def changes(self) -> int:
        return sum(bool(mask & MOVED_TO) for _, mask, _ in self.seen())

    def odd(self, allowed: dict[str, set[str]]) -> list[tuple[str, int, str]]:
        """What is neither a rename nor one of the contents that are allowed on that host."""
        return [
            (host, mask, content)
            for host, mask, content in self.seen()
            if mask & (MODIFY | MOVED_FROM | DELETE) or content not in allowed[host]
        ]


@contextmanager
def watching(sandbox, folder: pathlib.Path) -> Iterator[Watch]:
    watch, processes = Watch(), []
    try:
        for host in sandbox.hosts:
            # Of its own: what an earlier watch of this scenario left on the host may write on into its file.
            watch.files[host] = folder / f"watch-{host}-{time.monotonic_ns()}.txt"
            with watch.files[host].open("wb") as output:
                command = sandbox.host_command(host, ["/opt/shop/venv/bin/python", "-c", SCRIPT])
                processes.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        env=environment(),
                        start_new_session=True,  # Ctrl-C ends the scenario, which then ends the watch
                    )
                )
        end = time.monotonic() + 20
        while not all(path.read_text().startswith(READY) for path in watch.files.values()):
            assert time.monotonic() < end, "the watch does not begin"
            time.sleep(0.05)
        yield watch
    finally:
        assert all(process.poll() is None for process in processes), "a watch ended"
        for process in processes:
            process.kill()
            process.wait()
