# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a service has to offer for a load: whether it fits, what one is made of, what is paid for. Pure.

Each row of targets/table.py has its offers, and decide/assess/comparison.py puts them side by side. Here is how much of
what is paid for, and in price_list at what price.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices, sizes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import BACKUP, Item

GIB = 2**30  # what backups and volumes are paid by
ROOM = 2  # a target has room for so many times the peak

# What a t4g.micro may use of a core for ever, which is the least of its family; above it, credits run out.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html
STEADY_CPU = 0.1
BURSTABLE, STEADY = ("t4g",), ("m7g", "r7g")
_SIZES = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge")

AS_IT_IS = "nothing but its settings"
CLUSTER_CLIENT = "another client (redis.cluster.RedisCluster), and the keys of one command in one slot ({tag})"
READY_FOR_CLUSTER = {"migration_app_ready_for": REDIS_CLUSTER}
DURABLE = "nothing may be lost (migration_must_not_lose), and it keeps each write in several zones before it answers"
LOSES = "what was written last is lost when its primary fails, as replicas follow a moment later"


@dataclass(frozen=True)
class Load:
    """What the old Redises of an app hold and do together. Rates are means since their start, and None where that was
    not told.
    """

    used: int  # bytes
    peak: int
    commands_per_second: float | None
    net_per_second: float | None  # bytes
    cpu: float | None  # of one core
    databases: tuple[int, ...]
    types: tuple[str, ...]
    queues: tuple[str, ...]
    modules: tuple[str, ...]

    @property
    def wanted(self) -> int:
        """Bytes that a target is to have for data."""
        return ROOM * self.peak

    @property
    def is_steady(self) -> bool:
        return self.cpu is not None and self.cpu > STEADY_CPU

    @property
    def other_databases(self) -> str:
        """That the app uses others than database 0; empty where it does not."""
        others = [str(number) for number in self.databases if number]
        return f"the app uses {', '.join(others)}" if others else ""


@dataclass(frozen=True)
class Wishes:
    """What only the user knows. ``must_not_lose``: nothing that was written, when a node fails. ``backup_days``: how
    long daily backups are kept. ``instance`` is the old one as ``aws.pricing.size_of`` tells it.
    """

    must_not_lose: bool = False
    backup_days: int = 5
    instance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Offer:
    """``good`` speaks for it, ``settings`` are the options that make one. ``items`` are what is paid for, with how much
    of each a month; ``not_measured`` is paid for too. Of those that fit, that of the lowest ``rank`` is recommended.
    """

    name: str
    what: str
    why_not: tuple[str, ...]
    app: str
    rank: int
    good: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    items: tuple[tuple[Item, float], ...] = ()
    not_measured: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.why_not


def against_modules(load: Load) -> Iterator[str]:
    if load.modules:
        yield f"it loads no modules, and the old Redis has {', '.join(load.modules)}"


def against_a_cluster(load: Load) -> Iterator[str]:
    """Why the app cannot be on a cluster endpoint, whatever its client."""
    if load.queues:
        yield f"{', '.join(load.queues)} does not run on a cluster endpoint"
    if load.other_databases:
        yield f"it has database 0 alone, and {load.other_databases}"


def node_type(
    load: Load, engine: str, burstable: Sequence[str] = BURSTABLE, steady: Sequence[str] = STEADY, smallest: str = ""
) -> str:
    """The cheapest with room for what is wanted, of a size from ``smallest`` on; empty where none has it.

    Of the families that live on credits only where the load is small.
    """
    small = [] if load.is_steady else _with_room(load.wanted, burstable, smallest)
    if small:
        return small[0]
    large = _with_room(load.wanted, steady, smallest)
    known = prices.USD_PER_NODE_HOUR.get(engine, {})
    return min((one for one in large if one in known), key=lambda one: known[one], default=large[0] if large else "")


def _with_room(wanted: int, families: Sequence[str], smallest: str) -> list[str]:
    """The one with the least memory first."""
    of_size = _SIZES[_SIZES.index(smallest) :] if smallest else _SIZES
    types = [f"cache.{family}.{one}" for one in of_size for family in families]
    room = {one: sizes.usable(total) for one in types if (total := sizes.maxmemory(one)) is not None}
    return sorted((one for one, most in room.items() if most >= wanted), key=lambda one: room[one])


def shards_of(
    load: Load, burstable: Sequence[str] = BURSTABLE, steady: Sequence[str] = STEADY, smallest: str = ""
) -> tuple[str, int]:
    """A node type, and how many shards of it have room for what is wanted."""
    one = node_type(load, "valkey", burstable, steady, smallest)
    if one:
        return one, 1
    largest = f"cache.r7g.{_SIZES[-1]}"
    return largest, -(-load.wanted // sizes.usable(sizes.maxmemory(largest) or 1))


def in_shards(count: int, node: str) -> str:
    return f"{count} shard{'s' if count > 1 else ''} of 2 x {node}"


def paid(node: Item, count: int, load: Load, wishes: Wishes) -> tuple[tuple[Item, float], ...]:
    """Nodes for a month, with the backups of what they hold."""
    return ((node, count * prices.HOURS_A_MONTH), *backups(load, wishes)) if node.name else ()


def backups(load: Load, wishes: Wishes) -> tuple[tuple[Item, float], ...]:
    return ((Item(BACKUP), wishes.backup_days * load.used / GIB),) if wishes.backup_days else ()
