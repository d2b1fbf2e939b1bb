# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Can the target take the old Redis's place, and what does the change mean for its data and clients? Pure.

Where the app has several, as one of its own on each host, the target takes the place of all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Collection, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import BLOCKING, Client, Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import sizes

REFUSE, WARN, NOTE = "refuse", "warn", "note"

_PATTERNS_SHOWN = 3

# Every Valkey has what Redis had until then: https://valkey.io/topics/migration/
_LAST_COMMON = (7, 2)


@dataclass(frozen=True)
class Finding:
    """``level``: refuse, warn or note. What was found, what it means, and what to do."""

    level: str
    subject: str
    found: str
    means: str
    remedy: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.subject}: {self.found} {self.means} {self.remedy}".rstrip()


@dataclass(frozen=True)
class Old:
    """One old Redis: what was read of it, and the addresses by which it knows hosts of the inventory."""

    source: Source
    known_clients: Collection[str] = ()


@dataclass(frozen=True)
class Circumstances:
    """What an operator states, as what becomes of the data.

    ``databases`` has for each host by key, with its file before it, which database the URL names that is there, and
    which the new one would.
    """

    data: str = ""
    unknown_clients: str = WARN
    databases: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)

    @property
    def named_databases(self) -> set[int]:
        """By the URLs that are there."""
        return {before for keys in self.databases.values() for before, _after in keys.values()}


def assess(olds: Mapping[str, Old], target: Target, stated: Circumstances) -> list[Finding]:
    """All findings, refusals first. ``olds`` has each old Redis by its place."""
    sources = {place: old.source for place, old in olds.items()}
    whole, who = _together(list(sources.values())), _Who(len(sources))
    findings = [
        *_data(whole, who, stated),
        *_several(sources),
        *_memory(whole, who, target),
        *_database(stated),
        *_databases(whole, target, stated),
        *_of_each({place: _of_one(old, target, stated) for place, old in olds.items()}),
    ]
    return sorted(findings, key=lambda finding: (REFUSE, WARN, NOTE).index(finding.level))


def _of_one(old: Old, target: Target, stated: Circumstances) -> list[Finding]:
    source = old.source
    rooms: list[Iterator[Finding]] = [
        _version(source, target),
        _modules(source, target),
        _commands(source, target),
        _eviction(source, target),
        _clients(old, stated),
        _lasting_keys(source),
        _streams(source),
        _waiting_clients(source),
        _persistence(source, target),
        _unseen(source),
    ]
    return [finding for room in rooms for finding in room]


def _of_each(findings: Mapping[str, list[Finding]]) -> Iterator[Finding]:
    """What is found of several is told once, with the places of all of which it is."""
    places: dict[Finding, list[str]] = {}
    for place, found in findings.items():
        for finding in found:
            places.setdefault(finding, []).append(place)
    for finding, each in places.items():
        yield finding if len(findings) == 1 else replace(finding, found=f"{', '.join(each)}: {finding.found}")


def _together(sources: list[Source]) -> Source:
    """What they have in all: keys, memory, and who is in which database."""
    keyspace: dict[int, Counter[str]] = {}
    for source in sources:
        for number, counts in source.keyspace.items():
            keyspace.setdefault(number, Counter()).update(counts)
    return replace(
        sources[0],
        used_memory=sum(source.used_memory for source in sources),
        used_memory_peak=sum(max(source.used_memory_peak, source.used_memory) for source in sources),
        keyspace={number: dict(counts) for number, counts in keyspace.items()},
        clients=tuple(client for source in sources for client in source.clients),
    )


@dataclass(frozen=True)
class _Who:
    """The old Redis as the subject of a sentence."""

    count: int

    def does(self, one: str, several: str) -> str:
        return f"The old Redis {one}" if self.count == 1 else f"The {self.count} old Redises together {several}"


def refusals(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == REFUSE]


# --- what the target cannot do ---


def _memory(source: Source, who: _Who, target: Target) -> Iterator[Finding]:
    used, peak = source.used_memory, max(source.used_memory_peak, source.used_memory)
    found = (
        f"{who.does('uses', 'use')} {_size(used)}, at {'its peak' if who.count == 1 else 'their peaks'} {_size(peak)}."
    )
    if target.usable is None:
        what = f"of the node type {target.cache_node_type} is not known" if target.cache_node_type else "is not stated"
        yield Finding(
            WARN,
            "memory",
            found,
            f"The memory of the target {what}, so whether this fits was not checked.",
            f"Set migration_cache_node_type to one with at least {_size(2 * peak)} for data.",
        )
        return
    node = target.cache_node_type or "The target"
    room = f"{node} has {_size(target.usable)} for data ({target.reserved_percent:g} % of its memory is reserved)"
    larger = sizes.large_enough(2 * peak, target.cache_node_type, target.reserved_percent)
    remedy = f"Set migration_cache_node_type to {larger or 'a larger type'}: twice the peak is a good size."
    if peak > target.usable:
        yield Finding(REFUSE, "memory", found, f"{room}, which is too small.", remedy)
    elif 2 * peak > target.usable:
        yield Finding(
            WARN, "memory", found, f"{room}: less than twice the peak, which leaves little for growth.", remedy
        )


def _version(source: Source, target: Target) -> Iterator[Finding]:
    ours, theirs = _release(source.server.version), _release(target.engine_version)
    if not ours or not theirs:
        return
    if source.server.engine == "redis" and target.engine == "valkey":
        is_newer = ours > _LAST_COMMON
        means = "Valkey went its own way after Redis 7.2: what came with Redis 7.4 and later need not be there."
    else:
        is_newer = ours > theirs
        means = "A command or option that is newer than the target fails there."
    if not is_newer:
        return
    remedy = "Check what the app uses of the newer version. The data could not be copied as it is, only started cold."
    if ours <= _LAST_COMMON and "valkey" in target.service.traits.engines:
        remedy += " Valkey has all that Redis 7.2 has: migration_engine: valkey."
    yield Finding(
        WARN,
        "version",
        f"The old one is {source.server.engine} {source.server.version}, the target is {target.engine} "
        f"{target.engine_version}.",
        means,
        remedy,
    )


def _database(stated: Circumstances) -> Iterator[Finding]:
    wrong: dict[tuple[str, int, int], list[str]] = {}
    named: dict[str, set[int]] = {}
    for host, keys in stated.databases.items():
        for key, (before, after) in keys.items():
            named.setdefault(key, set()).add(before)
            if before != after:
                wrong.setdefault((key, before, after), []).append(host)
    if not wrong:
        return
    yield Finding(
        REFUSE,
        "database",
        "; ".join(
            f"{key} names database {before} on {', '.join(hosts)}" for (key, before, _after), hosts in wrong.items()
        )
        + ".",
        "What is there now would be another database than the new one names: "
        + ", ".join(f"{key} {after}" for key, after in dict.fromkeys((key, after) for key, _before, after in wrong))
        + ".",
        _how_to_state(named),
    )


def _how_to_state(named: Mapping[str, set[int]]) -> str:
    if any(len(numbers) > 1 for numbers in named.values()):
        return (
            "A key has one database on all hosts: give the hosts of each an inventory of their own, with its database "
            "stated."
        )
    numbers = {key: min(each) for key, each in named.items()}
    if len(set(numbers.values())) == 1:
        return f"Set migration_database: {next(iter(numbers.values()))}, and no other for a key of migration_values."
    return (
        "State the database of each in migration_values, beside its form: "
        + ", ".join(f"{key.split()[-1]}: {{database: {number}}}" for key, number in numbers.items())
        + "."
    )


def _databases(source: Source, target: Target, stated: Circumstances) -> Iterator[Finding]:
    used = {*source.keyspace, *stated.named_databases}
    used |= {database for client in source.clients for database in client.databases}
    beyond = sorted(database for database in used if database >= target.databases)
    if beyond:
        served = "database 0 only" if target.databases == 1 else f"the databases 0 to {target.databases - 1}"
        yield Finding(
            REFUSE,
            "databases",
            f"The old Redis is used in database {', '.join(str(database) for database in beyond)}.",
            f"The target serves {served}.",
            "Raise the parameter databases in migration_parameters, or move the app to a database that is served.",
        )


def _modules(source: Source, target: Target) -> Iterator[Finding]:
    if source.modules:
        yield Finding(
            REFUSE,
            "modules",
            f"The old Redis has loaded {', '.join(source.modules)}.",
            f"{target.service.title} loads no modules, so their commands and types fail there.",
            "Take the module's commands out of the app, or unload it where nothing uses it.",
        )


def _commands(source: Source, target: Target) -> Iterator[Finding]:
    used = sorted(set(source.commands) & target.service.traits.denied_commands)
    if used:
        yield Finding(
            WARN,
            "commands",
            f"Since it was started, the old Redis was asked to {', '.join(name.replace('|', ' ') for name in used)}.",
            f"{target.service.title} refuses these commands.",
            "If the app sends them, change it first; what administrators send is done by a parameter group there.",
        )


def _eviction(source: Source, target: Target) -> Iterator[Finding]:
    ours, theirs = source.maxmemory_policy, target.maxmemory_policy
    if not ours or ours == theirs:
        return
    if theirs == "noeviction":
        means = "A full target refuses writes instead of making room."
    elif theirs.startswith("volatile-"):
        means = "A full target evicts keys that have a TTL, and refuses writes once only keys without one are left."
    else:
        means = "A full target evicts any key, also those without a TTL."
    yield Finding(
        WARN,
        "eviction",
        f"The old Redis has maxmemory-policy {ours}, the target {theirs}.",
        means,
        f"If the app relies on {ours}, set maxmemory-policy in migration_parameters.",
    )


# --- what the change means ---

_MEANS_COLD = (
    "The target starts empty, and the app fills it again as it works: expect misses, and more load on what is behind "
    "the cache. While hosts are on different caches, what one writes the others do not see: sessions, locks, counters, "
    "rate limits and queues are split until the last host has changed."
)


def _data(source: Source, who: _Who, stated: Circumstances) -> Iterator[Finding]:
    found = (
        f"{who.does('holds', 'hold')} {source.total_keys} keys, {source.keys_without_ttl} of them without TTL. None is "
        "copied."
    )
    if stated.data == "cold":
        yield Finding(NOTE, "data", found, _MEANS_COLD)
        return
    yield Finding(
        REFUSE,
        "data",
        found,
        _MEANS_COLD,
        "If the app can live with that, state it: migration_data: cold (data: cold).",
    )


def _several(sources: Mapping[str, Source]) -> Iterator[Finding]:
    if len(sources) == 1:
        return
    held = ", ".join(f"{place} ({source.total_keys} keys)" for place, source in sources.items())
    yield Finding(
        WARN,
        "several",
        f"The hosts have {len(sources)} old Redises: {held}.",
        "What the app writes meets in one cache from then on: keys of equal name, as counters and locks, are one key "
        "for all hosts, and a worker takes the jobs of all. On the way back each host has its own again, with what it "
        "held at the cutover.",
        "Where hosts must stay apart, give each an inventory, a migration_name and a target of its own; "
        "decommission.yml retires the Redis of such a migration alone, too.",
    )


def _clients(old: Old, stated: Circumstances) -> Iterator[Finding]:
    source = old.source
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


def _lasting_keys(source: Source) -> Iterator[Finding]:
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


def _streams(source: Source) -> Iterator[Finding]:
    if not source.streams:
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


def _waiting_clients(source: Source) -> Iterator[Finding]:
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
            "Let queues run empty before the cutover, and change producers and consumers together.",
        )
    if listening:
        yield Finding(
            WARN,
            "subscriptions",
            f"{', '.join(listening)} subscribes to channels.",
            "A message reaches only subscribers on the same cache, so some are missed while hosts change.",
        )


def _persistence(source: Source, target: Target) -> Iterator[Finding]:
    kinds = [
        kind for kind, is_on in (("RDB snapshots", source.saves), ("an append-only file", source.appends)) if is_on
    ]
    if kinds:
        yield Finding(
            NOTE,
            "persistence",
            f"The old Redis keeps its data over a restart by {' and '.join(kinds)}.",
            f"{target.service.title} keeps data by replicas and daily snapshots; what was written since the last "
            "snapshot is lost where all nodes of the group are.",
        )


def _unseen(source: Source) -> Iterator[Finding]:
    if source.not_told:
        yield Finding(
            WARN,
            "not seen",
            f"The old Redis does not answer {', '.join(dict.fromkeys(source.not_told))} to this user.",
            "What depends on it was not checked.",
            "Assess with a user that may, or check it by hand.",
        )
    if not source.sample_complete:
        yield Finding(
            NOTE,
            "sample",
            f"Only {source.sampled} keys were looked at in the time given.",
            "What is said of keys is said of these.",
        )


def _release(version: str) -> tuple[int, ...]:
    """Major and minor; ElastiCache's 6.x is the newest 6."""
    numbers = []
    for part in version.split(".")[:2]:
        numbers.append(int(part) if part.isdigit() else 999)
    return tuple(numbers) if version else ()


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
