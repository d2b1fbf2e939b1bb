"""The options of elasticache_cluster, typed and validated: a bad one is refused by its name."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
    Deletion,
    Desired,
)

NAMED = {"replication_group_id": "shop", "migration_name": "shop-prod"}


def desired(**params):
    return Desired.from_params({**NAMED, **params})


def refused(**params):
    with pytest.raises(PlanRefused) as refusal:
        desired(**params)
    return refusal.value


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("replication_group_id", "1shop"),
        ("replication_group_id", "shop-"),
        ("replication_group_id", "sh--op"),
        ("replication_group_id", "s" * 41),
        ("replication_group_id", "sh_op"),
        ("migration_name", "a/b"),
        ("migration_name", ""),
        ("engine_version", "7"),
        ("engine_version", "7.1.0"),
        ("engine_version", "5.0"),
        ("cache_node_type", "t3.small"),
        ("cache_node_type", "db.t3.small"),
        ("num_cache_clusters", 0),
        ("num_cache_clusters", 7),
        ("port", 0),
        ("port", 70000),
        ("snapshot_retention_limit", 36),
        ("snapshot_window", "5:00-6:00"),
        ("snapshot_window", "05:00-05:30"),
        ("snapshot_window", "25:00-26:00"),
        ("preferred_maintenance_window", "sun:05:00-sun:05:30"),
        ("preferred_maintenance_window", "sunday:05:00-sunday:06:00"),
        ("auth_token", "short"),
        ("auth_token", "a" * 129),
        ("auth_token", "a-token-of-sixteen@"),
        ("auth_token", "a token with spaces"),
        ("kms_key_id", "alias/shop"),
        ("security_group_ids", ["sg-1", ""]),
        ("security_group_ids", ["after-apply"]),
        ("tags", {"aws:x": "y"}),
        ("tags", {"cache_migration:name": "another"}),
    ],
)
def test_a_bad_option_is_refused_by_its_name(option, value):
    refusal = refused(**{option: value})
    assert refusal.option == option
    assert option in refusal.message


@pytest.mark.parametrize(
    "params",
    [
        {"engine_version": "7.1"},
        {"engine_version": "6.x"},
        {"engine_version": "5.0.6"},
        {"snapshot_window": "23:30-00:30"},
        {"preferred_maintenance_window": "Sat:23:30-Sun:00:30"},
        {"preferred_maintenance_window": "sun:23:30-mon:00:30"},
        {"auth_token": "a!&#$^<>-0123456"},
        {"security_group_ids": []},
        {"tags": {"cache_migration:name": "shop-prod", "team": "kempian"}},
    ],
)
def test_what_aws_takes_is_taken(params):
    desired(**params)


def test_a_token_is_in_no_message_and_in_no_representation():
    assert "hunter2" not in refused(auth_token="hunter2 hunter2 hunter2").message
    assert "a-token-of-sixteen" not in repr(desired(auth_token="a-token-of-sixteen"))


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"multi_az_enabled": True, "automatic_failover_enabled": False}, "automatic_failover_enabled"),
        ({"automatic_failover_enabled": True, "num_cache_clusters": 1}, "num_cache_clusters"),
        ({"preferred_cache_cluster_azs": ["a", "b"], "num_cache_clusters": 3}, "preferred_cache_cluster_azs"),
        ({"auth_token": "a-token-of-sixteen", "transit_encryption_enabled": False}, "auth_token"),
        ({"transit_encryption_mode": "preferred", "transit_encryption_enabled": False}, "transit_encryption_mode"),
        ({"auth_token_update_strategy": "rotate"}, "auth_token"),
        ({"kms_key_id": "1234", "at_rest_encryption_enabled": False}, "kms_key_id"),
    ],
)
def test_options_that_contradict_each_other_are_refused(params, option):
    assert refused(**params).option == option


def test_names_are_stored_in_lower_case_as_aws_does():
    stored = desired(replication_group_id="Shop", cache_subnet_group_name="Shop-Nets")
    assert (stored.replication_group_id, stored.cache_subnet_group_name) == ("shop", "shop-nets")


def test_placeholders_of_security_groups_pass_in_check_mode():
    allowed = Desired.from_params({**NAMED, "security_group_ids": ["", "sg-1"]}, allow_placeholders=True)
    assert allowed.has_placeholders


def test_a_deletion_must_say_what_becomes_of_the_data():
    with pytest.raises(PlanRefused, match="skip_final_snapshot"):
        Deletion.from_params(NAMED)
    with pytest.raises(PlanRefused, match="either"):
        Deletion.from_params({**NAMED, "final_snapshot_identifier": "last", "skip_final_snapshot": True})
    assert Deletion.from_params({**NAMED, "skip_final_snapshot": True}).final_snapshot_identifier is None
    assert Deletion.from_params({**NAMED, "final_snapshot_identifier": "last"}).final_snapshot_identifier == "last"


@pytest.mark.parametrize(
    ("engine", "version", "is_one"),
    [
        ("redis", "7.1", True),
        ("redis", "7.2", False),
        ("redis", "8.0", False),
        ("valkey", "7.1", False),
        ("valkey", "6.x", False),
        ("valkey", "7.2", True),
        ("valkey", "9.1", True),
        ("valkey", "12.0", True),
    ],
)
def test_a_version_is_of_one_engine(engine, version, is_one):
    if is_one:
        assert desired(engine=engine, engine_version=version).engine_version == version
    else:
        assert refused(engine=engine, engine_version=version).option == "engine_version"
