"""Amazon MemoryDB as a row of the table: what one is made of, and what an assessment weighs of it."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import making
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import fit
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Who
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import target_from
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import sizes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.target import MEMORYDB
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import (
    refuse_settings_of_others,
    target_of,
)

SETTINGS = {
    "name": "shop-prod",
    "memorydb_cluster_name": "shop",
    "node_type": "db.t4g.small",
    "transit_encryption_enabled": True,
    "snapshot_retention_limit": 5,
    "adopt": False,
    "port": 0,
}
GIB = 1 << 30


def parts(found=None, **settings):
    return MEMORYDB.parts({**SETTINGS, **settings}, found)


def modules(**settings):
    return [part.module for part in parts(**settings)]


def cluster(**settings):
    return parts(**settings)[-1].args


def removal(**settings):
    return [(part.module, part.args) for part in MEMORYDB.removal({**SETTINGS, **settings})]


def test_its_name_says_which_service_it_is():
    assert target_of(SETTINGS) is MEMORYDB
    with pytest.raises(PlanRefused) as refused:
        refuse_settings_of_others(MEMORYDB, {**SETTINGS, "cache_node_type": "cache.t3.small"})
    assert refused.value.option == "cache_node_type"


def test_a_cluster_is_told_by_its_modules_own_names():
    told = cluster(acl_name="shop", num_shards=2, preferred_maintenance_window="sun:07:00-sun:08:00")
    assert told == {
        "migration_name": "shop-prod",
        "description": "Cache of the migration shop-prod",
        "cluster_name": "shop",
        "acl_name": "shop",
        "adopt": False,
        "engine": "redis",
        "maintenance_window": "sun:07:00-sun:08:00",
        "node_type": "db.t4g.small",
        "num_shards": 2,
        "snapshot_retention_limit": 5,
        "subnet_group_name": "shop-prod-cache",
        "tls_enabled": True,
    }
    assert MEMORYDB.look(SETTINGS).args == {"cluster_name": "shop", "migration_name": "shop-prod"}
    assert MEMORYDB.setting("cluster_name") == "migration_memorydb_cluster_name"


def test_the_apps_user_is_made_with_an_acl_of_its_own_and_its_password_is_the_secret():
    made = parts(username="shop-app", subnet_ids=["subnet-1"], parameters={"timeout": 60})
    assert [part.module for part in made] == [
        *("memorydb_subnet_group", "memorydb_parameter_group", "memorydb_user", "memorydb_acl", "memorydb_cluster"),
    ]
    [user, acl, target] = made[2:]
    assert making.args_of(user, "the-password")["passwords"] == ["the-password"]
    assert "the-password" not in repr([making.args_of(part, "the-password") for part in made if part is not user])
    assert (acl.args["acl_name"], acl.args["user_names"]) == ("shop-prod-cache", ["shop-app"])
    assert target.args["acl_name"] == "shop-prod-cache"


def test_an_acl_that_is_named_is_used_as_it_is():
    assert modules(username="shop-app", acl_name="people") == ["memorydb_cluster"]
    assert modules(acl_name="open-access") == ["memorydb_cluster"]
    assert modules(username="shop-app", adopt=True) == ["memorydb_cluster"]
    assert "acl_name" not in parts(found={"engine": "redis"})[-1].args  # one that is there keeps its own


def test_what_one_will_be_is_known_before_it_is_there():
    for settings, auth in (
        ({"acl_name": "open-access"}, "none"),
        ({"username": "app"}, "rbac"),
        ({"acl_name": "x"}, "rbac"),
    ):
        endpoint = MEMORYDB.endpoint({**SETTINGS, **settings}, None)
        assert (endpoint.protocol, endpoint.databases, endpoint.tls, endpoint.auth) == ("redis-cluster", 1, True, auth)
        assert (endpoint.state, endpoint.port, endpoint.service) == ("after_apply", 6379, "memorydb")
    assert MEMORYDB.endpoint({**SETTINGS, "username": "app"}, None).username == "app"
    assert MEMORYDB.is_durable(SETTINGS, None)


def test_what_was_made_for_it_goes_after_it():
    gone = removal(username="shop-app", final_snapshot_identifier="last")
    assert [module for module, _args in gone] == [
        *("memorydb_cluster", "memorydb_acl", "memorydb_user", "memorydb_subnet_group", "memorydb_parameter_group"),
    ]
    assert gone[0][1] == {
        "migration_name": "shop-prod",
        "state": "absent",
        "cluster_name": "shop",
        "final_snapshot_name": "last",
    }
    assert gone[1][1] == {"migration_name": "shop-prod", "state": "absent", "acl_name": "shop-prod-cache"}
    assert gone[2][1] == {"migration_name": "shop-prod", "state": "absent", "user_name": "shop-app"}
    assert removal()[0][1]["skip_final_snapshot"] is True
    assert [module for module, _args in removal(username="shop-app", acl_name="people")][1:] == [
        *("memorydb_subnet_group", "memorydb_parameter_group"),
    ]
    assert [module for module, _args in removal(username="shop-app", adopt=True)] == ["memorydb_cluster"]


def test_memory_is_weighed_over_all_shards_and_without_a_reserve():
    stated = {"service": "memorydb", "node_type": "db.t4g.small", "protocol": "redis-cluster"}
    one, two = target_from(stated), target_from({**stated, "shards": 2})
    assert one.usable == sizes.maxmemory("cache.t4g.small") and two.usable == 2 * one.usable

    def told(target, gib):
        source = Source(Server("redis", "7.0.15"), used_memory=gib * GIB, used_memory_peak=gib * GIB)
        return list(fit.memory(source, Who(1), target))

    [refused] = told(one, 2)
    assert refused.level == "refuse" and "migration_node_type to db.r6g.large" in refused.remedy
    [warned] = told(two, 2)
    assert warned.level == "warn" and "2 shards of db.t4g.small have" in warned.means
    assert "reserved" not in warned.means


@pytest.mark.parametrize(
    ("node_type", "like"),
    [
        ("db.t4g.small", "cache.t4g.small"),
        ("db.r7g.xlarge", "cache.r7g.xlarge"),
        ("db.r6gd.xlarge", "cache.r6g.xlarge"),
    ],
)
def test_a_node_has_as_much_memory_as_its_like_of_elasticache(node_type, like):
    assert MEMORYDB.maxmemory(node_type) == sizes.maxmemory(like) is not None
