# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which strategy fits the data of the old Redis, and why: what a cold start loses and costs, and what stands against
each of the others. Pure. A strategy that cannot be stated is none.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Callable, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import following
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.traffic import Traffic
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED, REDIS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import (
    BRINGING,
    COLD,
    COPY,
    LIVE,
    MANAGED,
    SEED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import (
    NOTE,
    WARN,
    Circumstances,
    Finding,
    release,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table

EXISTING = (COLD, *BRINGING)

# Where it is worth it to have a mere cache warm: so many hits a second, and so many times as many lookups as misses.
MANY_HITS = 100.0
TIMES_THE_LOAD = 2.0
# Fewer writes a second than this are hardly any: few of them are made while data is copied.
FEW_WRITES = 1.0

_SHOWN = 3
_FOLLOWED_SINCE = (4, 0)

# As stores of sessions name their keys: PHPREDIS_SESSION:, sess: of connect-redis, spring:session:,
# django.contrib.sessions.cache, session: of Flask-Session.
_SESSION = re.compile(r"(?i)(?:\A|[^a-z])(?:phpredis_)?sess(?:ions?)?(?:[^a-z]|\Z)")

# The newest version of payloads that each takes, by the release from which on; of one before, or a later engine, that
# is not known. A copy finds it out of the target itself.
_TAKES: Mapping[str, tuple[tuple[tuple[int, ...], int], ...]] = {
    "redis": (((5, 0), 9), ((7, 0), 10), ((7, 2), 11), ((7, 4), 12)),
    "valkey": (((7, 2), 11), ((9, 0), 80)),
}
_OF_REDIS = 12  # the first version that Redis has to itself; Valkey left room up to its own 80


@dataclass(frozen=True)
class Cold:
    """What a cold start costs. ``traffic`` is what went on while the old Redis was watched, or on average where more
    was found then, as ``when`` says. ``refilled_seconds`` is the least that it takes to be as full as now, were every
    lookup for another key.
    """

    traffic: Traffic | None
    when: str
    refilled_seconds: float | None

    @property
    def hit_rate(self) -> float | None:
        return self.traffic.hits / self.traffic.lookups if self.traffic and self.traffic.lookups else None

    @property
    def spared(self) -> str:
        """What it keeps from what is behind it."""
        if self.traffic is None:
            return "how much is looked up in it was not seen"
        return f"it spares what is behind it {self.traffic.hits:,.0f} lookups a second {self.when}"

    @property
    def is_dear(self) -> bool:
        """What is behind the cache would feel it."""
        seen = self.traffic
        return seen is not None and seen.hits >= MANY_HITS and seen.lookups >= TIMES_THE_LOAD * seen.misses


@dataclass(frozen=True)
class Recommendation:
    """``lost`` is what a cold start loses, as phrases; ``against`` has for each strategy what stands against it, as
    sentences. ``payload`` says how values are written to the target, ``stays`` what stays behind of what is written.
    """

    strategy: str
    why: str
    lost: tuple[str, ...]
    cold: Cold
    against: Mapping[str, tuple[str, ...]]
    payload: str = ""
    stays: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "recommended": self.strategy,
            "why": self.why,
            "lost_when_cold": list(self.lost),
            "cold": {**asdict(self.cold), "hit_rate": self.cold.hit_rate},
            "against": {name: list(reasons) for name, reasons in self.against.items()},
            "payload": self.payload,
            "stays_behind": self.stays,
        }


def recommend(source: Source, servers: int, target: Target, stated: Circumstances) -> Recommendation:
    """``source`` is all of the old Redises together, of which there are ``servers``."""
    lost, cold = tuple(_lost(source, stated)), _cold(source)
    against = {name: tuple(_AGAINST[name](source, servers, target)) for name in EXISTING}
    strategy, why = _choice(source, lost, cold, against)
    brings = strategy != COLD
    return Recommendation(
        strategy,
        why,
        lost,
        cold,
        against,
        _by_payload(source, target) if brings else "",
        _stays(source) if strategy == COPY else "",
    )


def _choice(
    source: Source, lost: tuple[str, ...], cold: Cold, against: Mapping[str, tuple[str, ...]]
) -> tuple[str, str]:
    """What can be followed can be copied, too."""
    if not source.total_keys:
        return COLD, "it holds no keys"
    if not lost and not cold.is_dear:
        return COLD, f"{_nothing_lost(source)}, and {cold.spared}"
    wanted = (
        f"a cold start would lose {_listed(lost)}" if lost else f"{cold.spared}, which what is behind it would feel"
    )
    if against[COPY]:
        return COLD, f"although {wanted}, nothing can bring it ({_lowered(' '.join(against[COPY]))})"
    if not lost:
        return COPY, wanted
    if not _is_written_to(source):
        return COPY, f"{wanted}, and hardly anything is written to it"
    why = f"{wanted}, and {_written(source)}"
    return (COPY, f"{why}, but {_lowered(against[LIVE][0])}") if against[LIVE] else (LIVE, why)


# --- what is there ---


def _lost(source: Source, stated: Circumstances) -> Iterator[str]:
    """What an app does not make anew by itself."""
    if source.keys_without_ttl and not _evicts_any(source):
        yield f"{source.keys_without_ttl:,} of {source.total_keys:,} keys, which never expire"
    if source.queue_libraries:
        yield f"the queues of {' and '.join(source.queue_libraries)}"
    elif waiting := sorted({client.address for client in source.clients if client.blocking}):
        yield f"what {_listed(waiting)} waits for in queues"
    if source.streams:
        groups = any(stream.groups for stream in source.streams)
        yield f"{len(source.streams)} stream{'s' if len(source.streams) > 1 else ''}" + (
            " with groups of readers" if groups else ""
        )
    if sessions := sorted({group.pattern for group in source.key_groups if _SESSION.search(group.pattern)}):
        yield f"sessions ({_listed(sessions)})"
    if stated.must_not_lose and source.total_keys:
        yield "what may not be lost (migration_must_not_lose)"


def _evicts_any(source: Source) -> bool:
    """Then the app must do without any key at any time already."""
    return bool(source.maxmemory) and source.maxmemory_policy.startswith("allkeys-")


def _nothing_lost(source: Source) -> str:
    if source.keys_without_ttl:
        return f"it evicts any key when it is full ({source.maxmemory_policy}), so that the app does without each"
    short = source.lives.get("minute", 0) + source.lives.get("hour", 0)
    within = f", {short} of {sum(source.lives.values())} looked at within the hour" if short else ""
    return f"all that it holds expires{within}"


def _writes(source: Source) -> float | None:
    """A second, while it was watched or on average, whichever is more; None where that is not known."""
    known = [seen.writes for seen in (source.now, source.on_average) if seen is not None and seen.writes is not None]
    return max(known, default=None)


def _has_workers(source: Source) -> bool:
    """Whoever waits for jobs gets them by a write."""
    return bool(source.queue_libraries) or any(client.blocking for client in source.clients)


def _is_written_to(source: Source) -> bool:
    """Where that is not known, it is."""
    writes = _writes(source)
    return writes is None or writes >= FEW_WRITES or _has_workers(source)


def _written(source: Source) -> str:
    writes = _writes(source)
    if writes is None:
        return "how much is written to it was not seen"
    return "jobs come and go" if writes < FEW_WRITES else f"{writes:,.0f} writes a second go on"


def _stays(source: Source) -> str:
    if not _is_written_to(source):
        return ""
    return (
        "What is written from the copy on, until the last host has changed, stays behind: stop who writes meanwhile, "
        "or let that be lost."
    )


def _cold(source: Source) -> Cold:
    seen = [(one, when) for one, when in ((source.now, "now"), (source.on_average, "on average")) if one is not None]
    traffic, when = max(seen, key=lambda one: one[0].hits, default=(None, ""))
    return Cold(traffic, when, source.total_keys / traffic.lookups if traffic and traffic.lookups else None)


# --- what stands against each ---


def _against_copy(source: Source, servers: int, target: Target) -> Iterator[str]:
    if target.protocol == MEMCACHED:
        yield "Memcached keeps plain values alone, and tells nobody what it holds."
    if servers > 1:
        yield f"The hosts have {servers} old Redises, and one of them can be brought."


def _against_live(source: Source, servers: int, target: Target) -> Iterator[str]:
    yield from _against_copy(source, servers, target)
    if target.protocol not in (REDIS, MEMCACHED) or source.server.mode == "cluster":
        yield "A cluster, as the one or the other side is, is not followed."
    if source.may_follow == following.NO:
        yield "The old Redis lets this user not follow it (PSYNC, REPLCONF)."
    if () < release(source.server.version) < _FOLLOWED_SINCE:
        yield "A Redis of before 4.0 is not followed."


def _against_seed(source: Source, servers: int, target: Target) -> Iterator[str]:
    yield from _against_copy(source, servers, target)
    if source.payload is not None and takes(target.engine, target.engine_version, source.payload) is False:
        yield "The target does not load what the old Redis writes."
    if target.protocol not in (REDIS, MEMCACHED) and any(source.keyspace.keys() - {0}):
        yield "A dump of several databases is not restored into a cluster."


def _against_managed(source: Source, servers: int, target: Target) -> Iterator[str]:
    """What AWS asks of the target is in its own row, and is said where this strategy is stated."""
    yield from _against_live(source, servers, target)
    if target.service is not table.DEFAULT:
        yield "AWS itself is had to bring data to replication groups of ElastiCache alone."
    if target.auth != "none":
        yield "AWS's online migration takes no target that asks for a password."


_AGAINST: Mapping[str, Callable[[Source, int, Target], Iterator[str]]] = {
    COLD: lambda source, servers, target: iter(()),
    COPY: _against_copy,
    LIVE: _against_live,
    MANAGED: _against_managed,
    SEED: _against_seed,
}


def takes(engine: str, version: str, payload: int) -> bool | None:
    """Whether RESTORE of that release is expected to take a payload; None where that is not known."""
    known = [newest for since, newest in _TAKES.get(engine, ()) if version and since <= release(version)]
    if not known:
        return None
    if engine == "valkey" and _OF_REDIS <= payload < 80:
        return False
    return payload <= known[-1]


def _by_payload(source: Source, target: Target) -> str:
    if source.payload is None:
        return "In which version the old Redis gives its values was not seen."
    taken = takes(target.engine, target.engine_version, source.payload)
    which = f"the old Redis gives them in version {source.payload}"
    if taken is None:
        return f"Whether the target takes values as they are is found out there; {which}."
    if taken:
        return f"Values go as they are: {which}, which the target takes."
    return f"Values are written anew by their types, which is slower: {which}, which the target does not take."


# --- what is said ---


def findings(made: Recommendation, stated: Circumstances) -> Iterator[Finding]:
    """Two at most."""
    loses = stated.transfer == COLD != made.strategy
    agrees = stated.transfer == made.strategy
    yield Finding(
        WARN if loses and made.lost else NOTE,
        "strategy",
        f"Recommended: {made.strategy}, as {made.why}.",
        " ".join(filter(None, [made.payload, made.stays])),
        "" if agrees else f"State it: migration_transfer: {made.strategy}.",
    )
    if stated.transfer in ("", COLD):
        yield from _cost(made)


def _cost(made: Recommendation) -> Iterator[Finding]:
    cold, seen = made.cold, made.cold.traffic
    if seen is None or not seen.lookups or cold.hit_rate is None:
        why = "nothing was looked up in it" if seen is not None else "its traffic was not seen"
        yield Finding(NOTE, "cold start", f"What a cold start costs is not known: {why}.", "")
        return
    yield Finding(
        NOTE,
        "cold start",
        f"{cold.when.capitalize()}, {seen.hits:,.0f} of {seen.lookups:,.0f} lookups a second are hits "
        f"({cold.hit_rate:.0%}).",
        f"Started cold, up to {seen.lookups:,.0f} a second come to what is behind the cache at first, which has "
        f"{seen.misses:,.0f} now; it takes {_duration(cold.refilled_seconds or 0)} at the least until it is as full.",
    )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 7200 else f"{seconds / 3600:,.0f} hours"


def _listed(names: Any) -> str:
    shown = list(names)[:_SHOWN]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(shown)}{more}"


def _lowered(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:]}".rstrip(".")
