"""Valkey by the modules: made new, moved to from Redis OSS in place and back, and kept where no engine is stated."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_cluster,
    elasticache_cluster_info,
    elasticache_parameter_group,
)

MAIN = elasticache_cluster.main
PARAMETERS = elasticache_parameter_group.main
TOKEN = "a-token-of-sixteen"
ACCESS = {"transit_encryption_enabled": True, "auth_token": TOKEN}


@pytest.fixture
def group(converge):
    """The name of a replication group, which is taken away afterwards."""
    name = f"v{uuid.uuid4().hex[:8]}"
    yield {"replication_group_id": name}
    converge(MAIN, replication_group_id=name, state="absent", skip_final_snapshot=True)


@pytest.fixture
def parameters(run):
    """Makes a parameter group for an engine and a version, with a value of its own."""
    made = []

    def make(name, **stated):
        result = run(PARAMETERS, cache_parameter_group_name=name, parameters={"timeout": 300}, **stated)
        assert "msg" not in result, result
        made.append(name)
        return result["cache_parameter_group"]["cache_parameter_group_family"]

    yield make
    for name in made:
        run(PARAMETERS, cache_parameter_group_name=name, state="absent")


def told(run, group):
    return run(elasticache_cluster_info.main, **group)["replication_groups"][0]


def engine_of(result):
    return result["endpoint"]["engine"], result["endpoint"]["engine_version"]


def test_a_group_of_valkey_is_made_encrypted_and_a_second_run_changes_nothing(aws, run, converge, group):
    stated = {**group, **ACCESS, "engine": "valkey", "engine_version": "8.0", "cache_node_type": "cache.t3.micro"}
    planned = run(MAIN, check_mode=True, **stated)
    assert (planned["endpoint"]["engine"], planned["monthly_cost"]["usd"]) == ("valkey", 9.93)
    made = converge(MAIN, **stated)
    assert made["plan"] == planned["plan"] and engine_of(made) == ("valkey", "8.0.1")
    found = told(run, group)
    assert (found["at_rest_encryption_enabled"], found["cache_parameter_group_name"]) == (True, "default.valkey8")
    mark = aws.mark
    assert run(MAIN, **stated)["changed"] is False
    assert run(MAIN, **group, cache_node_type="cache.t3.micro")["changed"] is False  # it keeps its engine
    assert aws.writes_since(mark) == []


def test_redis_becomes_valkey_in_place_with_the_parameters_of_the_new_family(aws, run, converge, group, parameters):
    assert parameters("before-move", engine="redis", engine_version="7.1") == "redis7"
    small = {"cache_node_type": "cache.t3.micro", "num_cache_clusters": 2, "automatic_failover_enabled": True}
    before = converge(MAIN, **group, **ACCESS, **small, cache_parameter_group_name="before-move")
    assert engine_of(before)[0] == "redis" and before["monthly_cost"]["instead"] == {"engine": "valkey", "usd": 19.86}
    moved = {**group, **ACCESS, "engine": "valkey", "engine_version": "9.0"}
    mark = aws.mark
    assert run(MAIN, **{**moved, "engine_version": None})["option"] == "engine_version"
    assert run(MAIN, **moved)["option"] == "cache_parameter_group_name"
    assert aws.writes_since(mark) == []
    assert parameters("after-move", engine="valkey", engine_version="9.0") == "valkey9"
    after = converge(MAIN, **moved, cache_parameter_group_name="after-move")
    assert aws.writes_since(mark)[-1:] == ["ModifyReplicationGroup"] and len(after["plan"]) == 1
    assert engine_of(after) == ("valkey", "9.0.0")
    assert after["endpoint"]["address"] == before["endpoint"]["address"]
    assert run(MAIN, **moved, cache_parameter_group_name="after-move")["changed"] is False
    refused = run(MAIN, **group, engine="redis", engine_version="7.1", cache_parameter_group_name="before-move")
    assert refused["option"] == "engine" and "from Valkey 7.2 to 7.1 only" in refused["msg"]


def test_valkey_7_2_becomes_redis_7_1_again(run, converge, group):
    small = {"cache_node_type": "cache.t3.micro"}
    converge(MAIN, **group, **small, engine="valkey", engine_version="7.2")
    back = {**group, **small, "engine": "redis", "engine_version": "7.1"}
    assert engine_of(converge(MAIN, **back)) == ("redis", "7.1.0")
    assert told(run, group)["cache_parameter_group_name"] == "default.redis7"
    assert run(MAIN, **back)["changed"] is False


def test_a_move_for_the_window_is_asked_for_once_with_its_parameters_and_comes_with_it(
    aws, run, converge, group, parameters
):
    parameters("waiting", engine="valkey", engine_version="8.1")
    converge(MAIN, **group, cache_node_type="cache.t3.micro")
    queued = {**group, "engine": "valkey", "engine_version": "8.1", "apply_immediately": False}
    mark = aws.mark
    first = converge(MAIN, **queued, cache_parameter_group_name="waiting")
    assert first["pending"] == {"engine": "valkey", "engine_version": "8.1"} and engine_of(first)[0] == "redis"
    assert run(MAIN, **queued, cache_parameter_group_name="waiting")["changed"] is False
    assert aws.writes_since(mark) == ["ModifyReplicationGroup"]
    aws.ask("maintenance", data=b"{}")
    done = converge(MAIN, **queued, cache_parameter_group_name="waiting")
    assert (engine_of(done), done["pending"]) == (("valkey", "8.1.0"), {})


def test_a_parameter_group_is_of_the_family_that_aws_tells_and_is_not_made_for_a_version_that_it_has_not(
    aws, run, parameters
):
    mark = aws.mark
    stated = {"cache_parameter_group_name": "nothing", "engine": "valkey", "parameters": {"timeout": 1}}
    refused = run(PARAMETERS, **stated, engine_version="8.9")
    assert refused["option"] == "engine_version" and "7.2" in refused["msg"]
    assert aws.writes_since(mark) == []
    assert parameters("newest", engine="valkey") == "valkey9"
    other = run(PARAMETERS, cache_parameter_group_name="newest", engine="valkey", engine_version="8.0")
    assert other["option"] == "cache_parameter_group_name" and "'valkey9'" in other["msg"]
