# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Many answers of one kind, and many requests of one kind, taken apart and put together by columns. Pure.

A loop over keys takes as long as an engine does, so here the loops are those of ``split`` and ``join``. A *spelled*
word is a bulk string without what all have around it: ``3\\r\\nfoo`` of ``$3\\r\\nfoo\\r\\n``. Those that stand behind
each other are parted by ``\\r\\n$``, which may stand in a value, too; so what was parted is right only where it makes
as many as were asked for, and none of them can be a refusal. Else it is read by lengths.
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from itertools import repeat
from typing import Iterable, Sequence, Union

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import NotRedis, ServerError

NOT_THERE = b"-1"  # as a spelled word
Spelled = Union[bytes, ServerError]
Column = Iterable[bytes]


def spell(word: bytes) -> bytes:
    return b"%d\r\n%b" % (len(word), word)


def word_of(spelled: bytes) -> bytes:
    return spelled[spelled.index(b"\r\n") + 2 :]


def written(told: Spelled) -> bytes:
    """As it stands in an answer."""
    return b"-%b\r\n" % str(told).encode() if isinstance(told, ServerError) else b"$%b\r\n" % told


def bulks(told: bytes, count: int) -> list[Spelled]:
    """So many bulk strings, spelled, which are all of ``told``; a refusal in the place of one."""
    if not count and not told:
        return []
    if told[:1] == b"$" and b"\r\n-" not in told:
        found: list[Spelled] = told[1:-2].split(b"\r\n$")  # type: ignore[assignment]
        if len(found) == count:
            return found
    return _by_lengths(told, count)


def _by_lengths(told: bytes, count: int) -> list[Spelled]:
    return [_spelled(answer) for answer in answers(told, count)]


def _spelled(answer: bytes) -> Spelled:
    return answer[1:-2] if answer[:1] == b"$" else refusal(answer[:-2])


def answers(told: bytes, count: int) -> list[bytes]:
    """So many bulk strings, or answers of one line, each as it came."""
    found: list[bytes] = []
    at = 0
    while at < len(told):
        end = told.index(b"\r\n", at) + 2
        if told[at : at + 1] == b"$" and told[at + 1 : end - 2] != NOT_THERE:
            end += int(told[at + 1 : end - 2]) + 2
        found.append(told[at:end])
        at = end
    if len(found) != count:
        raise NotRedis(f"it gave {len(found)} answers where {count} were asked for")
    return found


def lines(told: bytes, count: int) -> list[bytes]:
    """So many answers of one line, without its end."""
    found = told.split(b"\r\n")
    if found.pop() or len(found) != count:
        raise NotRedis(f"it gave {len(found)} answers where {count} were asked for")
    return found


def scanned(told: bytes) -> tuple[int, list[bytes]]:
    """The answer to one SCAN: the next cursor, and the keys, spelled."""
    if told[:2] != b"*2":
        raise refusal(told.partition(b"\r\n")[0])
    _two, _size, cursor, count, keys = told.split(b"\r\n", 4)
    return int(cursor), [key for key in bulks(keys, int(count[1:])) if isinstance(key, bytes)]


def refusal(line: bytes) -> ServerError:
    if line[:1] == b"-":
        return ServerError(line[1:].decode("utf-8", "replace"))
    raise NotRedis(f"an answer begins with {line[:20]!r}")


def each(first: Sequence[bytes], keys: Sequence[bytes], last: Sequence[bytes] = ()) -> bytes:
    """The same command for each key, which is spelled: ``first`` are the words before it, ``last`` those after it."""
    if not keys:
        return b""
    head = b"*%d\r\n$%b\r\n$" % (len(first) + 1 + len(last), b"\r\n$".join(map(spell, first)))
    tail = b"\r\n" + b"".join(b"$%b\r\n" % spell(word) for word in last)
    return head + (tail + head).join(keys) + tail


def rows(columns: Sequence[Column | bytes], count: int) -> bytes:
    """So many rows, written one after the other; a column that is bytes is the same in each."""
    parts = [b""] * (len(columns) * count)
    for place, column in enumerate(columns):
        parts[place :: len(columns)] = repeat(column, count) if isinstance(column, bytes) else column
    return b"".join(parts)
