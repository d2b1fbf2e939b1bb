# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What listens on this host, from /proc: every socket that takes connections or datagrams, and the program that has it.

Format: https://docs.kernel.org/networking/proc_net_tcp.html
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from dataclasses import dataclass
from typing import Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import (
    local_places,
    socket_inodes,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import name_of

TCP_LISTEN, UDP_UNCONNECTED = "0A", "07"


@dataclass(frozen=True)
class Listener:
    """``program`` is the name of the process as the kernel has it, empty where it cannot be seen."""

    protocol: str
    address: str
    port: int
    program: str
    pid: int


def listeners(proc: str = "/proc") -> list[Listener]:
    """Of the network that this process is in."""
    holders = _holders(proc)
    found = []
    for protocol, state in (("tcp", TCP_LISTEN), ("udp", UDP_UNCONNECTED)):
        for family in ("", "6"):
            for inode, address, port in _bound(f"{proc}/net/{protocol}{family}", state):
                pid = holders.get(inode, 0)
                found.append(Listener(protocol, address, port, name_of(pid, proc), pid))
    return sorted(set(found), key=lambda one: (one.protocol, one.port, one.address))


def _bound(path: str, state: str) -> Iterator[tuple[str, str, int]]:
    try:
        with open(path, encoding="ascii") as file:
            text = file.read()
    except FileNotFoundError:  # a kernel without IPv6
        return
    yield from local_places(text, state)


def _holders(proc: str) -> dict[str, int]:
    """The process of every socket; of several, the oldest, which is the parent of the others."""
    found: dict[str, int] = {}
    for pid in sorted((int(name) for name in os.listdir(proc) if name.isdigit()), reverse=True):
        with contextlib.suppress(OSError):
            found.update(dict.fromkeys(socket_inodes(pid, proc), pid))
    return found


def own_addresses(proc: str = "/proc") -> list[str]:
    """The addresses of this host but for loopback, from the kernel's table of what it delivers to itself."""
    found = set()
    with contextlib.suppress(FileNotFoundError), open(f"{proc}/net/fib_trie", encoding="ascii") as file:
        before = ""
        for line in file:
            if "/32 host LOCAL" in line:
                found.add(before.rsplit(maxsplit=1)[-1])
            before = line
    with contextlib.suppress(FileNotFoundError), open(f"{proc}/net/if_inet6", encoding="ascii") as file:
        found.update(str(ipaddress.IPv6Address(int(line.split()[0], 16))) for line in file)
    return sorted(address for address in found if not ipaddress.ip_address(address).is_loopback)
