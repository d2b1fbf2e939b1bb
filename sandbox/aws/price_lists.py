"""AWS's price lists: the Price List API, and the public files. What is in them is what the collection ships, and of
EC2 and of backups some figures that stand in for AWS's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices

from sandbox.aws.wire import Reply, Service, handlers_of, operation

ELASTICACHE, EC2 = "AmazonElastiCache", "AmazonEC2"
_ENGINES = {"redis": "Redis", "valkey": "Valkey", "memcached": "Memcached"}
_INSTANCES = {"t3.micro": 0.0104, "t3.small": 0.0208, "m1.small": 0.044}
_GB_OF_A_VOLUME = {"gp2": 0.10, "gp3": 0.08}
_GB_OF_A_BACKUP = 0.085
_LINUX = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}


def _product(sku: str, of: tuple[str, str], price: tuple[float, str], attributes: Mapping[str, str]) -> Any:
    """Of a service and a family, so many USD for a unit; what is reserved has a dimension beside it, as at AWS."""
    (service, family), (usd, unit) = of, price
    where = {"servicecode": service, "locationType": "AWS Region", "regionCode": prices.REGION}
    dimensions = {
        f"{sku}.1": {"unit": unit, "description": "on demand", "pricePerUnit": {"USD": f"{usd:.10f}"}},
        f"{sku}.2": {"unit": unit, "description": "reserved applied", "pricePerUnit": {"USD": "0.0000000000"}},
    }
    return {
        "product": {"sku": sku, "productFamily": family, "attributes": {**where, **attributes}},
        "terms": {"OnDemand": {f"{sku}.term": {"priceDimensions": dimensions}}},
    }


def _products(service: str) -> Iterator[Any]:
    if service == ELASTICACHE:
        for engine, types in prices.USD_PER_NODE_HOUR.items():
            for node, usd in types.items():
                named = {"instanceType": node, "cacheEngine": _ENGINES[engine], "usagetype": f"NodeUsage:{node}"}
                yield _product(f"{engine}-{node}", (service, "Cache Instance"), (usd, "Hrs"), named)
        yield _product(
            "backup", (service, "Storage Snapshot"), (_GB_OF_A_BACKUP, "GB-Mo"), {"usagetype": "BackupUsage"}
        )
    if service == EC2:
        for name, usd in _INSTANCES.items():
            named = {**_LINUX, "instanceType": name, "usagetype": f"BoxUsage:{name}"}
            yield _product(f"box-{name}", (service, "Compute Instance"), (usd, "Hrs"), named)
        for name, usd in _GB_OF_A_VOLUME.items():
            named = {"volumeApiName": name, "usagetype": f"EBS:VolumeUsage.{name}"}
            yield _product(f"volume-{name}", (service, "Storage"), (usd, "GB-Mo"), named)


class PriceLists:
    def __init__(self) -> None:
        self.service = Service("pricing", handlers_of(self))

    @operation("GetProducts", "ServiceCode", "Filters", "FormatVersion", "NextToken", "MaxResults")
    def get_products(self, params: dict[str, Any]) -> dict[str, Any]:
        wanted = {one["Field"]: one["Value"] for one in params.get("Filters") or ()}
        found = [one for one in _products(params["ServiceCode"]) if _has(one["product"], wanted)]
        return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in found]}


def _has(product: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    attributes = {**product["attributes"], "productFamily": product["productFamily"]}
    return all(attributes.get(name) == value for name, value in wanted.items())


def public_file(path: str) -> Reply | None:
    """``/offers/v1.0/aws/SERVICE/current/REGION/index.json``, which anybody may read."""
    parts = path.strip("/").split("/")
    if parts[:3] != ["offers", "v1.0", "aws"] or parts[4:] != ["current", prices.REGION, "index.json"]:
        return None
    products = list(_products(parts[3]))
    listed = {
        "publicationDate": "2026-10-02T00:00:00Z",
        "products": {one["product"]["sku"]: one["product"] for one in products},
        "terms": {"OnDemand": {one["product"]["sku"]: one["terms"]["OnDemand"] for one in products}},
    }
    return Reply(200, [("Content-Type", "application/json")], json.dumps(listed).encode())
