"""AWS's online migration: what AWS takes of a target, which calls there are, and what a run of the engine does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import transfer
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.transfer import (
    ANEW,
    BRING,
    GO_ON,
    NOTHING,
    READY,
    USED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import online
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.online import (
    ABSENT,
    COMPLETED,
    Order,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import TARGETS

from tests.unit.engine_world import ENDPOINT, OLD, SETTINGS, Held, Host, World

FIT = ReplicationGroup(
    "shop",
    "available",
    engine_version="7.1.0",
    multi_az_enabled=True,
    automatic_failover_enabled=True,
    tags={"cache_migration:name": "shop-prod"},
)
MIGRATING = replace(FIT, status="migrating")
ORDER = Order("shop", "shop-prod", source_address="10.0.0.241")
OPEN = {"auth_token_secret": "", "transit_encryption_enabled": False}
FOLLOWING, ENDED = {"phase": "following"}, {"phase": "done"}


def calls(group, order=ORDER):
    return [step.action for step in online.plan(group, order).steps]


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        ({"transit_encryption_enabled": True}, "has TLS (transit_encryption_enabled)"),
        ({"auth_token_enabled": True}, "asks for a token"),
        ({"user_group_ids": ("app",)}, "has users"),
        ({"multi_az_enabled": False}, "set multi_az_enabled and automatic_failover_enabled to true"),
        ({"cluster_mode": "enabled"}, "has cluster mode"),
        ({"data_tiering_enabled": True}, "take a node type without"),
        ({"durability": "sync"}, "set it to disabled"),
        ({"global_datastore": "world"}, "take it out of that first"),
        ({"engine_version": "5.0.5"}, "raise engine_version"),
    ],
)
def test_what_aws_does_not_take_of_a_target_is_refused_before_any_call_with_what_to_change(unfit, said):
    with pytest.raises(PlanRefused, match="takes no such target") as refused:
        online.plan(replace(FIT, **unfit), ORDER)
    assert said in refused.value.message


def test_the_way_is_tested_once_before_it_begins():
    assert calls(FIT) == ["TestMigration", "StartMigration"]
    assert calls(FIT, replace(ORDER, is_tested=True)) == ["StartMigration"]
    assert calls(MIGRATING) == []


def test_it_is_completed_in_sync_and_ended_by_force_and_neither_where_nothing_follows():
    [complete] = online.plan(MIGRATING, replace(ORDER, state=COMPLETED)).steps
    [end] = online.plan(MIGRATING, replace(ORDER, state=ABSENT)).steps
    assert "Force" not in complete.parameters and end.parameters["Force"] is True
    assert calls(FIT, replace(ORDER, state=COMPLETED)) == calls(FIT, replace(ORDER, state=ABSENT)) == []


def test_a_group_of_somebody_else_is_left_alone():
    with pytest.raises(PlanRefused):
        online.plan(replace(FIT, tags={}), ORDER)
    assert calls(replace(FIT, tags={}), replace(ORDER, adopt=True)) == ["TestMigration", "StartMigration"]


def test_only_an_event_that_is_of_a_migration_and_of_a_failure_is_one():
    assert online.failure_among(("Complete Migration successful for shop", "Failover to replica node failed")) == ""
    assert online.failure_among(("Test migration failed: no route",)) == "Test migration failed: no route"


def test_other_services_say_that_aws_moves_nothing_to_them():
    for name, row in TARGETS.items():
        is_fit = name == "elasticache"
        reasons = row.against_managed({"name": "shop", "multi_az_enabled": True}, None)
        assert bool(reasons) is not is_fit, (name, reasons)


# --- what a run does ---


def course(goal, entry=None, job=None, is_at_it=True, there=(), **settings):
    stated = {**SETTINGS, "transfer": "managed", "multi_az_enabled": True, **OPEN, **settings}
    kept = {"step": entry, "host": "app1", "strategy": "managed", "endpoint": ENDPOINT, "time": "then"}
    known = World({"app1": Host(Held(OLD))}, ledger={"transfer": kept} if entry else {}).known(goal, settings=stated)
    waiting = {} if there else {"app1": {"host": "10.0.0.241", "port": 6379}}
    seen = {"transfer": job or {}, "source": {"place": "10.0.0.241:6379"}, "in_progress": is_at_it}
    return transfer.course(known, seen, transfer.Standing(there, waiting))


def test_what_follows_is_completed_by_the_run_that_switches_and_by_no_other():
    assert course("migrate", READY, FOLLOWING).does == GO_ON
    assert course("cutover", READY, FOLLOWING).does == GO_ON
    assert course("transfer", READY, FOLLOWING).does == NOTHING


def test_where_nobody_watches_any_more_it_is_watched_and_compared_again():
    assert course("migrate", READY, FOLLOWING, is_at_it=False).does == BRING


def test_what_was_completed_while_the_app_went_on_with_the_old_one_is_brought_anew():
    assert course("migrate", READY, ENDED).does == ANEW
    assert course("migrate", USED, ENDED).does == ANEW


def test_nothing_of_it_goes_on_after_the_first_host():
    assert course("migrate", USED, ENDED, there=("app1",)).does == NOTHING
    assert not course("migrate").finishes


def test_a_target_that_aws_does_not_take_is_refused_in_the_plan():
    [why] = course("transfer", multi_az_enabled=False).refusals
    assert "not Multi-AZ" in why
    [why] = course("transfer", endpoint={"address": "x"}).refusals
    assert "migration_endpoint is stated" in why
