# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The services that an app can move to, side by side, by what its own Redis was seen to hold and to do. Pure.

What fits and why not, what it costs a month, what changes in the app, and which one is recommended. What was not
measured is said, and a price that stands in no list is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import size
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import Load, Offer, Wishes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import (
    BACKUP,
    INSTANCE,
    SERVERLESS_ECPU,
    VOLUME,
    Item,
    PriceList,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import TARGETS

_NEVER = 99  # the rank of what is told, and not recommended


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


def offers(load: Load, wishes: Wishes) -> list[Offer]:
    """Of all services, in the order in which one that fits is recommended."""
    return sorted((one for row in TARGETS.values() for one in row.offers(load, wishes)), key=lambda one: one.rank)


@dataclass(frozen=True)
class Cost:
    """``usd`` a month is None where what runs has no price: then ``unpriced`` names it. ``beside`` is not in it."""

    usd: float | None
    beside: tuple[str, ...]
    sources: tuple[str, ...]
    unpriced: tuple[str, ...] = ()


def as_it_is(wishes: Wishes) -> Offer | None:
    """The old instance with its volumes; None where it is not known."""
    if not wishes.instance:
        return None
    volumes = wishes.instance.get("volumes") or ()
    kinds = " and ".join(f"{one['gb']} GB of {one['type']}" for one in volumes)
    return Offer(
        "As it is: Redis on EC2",
        f"{wishes.instance['instance_type']}{f' with {kinds}' if kinds else ''}",
        (),
        "nothing; updates, backups and failover stay yours",
        rank=_NEVER,
        items=(
            (Item(INSTANCE, str(wishes.instance["instance_type"])), float(prices.HOURS_A_MONTH)),
            *((Item(VOLUME, str(one["type"])), float(one["gb"])) for one in volumes),
        ),
    )


def side_by_side(load: Load, wishes: Wishes) -> list[Offer]:
    """What the services offer, and what the app has by now."""
    return [*offers(load, wishes), *filter(None, [as_it_is(wishes)])]


def items_of(shown: Iterable[Offer]) -> list[Item]:
    return list(dict.fromkeys(item for one in shown for item, _amount in one.items))


_BESIDE = {BACKUP: "backups", VOLUME: "the volumes", SERVERLESS_ECPU: "requests"}


def cost_of(offer: Offer, list_of: PriceList) -> Cost:
    """Of a month of 730 hours on demand, without data transfer and taxes."""
    priced = [(item, amount, list_of.price(item)) for item, amount in offer.items]
    unknown = [item for item, amount, price in priced if price is None]
    is_known = bool(priced) and not any(item.kind not in _BESIDE for item in unknown)
    usd = sum(amount * price.usd for _item, amount, price in priced if price)
    beside = [f"{_BESIDE.get(item.kind, item.name)} (price unknown)" for item in unknown if is_known]
    nameless = [item.name or item.engine for item in unknown if item.kind not in _BESIDE]
    return Cost(
        round(usd, 2) if is_known else None,
        tuple(dict.fromkeys([*beside, *(offer.not_measured if is_known else ())])),
        tuple(dict.fromkeys(price.source for _item, _amount, price in priced if price)),
        tuple(nameless),
    )


@dataclass(frozen=True)
class Comparison:
    """``recommended`` is the name of a offer, empty where none fits; ``why`` a sentence."""

    rows: tuple[tuple[Offer, Cost], ...]
    recommended: str
    why: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "recommended": self.recommended,
            "why": self.why,
            "options": [
                {
                    "name": offer.name,
                    "what": offer.what,
                    "fits": offer.fits,
                    "why_not": list(offer.why_not),
                    "app": offer.app,
                    "settings": dict(offer.settings),
                    "usd_a_month": cost.usd,
                    "not_in_it": [*cost.unpriced, *cost.beside],
                    "prices": list(cost.sources),
                }
                for offer, cost in self.rows
            ],
        }


def compare(load: Load, wishes: Wishes, list_of: PriceList) -> Comparison:
    rows = tuple((one, cost_of(one, list_of)) for one in side_by_side(load, wishes))
    fitting = [one for one, _cost in rows if one.fits and one.rank != _NEVER]
    if not fitting:
        return Comparison(
            rows, "", "None of them serves all that was found; what stands against each is said beside it."
        )
    costs = {offer.name: cost.usd for offer, cost in rows}
    why = _why(fitting[0], fitting[1] if len(fitting) > 1 else None, load, costs)
    return Comparison(rows, fitting[0].name, why)


def _why(best: Offer, next_best: Offer | None, load: Load, costs: Mapping[str, float | None]) -> str:
    why = [*best.good]
    ours, theirs = costs[best.name], costs[next_best.name] if next_best else None
    if next_best and ours is not None and theirs is not None and ours < theirs:
        why.append(f"it costs {theirs - ours:.2f} USD a month less than {next_best.name}")
    if load.is_steady:
        why.append(f"its load is steady ({load.cpu:.0%} of a core), for which T types have no credits")
    return "; ".join(why) or "it is the first of those that fit"


def lines(comparison: Comparison, load: Load, unread: Sequence[str] = ()) -> list[str]:
    """For a person: a line for each, then the recommendation."""
    rate = (
        "at a rate that was not told"
        if load.commands_per_second is None
        else (f"{load.commands_per_second:.0f} commands a second on average")
    )
    told = [f"The services side by side, for {size(load.peak)} at its peak and {rate}:"]
    for offer, cost in comparison.rows:
        of_what = f" ({', '.join(cost.unpriced)} is in no price list)" if cost.unpriced else ""
        paid = f"cost unknown{of_what}" if cost.usd is None else f"{cost.usd:.2f} USD a month"
        without = f", without {' and '.join(cost.beside)}" if cost.beside else ""
        verdict = f"does not fit: {'; '.join(offer.why_not)}" if offer.why_not else f"in the app: {offer.app}"
        told.append(f"{offer.name} ({offer.what}): {paid}{without}; {verdict}.")
    told.append(
        f"Recommended: {comparison.recommended}: {comparison.why}."
        if comparison.recommended
        else f"Recommended: none. {comparison.why}"
    )
    sources = dict.fromkeys(source for _offer, cost in comparison.rows for source in cost.sources)
    told.append(f"Prices: {'; '.join(sources) or 'none'}." + "".join(f" {one}" for one in unread))
    return told
