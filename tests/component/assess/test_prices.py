"""What things cost, by the lists of the local AWS: the Price List API, else the public files, else what is shipped."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import (
    BACKUP,
    INSTANCE,
    MEMORYDB,
    NODE,
    SERVERLESS_GB,
    VOLUME,
    Item,
)
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import comparing

from sandbox.faults import ERROR

WANTED = [
    Item(NODE, "cache.t4g.small", "valkey"),
    Item(BACKUP),
    Item(INSTANCE, "t3.small"),
    Item(VOLUME, "gp3"),
    Item(SERVERLESS_GB, engine="valkey"),
    Item(MEMORYDB, "db.t4g.small", "valkey"),
]


@pytest.fixture
def read(aws):
    """The sources of the prices of WANTED, and why a list was not read."""
    action = SimpleNamespace(defaults_of=lambda _: {}, client_by=lambda options, service: aws.client(service))

    def of(url):
        settings = {"region": "us-east-1", "price_list_url": url}
        found = comparing._prices(action, settings, WANTED)
        return {item: found.price(item) for item in WANTED}, found.unread

    return of


@pytest.fixture
def no_api(aws):
    """The API answers with errors, as it does where it may not be asked."""
    faults = [{"service": "pricing", "action": "GetProducts", "how": ERROR, "times": 100}]
    aws.ask("faults", data=json.dumps(faults).encode())
    yield
    aws.ask("faults", data=b"[]")


def test_the_api_is_read_first_and_each_query_once(aws, read):
    mark = aws.mark
    found, unread = read(aws.url)
    assert unread == ()
    told = {item.kind: price and price.source for item, price in found.items()}
    assert told == {
        NODE: "AWS Price List API, us-east-1",
        BACKUP: "AWS Price List API, us-east-1",
        INSTANCE: "AWS Price List API, us-east-1",
        VOLUME: "AWS Price List API, us-east-1",
        SERVERLESS_GB: prices.SOURCE,
        MEMORYDB: None,
    }
    assert [call["action"] for call in aws.calls_since(mark)] == ["GetProducts"] * 5


def test_the_public_list_is_read_where_the_api_may_not_be_asked(aws, read, no_api):
    found, unread = read(aws.url)
    assert found[WANTED[0]].source == "AWS public price list, us-east-1, 2026-10-02"
    assert found[WANTED[0]].usd == prices.USD_PER_NODE_HOUR["valkey"]["cache.t4g.small"]
    assert found[Item(INSTANCE, "t3.small")] is None  # that of EC2 is not fetched
    assert [one[:31] for one in unread] == ["The Price List API was not read"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1", "{url}/nothing"])
def test_what_is_shipped_counts_where_neither_can_be_read(aws, read, no_api, url):
    found, unread = read(url.format(url=aws.url))
    assert {price.source for price in found.values() if price} == {prices.SOURCE}
    assert len(unread) == (2 if url else 1)
