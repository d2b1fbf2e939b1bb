"""The data set of the bench: mixed keys as an app's cache has them, the same for the same number."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

PIPELINE = 2000
SHARE_WITH_TTL = 0.3
_DAY = 86_400_000
Command = tuple[bytes, ...]


def fill(port: int, keys: int) -> None:
    """Over raw RESP, as it is to be done in seconds."""
    rng = random.Random(keys)
    text = rng.randbytes(1 << 16).hex().encode()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        waiting, batch = 0, []
        for number in range(keys):
            for command in _key(rng, text, number):
                batch.append(_encoded(command))
            if len(batch) >= PIPELINE:
                sock.sendall(b"".join(batch))
                waiting, batch = waiting + len(batch), []
                waiting -= _answered(sock, waiting - PIPELINE)
        sock.sendall(b"".join(batch))
        _answered(sock, waiting + len(batch))


def _encoded(command: Command) -> bytes:
    return b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in command)


def _answered(sock: socket.socket, count: int) -> int:
    """Read answers, which are one line each here, or two, of which the first begins with ``$``; at least so many."""
    seen = 0
    while seen < count:
        data = sock.recv(1 << 16)
        assert data and b"-" not in data[:1], data[:200]
        seen += data.count(b"\r\n") - data.count(b"$")
    return seen


def _key(rng: random.Random, text: bytes, number: int) -> Iterator[Command]:
    """What makes one key: six in ten are strings of 100 B to 4 KB, most of them short."""
    kind = rng.random()
    if kind < 0.6:
        key = b"page:%d" % number
        yield b"SET", key, _text(rng, text, min(4096, int(100 * (1 - rng.random()) ** -0.62)))
    elif kind < 0.78:
        key = b"session:%d" % number
        fields = ((b"field%d" % field, _text(rng, text, rng.randint(8, 40))) for field in range(rng.randint(3, 12)))
        yield b"HSET", key, *(part for field in fields for part in field)
    elif kind < 0.86:
        key = b"tags:%d" % number
        yield b"SADD", key, *(b"%d" % rng.randint(1, 1 << 30) for _member in range(rng.randint(2, 30)))
    elif kind < 0.93:
        key = b"board:%d" % number
        yield (
            b"ZADD",
            key,
            *(part for member in range(rng.randint(2, 20)) for part in (b"%d" % rng.randint(1, 9999), b"m%d" % member)),
        )
    elif kind < 0.98:
        key = b"list:%d" % number
        yield b"RPUSH", key, *(_text(rng, text, rng.randint(10, 60)) for _item in range(rng.randint(1, 15)))
    else:
        key = b"stream:%d" % number
        for entry in range(rng.randint(1, 5)):
            yield b"XADD", key, b"%d-0" % (entry + 1), b"event", _text(rng, text, 40)
    if rng.random() < SHARE_WITH_TTL:
        yield b"PEXPIRE", key, b"%d" % rng.randint(_DAY, 30 * _DAY)


def _text(rng: random.Random, text: bytes, size: int) -> bytes:
    start = rng.randrange(len(text) - size)
    return text[start : start + size]
