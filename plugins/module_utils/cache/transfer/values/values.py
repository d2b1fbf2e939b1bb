# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key from one engine to another by what it holds, for where a payload cannot go: read and written in bounded parts.

It is written under a name of its own in the same slot, which is gone after an hour by itself, and then renamed: nobody
ever sees a half of it.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Command, Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import streams
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    HASH,
    KINDS,
    LIST,
    NONE,
    SET,
    STREAM,
    STRING,
    VALUES,
    ZSET,
    Part,
    Unreadable,
    told,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import (
    SOURCE,
    TARGET,
    Commands,
    Program,
    Reading,
    at,
    together,
)

PREFIX = b"cache_migration:part:"
_KEPT_MS = 3600 * 1000
_NO_SUCH_KEY = "no such key"

_WRITES: Mapping[str, str] = {LIST: "RPUSH", SET: "SADD", ZSET: "ZADD", HASH: "HSET"}


def bring(
    source: Reach, target: Reach, keys: Mapping[bytes, int | None], replace: bool
) -> dict[bytes, bool | Unreadable]:
    """Bring each of the keys, at the database that both sides are at, with when it expires (milliseconds since 1970, or
    None). Tells of each whether it was written: False where the source has it no more, or the target has it and
    ``replace`` is false; or why it cannot be brought. Raises CacheError.
    """
    return together({key: _tried(key, until, replace) for key, until in keys.items()}, source, target)


def _tried(key: bytes, until: int | None, replace: bool) -> Program[bool | Unreadable]:
    try:
        return (yield from _bring(key, until, replace))
    except Unreadable as why:
        yield (), [("DEL", name_beside(key))]
        return why


def _bring(key: bytes, until: int | None, replace: bool) -> Program[bool]:
    [kind] = told((yield [("TYPE", key)], ())[0])
    if kind == NONE:
        return False
    if kind not in KINDS:
        raise Unreadable(f"it is a {kind}, a type of a module, which only RESTORE brings, into an engine that has it")
    beside = name_beside(key)
    told((yield (), [("DEL", beside)])[1])
    is_there = yield from (_bring_stream(key, beside) if kind == STREAM else _bring_parts(kind, key, beside))
    if not is_there:
        yield (), [("DEL", beside)]
        return False
    ends: Command = ("PERSIST", beside) if until is None else ("PEXPIREAT", beside, until)
    rename = "RENAME" if replace else "RENAMENX"
    _ended, renamed = (yield (), [ends, (rename, beside, key)])[1]
    if isinstance(renamed, ServerError) and _NO_SUCH_KEY in str(renamed):  # its time was over
        return False
    [renamed] = told([renamed])
    if renamed == 0:
        yield (), [("DEL", beside)]
    return bool(renamed != 0)


def _bring_parts(kind: str, key: bytes, beside: bytes) -> Program[bool]:
    value = VALUES[kind](key)
    is_begun = False
    while (part := (yield from at(SOURCE, value.next()))) is not None:
        if kind == HASH:
            part = yield from at(SOURCE, _with_ends(key, part))
        commands = _written(kind, beside, part, is_begun) if part else []
        if commands:
            told((yield (), [*commands, *([] if is_begun else [("PEXPIRE", beside, _KEPT_MS)])])[1])
            is_begun = True
    if kind == STRING and is_begun and not value.size:  # what is not there reads as an empty string
        [count] = told((yield [("EXISTS", key)], ())[0])
        return bool(count)
    return is_begun


def _written(kind: str, beside: bytes, part: Part, is_begun: bool) -> Commands:
    if kind == STRING:
        return [("APPEND" if is_begun else "SET", beside, part[0][0])]
    if kind == ZSET:
        part = [(score, member) for member, score in part]
    words = [word for item in part for word in item[:2]]
    commands: list[Command] = [(_WRITES[kind], beside, *words)]
    if kind == HASH:
        commands += [("HPEXPIREAT", beside, item[2], "FIELDS", 1, item[0]) for item in part if item[2] is not None]
    return commands


# --- TTLs of hash fields: Redis 7.4, Valkey 9 ---


def _with_ends(key: bytes, part: Part) -> Reading[Part]:
    """The fields that are still there, with their value and when each expires, or None."""
    if not part:
        return part
    fields = [field for field, _value in part]
    [ends] = yield [("HPEXPIRETIME", key, "FIELDS", len(fields), *fields)]
    if not isinstance(ends, list):  # an engine without them, or the key is gone
        return [(field, value, None) for field, value in part]
    return [(field, value, None if end == -1 else end) for (field, value), end in zip(part, ends) if end != _GONE]


_GONE = -2  # a field that is not there any more


# --- streams ---


def _bring_stream(key: bytes, beside: bytes) -> Program[bool]:
    stream = yield from at(SOURCE, streams.look(key))
    dead = yield from at(SOURCE, streams.without_entry(key, stream.groups))
    is_begun = yield from _bring_entries(key, beside, list(dead))
    if not is_begun:  # a stream may be empty
        told(
            (yield (), [("XGROUP", "CREATE", beside, PREFIX, "0", "MKSTREAM"), ("XGROUP", "DESTROY", beside, PREFIX)])[
                1
            ]
        )
        told((yield (), [("PEXPIRE", beside, _KEPT_MS)])[1])
    for group in stream.groups:
        yield from at(TARGET, _make_group(beside, group))
        pending = streams.PendingEntries(key, group.name)
        while (part := (yield from at(SOURCE, pending.next()))) is not None:
            told((yield (), [_claim(beside, group.name, one) for one in part])[1])
    for start in range(0, len(dead), 1000):
        told((yield (), [("XDEL", beside, *dead[start : start + 1000])])[1])
    yield from at(TARGET, _set_ids(beside, stream))
    return True


def _bring_entries(key: bytes, beside: bytes, dead: list[bytes]) -> Program[bool]:
    """With a stand-in for each that is pending and gone: from Redis 7.0 on nobody can claim what never was."""
    entries = streams.Entries(key)
    is_begun = False
    while True:
        part = yield from at(SOURCE, entries.next())
        found = list(part or ())
        most = streams.in_order(found[-1][0]) if found else None
        due = [entry for entry in dead if part is None or (most is not None and streams.in_order(entry) < most)]
        dead = dead[len(due) :]
        merged = sorted([*found, *((entry, [b"gone", b""]) for entry in due)], key=lambda one: streams.in_order(one[0]))
        if merged:
            begin: Commands = [] if is_begun else [("PEXPIRE", beside, _KEPT_MS)]
            told((yield (), [*(("XADD", beside, entry, *words) for entry, words in merged), *begin])[1])
            is_begun = True
        if part is None:
            return is_begun


def _make_group(beside: bytes, group: streams.Group) -> Reading[None]:
    make: Command = ("XGROUP", "CREATE", beside, group.name, group.last_id)
    read: Command = () if group.entries_read is None else ("ENTRIESREAD", group.entries_read)
    yield from _told_or([*make, *read], make)
    # Before Redis 6.2 a consumer is made by its first command, so those without anything pending come by themselves.
    yield [("XGROUP", "CREATECONSUMER", beside, group.name, consumer) for consumer in group.consumers]


def _claim(beside: bytes, group: bytes, one: streams.Pending) -> Command:
    how = ("TIME", one.delivered, "RETRYCOUNT", one.count, "FORCE", "JUSTID")
    return ("XCLAIM", beside, group, one.consumer, 0, one.id, *how)


def _set_ids(beside: bytes, stream: streams.Stream) -> Reading[None]:
    if stream.last_id == b"0-0":
        return
    set_id: Command = ("XSETID", beside, stream.last_id)
    more: Sequence[Any] = ()
    if stream.entries_added is not None:
        more = ("ENTRIESADDED", stream.entries_added, "MAXDELETEDID", stream.max_deleted or b"0-0")
    yield from _told_or([*set_id, *more], set_id)


def _told_or(command: Command, otherwise: Command) -> Reading[None]:
    """The command, or the other where the server does not know its options."""
    [answer] = yield [command]
    if isinstance(answer, ServerError):
        told((yield [otherwise]))


# --- names ---


def name_beside(key: bytes) -> bytes:
    """Always the same for a key, so that what a killed run left there is written over."""
    part = slots.hashed_part(key)
    digest = hashlib.sha256(key).hexdigest()[:16].encode()
    if part and b"}" not in part:
        return PREFIX + b"{" + part + b"}:" + digest
    slot = slots.slot_of(key)
    names = (PREFIX + digest + b":%d" % number for number in itertools.count())
    return next(name for name in names if slots.slot_of(name) == slot)
