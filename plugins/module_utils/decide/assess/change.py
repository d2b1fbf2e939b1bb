# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the change means for the data and for the clients of the old Redis. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import BLOCKING, Client
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import strategies
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import (
    NOTE,
    REFUSE,
    WARN,
    Circumstances,
    Finding,
    Old,
    Who,
    release,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table

_PATTERNS_SHOWN = 3
_FUNCTIONS_SINCE = (7, 0)

_MEANS_COPY = (
    "What the app writes while they are copied, and until the last host has changed, stays behind on the old Redis. "
    "While hosts are on different caches, what one writes the others do not see: sessions, locks, counters, rate "
    "limits and queues are split."
)
_MEANS_LIVE = (
    "What is written to the old Redis meanwhile is written to the target, too, until the last host has changed. What "
    "hosts write to the target by then is not on the old Redis: sessions, locks, counters, rate limits and queues are "
    "split for the hosts that have yet to change."
)
_MEANS_MANAGED = (
    "What is written to the old Redis meanwhile is written to the target, too, until just before the first host "
    "changes; what hosts write to the old Redis from then on stays behind there. While hosts are on different caches, "
    "what one writes the others do not see: sessions, locks, counters, rate limits and queues are split."
)
_MEANS_SEED = (
    "What was written since the dump was taken, and until the last host has changed, stays behind on the old Redis. "
    "While hosts are on different caches, what one writes the others do not see: sessions, locks, counters, rate "
    "limits and queues are split."
)
_MEANS = {
    strategies.SEED: _MEANS_SEED,
    strategies.COPY: _MEANS_COPY,
    strategies.LIVE: _MEANS_LIVE,
    strategies.MANAGED: _MEANS_MANAGED,
}
_MEANS_COLD = (
    "The target starts empty, and the app fills it again as it works: expect misses, and more load on what is behind "
    "the cache. While hosts are on different caches, what one writes the others do not see: sessions, locks, counters, "
    "rate limits and queues are split until the last host has changed."
)


def data(source: Source, who: Who, target: Target, stated: Circumstances) -> Iterator[Finding]:
    held = f"{who.does('holds', 'hold')} {source.total_keys} keys, {source.keys_without_ttl} of them without TTL."
    if stated.transfer == strategies.COLD:
        yield Finding(NOTE, "data", f"{held} None is copied.", _MEANS_COLD)
    elif stated.transfer and target.protocol != MEMCACHED:
        yield Finding(NOTE, "data", f"{held} All are copied.", _MEANS[stated.transfer])
    elif stated.transfer:
        yield Finding(
            REFUSE,
            "data",
            f"{held} They are to come along (migration_transfer: {stated.transfer}).",
            "Memcached keeps plain values alone, and tells nobody what it holds: there is no way to copy them, nor to "
            "prove that they are there.",
            "If the app can live with an empty target, state it: migration_transfer: cold.",
        )
    else:
        yield Finding(
            REFUSE,
            "data",
            f"{held} What becomes of them is not stated.",
            _MEANS_COLD,
            "If the app can live with that, state it: migration_transfer: cold. To have them come along: "
            "migration_transfer: copy, or live where what is written meanwhile is to come along, too.",
        )


def jobs(source: Source, stated: Circumstances) -> Iterator[Finding]:
    if source.queue_libraries and stated.transfer == strategies.COPY:
        yield Finding(
            WARN,
            "jobs",
            f"The old Redis holds queues of {', '.join(source.queue_libraries)}, and they are copied.",
            "A job that waits while it is copied is on both sides then: the workers of the old one do it, and those of "
            "the target do it again.",
            "Have what is written meanwhile come along, too (migration_transfer: live), or see that a job may be done "
            "twice.",
        )


def several(sources: Mapping[str, Source]) -> Iterator[Finding]:
    if len(sources) == 1:
        return
    held = ", ".join(f"{place} ({source.total_keys} keys)" for place, source in sources.items())
    yield Finding(
        WARN,
        "several",
        f"The hosts have {len(sources)} old Redises: {held}.",
        "What the app writes meets in one cache from then on: keys of equal name, as counters and locks, are one key "
        "for all hosts, and a worker takes the jobs of all. On the way back each host has the one it had, with "
        "what that held at the cutover.",
        "Where hosts must stay apart, give each an inventory, a migration_name and a target of its own; "
        "decommission.yml retires the Redis of such a migration alone, too.",
    )


def clients(old: Old, stated: Circumstances) -> Iterator[Finding]:
    source = old.source
    if "CLIENT LIST" in source.not_told and stated.unknown_clients == REFUSE:
        yield Finding(
            REFUSE,
            "clients",
            "The old Redis does not answer CLIENT LIST, so nobody can tell that it has no client beside the hosts of "
            "the inventory.",
            "Such a client would stay on it unseen, apart from the app.",
            "Assess it by a user that may ask (migration_assess_url). Where nobody may, see to its clients by hand, "
            "and let them be: migration_unknown_clients: warn.",
        )
    strangers = [client for client in source.clients if client.address not in old.known_clients and not client.replica]
    for address in sorted({client.address for client in strangers}):
        of_it = [client for client in strangers if client.address == address]
        connections = sum(client.connections for client in of_it)
        yield Finding(
            REFUSE if stated.unknown_clients == REFUSE else WARN,
            "clients",
            f"{address} has {connections} connection{'s' if connections > 1 else ''} to the old Redis "
            f"({'; '.join(_described(client) for client in of_it)}), and is no host of the inventory.",
            "It stays on the old Redis, apart from the app, and fails once that is gone.",
            "Add it to the group app, or move it by hand. What is known to be harmless, such as monitoring, may stay "
            "(migration_unknown_clients: warn).",
        )
    replicas = sorted({client.address for client in source.clients if client.replica})
    if replicas:
        yield Finding(
            WARN,
            "clients",
            f"{', '.join(replicas)} replicates the old Redis.",
            "What reads from that replica sees none of the target's data.",
            "Point such readers at the target's reader endpoint.",
        )


def _described(client: Client) -> str:
    name = f"name {client.name}" if client.name else "no name"
    return f"{name}, last command {', '.join(client.commands) or 'unknown'}"


def events(source: Source, target: Target) -> Iterator[Finding]:
    wanted = source.keyspace_events
    if _events_of(wanted) <= _events_of(target.keyspace_events):
        return
    listening = sorted({client.address for client in source.clients if client.pubsub})
    yield Finding(
        WARN,
        "keyspace events",
        f"The old Redis tells of what becomes of keys (notify-keyspace-events {wanted})"
        + (f", and {', '.join(listening)} subscribes to channels." if listening else "."),
        "The target tells of it only where its parameter says so: without, whoever waits for such an event, as that a "
        "key has expired, waits for ever.",
        target.by_parameter(
            f"If the app relies on them, set notify-keyspace-events: {wanted} in migration_parameters.",
            f"If the app relies on them, change it first: {target.service.title} tells of none.",
        ),
    )


def _events_of(flags: str) -> set[str]:
    """A stands for those of every type: https://redis.io/docs/latest/develop/use/keyspace-notifications/"""
    return {*flags, *("g$lshztdxe" if "A" in flags else "")} - {"A"}


def lua(source: Source, target: Target) -> Iterator[Finding]:
    if source.functions:
        is_too_old = bool(target.engine_version) and release(target.engine_version) < _FUNCTIONS_SINCE
        yield Finding(
            REFUSE if is_too_old else WARN,
            "functions",
            f"The old Redis has loaded the libraries of functions {', '.join(source.functions)}.",
            f"{target.engine} {target.engine_version} has no functions."
            if is_too_old
            else "They do not come along: FCALL fails at the target until they are loaded there.",
            "Take a target of 7.0 or later (migration_engine_version), or the functions out of the app."
            if is_too_old
            else "Have the app load them when it starts, or load them between provision.yml and cutover.yml: FUNCTION "
            "DUMP on the old one, FUNCTION RESTORE on the target.",
        )
    if "evalsha" in source.commands:
        yield Finding(
            NOTE,
            "scripts",
            "Since it was started, the old Redis was asked to run scripts by their hash (EVALSHA)"
            + (f"; it keeps {source.scripts} of them." if source.scripts else "."),
            "The target knows none of them yet, and answers NOSCRIPT until each is loaded, as redis-py's "
            "register_script does by itself.",
        )


def lasting_keys(source: Source) -> Iterator[Finding]:
    lasting = [group for group in source.key_groups if group.without_ttl]
    count = sum(group.without_ttl for group in lasting)
    if not count:
        return
    by_type: dict[str, Counter[str]] = {}
    for group in lasting:
        by_type.setdefault(group.type, Counter())[group.pattern] += group.without_ttl
    shown = [
        f"{kind}: {sum(patterns.values())} ("
        + ", ".join(pattern for pattern, _count in patterns.most_common(_PATTERNS_SHOWN))
        + ")"
        for kind, patterns in sorted(by_type.items())
    ]
    yield Finding(
        WARN,
        "keys without TTL",
        f"{count} of {source.sampled} keys looked at never expire: {'; '.join(shown)}.",
        "Such keys are often more than a cache. They are gone for the app unless it makes them anew.",
        "Check for each that the app can do without it, or makes it anew.",
    )


def streams(source: Source, stated: Circumstances) -> Iterator[Finding]:
    """They come along with all else, their groups and what is pending included."""
    if not source.streams or stated.transfer in strategies.BRINGING:
        return
    entries = sum(stream.length for stream in source.streams)
    groups = sorted({group for stream in source.streams for group in stream.groups})
    pending = sum(stream.pending for stream in source.streams)
    patterns = list(dict.fromkeys(stream.pattern for stream in source.streams))
    yield Finding(
        WARN,
        "streams",
        f"{len(source.streams)} streams ({', '.join(patterns[:_PATTERNS_SHOWN])}) hold {entries} entries"
        + (f", read by the groups {', '.join(groups)}, {pending} entries pending." if groups else "."),
        "Entries and groups are not there at the target: a reader of a group fails (NOGROUP) until it is made.",
        "Let consumers finish before the cutover, and make sure that the app creates its groups.",
    )


def waiting_clients(source: Source) -> Iterator[Finding]:
    waiting = [client for client in source.clients if client.blocking]
    listening = sorted({client.address for client in source.clients if client.pubsub})
    if waiting:
        commands = sorted(
            {name for client in waiting for name in client.commands if name in BLOCKING or "read" in name}
        )
        yield Finding(
            WARN,
            "blocking consumers",
            f"{', '.join(sorted({client.address for client in waiting}))} waits for data"
            + (f" ({', '.join(commands)})." if commands else "."),
            "Jobs that are in its queue at the cutover stay in the old Redis, and a producer and a consumer on "
            "different caches do not meet.",
            "Name its queues with the service that does them (queues in migration_services), which is then restarted "
            "when they are empty, and let who places jobs stand before it.",
        )
    if listening:
        yield Finding(
            WARN,
            "subscriptions",
            f"{', '.join(listening)} subscribes to channels"
            + (f" ({', '.join(source.channels[:_PATTERNS_SHOWN])})." if source.channels else "."),
            "A message reaches only subscribers on the same cache, so some are missed while hosts change.",
        )


def loss(target: Target, stated: Circumstances) -> Iterator[Finding]:
    if stated.must_not_lose and not target.is_durable:
        yield Finding(
            REFUSE,
            "loss",
            "Nothing that is written may be lost (migration_must_not_lose).",
            "At this target what was written last is lost where the primary fails, as replicas follow a moment later.",
            f"Take {', or '.join(row.durable_as for row in table.TARGETS.values() if row.durable_as)}; "
            "playbooks/assess.yml says what each needs. Where the last moment may be lost, leave the option out.",
        )


def persistence(source: Source, target: Target) -> Iterator[Finding]:
    kinds = [
        kind for kind, is_on in (("RDB snapshots", source.saves), ("an append-only file", source.appends)) if is_on
    ]
    if kinds:
        yield Finding(
            NOTE,
            "persistence",
            f"The old Redis keeps its data over a restart by {' and '.join(kinds)}.",
            f"{target.service.title} {target.service.traits.keeps}",
        )
