# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A Redis client of the standard library alone: one connection, RESP2, one command at a time.

For hosts where redis-py is not to be had, and where a diagnosis needs the server's own words: redis-py drops the error
code from most of them. The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Any, Iterator, List, Sequence, Union

Argument = Union[str, bytes, int, float]
Reply = Union[str, int, bytes, None, List[Any]]

# What an answer may say, or those to commands sent together. The largest that is asked for is CLIENT LIST: some 30 MiB
# from 65,000 clients.
_MOST_BYTES = 128 * 1024**2
# What each item of an answer counts at least: it takes room here, however few bytes it came in.
_ITEM_BYTES = 256
# COMMAND INFO of Redis 7 nests eight lists.
_DEEPEST = 16


_BEHIND_ERR = ("MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT", "TRYAGAIN")


class CacheError(Exception):
    """A conversation with a cache that did not come to its end; the base of all below."""


class ServerError(CacheError):
    """The server answered with an error: its own text, code first (``NOAUTH Authentication required.``)."""


class ConnectionLost(CacheError):
    """The server closed or reset the connection."""


class NoAnswer(CacheError):
    """Nothing came within the time limit."""


class NotRedis(CacheError):
    """What came is not the Redis protocol, or more than a Redis has to say."""


class Connection:
    """A conversation over a connected socket, whose timeout bounds each read and write.

    The server is not trusted: an answer, or those to commands sent together, take no more memory than ``_MOST_BYTES``
    allows.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._reader = sock.makefile("rb")
        self._left = _MOST_BYTES

    @property
    def peer(self) -> str:
        """The address at its other end."""
        return str(self._socket.getpeername()[0])

    @property
    def socket(self) -> socket.socket:
        """For who speaks on it another way; nothing is read ahead where no answer is outstanding."""
        return self._socket

    def execute(self, *arguments: Argument) -> Reply:
        """Send one command and return its answer: str for a status, bytes for a value. Raises CacheError."""
        self._left = _MOST_BYTES
        try:
            self._socket.sendall(encode(arguments))
            return self._read()
        except socket.timeout:
            raise NoAnswer(f"no answer to {arguments[0]!s} within {self._socket.gettimeout():g} s")
        except OSError as error:
            raise ConnectionLost(str(error))

    def execute_many(self, commands: Sequence[Sequence[Argument]]) -> list[Reply | ServerError]:
        """Send commands together and return their answers in order; an error of the server is the answer of one."""
        self._left = _MOST_BYTES
        try:
            self._socket.sendall(b"".join(encode(command) for command in commands))
            return [self._read_or_error() for _command in commands]
        except socket.timeout:
            raise NoAnswer(f"no answer to {len(commands)} commands within {self._socket.gettimeout():g} s")
        except OSError as error:
            raise ConnectionLost(str(error))

    def _read_or_error(self, depth: int = 0) -> Reply | ServerError:
        try:
            return self._read(depth)
        except ServerError as error:
            return error.with_traceback(None)  # which holds a frame for each of a long list

    def ask(self, *arguments: Argument) -> str:
        """A command whose answer is text, decoded."""
        reply = self.execute(*arguments)
        return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)

    @contextlib.contextmanager
    def _spoken(self, what: str) -> Iterator[None]:
        try:
            yield
        except socket.timeout:
            raise NoAnswer(f"no {what} within {self._socket.gettimeout():g} s")
        except OSError as error:
            raise ConnectionLost(str(error))

    def send(self, *arguments: Argument) -> None:
        """Send one command and do not read its answer, as in replication, where what follows is no answer."""
        with self._spoken("way to send"):
            self._socket.sendall(encode(arguments))

    def read(self) -> Reply:
        """The next thing that the server says by itself."""
        self._left = _MOST_BYTES
        with self._spoken("word"):
            return self._read()

    def read_line(self) -> bytes:
        """The next line as it is; empty where the server only shows that it is alive."""
        with self._spoken("line"):
            line = self._reader.readline(65536)
        if not line.endswith(b"\n"):
            raise ConnectionLost("the server closed the connection")
        return line.rstrip(b"\r\n")

    def read_some(self, most: int) -> bytes:
        """At least one byte and at most that many, as they come."""
        with self._spoken("data"):
            data: bytes = self._reader.read1(most)
        if not data:
            raise ConnectionLost("the server closed the connection")
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._reader.close()
            self._socket.close()

    def _read(self, depth: int = 0) -> Reply:
        line = self._line()
        self._take(max(len(line), _ITEM_BYTES))
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode("utf-8", "replace")
        if kind == b"-":
            raise ServerError(rest.decode("utf-8", "replace"))
        if kind == b":":
            return _number(rest)
        if kind == b"$":
            return self._value(_number(rest))
        if kind == b"*":
            return self._list(_number(rest), depth + 1)
        raise NotRedis(f"the answer begins with {line[:20]!r}")

    def _line(self) -> bytes:
        line = self._reader.readline(65536)
        if not line:
            raise ConnectionLost("the server closed the connection")
        if not line.endswith(b"\r\n"):
            raise NotRedis(f"the answer begins with {line[:20]!r}")
        return line[:-2]

    def _value(self, length: int) -> bytes | None:
        if length < 0:
            return None
        self._take(length)
        value = self._reader.read(length + 2)
        if len(value) < length + 2:
            raise ConnectionLost("the server closed the connection in the middle of an answer")
        return value[:-2]

    def _list(self, length: int, depth: int) -> list[Any] | None:
        if length < 0:
            return None
        if depth > _DEEPEST:
            raise NotRedis(f"its answer nests more than {_DEEPEST} lists, which no answer of a Redis does")
        items: list[Any] = []
        for _place in range(length):
            items.append(self._read_or_error(depth))
        return items

    def _take(self, size: int) -> None:
        """Called before room is made for what comes."""
        self._left -= size
        if self._left < 0:
            raise NotRedis(f"it says more than {_MOST_BYTES // 1024**2} MiB, which no Redis has to say of itself")


def code_of(error: str) -> str:
    """The code of an error of the server. What stands in front of a serverless cache of ElastiCache may say ERR before
    it: ``ERR MOVED 7572 …``.
    """
    first, _space, rest = error.partition(" ")
    second = rest.partition(" ")[0]
    return second if first == "ERR" and second in _BEHIND_ERR else first


def encode(arguments: Sequence[Argument]) -> bytes:
    """A command as an array of bulk strings."""
    parts = [argument if isinstance(argument, bytes) else str(argument).encode() for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _number(text: bytes) -> int:
    """Of 64 bits, as the protocol has them."""
    if not re.fullmatch(rb"[+-]?[0-9]{1,19}", text):
        raise NotRedis(f"the answer begins with {text[:20]!r}")
    return int(text)
