"""The table of targets: what each is made of, from the settings of a migration."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import (
    DEFAULT,
    TARGETS,
    by_service,
    refuse_settings_of_others,
    stated_endpoint,
    target_of,
)

WHOLE = {
    "name": "shop-prod",
    "replication_group_id": "shop",
    "cache_node_type": "cache.t3.small",
    "engine_version": "7.1",
    "num_cache_clusters": 2,
    "automatic_failover_enabled": True,
    "multi_az_enabled": True,
    "at_rest_encryption_enabled": True,
    "transit_encryption_enabled": True,
    "port": 6379,
    "snapshot_retention_limit": 5,
    "security_group_ids": ["sg-1"],
    "wait_timeout": 3600,
}
FOUND = {"engine": "valkey", "engine_version": "8.0.1", "endpoint": {}}


def parts(found=None, **settings):
    return DEFAULT.parts({**WHOLE, **settings}, found)


def part(module, found=None, **settings):
    return next(part for part in parts(found, **settings) if part.module == module)


def group(found=None, **settings):
    return part("elasticache_cluster", found, **settings).args


def made(**settings):
    return [part.what for part in parts(**settings)]


def module_options(name):
    return importlib.import_module(f"ansible_collections.kempian.cache_migration.plugins.modules.{name}").OPTIONS


# --- every row ---


@pytest.mark.parametrize("row", TARGETS.values(), ids=TARGETS.keys())
def test_a_row_is_found_by_its_service_and_states_only_options_that_its_modules_have(row):
    assert by_service(row.service) is row
    assert target_of({row.name_option: "shop"}) is row
    settings = {**dict.fromkeys(row.options, "x"), **WHOLE, "parameters": {"timeout": 1}, "adopt": False}
    whole = [*row.parts(settings, None), *row.removal({**settings, "final_snapshot_identifier": "last"})]
    for one in whole:
        assert set(one.args) <= set(module_options(one.module)), one.what
    assert [one.is_target for one in row.parts(settings, None)][-1] is True
    assert set(row.needs) <= set(row.options)
    assert row.module in {one.module for one in whole}


@pytest.mark.parametrize("row", TARGETS.values(), ids=TARGETS.keys())
def test_an_option_of_a_service_reaches_one_of_the_modules_that_make_it(row):
    """What a row says to be its own, and no part takes, would be asked for and forgotten."""
    settings = {**WHOLE, **{name: f"<{name}>" for name in row.options if name not in WHOLE and name != "adopt"}}
    settings["parameters"] = {"<parameters>": "yes"}
    told = repr(row.parts(settings, None)) + repr(row.parts({**settings, "adopt": True}, None))
    values = {**settings, "parameters": "<parameters>"}
    assert [name for name in row.options if name != "adopt" and repr(values[name]) not in told] == []
    assert "'adopt': True" in told


def test_a_new_group_has_a_replica_and_one_that_exists_keeps_its_nodes_where_none_are_stated():
    none = {"num_cache_clusters": None}
    assert group(**none)["num_cache_clusters"] == 2
    assert not {"num_cache_clusters", "replicas_per_node_group"} & set(group(FOUND, **none))
    assert group(**none, replicas_per_node_group=2)["replicas_per_node_group"] == 2
    for shards in ({"num_node_groups": 2}, {"cluster_mode": "enabled"}, {"snapshot_name": "nightly"}):
        made = group(**none, **shards)
        assert made["replicas_per_node_group"] == 1 and "num_cache_clusters" not in made
    assert "engine" not in group(**none, snapshot_name="nightly", engine="")


def test_no_replica_is_stated_as_it_is_and_not_as_left_out():
    assert group(num_cache_clusters=None, num_node_groups=1, replicas_per_node_group=0)["replicas_per_node_group"] == 0


def test_a_parameter_group_of_ones_own_has_the_cluster_mode_of_the_target():
    own = {"parameters": {"maxmemory-policy": "noeviction"}}
    for settings, found in (
        ({"num_node_groups": 2}, None),
        ({"cluster_mode": "enabled"}, None),
        ({"cluster_mode": "", "num_node_groups": None}, {**FOUND, "cluster_mode": "enabled", "num_node_groups": 1}),
    ):
        parameters = part("elasticache_parameter_group", found, **own, **settings).args["parameters"]
        assert parameters == {"cluster-enabled": "yes", "maxmemory-policy": "noeviction"}
    for settings, found in (({}, None), ({"num_node_groups": 1}, None), ({}, {**FOUND, "num_node_groups": 1})):
        parameters = part("elasticache_parameter_group", found, **own, **settings).args["parameters"]
        assert parameters == {"maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    ("settings", "protocol", "auth", "databases"),
    [
        ({}, "redis", "none", 16),
        ({"cluster_mode": "compatible"}, "redis", "none", 16),
        ({"num_node_groups": 2}, "redis-cluster", "none", 1),
        ({"cluster_mode": "enabled", "user_group_ids": ["shop"]}, "redis-cluster", "rbac", 1),
        ({"parameter_group_name": "default.valkey8.cluster.on"}, "redis-cluster", "none", 1),
    ],
)
def test_before_it_is_there_the_endpoint_says_what_clients_will_have_to_speak(settings, protocol, auth, databases):
    endpoint = DEFAULT.endpoint({**WHOLE, **settings}, None)
    assert (endpoint.protocol, endpoint.auth, endpoint.databases) == (protocol, auth, databases)


def test_the_name_that_is_stated_says_which_service_the_target_is_of(monkeypatch):
    other = replace(DEFAULT, service="other", name_option="other_name")
    monkeypatch.setattr(table, "TARGETS", {row.service: row for row in (DEFAULT, other)})
    assert target_of({"replication_group_id": "", "other_name": "shop"}) is other
    with pytest.raises(PlanRefused, match="migration_replication_group_id and migration_other_name name a target each"):
        target_of({"replication_group_id": "shop", "other_name": "shop"})


def test_where_no_target_is_named_it_is_a_replication_group():
    assert target_of({}) is DEFAULT and DEFAULT.what(WHOLE) == "replication group shop"


def test_an_endpoint_of_a_service_that_nobody_knows_is_refused_by_its_option():
    with pytest.raises(PlanRefused, match="migration_endpoint is of the service 'gone': use elasticache"):
        by_service("gone")


@pytest.mark.parametrize("row", [DEFAULT], ids=[DEFAULT.service])
def test_one_that_is_there_is_given_another_token_by_its_module_and_nothing_else_is_changed(row):
    settings = {**WHOLE, **dict.fromkeys(row.options, "x"), "wait_timeout": 60}
    part = row.at_rest(settings)
    assert part.module == row.module
    named_by = {setting: option for option, setting in row.renamed.items()}.get(row.name_option, row.name_option)
    assert part.args == {named_by: settings[row.name_option], "wait_timeout": 60}
    assert {*part.args, "auth_token"} <= set(module_options(part.module))
    assert {"rotate", "set"} <= set(module_options(part.module)["auth_token_update_strategy"]["choices"])


def test_a_setting_of_another_service_than_the_targets_is_refused_by_its_name():
    memcached = by_service("elasticache-memcached")
    pages = {"name": "shop-prod", "cache_cluster_id": "pages", "multi_az_enabled": True, "engine": ""}
    refuse_settings_of_others(memcached, pages)  # true is what it is where it is left out
    with pytest.raises(PlanRefused, match="migration_num_cache_clusters is of ElastiCache, and the target is the Memc"):
        refuse_settings_of_others(memcached, {**pages, "num_cache_clusters": 3})
    with pytest.raises(PlanRefused, match="migration_az_mode is of ElastiCache for Memcached"):
        refuse_settings_of_others(DEFAULT, {**WHOLE, "az_mode": "cross-az"})


def test_all_settings_of_other_services_are_named_at_once():
    stated = {**SERVERLESS, "cache_node_type": "cache.t3.small", "parameters": {"timeout": 1}, "num_shards": 2}
    with pytest.raises(PlanRefused) as refused:
        refuse_settings_of_others(by_service("elasticache-serverless"), stated)
    assert refused.value.message == (
        "migration_cache_node_type, migration_parameters are of ElastiCache; migration_num_shards is of Amazon "
        "MemoryDB, and the target is the serverless cache shop: leave them out, or name another target"
    )
    assert refused.value.option == "cache_node_type"


def test_what_is_left_out_of_an_endpoint_that_is_yet_to_be_is_what_its_protocol_has():
    memcached = by_service("elasticache-memcached")
    endpoint = memcached.endpoint({"cache_cluster_id": "pages", "transit_encryption_enabled": True, "port": 0}, None)
    assert (endpoint.protocol, endpoint.port, endpoint.tls, endpoint.databases) == ("memcached", 11211, True, 1)
    assert (memcached.port({"port": 0}), memcached.port({"port": 11212}), DEFAULT.port({})) == (11211, 11212, 6379)


SERVERLESS = {"name": "shop-prod", "serverless_cache_name": "shop", "user_group_id": "", "adopt": False}


def test_a_serverless_cache_is_made_of_itself_alone_and_is_of_valkey_unless_told_otherwise():
    row = by_service("elasticache-serverless")
    (part,) = row.parts({**SERVERLESS, "subnet_ids": ["subnet-1"], "final_snapshot_identifier": "last"}, None)
    assert part.is_target and part.args["engine"] == "valkey" and part.args["subnet_ids"] == ["subnet-1"]
    (part,) = row.parts(SERVERLESS, {"engine": "redis"})
    assert part.args["engine"] == "redis"  # one that exists keeps its own
    (gone,) = row.removal({**SERVERLESS, "final_snapshot_identifier": "last"})
    assert (gone.args["final_snapshot_name"], gone.args["state"]) == ("last", "absent")
    assert row.setting("snapshot_arns_to_restore") == "migration_snapshot_arns"


def test_a_serverless_cache_that_is_yet_to_be_made_has_the_endpoint_of_a_cluster_with_two_ports():
    row = by_service("elasticache-serverless")
    endpoint = row.endpoint({**SERVERLESS, "major_engine_version": "8"}, None)
    assert (endpoint.state, endpoint.protocol, endpoint.tls, endpoint.databases) == (
        *("after_apply", "redis-cluster"),
        *(True, 1),
    )
    assert (endpoint.port, endpoint.reader_port, endpoint.auth) == (6379, 6380, "none")
    assert (endpoint.engine, endpoint.engine_version) == ("valkey", "8")
    assert (row.port(SERVERLESS), row.reader_port(SERVERLESS), DEFAULT.reader_port(WHOLE)) == (6379, 6380, 0)
    users = row.endpoint({**SERVERLESS, "user_group_id": "shop", "username": "app"}, None)
    assert (users.auth, users.username) == ("rbac", "app")


def test_a_serverless_cache_has_neither_nodes_nor_parameters_nor_another_port():
    row = by_service("elasticache-serverless")
    for option, value in {"cache_node_type": "cache.t3.small", "parameters": {"timeout": 1}, "port": 7000}.items():
        with pytest.raises(PlanRefused, match=f"migration_{option} is of ElastiCache, and the target is the serverl"):
            refuse_settings_of_others(row, {**SERVERLESS, option: value})


def test_a_serverless_cache_grows_up_to_its_limit():
    row = by_service("elasticache-serverless")
    ten, none = ({"cache_usage_limits": {"data_storage": {"maximum": most}}} for most in (10, 0))
    assert row.grows_to(SERVERLESS, None) is None
    assert row.grows_to(ten, None) == row.grows_to(SERVERLESS, ten) == 10 * 1000**3
    assert row.grows_to(none, ten) is None


def test_memcached_is_made_after_its_groups_and_taken_away_before_them():
    memcached = by_service("elasticache-memcached")
    settings = {
        "name": "shop-prod",
        "cache_cluster_id": "pages",
        "cache_node_type": "cache.t3.small",
        "subnet_ids": ["subnet-1"],
        "parameters": {"max_item_size": 2097152},
    }
    *groups, target = memcached.parts(settings, None)
    assert [one.what for one in groups] == ["subnet group shop-prod-cache", "parameter group shop-prod-cache"]
    assert groups[1].args["engine"] == "memcached"
    assert target.args["cache_parameter_group_name"] == "shop-prod-cache" and target.args["engine"] == "memcached"
    assert memcached.removal(settings)[0].what == "Memcached cluster pages"
    assert memcached.maxmemory("cache.t3.micro") == 412 * 1024 * 1024


# --- what a replication group is made of ---


def test_with_nothing_but_a_name_and_a_size_one_part_is_made_with_what_is_stated():
    assert made() == ["replication group shop"]
    assert group() == {
        "migration_name": "shop-prod",
        "replication_group_description": "Cache of the migration shop-prod",
        "cache_subnet_group_name": "shop-prod-cache",
        "engine": "redis",
        **{name: value for name, value in WHOLE.items() if name != "name"},
    }


def test_subnets_and_parameters_are_parts_of_their_own_made_before_it():
    both = {"subnet_ids": ["subnet-1"], "parameters": {"timeout": 60}, "tags": {"team": "a"}}
    assert made(**both) == [
        "subnet group shop-prod-cache",
        "parameter group shop-prod-cache",
        "replication group shop",
    ]
    assert part("elasticache_subnet_group", **both).args == {
        "migration_name": "shop-prod",
        "cache_subnet_group_name": "shop-prod-cache",
        "cache_subnet_group_description": "Cache of the migration shop-prod",
        "subnet_ids": ["subnet-1"],
        "tags": {"team": "a"},
    }
    assert part("elasticache_parameter_group", **both).args == {
        "migration_name": "shop-prod",
        "cache_parameter_group_name": "shop-prod-cache",
        "engine": "redis",
        "engine_version": "7.1",
        "description": "Cache of the migration shop-prod",
        "parameters": {"timeout": 60},
        "tags": {"team": "a"},
    }
    assert group(**both)["cache_parameter_group_name"] == "shop-prod-cache"


def test_a_parameter_group_is_used_where_it_is_named_and_made_where_parameters_are_stated():
    assert "cache_parameter_group_name" not in group()
    assert group(parameter_group_name="theirs")["cache_parameter_group_name"] == "theirs"
    assert made(parameter_group_name="mine", parameters={"timeout": 1})[0] == "parameter group mine"


def test_an_adopted_group_brings_its_own_subnets_and_parameters_which_are_checked_where_they_are_named():
    adopted = {"adopt": True, "subnet_ids": ["subnet-1"], "parameters": {"timeout": 1}, "security_group_ids": []}
    assert made(**adopted) == ["replication group shop"]
    assert group(**adopted)["adopt"] is True
    assert not {"cache_subnet_group_name", "cache_parameter_group_name", "security_group_ids"} & set(group(**adopted))
    assert group(**adopted, subnet_group_name="theirs")["cache_subnet_group_name"] == "theirs"


def test_what_is_empty_is_left_out_and_what_is_false_or_zero_is_stated():
    told = group(kms_key_id="", snapshot_window="", tags={}, multi_az_enabled=False, snapshot_retention_limit=0)
    assert not {"kms_key_id", "snapshot_window", "tags"} & set(told)
    assert (told["multi_az_enabled"], told["snapshot_retention_limit"]) == (False, 0)


@pytest.mark.parametrize(
    ("settings", "engine", "version"),
    [
        ({}, "redis", "7.1"),
        ({"engine_version": "7.0"}, "redis", "7.0"),
        ({"engine": "valkey"}, "valkey", None),
        ({"engine": "valkey", "engine_version": "8.0"}, "valkey", "8.0"),
    ],
)
def test_a_new_group_has_what_the_guide_says_and_of_valkey_what_aws_chooses(settings, engine, version):
    told = group(**{"engine_version": "", **settings})
    assert (told["engine"], told.get("engine_version")) == (engine, version)
    tuned = part("elasticache_parameter_group", **{"engine_version": "", **settings}, parameters={"timeout": 1}).args
    assert (tuned["engine"], tuned.get("engine_version")) == (engine, version)


def test_a_group_that_exists_keeps_its_engine_and_version_where_none_is_stated():
    told = group(FOUND, engine_version="")
    assert not {"engine", "engine_version"} & set(told)
    late = part("elasticache_parameter_group", FOUND, engine_version="", parameters={"timeout": 1}).args
    assert (late["engine"], late["engine_version"]) == ("valkey", "8.0.1")
    assert group(FOUND, engine_version="8.1")["engine_version"] == "8.1"


def test_a_move_makes_the_parameters_for_what_the_group_becomes():
    moved = {"engine": "valkey", "engine_version": "9.0", "parameters": {"timeout": 1}}
    found = {**FOUND, "engine": "redis", "engine_version": "7.1.0"}
    tuned = part("elasticache_parameter_group", found, **moved).args
    assert (tuned["engine"], tuned["engine_version"]) == ("valkey", "9.0")


def test_no_secret_is_in_a_part():
    assert "a-token-of-sixteen" not in repr(parts(auth_token="a-token-of-sixteen"))


# --- taking it away, reading it ---


def test_a_target_is_taken_away_in_the_order_that_aws_takes_with_the_groups_that_were_made_for_it():
    removed = DEFAULT.removal(WHOLE)
    assert [one.what for one in removed] == [
        "replication group shop",
        "subnet group shop-prod-cache",
        "parameter group shop-prod-cache",
    ]
    assert removed[0].args == {
        "migration_name": "shop-prod",
        "replication_group_id": "shop",
        "wait_timeout": 3600,
        "skip_final_snapshot": True,
        "state": "absent",
    }
    kept = DEFAULT.removal({**WHOLE, "final_snapshot_identifier": "last"})[0].args
    assert kept["final_snapshot_identifier"] == "last" and "skip_final_snapshot" not in kept
    assert [one.what for one in DEFAULT.removal({**WHOLE, "adopt": True})] == ["replication group shop"]


def test_it_is_read_by_its_info_module_and_reached_by_what_that_tells():
    look = DEFAULT.look(WHOLE)
    assert look.module == "elasticache_cluster_info"
    assert set(look.args) <= {"replication_group_id", "migration_name"}
    endpoint = stated_endpoint({"address": "cache.example.com", "tls": True}).as_dict()
    found = DEFAULT.found_in({"replication_groups": [{"endpoint": endpoint}]})
    assert DEFAULT.endpoint(WHOLE, found).as_dict() == endpoint
    assert DEFAULT.found_in({"replication_groups": []}) is None
    placeholder = DEFAULT.endpoint(WHOLE, None)
    assert (placeholder.service, placeholder.name, placeholder.state) == ("elasticache", "shop", "after_apply")


def test_what_must_be_stated_and_what_a_module_refuses_is_told_in_the_words_of_the_user():
    assert DEFAULT.missing({"name": "shop-prod"}) == ("migration_replication_group_id", "migration_cache_node_type")
    assert DEFAULT.missing(WHOLE) == ()
    assert DEFAULT.setting("cache_parameter_group_name") == "migration_parameter_group_name"
    assert DEFAULT.setting("engine_version") == "migration_engine_version"


def test_a_stated_endpoint_has_the_port_and_the_databases_of_its_protocol():
    stated = table.stated_endpoint({"address": "cfg.internal", "protocol": "redis-cluster"})
    assert (stated.port, stated.databases) == (6379, 1)
    assert table.stated_endpoint({"address": "cfg.internal", "protocol": "memcached"}).port == 11211
    assert table.stated_endpoint({"address": "new.internal"}).databases == 16


@pytest.mark.parametrize("lacking", ["name", "username"])
def test_what_a_login_by_iam_signs_is_stated(lacking):
    stated = {"address": "new.internal", "auth": "iam", "name": "shop-cache", "username": "shop"}
    assert table.stated_endpoint(stated).name == "shop-cache"
    with pytest.raises(EndpointError, match="name of the cache and a username"):
        table.stated_endpoint({**stated, lacking: ""})


@pytest.mark.parametrize("row", TARGETS.values(), ids=TARGETS.keys())
def test_a_service_that_keeps_each_write_does_not_say_that_it_loses_some(row):
    if row.is_durable({}, None):
        assert "lost" not in row.traits.keeps
