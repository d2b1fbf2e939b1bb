"""Before an engine whose users log in by IAM: no engine verifies a token, so what is said to AUTH and HELLO is looked
at on its way.

A right token is handed on as the password that the engine has for that user, a wrong one as a word that nobody has: so
the engine itself answers, and in its order. All else goes through as it is. The engine sees its own socket in place of
a client's address, and a connection is not ended after AWS's 12 hours.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.aws.pki import Certificate

Words = list[bytes]
Exchange = Callable[[str, str], "str | None"]  # of a user's token a password; None for a user that IAM does not know
CHUNK, LINE = 65536, b"\r\n"


def rewritten(words: Words, exchange: Exchange) -> Words:
    """The command as the engine is to have it."""
    upper = [word.upper() for word in words]
    if upper[:1] == [b"AUTH"] and len(words) == 3:
        place = 1
    elif upper[:1] == [b"HELLO"] and b"AUTH" in upper and upper.index(b"AUTH") + 2 < len(words):
        place = upper.index(b"AUTH") + 1
    else:
        return words
    password = exchange(words[place].decode(errors="replace"), words[place + 1].decode(errors="replace"))
    return words if password is None else [*words[: place + 1], password.encode(), *words[place + 2 :]]


class Commands:
    """The commands in a stream of bytes, as they become whole. What is no array of strings is an inline command."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Words | bytes]:
        self._buffer += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Words | bytes | None:
        end = self._buffer.find(LINE)
        if end < 0:
            return None
        if self._buffer[:1] != b"*":
            line, self._buffer = self._buffer[: end + 2], self._buffer[end + 2 :]
            return line
        words, at = [], end + 2
        for _ in range(int(self._buffer[1:end])):
            end = self._buffer.find(LINE, at)
            if end < 0:
                return None
            size = int(self._buffer[at + 1 : end])
            if len(self._buffer) < end + 2 + size + 2:
                return None
            words.append(self._buffer[end + 2 : end + 2 + size])
            at = end + 2 + size + 2
        self._buffer = self._buffer[at:]
        return words


def packed(words: Words) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


@dataclass(frozen=True)
class Place:
    """Where a gate listens, and the socket of its engine behind it."""

    address: str
    port: int
    engine: Path
    certificate: Certificate


class Gate:
    """One listener with TLS, in a thread that all gates share."""

    def __init__(self, place: Place, exchange: Exchange) -> None:
        self._place, self.exchange = place, exchange
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = asyncio.run_coroutine_threadsafe(self._open(), _loop()).result(20)

    async def _open(self) -> asyncio.Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._place.certificate.file)
        return await asyncio.start_server(self._serve, self._place.address, self._place.port, ssl=context)

    def close(self) -> None:
        """Its connections end, too."""
        asyncio.run_coroutine_threadsafe(self._close(), _loop()).result(20)

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        engine: asyncio.StreamWriter | None = None
        try:
            answers, engine = await asyncio.open_unix_connection(str(self._place.engine))
            both = (asyncio.ensure_future(self._ask(reader, engine)), asyncio.ensure_future(_hand_on(answers, writer)))
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # either side is gone, or the gate is
        finally:
            self._tasks.discard(task)
            writer.close()
            if engine is not None:
                engine.close()

    async def _ask(self, reader: asyncio.StreamReader, engine: asyncio.StreamWriter) -> None:
        commands = Commands()
        while data := await reader.read(CHUNK):
            for one in commands.feed(data):
                engine.write(one if isinstance(one, bytes) else packed(rewritten(one, self.exchange)))
            await engine.drain()


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()


_started: list[asyncio.AbstractEventLoop] = []
_starting = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:
        if not _started:
            _started.append(asyncio.new_event_loop())
            threading.Thread(target=_started[0].run_forever, daemon=True).start()
    return _started[0]
