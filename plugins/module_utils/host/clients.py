# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which processes of this host are connected to a place, and what each belongs to, from /proc.

What is told of them are names: arguments and environments may hold secrets.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Collection, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import (
    ESTABLISHED,
    connections_beside,
    socket_inodes,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.listeners import own_addresses
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import (
    all_processes,
    environment,
    name_of,
)

_LOOPBACK = ("127.0.0.1", "::1")
_CONTAINER = re.compile(r"(?:\A|-)([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?\Z")  # by docker, podman, containerd or CRI-O
_LONGEST_NAME = 100
_UNIT = re.compile(r".+\.(?:service|scope)\Z")


@dataclass(frozen=True)
class Client:
    """``unit`` is what it belongs to: a program of supervisor, a unit of systemd, or a container; else empty."""

    pid: int
    program: str
    unit: str


@dataclass(frozen=True)
class Clients:
    """``unseen`` counts the connections whose process may not be looked at."""

    found: tuple[Client, ...] = ()
    unseen: int = 0


def clients_of(places: Collection[tuple[str, int]], apart_from: Collection[int] = (), proc: str = "/proc") -> Clients:
    """Those with a connection of their own making. That of a server which was connected to has another end."""
    wanted = _with_names_of_this_host(places, own_addresses(proc))
    networks = _networks(proc)
    leading = _leading(networks, wanted, proc)
    if not leading:
        return Clients()
    held = {pid: leading & _sockets(pid, proc) for pid in all_processes(proc)}
    others = sorted(pid for pid, sockets in held.items() if sockets and pid not in {*apart_from, os.getpid()})
    seen: set[str] = set().union(*held.values())
    unseen = leading - seen
    if unseen:
        unseen &= _leading(networks, wanted, proc)  # what was open all the time
    return Clients(
        tuple(Client(pid, _plain(name_of(pid, proc)), _plain(unit_of(pid, proc))) for pid in others), len(unseen)
    )


def _networks(proc: str) -> dict[str, list[int]]:
    """The processes by the network that they are in, as containers have their own; by itself where that is hidden."""
    found: dict[str, list[int]] = {}
    for pid in all_processes(proc):
        try:
            network = os.readlink(f"{proc}/{pid}/ns/net")
        except PermissionError:
            network = f"of {pid}"
        except OSError:  # ended in the meantime
            continue
        found.setdefault(network, []).append(pid)
    return found


def _leading(networks: Mapping[str, Sequence[int]], places: Collection[tuple[str, int]], proc: str) -> set[str]:
    """The inodes of all sockets that lead there. The loopback addresses of a container are its own."""
    beyond = {(address, port) for address, port in places if not ipaddress.ip_address(address).is_loopback}
    found: set[str] = set()
    for pids in networks.values():
        found |= _inodes(pids, places if os.getpid() in pids else beyond, proc)
    return found


def _inodes(pids: Sequence[int], places: Collection[tuple[str, int]], proc: str) -> set[str]:
    """By the first process of a network that has not ended."""
    for pid in pids:
        with contextlib.suppress(OSError):
            connections = list(connections_beside(pid, proc))
            return {one.inode for one in connections if one.state == ESTABLISHED and one.remote in places}
    return set()


def _sockets(pid: int, proc: str) -> set[str]:
    with contextlib.suppress(OSError):  # ended, or not to be looked at
        return socket_inodes(pid, proc)
    return set()


def _with_names_of_this_host(places: Collection[tuple[str, int]], own: Collection[str]) -> set[tuple[str, int]]:
    """A server on this host is reached by each of its addresses."""
    names = {*own, *_LOOPBACK}
    return {*places, *((name, port) for address, port in places if address in names for name in names)}


def unit_of(pid: int, proc: str = "/proc") -> str:
    """By what a process is known to who manages it."""
    return _program_of_supervisor(pid, proc) or systemd_unit_of(pid, proc)


def systemd_unit_of(pid: int, proc: str = "/proc") -> str:
    """As the kernel has it, whatever the process says of itself."""
    return _unit_in(_control_group(pid, proc))


def _program_of_supervisor(pid: int, proc: str) -> str:
    """https://supervisord.org/subprocess.html#subprocess-environment"""
    stated = environment(pid, proc)
    names = [stated.get(f"SUPERVISOR_{of}_NAME", "") for of in ("GROUP", "PROCESS")]
    return ":".join(dict.fromkeys(filter(None, names)))


def _control_group(pid: int, proc: str) -> str:
    """Of systemd's own hierarchy (version 1), or of the only one (version 2)."""
    with contextlib.suppress(OSError), open(f"{proc}/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
        groups = [line.rstrip("\n").split(":", 2) for line in file]
        return next((one[2] for one in groups if len(one) > 2 and one[1] in ("", "name=systemd")), "")
    return ""


def _unit_in(control_group: str) -> str:
    """The innermost: what is delegated has groups below its own, and units of a user are below user@1000.service."""
    for name in reversed(control_group.split("/")):
        container = _CONTAINER.search(name)
        if container or _UNIT.match(name):
            return f"container {container.group(1)}" if container else name
    return ""


def _plain(name: str) -> str:
    """A process may call itself anything, and what is told is shown on a terminal."""
    return re.sub(r"[^\w.@:\\ -]", "?", name[:_LONGEST_NAME], flags=re.ASCII)
