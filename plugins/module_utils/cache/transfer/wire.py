# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Raw, pipelined RESP2 over a connection that is logged in: what is sent and what comes back are bytes as they are.

For bulk work alone: a value goes from one engine to another without being decoded, as the bytes of a reply are those
that stand in a request. Whatever is asked one at a time is asked by ``execute``, which is resp.Connection's.
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import Any, Iterator, Sequence, Union

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    Connection,
    ConnectionLost,
    NoAnswer,
    NotRedis,
    Reply,
    ServerError,
)

_CHUNK = 1 << 18
_BULK, _NUMBER, _ARRAY, _STATUS = b"$:*+"
_LARGEST = 1 << 30  # of a value or a list: a Redis has no value of more than 512 MiB where nobody said otherwise

# A bulk string with its length and its end (``$3\r\nfoo\r\n``), None for what is not there, or the server's refusal.
Raw = Union[bytes, None, ServerError]
OK = b"+OK\r\n"


class Link:
    """``connection`` has no answer outstanding when the link is made, and stays open for as long as that is used."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._socket: socket.socket = connection.socket
        with contextlib.suppress(OSError):  # a socket of the machine itself has no such thing
            # Else the end of a request waits until its begin is acknowledged, which may take 40 ms.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""
        self._at = 0
        mark = secrets.token_hex(16).encode()  # which no value can have
        self._between, self._end = raw(mark), raw(mark + b".")

    def execute(self, *command: Argument) -> Reply:
        """One command and its answer, where nothing sent is still to be answered."""
        return self.connection.execute(*command)

    def send(self, data: bytes) -> None:
        with self._spoken():
            self._socket.sendall(data)

    def ask(self, *blocks: bytes) -> None:
        """Blocks of requests, each ended by a PING whose answer is known, by which what is told is parted unread."""
        between = command(raw(b"PING"), self._between)
        self.send(between.join(blocks) + command(raw(b"PING"), self._end))

    def told(self) -> list[bytes]:
        """All answers to each of these blocks, as they came."""
        parts = [self._data[self._at :]]
        last, size = parts[0], 0
        while not last.endswith(self._end):
            with self._spoken():
                part = self._socket.recv(_CHUNK)
            if not part:
                raise ConnectionLost("the server closed the connection")
            parts.append(part)
            last = part if len(part) >= len(self._end) else last + part
            size += len(part)
            if size > _LARGEST:
                raise NotRedis(f"an answer has more than {_LARGEST} bytes")
        self._data, self._at = b"", 0
        return b"".join(parts)[: -len(self._end)].split(self._between)

    def bulks(self, count: int) -> list[Raw]:
        """The next answers, each of them a bulk string."""
        found: list[Raw] = []
        data, at = self._data, self._at
        find, have = data.find, len(data)
        while len(found) < count:
            stop = find(b"\r\n", at)
            if stop < 0:
                lacking = 1
            elif data[at] != _BULK:
                found.append(_refusal(data[at:stop]))
                at = stop + 2
                continue
            else:
                end = stop + 4 + int(data[at + 1 : stop])
                if end == stop + 3:  # of length -1
                    found.append(None)
                    at = stop + 2
                    continue
                if end <= have:
                    found.append(data[at:end])
                    at = end
                    continue
                lacking = end - have
            data, at = self._more(data, at, lacking), 0
            find, have = data.find, len(data)
        self._data, self._at = data, at
        return found

    def lines(self, count: int) -> list[bytes]:
        """The next answers, each of them of one line (a status, a number, a refusal), without its end."""
        data, at = self._data, self._at
        while data.count(b"\r\n", at) < count:
            data, at = self._more(data, at, 1), 0
        found = data[at:].split(b"\r\n", count) if count else [data[at:]]
        self._data, self._at = found.pop(), 0
        return found

    def refused(self, count: int) -> list[tuple[int, ServerError]]:
        """Of the next answers, which are to be ``+OK``, the numbers of those that are refusals."""
        wanted = OK * count
        while len(self._data) - self._at < len(wanted) and self._data.startswith(OK, self._at):
            self._data, self._at = self._more(self._data, self._at, 1), 0
        if self._data.startswith(wanted, self._at):
            self._at += len(wanted)
            return []
        return [(place, _refusal(line)) for place, line in enumerate(self.lines(count)) if line != b"+OK"]

    def scanned(self) -> tuple[bytes, list[bytes]]:
        """The answer to one SCAN: the next cursor, and the keys, raw."""
        head = self.lines(1)[0]
        if head != b"*2":
            raise _refusal(head)
        [cursor] = self.bulks(1)
        [count] = self.lines(1)
        keys = self.bulks(int(count[1:]))
        if not isinstance(cursor, bytes):
            raise NotRedis("its answer to SCAN has no cursor")
        return inside(cursor), [key for key in keys if isinstance(key, bytes)]

    def replies(self, count: int) -> list[Reply | ServerError]:
        """The next answers, decoded as resp.Connection does it, whatever they are; a refusal is the answer of one."""
        found: list[Any] = []
        outer: list[tuple[list[Any], int]] = []
        items, left = found, count
        data, at = self._data, self._at
        while left or outer:
            if not left:
                items, left = outer.pop()
                continue
            stop = data.find(b"\r\n", at)
            if stop < 0:
                data, at = self._more(data, at, 1), 0
                continue
            kind = data[at]
            item: Any = None
            if kind == _BULK:
                size = _size(data[at + 1 : stop])
                end = stop + size + 4
                if size >= 0:
                    if end > len(data):
                        data, at = self._more(data, at, end - len(data)), 0
                        continue
                    item, stop = data[stop + 2 : end - 2], end - 2
            elif kind == _NUMBER:
                item = int(data[at + 1 : stop])
            elif kind == _ARRAY:
                size = _size(data[at + 1 : stop])
                if size >= 0:
                    item = []
                    outer.append((items, left - 1))
                    items.append(item)
                    items, left, at = item, size, stop + 2
                    continue
            elif kind == _STATUS:
                item = data[at + 1 : stop].decode("utf-8", "replace")
            else:
                item = _refusal(data[at:stop])
            items.append(item)
            left -= 1
            at = stop + 2
        self._data, self._at = data, at
        return found

    def _more(self, data: bytes, at: int, least: int) -> bytes:
        """What is left of ``data``, and at least that many bytes more."""
        parts = [data[at:]]
        while least > 0:
            with self._spoken():
                part = self._socket.recv(max(_CHUNK, min(least, 1 << 24)))
            if not part:
                raise ConnectionLost("the server closed the connection")
            parts.append(part)
            least -= len(part)
        return b"".join(parts)

    @contextlib.contextmanager
    def _spoken(self) -> Iterator[None]:
        try:
            yield
        except socket.timeout:
            raise NoAnswer(f"no answer within {self._socket.gettimeout():g} s")
        except OSError as error:
            raise ConnectionLost(str(error))


@contextlib.contextmanager
def linked(question: Question) -> Iterator[Link]:
    """A link to it, logged in and at the database of its URL. Raises ProbeFailed, EndpointError."""
    with session(question) as connection:
        yield Link(connection)


def raw(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def inside(bulk: bytes) -> bytes:
    """The value of a raw bulk string."""
    return bulk[bulk.index(b"\r\n") + 2 : -2]


def command(*words: bytes) -> bytes:
    """A request of raw bulk strings."""
    return b"*%d\r\n" % len(words) + b"".join(words)


def repeated(first: Sequence[bytes], keys: Sequence[bytes], last: Sequence[bytes] = ()) -> bytes:
    """The same command for each key, which is raw: ``first`` are the words before it, ``last`` those after it."""
    if not keys:
        return b""
    head = b"*%d\r\n" % (len(first) + 1 + len(last)) + b"".join(raw(word) for word in first)
    tail = b"".join(raw(word) for word in last)
    return head + (tail + head).join(keys) + tail


def _size(text: bytes) -> int:
    size = int(text)
    if size > _LARGEST:
        raise NotRedis(f"an answer says that it has {size} bytes or parts")
    return size


def _refusal(line: bytes) -> ServerError:
    if line[:1] == b"-":
        return ServerError(line[1:].decode("utf-8", "replace"))
    raise NotRedis(f"an answer begins with {line[:20]!r}")
