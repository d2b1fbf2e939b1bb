"""What a run says of itself, and how the results of many hosts become one decision."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, story

TARGET = {"address": "master.shop.x.use1.cache.amazonaws.com", "port": 6379, "state": "known"}
OLD = {"host": "10.0.0.5", "port": 6379, "tls": False, "database": 0}
NEW = {"host": TARGET["address"], "port": 6379, "tls": True, "database": 0}


def change(**value):
    return {"changed": True, "changes": {"REDIS_URL": value}}


def test_before_a_cutover_connections_must_leave_what_the_value_says():
    assert batches.locations_to_leave([change(before_location=OLD)], TARGET) == [{"address": "10.0.0.5", "port": 6379}]


def test_after_a_cutover_they_must_leave_what_the_journal_says():
    done = change(before_location=NEW, original_location=OLD)
    assert batches.locations_to_leave([done], TARGET) == [{"address": "10.0.0.5", "port": 6379}]


def test_the_target_itself_is_never_left():
    assert batches.locations_to_leave([change(before_location=NEW), {}], TARGET) == []


def test_a_rollback_leads_to_where_the_restored_value_says():
    assert batches.location_now([change(after_location=OLD)], []) == {"address": "10.0.0.5", "port": 6379}
    assert batches.location_now([{}], [{"address": "10.0.0.9", "port": 6380}]) == {"address": "10.0.0.9", "port": 6380}


def test_a_value_that_is_no_url_leads_nowhere():
    assert batches.location_now([change(after_location=None)], []) == {}
    assert batches.locations_to_leave([change(before_location=None)], TARGET) == []


def test_what_changed_in_what_hosts_share_is_told_masked_and_what_did_not_change_is_not():
    changes = {"/shop/URL": {"action": "write", "before": "redis://:***@old/0", "after": "rediss://:***@new/0"}}
    shared = [{"words": "secret", "keys": {"/shop/URL": "url"}}, {"words": "SSM parameter", "keys": {"/other": "url"}}]
    assert story.shared_lines(shared, changes) == ["secret /shop/URL: redis://:***@old/0 -> rediss://:***@new/0"]
    assert story.shared_lines(shared, {"/shop/URL": {"action": "keep"}}) == story.shared_lines([], changes) == []


def test_an_unknown_price_is_told_as_unknown():
    assert story.cost_line({"usd": None, "note": "no list for eu-west-9"}) == (
        "Cost: unknown a month (no list for eu-west-9)"
    )
    told = {"usd": None, "note": "unknown: no price on record for db.t4g.small (valkey) in us-east-1"}
    assert story.cost_line(told) == "Cost: unknown a month (no price on record for db.t4g.small (valkey) in us-east-1)"


def test_the_cost_counts_every_node():
    cost = {"usd": 49.64, "nodes": 2, "usd_per_node_hour": 0.034, "source": "us-east-1, 2026-10-02"}
    assert story.cost_line(cost).startswith("Cost: 49.64 USD a month for 2 nodes, replicas counted")
    by_use = {"usd": 6.13, "note": "at the least, as it is paid by use: 0.1 GB", "source": "us-east-1, 2026-10-02"}
    assert story.cost_line(by_use) == (
        "Cost: 6.13 USD a month at the least, as it is paid by use: 0.1 GB (us-east-1, 2026-10-02)"
    )


def test_a_rollback_never_says_that_a_failed_host_is_back():
    lines = story.rollback_lines(
        {"app1": {"state": "failed", "why": "edited since"}, "app2": {"state": "ok"}}, "denied", {"playbook": "p.yml"}
    )
    assert lines[0].startswith("The shared store is NOT back: denied.")
    assert lines[1].startswith("app1: NOT back: edited since.")
    assert lines[2] == "app2: on the old Redis, as it was"
