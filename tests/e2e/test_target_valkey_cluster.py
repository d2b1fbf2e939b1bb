"""Two shards of Valkey with a replica each: an app that is not ready is refused, one that is goes there and back under
load, and a shard that fails over in the middle of a migration holds nobody up.
"""

from __future__ import annotations

import json
import sys

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import CLUSTER
from sandbox.moments import Moment
from tests.e2e.world import assert_no_more_than_a_failover, made, until

pytestmark = pytest.mark.long

NOT_READY = {"migration_app_ready_for": ""}
PYTHON = "/opt/shop/venv/bin/python"
FAIL_OVER = (
    "import boto3; boto3.client('elasticache').test_failover(ReplicationGroupId='kempian-cache', NodeGroupId='0001')"
)

# What each primary holds by its name, to the app's own client.
HELD_BY_EACH = """
import json
from dotenv import load_dotenv
load_dotenv(".env")
from app.cache import redis_client as r
print(json.dumps({node.name: r.dbsize(target_nodes=node) for node in r.get_primaries()}))
"""


def held_by_each(stage):
    """Of the primaries."""
    done = stage.sandbox.run(stage.hosts[0], ["sh", "-c", f"cd /opt/shop && {PYTHON} -c '{HELD_BY_EACH}'"])
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2evkcluster", hosts=2, creating_seconds=1, app=CLUSTER)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def refused(stage):
    """What must not begin, and what there is in the account after all of it."""
    runs = {
        "assess": stage.play("playbooks/assess.yml", **NOT_READY),
        "plan": stage.migrate("--check", **NOT_READY),
        "migrate": stage.migrate(**NOT_READY),
    }
    stage.old_redis("r.sadd('_kombu.binding.mails', 'mails')")
    runs["queue"] = stage.migrate()
    stage.old_redis("r.delete('_kombu.binding.mails')")
    return {**runs, "made": made(stage.sandbox)}


@pytest.fixture(scope="module")
def there(stage, refused):
    """To the cluster, and what is seen there."""
    with stage.load() as stop:
        run = stage.migrate()
        seen = {
            "run": run,
            "held": held_by_each(stage),
            "on new": stage.on_new(),
            "healthy": stage.all_healthy(),
            "again": stage.migrate(),
            "state": stage.play("playbooks/state.yml"),
            "shards": stage.group()["NodeGroups"],
        }
        return {**seen, "figures": stop()}


LARGE = {"migration_cache_node_type": "cache.r7g.large"}
SCALED = {
    **LARGE,
    "migration_scaling": [
        {"scalable_dimension": "NodeGroups", "min_capacity": 2, "max_capacity": 4, "target_value": 60}
    ],
}
BY_HAND = {**LARGE, "migration_scaling": [{"scalable_dimension": "NodeGroups", "state": "absent"}]}


@pytest.fixture(scope="module")
def in_place(stage, there):
    """Larger nodes, a shard and a replica more, and all of it taken back; each run with what there is after it."""
    sizes = []

    def size():
        group = stage.group()
        sizes.append((group["CacheNodeType"], [len(shard["NodeGroupMembers"]) for shard in group["NodeGroups"]]))

    with stage.load() as stop:
        runs = []
        for changes in (
            {**LARGE, "migration_num_node_groups": 3, "migration_replicas_per_node_group": 2},
            {},
        ):
            runs.append(stage.migrate(**changes))
            size()
        return {"runs": runs, "sizes": sizes, "healthy": stage.all_healthy(), "figures": stop()}


@pytest.fixture(scope="module")
def by_aws(stage, in_place):
    """Registered, and then a shard more than is stated, as AWS adds it."""
    refused, run = stage.migrate(**{**SCALED, "migration_cache_node_type": "cache.t4g.small"}), stage.migrate(**SCALED)
    stage.sandbox.client("elasticache").modify_replication_group_shard_configuration(
        ReplicationGroupId="kempian-cache", NodeGroupCount=3, ApplyImmediately=True
    )
    until(lambda: stage.group()["Status"] == "available", 60, "the shard does not come")
    again, state = stage.migrate(**SCALED), stage.play("playbooks/state.yml", **SCALED)
    shards = len(stage.group()["NodeGroups"])
    ended = stage.migrate(**BY_HAND)
    return {"refused": refused, "run": run, "again": again, "state": state, "shards": shards, "ended": ended}


@pytest.fixture(scope="module")
def back(stage, by_aws):
    with stage.load() as stop:
        run = stage.play("playbooks/rollback.yml")
        return {"run": run, "files": stage.environment_files(), "on old": stage.on_old(), "figures": stop()}


@pytest.fixture(scope="module")
def through_a_failover(stage, back):
    """A shard fails over when the first host has been moved."""
    fail_over = Moment("move | Move the host", occurrence=2, command=(sys.executable, "-c", FAIL_OVER))
    with stage.load() as stop:
        run = stage.migrate(moments=[fail_over])
        seen = {"on new": stage.on_new(), "healthy": stage.all_healthy(), "held": held_by_each(stage)}
        return {"run": run, **seen, "figures": stop()}


def test_an_app_without_a_client_of_clusters_is_refused_by_name_and_nothing_is_made(refused):
    for name in ("assess", "plan", "migrate"):
        run = refused[name]
        assert run.code != 0 and run.writes == [], name
        assert "migration_app_ready_for: redis-cluster" in run.said() and "redis.from_url" in run.said(), name
    assert refused["made"]["replication groups"] == refused["made"]["security groups"] == []


def test_an_app_with_a_queue_is_refused_by_name_also_where_it_is_ready(refused):
    assert refused["queue"].code != 0 and refused["queue"].writes == []
    assert "queues: The old Redis has keys of Celery" in refused["queue"].said()


def test_the_app_is_moved_onto_both_shards(there):
    assert there["run"].code == 0
    assert [len(shard["NodeGroupMembers"]) for shard in there["shards"]] == [2, 2]
    assert there["on new"] and there["healthy"]
    assert len(there["held"]) == 2 and all(there["held"].values()), there["held"]


def test_a_second_run_changes_nothing_and_the_state_knows_where_it_stands(stage, there):
    assert there["again"].code == 0 and there["again"].writes == []
    assert all(f"{host}: new" in there["state"].said() for host in stage.hosts)


def test_node_type_shards_and_replicas_go_up_and_down_under_the_app_that_is_on_it(in_place):
    assert [run.code for run in in_place["runs"]] == [0, 0]
    assert in_place["sizes"] == [("cache.r7g.large", [3, 3, 3]), ("cache.t4g.small", [2, 2])]
    assert in_place["healthy"]
    assert_no_more_than_a_failover(in_place["figures"])


def test_aws_scales_it_where_it_does_and_what_it_has_added_stays(by_aws):
    assert by_aws["refused"].code != 0 and by_aws["refused"].writes == []
    assert "migration_scaling has NodeGroups" in by_aws["refused"].said()
    assert by_aws["run"].code == 0
    assert {"application-autoscaling.RegisterScalableTarget", "application-autoscaling.PutScalingPolicy"} <= set(
        by_aws["run"].writes
    )
    assert by_aws["again"].code == 0 and by_aws["again"].writes == [] and by_aws["shards"] == 3
    assert "scaling: NodeGroups from 2 to 4 by ElastiCachePrimaryEngineCPUUtilization at 60" in by_aws["state"].said()


def test_it_is_taken_back_by_hand_once_aws_scales_it_no_more(stage, by_aws):
    assert by_aws["ended"].code == 0
    actions = [call for call in by_aws["ended"].writes if "Deregister" in call or "ShardConfiguration" in call]
    assert actions == [
        "application-autoscaling.DeregisterScalableTarget",
        "elasticache.ModifyReplicationGroupShardConfiguration",
    ]
    assert len(stage.group()["NodeGroups"]) == 2


def test_it_goes_back_to_the_old_redis_and_its_old_client(stage, back):
    assert back["run"].code == 0 and back["on old"]
    assert back["files"] == stage.originals
    assert "REDIS_CLUSTER: true -> nothing" in back["run"].said()
    assert " holds " in back["run"].said(), "what stays behind on the cluster is told"


def test_no_request_failed_there_and_back(there, back):
    for figures in (there["figures"], back["figures"]):
        assert figures["requests_total"] > 100 and figures["failed"] == 0, figures["failures"]


def test_a_shard_that_fails_over_in_the_middle_holds_nobody_up(there, through_a_failover):
    assert len(set(there["held"]) & set(through_a_failover["held"])) == 1, "one shard has another primary by now"
    assert through_a_failover["run"].code == 0
    assert through_a_failover["on new"] and through_a_failover["healthy"]
    figures = through_a_failover["figures"]
    print(f"in a failover: {figures['requests_total']} requests, {figures['failed']} failed")
    assert figures["failed"] < figures["requests_total"] / 20, figures["failures"]
