# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a key is the same on both sides: its type, its value in whatever encoding and order, and when it expires.

A payload that is the same to the byte is the same value, and is asked for first, as that costs the least. That it
differs says nothing; then values are read by their type (same.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import (
    DIFFERENT,
    EQUAL,
    EXTRA,
    GONE,
    MISSING,
    UNKNOWN,
    Verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    NONE,
    Unreadable,
    told,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import (
    Program,
    together,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.same import (
    COMPARING,
    NO_KEY,
    Rules,
    when,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import (
    Link,
    command,
    inside,
    raw,
)

LARGE = 1 << 19  # bytes in memory, from which on a value is read in parts alone
_AT_ONCE = 1 << 22  # bytes of payloads that are asked for together

# Types of payloads whose bytes mean the same to every engine that knows them: later ones were given out twice.
_LAST_COMMON_TYPE = 21
_LASTS = b":-1"
_TOGETHER = 500  # keys whose values are read at the same time
_FOOTER = 12  # of a payload as it is sent: its version, a checksum, the end of the line


def rules_for(source: Reach, target: Reach, ttl_tolerance_ms: int) -> Rules:
    return Rules(ttl_tolerance_ms, (_knows_field_ttls(source), _knows_field_ttls(target)))


def _knows_field_ttls(side: Reach) -> bool:
    """Of a key that is not there an engine says so, where it knows the command."""
    [answer] = side.ask([(b"", ("HPTTL", b"", "FIELDS", 1, b"f"))])
    return not isinstance(answer, ServerError) or "unknown command" not in str(answer).lower()


# --- many keys ---


@dataclass
class Compared:
    """How many keys are equal, and a verdict for each of the others."""

    equal: int = 0
    others: list[tuple[bytes, Verdict]] = field(default_factory=list)

    def add(self, verdicts: Mapping[bytes, Verdict]) -> None:
        found = [(key, verdict) for key, verdict in verdicts.items() if verdict.word != EQUAL]
        self.equal += len(verdicts) - len(found)
        self.others += found


def compare(raws: Sequence[bytes], source: Reach, target: Reach, rules: Rules) -> Compared:
    """Keys, which are raw. What is missing or differs by its first look may be being written just now."""
    compared = Compared()
    small: list[bytes] = []
    size = 0
    for key, takes in zip(raws, _sizes(raws, source, target)):
        if takes is None or takes > LARGE:
            compared.add(together({inside(key): _compared(inside(key), rules)}, source, target))
            continue
        small.append(key)
        size += takes
        if size > _AT_ONCE:
            _small(small, source, target, rules, compared)
            small, size = [], 0
    _small(small, source, target, rules, compared)
    return compared


def _sizes(raws: Sequence[bytes], source: Reach, target: Reach) -> Sequence[int | None]:
    """Of each key, in memory; None where neither side tells."""
    for side in (source, target):
        found = [_whole(line) for line in side.lines((b"MEMORY", b"USAGE"), raws)]
        if None not in found:
            break
    return found


def _whole(line: bytes) -> int | None:
    """A key that is not there takes nothing."""
    return None if line[:1] == b"-" else 0 if line[:1] == b"$" else int(line[1:])


def _small(raws: Sequence[bytes], source: Reach, target: Reach, rules: Rules, compared: Compared) -> None:
    ours, theirs = source.bulks((b"DUMP",), raws), target.bulks((b"DUMP",), raws)
    began = time.monotonic()
    our_ends, their_ends = source.lines((b"PTTL",), raws), target.lines((b"PTTL",), raws)
    seconds = time.monotonic() - began
    left: list[bytes] = []
    for key, our, their, end, other_end in zip(raws, ours, theirs, our_ends, their_ends):
        if our and our == their and end == other_end == _LASTS:
            continue
        if not (_same_payload(our, their) and _same_ends(end, other_end, seconds, rules)):
            left.append(inside(key))
    compared.equal += len(raws) - len(left)
    for start in range(0, len(left), _TOGETHER):
        compared.add(together({key: _compared(key, rules) for key in left[start : start + _TOGETHER]}, source, target))


def _same_payload(our: Any, their: Any) -> bool:
    if not (isinstance(our, bytes) and isinstance(their, bytes)):
        return False
    if our == their:
        return True
    return our[:-_FOOTER] == their[:-_FOOTER] and our[our.index(b"\n") + 1] <= _LAST_COMMON_TYPE


def _same_ends(our: bytes, their: bytes, seconds: float, rules: Rules) -> bool:
    """By the answers to PTTL, of which the second was given within so many seconds of the first."""
    return our[:1] == their[:1] == b":" and rules.same_ends(int(our[1:]), int(their[1:]), seconds) and our != b":-2"


# --- one key ---


def _compared(key: bytes, rules: Rules) -> Program[Verdict]:
    try:
        return (yield from _judged(key, rules))
    except Unreadable as why:
        return Verdict(UNKNOWN, f"it cannot be read: {why}")


def _judged(key: bytes, rules: Rules) -> Program[Verdict]:
    [ours], [theirs] = yield [("TYPE", key)], [("TYPE", key)]
    [our, their] = told([ours, theirs])
    if NONE in (our, their):
        return Verdict(GONE if our == their else MISSING if their == NONE else EXTRA)
    if our != their:
        return Verdict(DIFFERENT, f"it is a {our} at the source and a {their} at the target")
    if our not in COMPARING:
        return Verdict(UNKNOWN, f"it is a {our}, a type of a module, whose values cannot be read in parts")
    differs = yield from COMPARING[our](key, rules)
    return (yield from _with_ends(key, differs, rules))


def _with_ends(key: bytes, differs: str, rules: Rules) -> Program[Verdict]:
    """Last, as a key that is not there any more has nothing by which it differs."""
    began = time.monotonic()
    ours, theirs = yield [("PTTL", key)], [("PTTL", key)]
    seconds = time.monotonic() - began
    [our, their] = told([*ours, *theirs])
    if NO_KEY in (our, their):
        return Verdict(GONE if our == their else MISSING if their == NO_KEY else EXTRA)
    if not rules.same_ends(our, their, seconds):
        differs = differs or f"it expires {when(our)} at the source and {when(their)} at the target"
    return Verdict(DIFFERENT, differs) if differs else Verdict(EQUAL)


# --- many keys, by their names alone ---


def lacking(raws: Sequence[bytes], side: Reach) -> list[bytes]:
    """Those of the keys that the side does not have."""
    if len(side.links) == 1 and _are_all_there(side.links[0], raws):
        return []
    return [key for key, line in zip(raws, side.lines((b"EXISTS",), raws)) if line != b":1"]


def _are_all_there(link: Link, raws: Sequence[bytes]) -> bool:
    """In one question, as nearly always they are."""
    if not raws:
        return True
    link.send(command(raw(b"EXISTS"), *raws))
    return link.lines(1) == [b":%d" % len(raws)]
