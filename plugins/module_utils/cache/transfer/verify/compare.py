# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a key is the same on both sides: its type, its value in whatever encoding and order, and when it expires.

A payload that is the same to the byte is the same value, and is asked for first, as that costs the least. That it
differs says nothing; then values are read by their type (same.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import columns
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
    repeated,
)

LARGE = 1 << 19  # bytes in memory, from which on a value is read in parts alone
_AT_ONCE = 1 << 22  # bytes of payloads that are asked for together

# Types of payloads whose bytes mean the same to every engine that knows them: later ones were given out twice.
_LAST_COMMON_TYPE = 21
_LASTS = b":-1"
_TOGETHER = 500  # keys whose values are read at the same time
_FOOTER = 10  # of a payload: its version, a checksum


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
    """Of each key, in memory, nothing for one that is not there; None where neither side tells."""
    for side in (source, target):
        found = [int(line[1:]) if line[:1] == b":" else _none(line) for line in side.lines((b"MEMORY", b"USAGE"), raws)]
        if None not in found:
            break
    return found


def _none(line: bytes) -> int | None:
    return 0 if line[:1] == b"$" else None


def _small(raws: Sequence[bytes], source: Reach, target: Reach, rules: Rules, compared: Compared) -> None:
    left = _differing(raws, source, target, rules) if raws else []
    compared.equal += len(raws) - len(left)
    for start in range(0, len(left), _TOGETHER):
        some = left[start : start + _TOGETHER]
        compared.add(together({inside(key): _compared(inside(key), rules) for key in some}, source, target))


def _differing(raws: Sequence[bytes], source: Reach, target: Reach, rules: Rules) -> list[bytes]:
    """Those whose payload or time is not the same. Mostly all of the payloads are the same to the byte."""
    ours, theirs = _asked(b"DUMP", raws, source, target)
    differ: set[int] = set()
    if not _are_payloads(ours, theirs, len(raws)):
        both = enumerate(zip(columns.bulks(ours, len(raws)), columns.bulks(theirs, len(raws))))
        differ = {place for place, (our, their) in both if not _same_payload(our, their)}
    ours, theirs = _asked(b"PTTL", raws, source, target)
    ends = enumerate(zip(columns.lines(ours, len(raws)), columns.lines(theirs, len(raws))))
    differ |= {
        place for place, (our, their) in ends if not (our == their == _LASTS) and not _same_ends(our, their, rules)
    }
    return [raws[place] for place in sorted(differ)]


def _asked(word: bytes, raws: Sequence[bytes], source: Reach, target: Reach) -> tuple[bytes, bytes]:
    """What both answer, at the same time, to a command for each of the keys."""
    places = [side.places(raws) for side in (source, target)]
    for side, of_side in zip((source, target), places):
        for link, some in of_side.items():
            side.links[link].ask(repeated((word,), [raws[place] for place in some]))
    ours, theirs = (_in_order(side, of_side, len(raws)) for side, of_side in zip((source, target), places))
    return ours, theirs


def _in_order(side: Reach, places: Mapping[int, Sequence[int]], count: int) -> bytes:
    """The answers, put back to where their keys are."""
    blocks = {link: side.links[link].told()[0] for link in places}
    if len(blocks) == 1:
        return next(iter(blocks.values()))
    found = [b""] * count
    for link, block in blocks.items():
        for place, answer in zip(places[link], columns.answers(block, len(places[link]))):
            found[place] = answer
    return b"".join(found)


def _are_payloads(ours: bytes, theirs: bytes, count: int) -> bool:
    """Whether these are so many values, and the same ones: a refusal on both sides, or nothing, is none."""
    is_sure = ours[:1] == b"$" and b"\r\n-" not in ours and b"$-1\r\n" not in ours
    return is_sure and ours == theirs and ours.count(b"\r\n$") >= count - 1


def _same_payload(our: object, their: object) -> bool:
    """Spelled ones."""
    if not (isinstance(our, bytes) and isinstance(their, bytes)) or columns.NOT_THERE in (our, their):
        return False
    if our == their:
        return True
    return our[:-_FOOTER] == their[:-_FOOTER] and our[our.index(b"\n") + 1] <= _LAST_COMMON_TYPE


def _same_ends(our: bytes, their: bytes, rules: Rules) -> bool:
    """By the answers to PTTL, which were given at about the same time."""
    return our[:1] == their[:1] == b":" and rules.same_ends(int(our[1:]), int(their[1:]), 0) and our != b":-2"


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
