"""Looks for secrets where they must not be, many times a second, until its input goes on; then prints what it found.

Runs by itself on a host or on the controller (`python watch.py`, no arguments: what it looks for must not be on its own
command line). The first line of its input is JSON: `needles` (name to text), `folders` to look through again and again,
`skip` (names of folders in them that are left out), `since` (older files are not read) and `processes` (whether to look
at /proc).
"""

import contextlib
import json
import os
import select
import stat
import sys
import time

MOST_BYTES = 4 * 1024 * 1024
PAUSE = 0.05  # seconds between two rounds: a module runs for longer, and what is watched needs the processor too


def found_in(content, needles):
    return [name for name, needle in needles.items() if needle in content]


def read(path):
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(MOST_BYTES)
    return b""


class Watch:
    def __init__(self, order):
        self.needles = {name: text.encode() for name, text in order["needles"].items()}
        self.folders = order["folders"]
        self.skip, self.since, self.processes = set(order["skip"]), order["since"], order["processes"]
        self.rounds = self.readings = self.files = 0
        self.pids, self.leaks, self.seen = set(), set(), {}

    def look(self):
        self.rounds += 1
        if self.processes:
            self.look_at_processes()
        for folder in self.folders:
            self.look_through(folder)

    def look_at_processes(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) == os.getpid():
                continue
            command = read(f"/proc/{pid}/cmdline")
            self.note(f"command line: {command.replace(bytes(1), b' ')[:60]!r}", command)
            self.note(f"environment: {command.replace(bytes(1), b' ')[:60]!r}", read(f"/proc/{pid}/environ"))
            self.pids.add(pid)
            self.readings += 2

    def look_through(self, folder):
        for place, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name not in self.skip]
            for name in names:
                path = os.path.join(place, name)
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    stamp = (status.st_mtime_ns, status.st_size)
                    is_old = status.st_ctime < self.since or self.seen.get(path) == stamp
                    if is_old or not stat.S_ISREG(status.st_mode):
                        continue
                    self.seen[path] = stamp
                    self.files += 1
                    self.note(f"file: {path}", read(path))

    def note(self, where, content):
        self.leaks.update(f"{name} in {where}" for name in found_in(content, self.needles))

    def report(self, seconds):
        return {
            "rounds": self.rounds,
            "readings": self.readings,
            "processes": len(self.pids),
            "files": self.files,
            "seconds": round(seconds, 1),
            "leaks": sorted(self.leaks),
        }


def main():
    began = time.monotonic()
    watch = Watch(json.loads(sys.stdin.readline()))
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        watch.look()
    print(json.dumps(watch.report(time.monotonic() - began)), flush=True)


if __name__ == "__main__":
    main()
