# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys that were not the same when they were compared, looked at until that is certain.

While a source is written and its writes follow, a key differs for a moment. So a difference counts once both sides have
been at rest for a while; a key that never comes to rest is told as that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
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


@dataclass(frozen=True)
class Rules:
    """``secret`` is what digests are made with."""

    ttl_tolerance_ms: int
    settle_seconds: float
    secret: bytes


def look_again(tally: Tally, source: Reach, target: Reach, rules: Rules) -> bool:
    """Look at each suspect once more, and whether none is left after it. Raises CacheError."""
    left: list[Suspect] = []
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
            left += _look_at(of_it[start : start + _TOGETHER], tally, source, target, rules)
    tally.suspects = {(one.database, one.key): one for one in left}
    return not left


def _look_at(some: Sequence[Suspect], tally: Tally, source: Reach, target: Reach, rules: Rules) -> list[Suspect]:
    """Those that are still not certain."""
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
    left = []
    for one in differing:
        seen = verdicts[one.key]
        is_certain = _is_certain(one, (ours[one.key], theirs[one.key]), seen, time.time(), rules)
        if is_certain:
            tally.judge(one.database, one.key, is_certain)
        else:
            left.append(one)
    return left


def _is_certain(one: Suspect, digests: tuple[str, str], seen: Verdict, now: float, rules: Rules) -> Verdict | None:
    """The verdict, where the key has been the same thing for long enough, or was another for far too long."""
    is_at_rest = one.since and (one.source, one.target, one.word) == (*digests, seen.word)
    one.first = one.first or now
    one.word, one.why = seen.word, seen.why
    (one.source, one.target) = digests
    if not is_at_rest:
        one.since = now
    if now - one.since >= rules.settle_seconds and is_at_rest:
        return seen
    if now - one.first >= rules.settle_seconds * _PATIENCE:
        return Verdict(CHANGING, seen.why)
    return None
