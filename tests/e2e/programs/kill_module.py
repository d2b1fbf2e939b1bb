"""Kills, by SIGKILL, the next module that Ansible runs on this host, in its middle; runs by itself, on the host.

It waits for the file that the first line of its input names, and prints the command line of what it killed.
"""

import contextlib
import os
import signal
import sys
import time


def read(pid, name):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
    return b""


def parent_of(pid):
    return read(pid, "stat").rpartition(b")")[2].split()[1:2]


def module():
    """With pipelining a module is a bare Python, which reads itself from its input, under the shell of the becoming."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        words = read(pid, "cmdline").split(b"\0")
        parent = parent_of(pid)
        if (
            b"python" in words[0]
            and len(words) == 2
            and parent
            and b"BECOME-SUCCESS" in read(parent[0].decode(), "cmdline")
        ):
            return int(pid)
    return None


flag, ends = sys.stdin.readline().strip(), time.monotonic() + 120
print("waiting", flush=True)
while time.monotonic() < ends:
    found = module() if os.path.exists(flag) else None
    if found:
        time.sleep(0.08)  # long enough for it to have read its options
        with contextlib.suppress(ProcessLookupError):
            os.kill(found, signal.SIGKILL)
            print("killed", flush=True)
            break
    time.sleep(0.005)
