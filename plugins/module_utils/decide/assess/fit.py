# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the old Redis holds and serves, and the target cannot. Pure."""

from __future__ import annotations

from typing import Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import (
    REFUSE,
    WARN,
    Circumstances,
    Finding,
    Who,
    release,
    size,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import sizes

# Every Valkey has what Redis had until then: https://valkey.io/topics/migration/
_LAST_COMMON = (7, 2)


def memory(source: Source, who: Who, target: Target) -> Iterator[Finding]:
    used, peak = source.used_memory, max(source.used_memory_peak, source.used_memory)
    found = (
        f"{who.does('uses', 'use')} {size(used)}, at {'its peak' if who.count == 1 else 'their peaks'} {size(peak)}."
    )
    if target.grows:
        yield from _growth(peak, found, target)
        return
    option = f"migration_{target.service.node_type_option}"
    if target.usable is None:
        what = f"of the node type {target.node_type} is not known" if target.node_type else "is not stated"
        yield Finding(
            WARN,
            "memory",
            found,
            f"The memory of the target {what}, so whether this fits was not checked.",
            f"Set {option} to one with at least {size(2 * peak // target.shards)} for data.",
        )
        return
    node = f"{target.shards} shards of {target.node_type}" if target.shards > 1 else target.node_type or "The target"
    reserved = f" ({target.reserved_percent:g} % of its memory is reserved)" if target.reserved_percent else ""
    room = f"{node} {'have' if target.shards > 1 else 'has'} {size(target.usable)} for data{reserved}"
    larger = sizes.large_enough(2 * peak // target.shards, target.node_type, target.reserved_percent)
    remedy = f"Set {option} to {larger or 'a larger type'}: twice the peak is a good size."
    if target.most_shards > target.shards:
        room += f", and AWS adds up to {target.most_shards} (migration_scaling), which takes it minutes each time"
    if peak > target.usable:
        yield Finding(REFUSE, "memory", found, f"{room}, which is too small.", remedy)
    elif 2 * peak > target.usable:
        yield Finding(
            WARN, "memory", found, f"{room}: less than twice the peak, which leaves little for growth.", remedy
        )


def _growth(peak: int, found: str, target: Target) -> Iterator[Finding]:
    """Of a target that grows by itself, and may have a limit."""
    if target.grows_to is None or 2 * peak <= target.grows_to:
        return
    limit = f"The target grows up to {size(target.grows_to)}, by {target.service.grows_by}"
    remedy = f"Raise that limit to {size(2 * peak)} or more, twice the peak, or take it away (0)."
    if peak > target.grows_to:
        yield Finding(REFUSE, "memory", found, f"{limit}, which is too small.", remedy)
    else:
        yield Finding(WARN, "memory", found, f"{limit}: less than twice the peak, which leaves little room.", remedy)


def version(source: Source, target: Target) -> Iterator[Finding]:
    ours, theirs = release(source.server.version), release(target.engine_version)
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
    remedy = "Check what the app uses of the newer version."
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


def database(stated: Circumstances) -> Iterator[Finding]:
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


def databases(source: Source, target: Target, stated: Circumstances) -> Iterator[Finding]:
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
            "Raise the parameter databases in migration_parameters, or move the app to a database that is served."
            if target.protocol == REDIS
            else "Move the app to a database that is served, with prefixes where keys would meet, or take a target "
            "that speaks redis (a replication group with cluster mode disabled).",
        )


def modules(source: Source, target: Target) -> Iterator[Finding]:
    if source.modules:
        yield Finding(
            REFUSE,
            "modules",
            f"The old Redis has loaded {', '.join(source.modules)}.",
            f"{target.service.title} loads no modules, so their commands and types fail there.",
            "Take the module's commands out of the app, or unload it where nothing uses it.",
        )


def commands(source: Source, target: Target) -> Iterator[Finding]:
    used = sorted(set(source.commands) & target.service.traits.denied_commands)
    if used:
        yield Finding(
            WARN,
            "commands",
            f"Since it was started, the old Redis was asked to {', '.join(name.replace('|', ' ') for name in used)}.",
            f"{target.service.title} refuses these commands.",
            "If the app sends them, change it first; what administrators send is done by a parameter group there.",
        )


def eviction(source: Source, target: Target) -> Iterator[Finding]:
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
        target.by_parameter(
            f"If the app relies on {ours}, set maxmemory-policy in migration_parameters.",
            f"If the app relies on {ours}, change it first: the policy of {target.service.title} is that one always.",
        ),
    )
