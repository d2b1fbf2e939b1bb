"""What a target costs a month, or that it is unknown."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cost import instead_line, monthly_cost
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.prices import USD_PER_NODE_HOUR


@pytest.mark.parametrize(
    ("node_type", "nodes", "usd"),
    [
        ("cache.t3.micro", 1, 12.41),
        ("cache.t3.small", 1, 24.82),
        ("cache.t3.medium", 1, 49.64),
        ("cache.t3.small", 2, 49.64),
    ],
)
def test_a_month_is_730_hours_and_a_replica_costs_as_much_again(node_type, nodes, usd):
    cost = monthly_cost("us-east-1", "redis", node_type, nodes)
    assert (cost["usd"], cost["nodes"]) == (usd, nodes)
    assert "us-east-1" in cost["source"] and "2026-10-02" in cost["source"]


@pytest.mark.parametrize(
    ("region", "engine", "node_type"),
    [
        ("eu-west-1", "redis", "cache.t3.micro"),
        ("us-east-1", "redis", "cache.x9.huge"),
        ("us-east-1", "other", "cache.t3.micro"),
        (None, "redis", "cache.t3.micro"),
    ],
)
def test_what_has_no_price_on_record_is_unknown_and_not_free(region, engine, node_type):
    cost = monthly_cost(region, engine, node_type, 2)
    assert cost["usd"] is None and cost["usd_per_node_hour"] is None
    assert "unknown" in cost["note"]


def test_where_redis_is_chosen_it_is_told_what_valkey_would_cost_and_not_the_other_way_round():
    line = instead_line(monthly_cost("us-east-1", "redis", "cache.t3.small", 2))
    assert line == "The same nodes with Valkey would cost 39.71 USD a month, 9.93 less (migration_engine: valkey)"
    assert instead_line(monthly_cost("us-east-1", "valkey", "cache.t3.small", 2)) == ""
    assert instead_line(monthly_cost("eu-west-1", "redis", "cache.t3.small", 2)) == ""


def test_valkey_is_four_fifths_of_redis_wherever_both_have_a_price():
    prices = USD_PER_NODE_HOUR
    for node_type, hourly in prices["redis"].items():
        assert prices["valkey"][node_type] == pytest.approx(hourly * 0.8, rel=0.001)
