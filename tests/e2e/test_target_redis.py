"""Redis OSS as the target, on one shard without cluster mode, as the guide has it: there and back under load."""

from __future__ import annotations

import pytest

from tests.e2e.world import assert_no_more_than_a_failover

pytestmark = pytest.mark.long

HOSTS = 2
REDIS = {"migration_engine": "redis", "migration_engine_version": "7.1"}
LARGER = {**REDIS, "migration_cache_node_type": "cache.t3.medium", "migration_num_cache_clusters": 3}


@pytest.fixture(scope="module")
def figures():
    return {}


@pytest.fixture(scope="module")
def load(stage, figures):
    with stage.load() as stop:
        yield lambda: figures.setdefault("there", stop())


@pytest.fixture(scope="module")
def there(stage, load):
    """The plan, the run, what is seen then, and the same run again."""
    plan, run = stage.migrate("--check", **REDIS), stage.migrate(**REDIS)
    seen = {"group": stage.group(), "on new": stage.on_new(), "healthy": stage.all_healthy()}
    return {"plan": plan, "run": run, **seen, "again": stage.migrate(**REDIS)}


@pytest.fixture(scope="module")
def in_place(stage, there, load):
    """Larger nodes and one more, and both taken back, under users of their own."""
    load()
    before = stage.group()
    with stage.load() as stop:
        seen = [(stage.migrate(**wanted), stage.group()) for wanted in (LARGER, REDIS)]
        return {"before": before, "seen": seen, "healthy": stage.all_healthy(), "figures": stop()}


@pytest.fixture(scope="module")
def back(stage, in_place, figures):
    with stage.load() as stop:
        run = stage.play("playbooks/rollback.yml", migration_rollback_delete_target=True, **REDIS)
        figures["back"] = stop()
    return run


def test_the_app_is_moved_to_a_redis_of_two_nodes(there):
    assert there["plan"].code == 0 and there["plan"].writes == []
    assert there["run"].code == 0 and there["on new"] and there["healthy"]
    group = there["group"]
    assert (group["Engine"], group["ClusterEnabled"], len(group["MemberClusters"])) == ("redis", False, 2)


def test_the_plan_said_what_the_run_did(there):
    assert there["plan"].lines == there["run"].lines


def test_a_second_run_changes_nothing(there):
    assert there["again"].code == 0 and there["again"].writes == []


def test_node_type_and_replicas_go_up_and_down_under_the_app_that_is_on_it(in_place):
    (up, larger), (down, smaller) = in_place["seen"]
    assert up.code == down.code == 0
    assert (larger["CacheNodeType"], len(larger["MemberClusters"])) == ("cache.t3.medium", 3)
    before = in_place["before"]
    assert (smaller["CacheNodeType"], len(smaller["MemberClusters"])) == (before["CacheNodeType"], 2)
    assert in_place["healthy"]
    assert_no_more_than_a_failover(in_place["figures"])


def test_it_goes_back_and_nothing_is_left_of_the_target(stage, back):
    assert back.code == 0 and stage.on_old() and stage.all_healthy()
    assert stage.environment_files() == stage.originals and stage.parameter() == stage.original_parameter
    assert stage.sandbox.client("elasticache").describe_replication_groups()["ReplicationGroups"] == []


def test_no_request_failed(back, figures):
    for users in (figures["there"], figures["back"]):
        assert users["requests_total"] > 100 and users["failed"] == 0, users["failures"]
