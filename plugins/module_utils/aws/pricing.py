# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""AWS's Price List API, which is in few regions and has the prices of all of them, and the volumes of an instance.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ec2 import describe
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import (
    Item,
    Price,
    Product,
    Query,
    price_in,
    query,
)

REGION = "us-east-1"  # of the API's endpoint
SOURCE = "AWS Price List API"
_PAGES = 10  # of 100 products; what is asked for is narrower than that


@aws_call("read the price list of {asked.service}")
def _products(client: Any, asked: Query) -> list[Product]:
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in asked.filters.items()]
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=asked.service, Filters=filters, PaginationConfig={"MaxItems": _PAGES * 100}
    )
    return [json.loads(product) for page in pages for product in page["PriceList"]]


def prices_of(client: Any, items: Iterable[Item], region: str) -> Mapping[Item, Price]:
    """Those that the API has, each query asked once. Raises AnsibleAWSError."""
    asked: dict[tuple[str, tuple[tuple[str, str], ...]], Sequence[Product]] = {}
    found: dict[Item, Price] = {}
    for item in items:
        one = query(item, region)
        if one is None:
            continue
        key = (one.service, tuple(sorted(one.filters.items())))
        if key not in asked:
            asked[key] = _products(client, one)
        usd = price_in(item, asked[key])
        if usd is not None:
            found[item] = Price(usd, f"{SOURCE}, {region}")
    return found


@aws_call("describe the volumes of {instance_id}")
def _volumes(client: Any, instance_id: str) -> Sequence[Mapping[str, Any]]:
    filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    return list(client.describe_volumes(Filters=filters)["Volumes"])


def size_of(client: Any, instance_id: str) -> dict[str, Any]:
    """``{instance_id, instance_type, volumes: [{type, gb}]}``; empty where there is none. Raises AnsibleAWSError."""
    found = describe(client, instance_id)
    if found is None:
        return {}
    volumes = [{"type": one["VolumeType"], "gb": one["Size"]} for one in _volumes(client, instance_id)]
    return {"instance_id": instance_id, "instance_type": found["InstanceType"], "volumes": volumes}
