# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS asks for a thing, by its own price list, else by the dated part of it that comes with the collection. Pure.

A product is what GetProducts of the Price List API and the public files of it both have:
``{"product": {"productFamily", "attributes"}, "terms": {"OnDemand": {…: {"priceDimensions": {…}}}}}``
(https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html). What
matches none of them, or several with prices that differ, has no price.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices

NODE, MEMORYDB, INSTANCE, VOLUME, BACKUP = "node", "memorydb", "instance", "volume", "backup"
SERVERLESS_GB, SERVERLESS_ECPU = "serverless-gb", "serverless-ecpu"

Product = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """Something with a price. ``name`` is a node's, an instance's or a volume's type, ``engine`` what a node runs."""

    kind: str
    name: str = ""
    engine: str = ""


@dataclass(frozen=True)
class Price:
    """US dollars: an hour of a node, an instance or a GB in Serverless; a month of a GB of a volume or a backup; a
    million ECPUs. ``source`` is the list that it stands in.
    """

    usd: float
    source: str


@dataclass(frozen=True)
class Query:
    """What the Price List API is asked for an item: a service, and attributes by equality."""

    service: str
    filters: Mapping[str, str]


def query(item: Item, region: str) -> Query | None:
    """None of what is read from the shipped part alone, as it is not known how AWS's list names it."""
    where = {"regionCode": region}
    if item.kind == NODE:
        return Query("AmazonElastiCache", {**where, "instanceType": item.name})
    if item.kind == MEMORYDB:
        return Query("AmazonMemoryDB", {**where, "instanceType": item.name})
    if item.kind == BACKUP:
        return Query("AmazonElastiCache", {**where, "productFamily": "Storage Snapshot"})
    if item.kind == INSTANCE:
        kept = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
        return Query("AmazonEC2", {**where, "instanceType": item.name, **kept})
    if item.kind == VOLUME:
        return Query("AmazonEC2", {**where, "productFamily": "Storage", "volumeApiName": item.name})
    return None


# The end of a usage type, which begins with a short word for the region outside us-east-1 (USE2-, EUW1-).
_USAGE = {
    NODE: "NodeUsage:{name}",
    MEMORYDB: "NodeUsage:{name}",
    BACKUP: "BackupUsage",
    INSTANCE: "BoxUsage:{name}",
    VOLUME: "EBS:VolumeUsage.{name}",
}


def price_in(item: Item, products: Iterable[Product]) -> float | None:
    """What an item costs by these products of its query."""
    found = {_on_demand(product) for product in products if _is_it(item, product)} - {None}
    return found.pop() if len(found) == 1 else None


def _is_it(item: Item, product: Product) -> bool:
    attributes: Mapping[str, str] = product["product"].get("attributes") or {}
    usage = _USAGE[item.kind].format(name=item.name)
    if not re.fullmatch(rf"([A-Z0-9]+-)?{re.escape(usage)}", str(attributes.get("usagetype") or "")):
        return False
    if attributes.get("locationType", "AWS Region") != "AWS Region":
        return False
    if item.kind not in (NODE, MEMORYDB):
        return True
    named = attributes.get("cacheEngine") or str(attributes.get("operation") or "").rpartition(":")[2]
    return named.lower() == item.engine


def _on_demand(product: Product) -> float | None:
    """The dimension that has a price: of what is reserved there is one of 0 beside it."""
    terms = (product.get("terms") or {}).get("OnDemand") or {}
    dimensions = [one for term in terms.values() for one in (term.get("priceDimensions") or {}).values()]
    usd = {float((one.get("pricePerUnit") or {}).get("USD") or 0) for one in dimensions} - {0.0}
    return usd.pop() if len(usd) == 1 else None


def shipped(item: Item, region: str) -> float | None:
    if region != prices.REGION:
        return None
    tables: Mapping[str, Mapping[str, float]] = {
        NODE: prices.USD_PER_NODE_HOUR.get(item.engine, {}),
        SERVERLESS_GB: prices.USD_PER_SERVERLESS_GB_HOUR,
        SERVERLESS_ECPU: prices.USD_PER_MILLION_ECPU,
    }
    return tables.get(item.kind, {}).get(item.name or item.engine)


@dataclass(frozen=True)
class PriceList:
    """``told`` is what AWS's own lists said of each item, the better list first; ``unread`` why they could not."""

    region: str
    told: Sequence[Mapping[Item, Price]] = ()
    unread: tuple[str, ...] = field(default=())

    def price(self, item: Item) -> Price | None:
        """None where it stands in no list: that is unknown, and never a guess."""
        for one in self.told:
            if item in one:
                return one[item]
        usd = shipped(item, self.region)
        return None if usd is None else Price(usd, prices.SOURCE)
