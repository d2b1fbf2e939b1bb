# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys that were not the same when they were compared, looked at until that is certain.

While a source is written and its writes follow, a key differs for a moment. So a difference counts once both sides have
been at rest for a while, and the target has what the source had written when they came to it, where a transfer that
follows says how far it is; a key that never comes to rest is told as that.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import NamedTuple, Sequence, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import MARK
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.mark import Mark
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import (
    CHANGING,
    EQUAL,
    GONE,
    Suspect,
    Tally,
    Verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import (
    SOURCE,
    TARGET,
    at,
    together,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import compare, digest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import raw

PAUSE = 0.25  # seconds between two looks
_TOGETHER = 200
_EQUAL = Verdict(EQUAL)
_PATIENCE = 10  # times as long as what is at rest, for what is not


class Follower:
    """Up to which of the source's writes the target has them (``brought``), and how far they are (``written``)."""

    def __init__(self, source: Reach, target: Reach) -> None:
        self._source, self._target = source, target

    def brought(self) -> float:
        """Endless where nobody follows, or does not tell."""
        self._target.select(0)
        [told] = self._target.ask([(MARK.encode(), ("GET", MARK))])
        if not isinstance(told, bytes) or len(self._source.links) != 1:
            return math.inf
        mark = Mark.parse(told.decode())
        return mark.at if mark.in_stream else -1

    def written(self) -> int:
        told = parse_info(self._source.links[0].connection.ask("INFO", "replication")).get("master_repl_offset", 0)
        return told if isinstance(told, int) else 0


class Moment(NamedTuple):
    """In which keys were read, by the clock, and of a follower: what was there before, and what was written after."""

    now: float
    brought: float = math.inf
    written: int = 0


@dataclass(frozen=True)
class Rules:
    """``secret`` is what digests are made with."""

    ttl_tolerance_ms: int
    settle_seconds: float
    secret: bytes


def look_again(tally: Tally, source: Reach, target: Reach, rules: Rules) -> bool:
    """Look at each suspect once more, and whether none is left after it. Raises CacheError."""
    left: list[Suspect] = []
    follower = Follower(source, target)
    brought = follower.brought()
    for database in sorted({database for database, _key in tally.suspects}):
        of_it = [one for one in tally.suspects.values() if one.database == database]
        try:
            source.select(database)
            target.select(database)
        except ServerError as error:
            for one in of_it:
                tally.judge(database, one.key, Verdict(one.word, f"{one.why} ({error})".strip()))
            continue
        for start in range(0, len(of_it), _TOGETHER):
            some = of_it[start : start + _TOGETHER]
            found = _look_at(some, tally, source, target, rules)
            moment = Moment(time.time(), brought, 0 if brought == math.inf else follower.written())
            left += _judged(found, tally, moment, rules)
    tally.suspects = {(one.database, one.key): one for one in left}
    return not left


Look = Tuple[Suspect, Verdict, Tuple[str, str]]


def _look_at(some: Sequence[Suspect], tally: Tally, source: Reach, target: Reach, rules: Rules) -> list[Look]:
    """Those that are not the same, as what they are now."""
    equality = compare.rules_for(source, target, rules.ttl_tolerance_ms)
    verdicts = dict(compare.compare([raw(one.key) for one in some], source, target, equality).others)
    differing = []
    for one in some:
        verdict = verdicts.get(one.key, _EQUAL)
        if verdict.word in (EQUAL, GONE):
            tally.judge(one.database, one.key, verdict)
        else:
            differing.append(one)
    names = [one.key for one in differing]
    ours = together({key: at(SOURCE, digest.of(key, rules.secret)) for key in names}, source, target)
    theirs = together({key: at(TARGET, digest.of(key, rules.secret)) for key in names}, source, target)
    return [(one, verdicts[one.key], (ours[one.key], theirs[one.key])) for one in differing]


def _judged(found: Sequence[Look], tally: Tally, moment: Moment, rules: Rules) -> list[Suspect]:
    """Those that are still not certain."""
    left = []
    for one, seen, digests in found:
        is_certain = _is_certain(one, digests, seen, moment, rules)
        if is_certain:
            tally.judge(one.database, one.key, is_certain)
        else:
            left.append(one)
    return left


def _is_certain(one: Suspect, digests: tuple[str, str], seen: Verdict, moment: Moment, rules: Rules) -> Verdict | None:
    """The verdict, where the key has been the same thing for long enough, or was another for far too long."""
    now = moment.now
    is_at_rest = one.since and (one.source, one.target, one.word) == (*digests, seen.word)
    one.first = one.first or now
    one.word, one.why = seen.word, seen.why
    (one.source, one.target) = digests
    if not is_at_rest:
        one.since, one.position = now, moment.written
    if is_at_rest and now - one.since >= rules.settle_seconds and moment.brought >= one.position:
        return seen
    if now - one.first >= rules.settle_seconds * _PATIENCE:
        return Verdict(CHANGING, seen.why)
    return None
