# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which TCP connections processes hold, from /proc: what a process really talks to, whatever its configuration says.

/proc/PID/net/tcp is the view of that process's own network namespace, and its inodes tie a line to a file descriptor.
Format: https://docs.kernel.org/networking/proc_net_tcp.html
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import os
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Collection, Iterable, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import places_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import all_in_time

ESTABLISHED, SYN_SENT, LISTEN = "01", "02", "0A"
RESOLVE_SECONDS = 30.0  # for all names together, as who names the nodes may also have their name server
BETWEEN = 0.002  # seconds between two readings of a watch, at the least


class NotAllowed(Exception):
    """The open files of a process cannot be read."""


@dataclass(frozen=True)
class Connection:
    """One TCP socket of a process."""

    inode: str
    state: str
    remote: tuple[str, int]


@dataclass(frozen=True)
class Links:
    """What matters here of one process: the inodes it listens on, and how many of its connections lead where."""

    listening: frozenset[str] = frozenset()
    to_target: int = 0
    to_left: int = 0


def links_of(
    pid: int, target: frozenset[tuple[str, int]], left: frozenset[tuple[str, int]], proc: str = "/proc"
) -> Links | None:
    """The links of a process; None where it has ended. Raises NotAllowed."""
    try:
        held = list(_connections(pid, proc))
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        raise NotAllowed(f"the connections of process {pid} cannot be read: become the user it runs as, or root")
    return Links(
        listening=frozenset(one.inode for one in held if one.state == LISTEN),
        to_target=sum(_is_to_target(one, target) for one in held),
        to_left=sum(_is_to_left(one, left) for one in held),
    )


def _is_to_target(one: Connection, target: frozenset[tuple[str, int]]) -> bool:
    return one.state == ESTABLISHED and one.remote in target


def _is_to_left(one: Connection, left: frozenset[tuple[str, int]]) -> bool:
    return one.state in (ESTABLISHED, SYN_SENT) and one.remote in left


class Watch:
    """As a context: which of these processes have a connection at any moment meanwhile, be it for some milliseconds.

    The kernel takes up to 10 ms for a table of connections, and 0.1 ms for the open files of a process. So each is read
    by itself: an inode that is in both, at whatever moment, is the same socket. ``rests`` is how many times as long as
    it reads.
    """

    def __init__(
        self,
        pids: Collection[int],
        target: frozenset[tuple[str, int]],
        left: frozenset[tuple[str, int]],
        *,
        rests: int = 1,
        proc: str = "/proc",
    ) -> None:
        self._pids, self._target, self._left, self._proc = pids, target, left, proc
        self._rests = rests
        self._ports = [f":{port:04X} " for _address, port in target | left]
        self._held: dict[int, set[str]] = {pid: set() for pid in pids}
        self._to_target: set[str] = set()
        self._to_left: set[str] = set()
        self._is_over = threading.Event()
        reading = (self._read_files, self._read_tables) if pids and self._ports else ()
        self._threads = [threading.Thread(target=self._often, args=(read,), daemon=True) for read in reading]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: Any) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def to_target(self, pid: int) -> int:
        """How many connections it was seen with."""
        return len(self._held[pid] & self._to_target)

    def to_left(self, pid: int) -> int:
        return len(self._held[pid] & self._to_left)

    def _often(self, read: Callable[[], None]) -> None:
        while True:
            began = time.monotonic()
            read()
            if self._is_over.wait(max(BETWEEN, self._rests * (time.monotonic() - began))):
                return

    def _read_files(self) -> None:
        for pid in self._pids:
            with contextlib.suppress(OSError):  # it has ended
                self._held[pid] |= socket_inodes(pid, self._proc)

    def _read_tables(self) -> None:
        networks = set()
        for pid in self._pids:
            with contextlib.suppress(OSError):
                network = os.readlink(f"{self._proc}/{pid}/ns/net")
                if network not in networks:
                    self._read_table(pid)
                    networks.add(network)

    def _read_table(self, pid: int) -> None:
        for text in _tables(pid, self._proc):
            lines = [line for line in text.splitlines() if any(port in line for port in self._ports)]
            known = parse_tcp("\n".join(["", *lines]))
            self._to_target |= {one.inode for one in known if _is_to_target(one, self._target)}
            self._to_left |= {one.inode for one in known if _is_to_left(one, self._left)}


def places(locations: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, int]]:
    """All addresses behind ``[{address, port}]``, of a cluster with its nodes (core.endpoint.places_of). A name that no
    longer resolves has none.
    """
    told = {(str(place["address"]), int(place["port"])) for one in locations for place in places_of(one)}
    asked = {f"{address}:{port}": functools.partial(_addresses, address, port) for address, port in told}
    return frozenset().union(*all_in_time(asked, RESOLVE_SECONDS).values())


def _addresses(address: str, port: int) -> frozenset[tuple[str, int]]:
    try:
        known = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):
        return frozenset()
    return frozenset((plain_address(str(sockaddr[0])), port) for *_kind, sockaddr in known)


def plain_address(text: str) -> str:
    """One spelling for each address; an IPv4 address seen through an IPv6 socket is the IPv4 address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def parse_tcp(text: str) -> list[Connection]:
    """The lines of /proc/net/tcp or tcp6."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9:
            found.append(Connection(inode=fields[9], state=fields[3], remote=_place(fields[2])))
    return found


def local_places(text: str, state: str) -> list[tuple[str, str, int]]:
    """Inode, own address and own port of every socket of /proc/net/tcp, tcp6, udp or udp6 that is in this state."""
    lines = [line.split() for line in text.splitlines()[1:]]
    return [(fields[9], *_place(fields[1])) for fields in lines if len(fields) > 9 and fields[3] == state]


def _connections(pid: int, proc: str) -> Iterator[Connection]:
    inodes = socket_inodes(pid, proc)
    yield from (one for one in connections_beside(pid, proc) if one.inode in inodes)


def connections_beside(pid: int, proc: str = "/proc") -> Iterator[Connection]:
    """All of the network that a process is in, whoever holds them. Raises OSError."""
    for text in _tables(pid, proc):
        yield from parse_tcp(text)


def _tables(pid: int, proc: str) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            with open(f"{proc}/{pid}/net/{table}", encoding="ascii") as file:
                text = file.read()
            yield text


def socket_inodes(pid: int, proc: str = "/proc") -> set[str]:
    """Of the sockets that a process holds. Raises OSError where it has ended or may not be looked at."""
    folder = f"{proc}/{pid}/fd"
    found = set()
    for name in os.listdir(folder):
        try:
            link = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:  # closed in the meantime
            continue
        if link.startswith("socket:["):
            found.add(link[8:-1])
    return found


def _place(field: str) -> tuple[str, int]:
    """``0100007F:1F90``: the address in 32-bit words of the machine's byte order, the port as a plain number."""
    address, _colon, port = field.partition(":")
    words = [int(address[start : start + 8], 16) for start in range(0, len(address), 8)]
    return plain_address(str(ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)))), int(port, 16)
