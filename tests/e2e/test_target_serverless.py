"""ElastiCache Serverless for Valkey, under load, there and back, and its last snapshot restored from. An app without a
client of clusters, and one with a queue, are refused before anything is made."""

from __future__ import annotations

import json

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import CLUSTER

pytestmark = pytest.mark.long

NAME = "kempian-cache"
LIMITS = {"data_storage": {"maximum": 10}, "ecpu_per_second": {"maximum": 5000}}
# In place of the replication group of the sandbox's inventory.
TARGET = {
    "migration_serverless_cache_name": NAME,
    "migration_replication_group_id": "",
    "migration_engine": "valkey",
    "migration_engine_version": "",
    "migration_major_engine_version": "8",
    "migration_cache_usage_limits": LIMITS,
    "migration_cache_node_type": "",
    "migration_cluster_mode": "",
    "migration_num_node_groups": None,
    "migration_replicas_per_node_group": None,
    "migration_parameters": {},
    "migration_auth_token_secret": "",
}
PLAIN = {**TARGET, "migration_app_ready_for": ""}
DELETED = {"migration_rollback_delete_target": True, "migration_final_snapshot_identifier": "kempian-last"}

# On a host, by the app's own client.
ASK = """
from dotenv import load_dotenv
load_dotenv(".env")
from app.cache import redis_client as r
print(type(r).__name__, {what})
"""


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2eserverless", hosts=2, creating_seconds=1, app=CLUSTER)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def figures():
    return {}


@pytest.fixture(scope="module")
def load(stage, figures):
    """Users all the time; a function that ends them."""
    with stage.load() as stop:
        yield lambda: figures.update(stop())


@pytest.fixture(scope="module")
def refused(stage, load):
    """By each run that must not begin, with what there is in the account after them."""
    runs = {
        "assess": stage.play("playbooks/assess.yml", **PLAIN),
        "plan": stage.migrate("--check", **PLAIN),
        "migrate": stage.migrate(**PLAIN),
    }
    stage.old_redis("r.sadd('_kombu.binding.mails', 'mails')")
    runs["queue"] = stage.migrate(**TARGET)
    runs["queue assessed"] = stage.play("playbooks/assess.yml", **TARGET)
    stage.old_redis("r.delete('_kombu.binding.mails')")
    return {**runs, "made": made(stage)}


@pytest.fixture(scope="module")
def migrated(stage, refused):
    planned = stage.migrate("--check", **TARGET)
    there = {"plan": planned, "run": stage.migrate(**TARGET), "again": stage.migrate(**TARGET)}
    there["made"], there["on it"] = made(stage), stage.on_new() and stage.all_healthy()
    there["asked"] = [asked(stage, host, "r.set('left', 'behind')") for host in stage.hosts]
    return there


@pytest.fixture(scope="module")
def in_place(stage, migrated):
    """More of both limits, and as before; what AWS is asked to scale by itself is refused."""
    more = {"data_storage": {"maximum": 20}, "ecpu_per_second": {"minimum": 1000, "maximum": 10000}}
    up = {**TARGET, "migration_cache_usage_limits": more}
    down = {**TARGET, "migration_cache_usage_limits": {**LIMITS, "ecpu_per_second": {"minimum": 0, "maximum": 5000}}}
    item = {"scalable_dimension": "Replicas", "min_capacity": 1, "max_capacity": 2}
    refused = stage.migrate(**TARGET, migration_scaling=[item])
    return {"refused": refused, "seen": [(stage.migrate(**wanted), limits(stage)) for wanted in (up, down)]}


def limits(stage):
    (cache,) = made(stage)["caches"].values()
    return cache["CacheUsageLimits"]


@pytest.fixture(scope="module")
def back(stage, in_place, load):
    run = stage.play("playbooks/rollback.yml", **TARGET, **DELETED)
    load()
    return run


@pytest.fixture(scope="module")
def restored(stage, back):
    """Moved again, to a new cache that begins with the last snapshot of the one before."""
    told = stage.sandbox.client("elasticache").describe_serverless_cache_snapshots()["ServerlessCacheSnapshots"]
    again = {**TARGET, "migration_snapshot_arns": [one["ARN"] for one in told]}
    run = stage.migrate(**again)
    found = asked(stage, stage.hosts[0], "r.get('left')")
    return {"run": run, "found": found, "back": stage.play("playbooks/rollback.yml", **again)}


def made(stage):
    elasticache, ec2 = stage.sandbox.client("elasticache"), stage.sandbox.client("ec2")
    groups = [one for one in ec2.describe_security_groups()["SecurityGroups"] if one["GroupName"] == "sandbox-cache"]
    ports = sorted({rule["FromPort"] for group in groups for rule in group["IpPermissions"]})
    caches = elasticache.describe_serverless_caches()["ServerlessCaches"]
    return {"caches": {one["ServerlessCacheName"]: one for one in caches}, "ports": ports}


def asked(stage, host, what):
    script = ["sh", "-c", 'cd /opt/shop && exec venv/bin/python -c "$1"', "sh", ASK.format(what=what)]
    done = stage.sandbox.run(host, script)
    return done.stdout.decode().strip() or done.stderr.decode()


def test_an_app_without_a_client_of_clusters_is_refused_with_what_would_break(refused):
    for name in ("assess", "plan", "migrate"):
        run = refused[name]
        assert run.code != 0 and run.writes == [], name
        assert "migration_app_ready_for: redis-cluster" in run.said() and "redis.from_url" in run.said(), name


def test_an_app_with_a_queue_is_refused_also_where_it_is_ready(refused):
    for name in ("queue", "queue assessed"):
        assert refused[name].code != 0 and refused[name].writes == [], name
        assert "The old Redis has keys of Celery" in refused[name].said(), name


def test_nothing_was_made_by_what_was_refused(refused):
    assert refused["made"] == {"caches": {}, "ports": []}


def test_a_plan_says_what_is_made_and_writes_nothing(migrated):
    plan = migrated["plan"]
    assert plan.code == 0 and plan.writes == []
    assert f"serverless cache {NAME}" in " ".join(plan.lines) and "CreateServerlessCache" in plan.said()
    assert "USD a month at the least" in plan.said()
    assert plan.lines == migrated["run"].lines


def test_the_app_is_moved_to_a_serverless_cache_that_it_reaches_by_both_ports(stage, migrated):
    assert migrated["run"].code == 0 and migrated["on it"]
    (cache,) = migrated["made"]["caches"].values()
    assert (cache["Engine"], cache["MajorEngineVersion"], cache["Status"]) == ("valkey", "8", "available")
    assert cache["CacheUsageLimits"]["DataStorage"]["Maximum"] == 10
    assert migrated["made"]["ports"] == [6379, 6380]
    assert migrated["asked"] == ["RedisCluster True"] * len(stage.hosts)


def test_a_second_run_changes_nothing(migrated):
    assert migrated["again"].code == 0 and migrated["again"].writes == []


def test_its_limits_go_up_and_down_under_the_app_that_is_on_it(in_place):
    (up, larger), (down, smaller) = in_place["seen"]
    assert up.code == down.code == 0
    assert (larger["DataStorage"]["Maximum"], larger["ECPUPerSecond"]["Maximum"]) == (20, 10000)
    assert (smaller["DataStorage"]["Maximum"], smaller["ECPUPerSecond"]["Maximum"]) == (10, 5000)


def test_what_scales_by_itself_is_not_registered_and_its_limits_are_named(in_place):
    assert in_place["refused"].code != 0 and in_place["refused"].writes == []
    assert "migration_cache_usage_limits" in in_place["refused"].said()


def test_it_goes_back_without_a_trace_and_the_cache_is_deleted_with_a_last_snapshot(stage, back, restored):
    assert back.code == 0 and "elasticache.DeleteServerlessCache" in back.writes
    assert stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy()


def test_no_request_failed_there_and_back(back, figures):
    print(json.dumps(figures))
    assert figures["requests_total"] > 100
    assert figures["failed"] == 0, figures["failures"]


def test_the_last_snapshot_is_restored_from(restored):
    assert restored["run"].code == 0 and restored["back"].code == 0
    assert restored["found"] == "RedisCluster behind"
