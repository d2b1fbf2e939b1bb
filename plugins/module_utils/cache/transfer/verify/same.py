# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How two values of one type differ, each type by a program: a phrase, or empty where they are the same.

Of what has no order of its own, all that the source has is looked for at the target, and both have as many: so it needs
no more memory than a part of the value.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Command
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import streams
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    HASH,
    LIST,
    SET,
    STREAM,
    STRING,
    VALUES,
    ZSET,
    Pace,
    Part,
    after,
    in_items,
    told,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import (
    SOURCE,
    TARGET,
    Program,
    Reading,
    at,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.streams import Stream
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.hyperloglog import (
    same_counts,
)

SAME = ""
LASTING, NO_KEY = -1, -2  # in place of a TTL
_SMALL = 512  # members, up to which a set or a hash is read as a whole
_PART = 1 << 18  # bytes


@dataclass(frozen=True)
class Rules:
    """What counts as the same. ``fields_expire``: whether the source, and the target, know TTLs of hash fields."""

    ttl_tolerance_ms: int = 1000
    fields_expire: tuple[bool, bool] = (False, False)

    def same_ends(self, ours: int, theirs: int, seconds: float) -> bool:
        """By two TTLs in milliseconds, of which the second was told within so many seconds of the first."""
        if ours < 0 or theirs < 0:
            return ours == theirs
        return abs(ours - theirs - seconds * 500) <= self.ttl_tolerance_ms


Comparing = Callable[[bytes, Rules], Program[str]]


def _both(command: Command) -> Program[tuple[Any, Any]]:
    ours, theirs = yield [command], [command]
    return told(ours)[0], told(theirs)[0]


def _same_string(key: bytes, _rules: Rules) -> Program[str]:
    start = 0
    while True:
        ours, theirs = yield from _both(("GETRANGE", key, start, start + _PART - 1))
        if ours != theirs and (start or not same_counts(ours, theirs)):
            return f"its value is another from byte {start + _same_bytes(ours, theirs):,} on"
        if len(ours) < _PART:
            return SAME
        start += _PART


def _same_bytes(ours: bytes, theirs: bytes) -> int:
    both = enumerate(zip(ours, theirs))
    return next((place for place, (our, their) in both if our != their), min(len(ours), len(theirs)))


def _counts_differ(command: str, key: bytes, what: str) -> Program[tuple[int, str]]:
    ours, theirs = yield from _both((command, key))
    return ours, SAME if ours == theirs else f"it has {ours:,} {what} at the source and {theirs:,} at the target"


def _same_list(key: bytes, _rules: Rules) -> Program[str]:
    _count, differs = yield from _counts_differ("LLEN", key, "elements")
    return differs or (yield from _same_in_order("LRANGE", key, (), "elements"))


def _same_zset(key: bytes, _rules: Rules) -> Program[str]:
    """Its order, by score and member, is the same on both sides."""
    _count, differs = yield from _counts_differ("ZCARD", key, "members")
    return differs or (yield from _same_in_order("ZRANGE", key, ("WITHSCORES",), "members"))


def _same_in_order(command: str, key: bytes, how: Sequence[str], what: str) -> Program[str]:
    pace, start = Pace(), 0
    while True:
        last = start + pace.count - 1
        ours, theirs = yield from _both((command, key, start, last, *how))
        if ours != theirs and not (how and _ranked(ours) == _ranked(theirs)):
            return f"its {what} differ, from one of those at {start:,} to {last:,} on"
        if len(ours) < pace.count * (2 if how else 1):
            return SAME
        start = last + 1
        pace.took(sum(len(word) for word in ours))


def _ranked(words: Sequence[bytes]) -> list[tuple[bytes, float]]:
    """Servers write the same score with more digits or with fewer."""
    return [(member, float(score)) for member, score in in_items(words, 2)]


def _same_set(key: bytes, _rules: Rules) -> Program[str]:
    count, differs = yield from _counts_differ("SCARD", key, "members")
    if differs:
        return differs
    if count <= _SMALL:
        ours, theirs = yield from _both(("SMEMBERS", key))
        return SAME if sorted(ours) == sorted(theirs) else "its members differ"
    value = VALUES[SET](key)
    while (part := (yield from at(SOURCE, value.next()))) is not None:
        members = [item[0] for item in part]
        if members and not all((yield from at(TARGET, _are_members(key, members)))):
            return "the target lacks a member"
    return (yield from _counts_differ("SCARD", key, "members"))[1]


def _are_members(key: bytes, members: Sequence[bytes]) -> Reading[Sequence[Any]]:
    [answer] = yield [("SMISMEMBER", key, *members)]
    if isinstance(answer, list):
        return answer
    return told((yield [("SISMEMBER", key, member) for member in members]))  # before Redis 6.2


def _same_hash(key: bytes, rules: Rules) -> Program[str]:
    ours, theirs = yield from _both(("HLEN", key))
    if max(ours, theirs) <= _SMALL:
        ours, theirs = yield from _both(("HGETALL", key))
        fields = [field for field, _value in in_items(ours, 2)]
        differs = SAME if dict(in_items(ours, 2)) == dict(in_items(theirs, 2)) else "its fields differ"
        return differs or (yield from _same_field_ends(key, fields, rules))
    _count, differs = yield from _counts_differ("HLEN", key, "fields")
    value = VALUES[HASH](key)
    while not differs and (part := (yield from at(SOURCE, value.next()))) is not None:
        differs = yield from _same_fields(key, part, rules)
    return differs or (yield from _counts_differ("HLEN", key, "fields"))[1]


def _same_fields(key: bytes, part: Part, rules: Rules) -> Program[str]:
    if not part:
        return SAME
    fields = [field for field, _value in part]
    [theirs] = told((yield (), [("HMGET", key, *fields)])[1])
    if theirs != [value for _field, value in part]:
        return "its fields differ"
    return (yield from _same_field_ends(key, fields, rules))


def _same_field_ends(key: bytes, fields: Sequence[bytes], rules: Rules) -> Program[str]:
    if not fields or not any(rules.fields_expire):
        return SAME
    command: Command = ("HPTTL", key, "FIELDS", len(fields), *fields)
    began = time.monotonic()
    at_source, at_target = rules.fields_expire
    ours, theirs = yield ([command] if at_source else []), ([command] if at_target else [])
    seconds = time.monotonic() - began
    lasting = [LASTING] * len(fields)
    both = [told(answers)[0] if answers else lasting for answers in (ours, theirs)]
    if not all(isinstance(ends, list) and len(ends) == len(fields) for ends in both):
        return "it has changed just now"
    for our, their in zip(*both):
        if not rules.same_ends(our, their, seconds):
            return f"a field of it expires {when(our)} at the source and {when(their)} at the target"
    return SAME


def when(ttl: int) -> str:
    return "never" if ttl == LASTING else "at once" if ttl < 0 else f"in {ttl / 1000:,.1f} s"


# --- streams ---


def _same_stream(key: bytes, rules: Rules) -> Program[str]:
    ours = yield from at(SOURCE, streams.look(key))
    theirs = yield from at(TARGET, streams.look(key))
    differs = _same_state(ours, theirs) or (yield from _same_entries(key))
    for group in ours.groups:
        differs = differs or (yield from _same_pending(key, group.name, rules))
    return differs


def _same_state(ours: Stream, theirs: Stream) -> str:
    """What a side does not tell, as before Redis 7.0, cannot differ. How many entries a group has read is an estimate
    from which its lag is told, and Redis 7.0 gives its own replicas another after XREADGROUP with NOACK.
    """
    if [group.name for group in ours.groups] != [group.name for group in theirs.groups]:
        return "its groups differ"
    for name, our, their in (
        ("length", ours.length, theirs.length),
        ("last id", ours.last_id, theirs.last_id),
        ("count of entries added", ours.entries_added, theirs.entries_added),
        ("last deleted id", ours.max_deleted, theirs.max_deleted),
    ):
        if our != their and None not in (our, their):
            return f"its {name} differs"
    for our_group, their_group in zip(ours.groups, theirs.groups):
        if replace(our_group, entries_read=None) != replace(their_group, entries_read=None):
            return "the position, the consumers or the number of pending entries of one of its groups differs"
    return SAME


def _same_entries(key: bytes) -> Program[str]:
    pace, start = Pace(), b"-"
    while True:
        count = pace.count
        ours, theirs = yield from _both(("XRANGE", key, start, "+", "COUNT", count))
        if ours != theirs:
            return f"its entries differ, from one after {start.decode()} on"
        if len(ours) < count:
            return SAME
        start = after(ours[-1][0])
        pace.took(sum(len(word) for _id, words in ours for word in words))


def _same_pending(key: bytes, group: bytes, rules: Rules) -> Program[str]:
    pace, start = Pace(), b"-"
    while True:
        count = pace.count
        began = time.monotonic()
        ours, theirs = yield from _both(("XPENDING", key, group, start, "+", count))
        seconds = time.monotonic() - began
        if [(one[0], one[1], one[3]) for one in ours] != [(one[0], one[1], one[3]) for one in theirs]:
            return "the pending entries of one of its groups differ"
        if not all(rules.same_ends(their[2], our[2], seconds) for our, their in zip(ours, theirs)):
            return "a pending entry of one of its groups was delivered at another time"
        if len(ours) < count:
            return SAME
        start = after(ours[-1][0])


COMPARING: Mapping[str, Comparing] = {
    STRING: _same_string,
    LIST: _same_list,
    SET: _same_set,
    ZSET: _same_zset,
    HASH: _same_hash,
    STREAM: _same_stream,
}
