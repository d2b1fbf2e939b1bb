# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The services that an app can move to, side by side, by what its own Redis was seen to hold and to do. Pure.

What fits and why not, what it costs a month, what changes in the app, and which one is recommended. What was not
measured is said, and a price that stands in no list is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import size
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices, sizes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import (
    BACKUP,
    INSTANCE,
    MEMORYDB,
    NODE,
    SERVERLESS_ECPU,
    SERVERLESS_GB,
    VOLUME,
    Item,
    PriceList,
)

GB = 1000**3  # what Serverless is paid by
GIB = 2**30  # what backups and volumes are paid by
MONTH = prices.HOURS_A_MONTH * 3600.0
ROOM = 2  # a target has room for so many times the peak

# What a t4g.micro may use of a core for ever, which is the least of its family; above it, credits run out.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
STEADY_CPU = 0.1
_BURSTABLE, _STEADY = ("t4g",), ("m7g", "r7g")
_SIZES = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge")
_STRINGS = ("string", "")

_AS_IT_IS = "nothing but its settings"
_CLUSTER_CLIENT = "another client (redis.cluster.RedisCluster), and the keys of one command in one slot ({tag})"
_MEMCACHED_CLIENT = "another client (pymemcache), and other code wherever more than GET, SET and DEL is asked"


@dataclass(frozen=True)
class Load:
    """All old Redises of the app together. Rates are means since their start, and None where that was not told."""

    used: int
    peak: int
    commands_per_second: float | None
    net_per_second: float | None
    cpu: float | None  # of one core
    databases: tuple[int, ...]
    types: tuple[str, ...]
    queues: tuple[str, ...]
    modules: tuple[str, ...]

    @property
    def is_steady(self) -> bool:
        return self.cpu is not None and self.cpu > STEADY_CPU

    @property
    def ecpu_per_second(self) -> float | None:
        """One for a command, or for each KB that it takes or gives, whichever is more:
        https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/WhatIs.corecomponents.html
        """
        if self.commands_per_second is None or self.net_per_second is None:
            return None
        return max(self.commands_per_second, self.net_per_second / 1024)


def load_of(sources: Sequence[Source], named_databases: Iterable[int] = ()) -> Load:
    """``named_databases`` are those that the app's URLs name."""
    used = {number for source in sources for number in source.keyspace}
    return Load(
        used=sum(source.used_memory for source in sources),
        peak=sum(max(source.used_memory_peak, source.used_memory) for source in sources),
        commands_per_second=_rate(sources, "commands_processed"),
        net_per_second=_rate(sources, "net_bytes"),
        cpu=_rate(sources, "cpu_seconds"),
        databases=tuple(sorted({*used, *named_databases})),
        types=tuple(sorted({group.type for source in sources for group in source.key_groups})),
        queues=tuple(sorted({name for source in sources for name in source.queue_libraries})),
        modules=tuple(sorted({name for source in sources for name in source.modules})),
    )


def _rate(sources: Sequence[Source], name: str) -> float | None:
    if not all(source.uptime for source in sources):
        return None
    return float(sum(getattr(source, name) / source.uptime for source in sources))


@dataclass(frozen=True)
class Wishes:
    """What only the user knows. ``must_not_lose``: nothing that was written, when a node fails. ``backup_days``: how
    long daily backups are kept. ``instance`` is the old one as ``aws.pricing.size_of`` tells it.
    """

    must_not_lose: bool = False
    backup_days: int = 5
    instance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """``items`` are what is paid for, each with how much of it a month; ``settings`` are the options that make it."""

    name: str
    what: str
    why_not: tuple[str, ...]
    app: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[tuple[Item, float], ...] = ()
    not_measured: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.why_not


@dataclass(frozen=True)
class Cost:
    """``usd`` a month is None where what runs has no price: then ``unpriced`` names it. ``beside`` is not in it."""

    usd: float | None
    beside: tuple[str, ...]
    sources: tuple[str, ...]
    unpriced: tuple[str, ...] = ()


VALKEY, REDIS, CLUSTER, SERVERLESS, MEMORY_DB, MEMCACHED = (
    "ElastiCache for Valkey",
    "ElastiCache for Redis OSS",
    "ElastiCache for Valkey, cluster mode",
    "ElastiCache Serverless, Valkey",
    "Amazon MemoryDB, Valkey",
    "ElastiCache for Memcached",
)

_LOSES = "what was written last is lost when its primary fails, as replicas follow a moment later"


def choices(load: Load, wishes: Wishes) -> list[Choice]:
    """All of them, in the order in which one that fits is recommended."""
    found = [
        _nodes(VALKEY, "valkey", load, wishes),
        _nodes(REDIS, "redis", load, wishes),
        _cluster(load, wishes),
        _serverless(load, wishes),
        _memorydb(load, wishes),
        _memcached(load, wishes),
    ]
    return sorted(found, key=lambda one: one.name != MEMORY_DB) if wishes.must_not_lose else found


def _nodes(name: str, engine: str, load: Load, wishes: Wishes) -> Choice:
    node = node_type(load, engine)
    not_lost = [_LOSES] if wishes.must_not_lose else []
    too_large = [] if node else [f"no node has room for {size(ROOM * load.peak)}, twice the peak: shards do"]
    settings: dict[str, Any] = {"migration_engine": engine, "migration_cache_node_type": node}
    if load.queues:
        settings["migration_parameters"] = {"maxmemory-policy": "noeviction"}
    return Choice(
        name,
        f"2 x {node} in two zones" if node else "no node is large enough",
        (*_of_all(load), *too_large, *not_lost),
        _AS_IT_IS,
        settings,
        _paid_nodes(Item(NODE, node, engine), 2, load, wishes),
    )


def _cluster(load: Load, wishes: Wishes) -> Choice:
    node, shards = shards_of(load, is_durable=wishes.must_not_lose)
    settings: dict[str, Any] = {
        "migration_engine": "valkey",
        "migration_cluster_mode": "enabled",
        "migration_cache_node_type": node,
        "migration_num_node_groups": shards,
        "migration_replicas_per_node_group": 1,
        "migration_app_ready_for": "redis-cluster",
    }
    name = CLUSTER
    if wishes.must_not_lose:
        name += ", durable"
        settings.update({"migration_engine_version": "9.0", "migration_durability": "sync"})
    return Choice(
        name,
        _shards(shards, node),
        (*_of_all(load), *_of_cluster(load)),
        _CLUSTER_CLIENT,
        settings,
        _paid_nodes(Item(NODE, node, "valkey"), 2 * shards, load, wishes),
        ("what AWS asks for durability, if it does",) if wishes.must_not_lose else (),
    )


def _serverless(load: Load, wishes: Wishes) -> Choice:
    held = max(load.used / GB, prices.SERVERLESS_LEAST_GB["valkey"])
    items = [(Item(SERVERLESS_GB, engine="valkey"), held * prices.HOURS_A_MONTH)]
    rate = load.ecpu_per_second
    if rate is not None:
        items.append((Item(SERVERLESS_ECPU, engine="valkey"), rate * MONTH / 1e6))
    measured = f"{held:.1f} GB" + ("" if rate is None else f" and {rate:.0f} ECPU a second, as measured")
    return Choice(
        SERVERLESS,
        measured,
        (*_of_all(load), *_of_cluster(load), *([_LOSES] if wishes.must_not_lose else [])),
        _CLUSTER_CLIENT,
        {
            "migration_serverless_cache_name": "…",
            "migration_engine": "valkey",
            "migration_app_ready_for": "redis-cluster",
        },
        (*items, *_paid_backups(load, wishes)),
        () if rate is not None else ("its requests, whose rate was not told",),
    )


def _memorydb(load: Load, wishes: Wishes) -> Choice:
    # It has neither t4g.micro nor m7g: https://docs.aws.amazon.com/memorydb/latest/devguide/nodes.supportedtypes.html
    node, shards = shards_of(load, steady=("r7g",), but=("micro",))
    node = node.replace("cache.", "db.", 1)
    return Choice(
        MEMORY_DB,
        _shards(shards, node),
        (*_of_all(load), *_of_cluster(load)),
        _CLUSTER_CLIENT,
        {
            "migration_memorydb_cluster_name": "…",
            "migration_engine": "valkey",
            "migration_node_type": node,
            "migration_num_shards": shards,
            "migration_app_ready_for": "redis-cluster",
        },
        _paid_nodes(Item(MEMORYDB, node, "valkey"), 2 * shards, load, wishes),
        ("the data that is written, which MemoryDB is paid for too",),
    )


def _memcached(load: Load, wishes: Wishes) -> Choice:
    node = node_type(load, "memcached", burstable=("t3",))
    no_strings = [name for name in load.types if name not in _STRINGS]
    why_not = [*_of_all(load)]
    if no_strings:
        why_not.append(f"it has plain values alone, and the old Redis holds {', '.join(no_strings)}")
    if load.queues:
        why_not.append(f"{', '.join(load.queues)} does not run on it")
    if _databases(load):
        why_not.append(f"it has no databases, and {_databases(load)}")
    if wishes.must_not_lose:
        why_not.append("it keeps nothing when a node fails: it has neither replicas nor backups")
    return Choice(
        MEMCACHED,
        f"2 x {node} in two zones" if node else "no node type of it is known that is large enough",
        tuple(why_not),
        _MEMCACHED_CLIENT,
        {
            "migration_cache_cluster_id": "…",
            "migration_cache_node_type": node,
            "migration_num_cache_nodes": 2,
            "migration_app_ready_for": "memcached",
        },
        _paid_nodes(Item(NODE, node, "memcached"), 2, load, Wishes(backup_days=0)),
    )


def _of_all(load: Load) -> list[str]:
    return [f"it loads no modules, and the old Redis has {', '.join(load.modules)}"] if load.modules else []


def _of_cluster(load: Load) -> Iterator[str]:
    if load.queues:
        yield f"{', '.join(load.queues)} does not run on a cluster endpoint"
    if _databases(load):
        yield f"it has database 0 alone, and {_databases(load)}"


def _databases(load: Load) -> str:
    others = [str(number) for number in load.databases if number]
    return f"the app uses {', '.join(others)}" if others else ""


def node_type(
    load: Load,
    engine: str,
    burstable: Sequence[str] = _BURSTABLE,
    steady: Sequence[str] = _STEADY,
    but: Sequence[str] = (),
) -> str:
    """The cheapest with room for twice the peak: of those that live on credits only where the load is small."""
    wanted = ROOM * load.peak
    if not load.is_steady:
        small = _fitting(wanted, burstable, but)
        if small:
            return small[0]
    large = _fitting(wanted, steady, but)
    priced = {one: price for one in large if (price := prices.USD_PER_NODE_HOUR.get(engine, {}).get(one)) is not None}
    return min(priced, key=lambda one: priced[one]) if priced else large[0] if large else ""


def _fitting(wanted: int, families: Sequence[str], but: Sequence[str]) -> list[str]:
    """By memory, the smallest of each family first."""
    types = [f"cache.{family}.{one}" for one in _SIZES if one not in but for family in families]
    room = {one: sizes.usable(total) for one in types if (total := sizes.maxmemory(one)) is not None}
    return sorted((one for one, most in room.items() if most >= wanted), key=lambda one: room[one])


def shards_of(
    load: Load, is_durable: bool = False, steady: Sequence[str] = _STEADY, but: Sequence[str] = ()
) -> tuple[str, int]:
    """A node type, and how many shards of it have room for twice the peak. Durable nodes are none of a T type."""
    one = node_type(load, "valkey", () if is_durable else _BURSTABLE, steady, but)
    if one:
        return one, 1
    largest = f"cache.r7g.{_SIZES[-1]}"
    return largest, -(-ROOM * load.peak // sizes.usable(sizes.maxmemory(largest) or 1))


def _shards(count: int, node: str) -> str:
    return f"{count} shard{'s' if count > 1 else ''} of 2 x {node}"


def _paid_nodes(node: Item, count: int, load: Load, wishes: Wishes) -> tuple[tuple[Item, float], ...]:
    return ((node, count * prices.HOURS_A_MONTH), *_paid_backups(load, wishes)) if node.name else ()


def _paid_backups(load: Load, wishes: Wishes) -> tuple[tuple[Item, float], ...]:
    return ((Item(BACKUP), wishes.backup_days * load.used / GIB),) if wishes.backup_days else ()


def as_it_is(wishes: Wishes) -> Choice | None:
    """The old instance with its volumes; None where it is not known."""
    if not wishes.instance:
        return None
    volumes = wishes.instance.get("volumes") or ()
    kinds = " and ".join(f"{one['gb']} GB of {one['type']}" for one in volumes)
    return Choice(
        "As it is: Redis on EC2",
        f"{wishes.instance['instance_type']}{f' with {kinds}' if kinds else ''}",
        (),
        "nothing; updates, backups and failover stay yours",
        items=(
            (Item(INSTANCE, str(wishes.instance["instance_type"])), float(prices.HOURS_A_MONTH)),
            *((Item(VOLUME, str(one["type"])), float(one["gb"])) for one in volumes),
        ),
    )


def items_of(wanted: Iterable[Choice]) -> list[Item]:
    return list(dict.fromkeys(item for one in wanted for item, _amount in one.items))


_BESIDE = {BACKUP: "backups", VOLUME: "the volumes", SERVERLESS_ECPU: "requests"}


def cost_of(choice: Choice, list_of: PriceList) -> Cost:
    """Of a month of 730 hours on demand, without data transfer and taxes."""
    priced = [(item, amount, list_of.price(item)) for item, amount in choice.items]
    unknown = [item for item, amount, price in priced if price is None]
    is_known = bool(priced) and not any(item.kind not in _BESIDE for item in unknown)
    usd = sum(amount * price.usd for _item, amount, price in priced if price)
    beside = [f"{_BESIDE.get(item.kind, item.name)} (price unknown)" for item in unknown if is_known]
    nameless = [item.name or item.engine for item in unknown if item.kind not in _BESIDE]
    return Cost(
        round(usd, 2) if is_known else None,
        tuple(dict.fromkeys([*beside, *(choice.not_measured if is_known else ())])),
        tuple(dict.fromkeys(price.source for _item, _amount, price in priced if price)),
        tuple(nameless),
    )


@dataclass(frozen=True)
class Comparison:
    """``recommended`` is the name of a choice, empty where none fits; ``why`` a sentence."""

    rows: tuple[tuple[Choice, Cost], ...]
    recommended: str
    why: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "recommended": self.recommended,
            "why": self.why,
            "options": [
                {
                    "name": choice.name,
                    "what": choice.what,
                    "fits": choice.fits,
                    "why_not": list(choice.why_not),
                    "app": choice.app,
                    "settings": dict(choice.settings),
                    "usd_a_month": cost.usd,
                    "not_in_it": [*cost.unpriced, *cost.beside],
                    "prices": list(cost.sources),
                }
                for choice, cost in self.rows
            ],
        }


def compare(load: Load, wishes: Wishes, list_of: PriceList) -> Comparison:
    wanted = choices(load, wishes)
    old = as_it_is(wishes)
    rows = tuple((one, cost_of(one, list_of)) for one in [*wanted, *([old] if old else [])])
    fitting = [one for one in wanted if one.fits]
    if not fitting:
        return Comparison(
            rows, "", "None of them serves all that was found; what stands against each is said beside it."
        )
    costs = {choice.name: cost.usd for choice, cost in rows}
    return Comparison(rows, fitting[0].name, _why(fitting[0], load, wishes, costs))


def _why(choice: Choice, load: Load, wishes: Wishes, costs: Mapping[str, float | None]) -> str:
    if wishes.must_not_lose:
        kept = "it keeps each write in several zones before it answers" if choice.name == MEMORY_DB else "it is durable"
        return f"nothing may be lost (migration_must_not_lose), and {kept}"
    if choice.name != VALKEY:
        return "it is the first of those that fit"
    why = ["the app stays as it is", "a replica in another zone takes over when a node fails"]
    ours, theirs = costs.get(VALKEY), costs.get(REDIS)
    if ours and theirs and ours < theirs:
        why.append(f"it costs {theirs - ours:.2f} USD a month less than Redis OSS")
    if load.is_steady:
        why.append(f"its load is steady ({load.cpu:.0%} of a core), for which T types have no credits")
    if load.queues:
        why.append(f"{' and '.join(load.queues)} runs on it (with maxmemory-policy noeviction, as jobs are no cache)")
    return "; ".join(why)


def lines(comparison: Comparison, load: Load, unread: Sequence[str] = ()) -> list[str]:
    """For a person: a line for each, then the recommendation."""
    rate = (
        "at a rate that was not told"
        if load.commands_per_second is None
        else (f"{load.commands_per_second:.0f} commands a second on average")
    )
    told = [f"The services side by side, for {size(load.peak)} at its peak and {rate}:"]
    for choice, cost in comparison.rows:
        of_what = f" ({', '.join(cost.unpriced)} is in no price list)" if cost.unpriced else ""
        paid = f"cost unknown{of_what}" if cost.usd is None else f"{cost.usd:.2f} USD a month"
        without = f", without {' and '.join(cost.beside)}" if cost.beside else ""
        verdict = f"does not fit: {'; '.join(choice.why_not)}" if choice.why_not else f"in the app: {choice.app}"
        told.append(f"{choice.name} ({choice.what}): {paid}{without}; {verdict}.")
    told.append(
        f"Recommended: {comparison.recommended}: {comparison.why}."
        if comparison.recommended
        else f"Recommended: none. {comparison.why}"
    )
    sources = dict.fromkeys(source for _choice, cost in comparison.rows for source in cost.sources)
    told.append(f"Prices: {'; '.join(sources) or 'none'}." + "".join(f" {one}" for one in unread))
    return told
