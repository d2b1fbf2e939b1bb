"""What a migration has AWS scale of its target: parts of its row, what is refused, and which counts are left alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import made_of, making, removal
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import finding, fit
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import target_from
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import dimensions, setting
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import DEFAULT, TARGETS, by_service
from ansible_collections.kempian.cache_migration.plugins.modules.cache_scaling import OPTIONS as OF_THE_MODULE

from tests.unit.engine_world import ENDPOINT, SETTINGS

GIB = 1024**3
MEMCACHED = by_service("elasticache-memcached")
SHARDS = {"scalable_dimension": "NodeGroups", "min_capacity": 2, "max_capacity": 6, "target_value": 60.0}
REPLICAS = {"scalable_dimension": "Replicas", "min_capacity": 1, "max_capacity": 3}
NODES = {"scalable_dimension": "Nodes", "min_capacity": 3, "max_capacity": 5}
GONE = {"scalable_dimension": "NodeGroups", "state": "absent"}
STATED = {
    **SETTINGS,
    "engine": "valkey",
    "cache_node_type": "cache.r7g.large",
    "cluster_mode": "enabled",
    "app_cidrs": ["10.0.1.0/24"],
}
OF_MEMCACHED = {
    **SETTINGS,
    "replication_group_id": "",
    "cache_cluster_id": "pages",
    "cache_node_type": "cache.t4g.small",
}
FOUND = {
    "engine": "valkey",
    "engine_version": "8.0.1",
    "cache_node_type": "cache.r7g.large",
    "cluster_mode": "enabled",
    "num_node_groups": 4,
    "replicas_per_node_group": 2,
    "num_cache_clusters": 12,
}


def parts(found=None, row=DEFAULT, **settings):
    return row.parts({**(STATED if row is DEFAULT else OF_MEMCACHED), **settings}, found)


def target(found=None, row=DEFAULT, **settings):
    return next(part.args for part in parts(found, row, **settings) if part.is_target)


def refused(row=DEFAULT, found=None, goal="migrate", **settings):
    """By the look that comes before anything is made."""
    with pytest.raises(PlanRefused) as told:
        base = STATED if row is DEFAULT else OF_MEMCACHED
        making.look(GOALS[goal], {**base, **settings}, found, lambda *_asked: {})
    return told.value


@pytest.mark.parametrize("row", TARGETS.values(), ids=TARGETS.keys())
def test_a_row_says_what_aws_scales_of_it_or_what_there_is_in_its_place(row):
    assert bool(row.scales) != bool(row.scales_instead)
    assert bool(row.scales) == bool(row.becomes({row.name_option: "shop", "name": "shop"}, None))
    assert {name for names in row.scales.values() for name in names} <= set(row.options)
    assert bool(row.grows_to) == bool(row.grows_by)


# --- parts ---


def test_the_words_of_an_item_are_those_of_the_module():
    item = OPTIONS["scaling"].options
    assert set(item) <= set(OF_THE_MODULE)
    assert item["scalable_dimension"]["choices"] == list(dimensions.DIMENSIONS)
    assert all(item[name].get("choices") == OF_THE_MODULE[name].get("choices") for name in item)


def test_what_aws_scales_is_registered_once_the_target_is_there_and_taken_away_before_it_is_changed():
    modules = [part.module for part in parts(scaling=[GONE, REPLICAS])]
    assert modules == ["cache_scaling", "elasticache_cluster", "cache_scaling"]
    gone, _target, registered = parts(scaling=[GONE, REPLICAS])
    assert gone.args == {
        "scalable_dimension": "NodeGroups",
        "replication_group_id": "shop-cache",
        "migration_name": "shop",
        "state": "absent",
    }
    assert registered.args == {
        **REPLICAS,
        "replication_group_id": "shop-cache",
        "migration_name": "shop",
        "will_be": {"engine": "valkey", "cache_node_type": "cache.r7g.large", "cluster_enabled": True},
    }
    assert registered.what == "scaling of its replicas"


def test_without_the_setting_there_is_no_such_part_and_nothing_of_it_is_taken_away():
    assert [part.module for part in parts()] == ["elasticache_cluster"]
    assert "cache_scaling" not in {part.module for part in DEFAULT.removal(STATED)}


def test_it_goes_before_the_target_does_and_does_not_wait_for_it():
    told = removal.parts({**STATED, "scaling": [SHARDS], "rollback_delete_target": True})
    first, second, *others = told
    assert (first["module"], first["args"]["state"], first["hangs_on"]) == ("cache_scaling", "absent", "")
    assert (second["what"], second["hangs_on"]) == ("replication group shop-cache", "")
    assert {one["hangs_on"] for one in others} == {second["what"]}


def test_what_it_will_be_is_of_the_settings_and_else_of_what_is_there():
    moved = {"engine": "redis", "engine_version": "7.1", "cache_node_type": "cache.t3.small"}
    for found, settings, will_be in (
        (FOUND, {"engine": "", "cache_node_type": "", "cluster_mode": ""}, {"cluster_enabled": True, **FOUND}),
        ({**FOUND, **moved}, {}, {"engine": "valkey", "cache_node_type": "cache.r7g.large", "cluster_enabled": True}),
    ):
        told = parts(found, scaling=[SHARDS], **settings)[-1].args["will_be"]
        assert told == {name: will_be[name] for name in told}
    assert "engine_version" not in told, "to which version AWS moves it is not known"


# --- refusals ---


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"cluster_mode": ""}, "cluster mode disabled"),
        ({"cache_node_type": "cache.t3.small"}, "cache.t3.small"),
        ({"cache_node_type": "cache.r7g.4xlarge"}, "large, xlarge, 2xlarge"),
        ({"engine": "redis", "engine_version": "5.0.6"}, "redis 5.0.6"),
    ],
)
@pytest.mark.parametrize("goal", ["migrate", "provision", "assess"])
def test_what_aws_would_not_scale_is_refused_before_anything_is_made(goal, settings, told):
    why = refused(goal=goal, scaling=[REPLICAS], **settings)
    assert why.option == "scaling" and "migration_scaling" in why.message and told in why.message


@pytest.mark.parametrize(
    ("service", "name", "item", "told"),
    [
        ("elasticache-serverless", "serverless_cache_name", SHARDS, "migration_cache_usage_limits"),
        ("memorydb", "memorydb_cluster_name", SHARDS, "migration_num_shards"),
        ("elasticache-memcached", "cache_cluster_id", SHARDS, "of one it scales Nodes"),
        ("elasticache", "replication_group_id", NODES, "of one it scales NodeGroups and Replicas"),
    ],
)
def test_what_a_service_does_not_offer_is_refused_with_what_it_has_in_its_place(service, name, item, told):
    only = {row.name_option: "" for row in TARGETS.values()}
    why = refused(goal="assess", **{**only, name: "shop"}, scaling=[item])
    assert by_service(service).noun in why.message and told in why.message


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([SHARDS, SHARDS], "twice"),
        ([{**SHARDS, "max_capacity": None}], "state both"),
        ([{**SHARDS, "min_capacity": 7}], "state both"),
        ([{**REPLICAS, "max_capacity": 6}], "1 to 5"),
        ([{**SHARDS, "target_value": 0.0}], "target_value"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused_by_the_setting(items, told):
    why = refused(scaling=items)
    assert why.option == "scaling" and "migration_scaling" in why.message and told in why.message


def test_a_count_that_is_stated_outside_of_the_bounds_is_refused_by_its_option():
    why = refused(scaling=[SHARDS], num_node_groups=8)
    assert why.option == "num_node_groups" and "2 to 6" in why.message
    making.look(GOALS["assess"], {**OF_MEMCACHED, "scaling": [NODES]}, None, lambda *_asked: {})  # 2 is the default


def test_what_is_to_be_taken_away_is_refused_of_nothing():
    making.look(GOALS["assess"], {**STATED, "cluster_mode": "", "scaling": [GONE]}, None, lambda *_asked: {})


def test_a_cluster_by_its_parameter_group_alone_is_known_as_one_by_each_stage_that_judges_it():
    by_group = {"cluster_mode": "", "parameter_group_name": "default.valkey8.cluster.on", "scaling": [REPLICAS]}
    making.look(GOALS["assess"], {**STATED, **by_group}, None, lambda *_asked: {})
    assert {"assess", "provision"} <= set(OPTIONS["parameter_group_name"].stages)


# --- counts ---


@pytest.mark.parametrize(
    ("found", "stated", "is_made"),
    [
        (None, None, 2),
        (None, 3, 3),
        (4, None, None),
        (4, 3, None),
        (1, 3, 3),
        (1, None, 2),
        (7, None, 6),
    ],
)
def test_a_count_within_the_bounds_is_as_aws_has_made_it_and_is_never_planned_back(found, stated, is_made):
    there = {**FOUND, "num_node_groups": found} if found else None
    assert target(there, scaling=[SHARDS], num_node_groups=stated).get("num_node_groups") == is_made


def test_the_other_counts_stay_as_they_are_stated():
    told = target(FOUND, scaling=[SHARDS], num_node_groups=2, replicas_per_node_group=3)
    assert told["replicas_per_node_group"] == 3
    assert target(FOUND, scaling=[GONE], num_node_groups=2)["num_node_groups"] == 2


def test_shards_one_by_one_count_for_a_new_group_alone():
    laid_out = {"node_group_configuration": [{"slots": "0-8191"}, {"slots": "8192-16383"}], "scaling": [SHARDS]}
    assert "num_node_groups" not in target(**laid_out) and "node_group_configuration" in target(**laid_out)
    assert "node_group_configuration" not in target(FOUND, **laid_out)


def test_nodes_of_memcached_begin_with_the_least_where_the_default_is_left():
    assert target(row=MEMCACHED, scaling=[NODES])["num_cache_nodes"] == 3
    there = {"num_cache_nodes": 4, "engine": "memcached"}
    told = target(there, MEMCACHED, scaling=[NODES], preferred_availability_zones=["a", "b", "c"])
    assert not {"num_cache_nodes", "preferred_availability_zones"} & set(told)
    assert target({**there, "num_cache_nodes": 9}, MEMCACHED, scaling=[NODES])["num_cache_nodes"] == 5


def test_a_new_target_of_more_than_one_shard_has_the_protocol_of_a_cluster_before_it_is_there():
    assert DEFAULT.endpoint({**STATED, "cluster_mode": "", "scaling": [SHARDS]}, None).protocol == "redis-cluster"


def test_a_plan_that_was_approved_is_still_true_when_aws_has_scaled_meanwhile():
    def parts_of(found, items):
        known = Known("migrate", {**STATED, "scaling": items}, ENDPOINT, [], [], found=found)
        return made_of.of_controller(known)["the target in AWS"]

    later = {**FOUND, "num_node_groups": 5, "num_cache_clusters": 15}
    assert parts_of(FOUND, [SHARDS]) == parts_of(later, [SHARDS])
    assert parts_of(FOUND, []) != parts_of(later, [])
    assert parts_of(FOUND, [SHARDS]) != parts_of({**later, "engine_version": "8.1"}, [SHARDS])


# --- words ---


def test_a_state_tells_between_which_numbers_and_what_is_otherwise_than_stated():
    policy = {"predefined_metric_type": "M", "target_value": 60.0}
    there = {"NodeGroups": {"min_capacity": 2, "max_capacity": 5, "policies": [policy]}}
    assert setting.lines({"scaling": [SHARDS, REPLICAS]}, {"scaling": there}) == [
        "scaling: NodeGroups from 2 to 5 by M at 60; migration_scaling has 2 to 6",
        "scaling: Replicas is not scaled by AWS yet, and migration_scaling has 1 to 3",
    ]
    same = {"NodeGroups": {"min_capacity": 2, "max_capacity": 6, "policies": []}}
    assert setting.lines({"scaling": [SHARDS]}, {"scaling": same}) == [
        "scaling: NodeGroups from 2 to 6, by no policy of its own"
    ]
    assert setting.lines({"scaling": [SHARDS]}, {"failed": True, "msg": "AccessDenied"}) == [
        "scaling: could not be read: AccessDenied"
    ]
    assert setting.lines({"scaling": []}, None) == []


def test_an_assessment_weighs_what_it_begins_with_and_says_what_aws_adds():
    source = SimpleNamespace(used_memory=24 * GIB, used_memory_peak=24 * GIB)
    weighed = target_from({"node_type": "cache.r7g.large", "shards": 2, "most_shards": 6})
    (found,) = fit.memory(source, finding.Who(1), weighed)
    assert found.level == finding.REFUSE and "AWS adds up to 6 (migration_scaling)" in found.means
