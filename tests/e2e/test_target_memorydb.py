"""Amazon MemoryDB as the target, with a user of the app's own: there under load and back, and what it refuses."""

from __future__ import annotations

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import CLUSTER
from tests.e2e.world import assert_no_more_than_a_failover

pytestmark = pytest.mark.long

NAME, USER, LAST = "kempian-cache", "shop", "kempian-cache-last"
# The inventory of the app that is ready for a cluster has a replication group: this takes its place.
ELSEWHERE = {
    "migration_replication_group_id": "",
    "migration_cache_node_type": "",
    "migration_cluster_mode": "",
    "migration_num_node_groups": None,
    "migration_replicas_per_node_group": None,
}
MEMORYDB = {
    **ELSEWHERE,
    "migration_memorydb_cluster_name": NAME,
    "migration_node_type": "db.t4g.small",
    "migration_num_shards": 2,
    "migration_num_replicas_per_shard": 1,
    "migration_engine_version": "7.2",
    "migration_username": USER,
}


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2ememorydb", hosts=2, creating_seconds=1, app=CLUSTER)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def planned(stage, load):
    return stage.migrate("--check", **MEMORYDB)


@pytest.fixture(scope="module")
def migrated(stage, planned):
    return stage.migrate(**MEMORYDB)


LARGER = {
    **MEMORYDB,
    "migration_node_type": "db.t4g.medium",
    "migration_num_shards": 3,
    "migration_num_replicas_per_shard": 2,
}


@pytest.fixture(scope="module")
def in_place(stage, migrated, load, figures):
    """Larger nodes, a shard and a replica more, and all of it taken back, under users of their own."""
    figures["there"] = load()
    with stage.load() as stop:
        seen = [(stage.migrate(**wanted), size(stage)) for wanted in (LARGER, MEMORYDB)]
        figures["in place"] = stop()
    return seen


@pytest.fixture(scope="module")
def back(stage, in_place, figures):
    with stage.load() as stop:
        run = stage.play(
            "playbooks/rollback.yml",
            migration_rollback_delete_target=True,
            migration_final_snapshot_identifier=LAST,
            **MEMORYDB,
        )
        figures["back"] = stop()
    return run


@pytest.fixture(scope="module")
def figures():
    return {}


def size(stage):
    [cluster] = memorydb(stage).describe_clusters(ClusterName=NAME, ShowShardDetails=True)["Clusters"]
    return cluster["NodeType"], [shard["NumberOfNodes"] for shard in cluster["Shards"]]


def memorydb(stage):
    return stage.sandbox.client("memorydb")


def clusters(stage):
    return [one["Name"] for one in memorydb(stage).describe_clusters()["Clusters"]]


def test_an_app_that_is_not_ready_for_a_cluster_is_refused_before_anything_is_made(stage):
    refused = stage.migrate(**{**MEMORYDB, "migration_app_ready_for": ""})
    assert refused.code != 0 and refused.writes == []
    assert "migration_app_ready_for" in refused.said() and "redis.from_url" in refused.said()


def test_an_app_with_a_queue_is_refused_although_it_is_said_to_be_ready(stage):
    stage.old_redis("r.lpush('celery', 'a job')")
    refused = stage.migrate(**MEMORYDB)
    stage.old_redis("r.delete('celery')")
    assert refused.code != 0 and refused.writes == []
    assert "Celery" in refused.said()


def test_without_a_user_or_an_acl_nobody_knows_who_may_use_it(stage):
    refused = stage.migrate("--check", **{**MEMORYDB, "migration_username": ""})
    assert refused.code != 0 and refused.writes == []
    assert "migration_acl_name" in refused.said()


def test_the_plan_names_what_is_made_and_makes_nothing(stage, planned):
    assert planned.code == 0 and planned.writes == []
    lines = "\n".join(planned.lines)
    for made in ("CreateCluster", "CreateUser", "CreateACL", "CreateSubnetGroup", "CreateParameterGroup"):
        assert made in lines
    assert clusters(stage) == []


def test_the_app_is_moved_to_it_and_logs_in_as_its_user(stage, migrated):
    assert migrated.code == 0
    [cluster] = memorydb(stage).describe_clusters(ClusterName=NAME, ShowShardDetails=True)["Clusters"]
    assert (cluster["Engine"], cluster["ACLName"], cluster["TLSEnabled"]) == ("valkey", "sandbox-cache", True)
    assert [shard["NumberOfNodes"] for shard in cluster["Shards"]] == [2, 2]
    assert memorydb(stage).describe_acls(ACLName="sandbox-cache")["ACLs"][0]["UserNames"] == [USER]
    for content in stage.environment_files().values():
        assert f"rediss://{USER}:".encode() in content and b"REDIS_CLUSTER=true" in content
    assert stage.on_new() and stage.all_healthy()


def test_the_password_is_shown_nowhere(stage, planned, migrated):
    assert stage.token() not in planned.text + migrated.text


def test_a_second_run_changes_nothing(stage, migrated):
    again = stage.migrate(**MEMORYDB)
    assert again.code == 0 and again.writes == []


def test_more_shards_are_one_more_step_of_the_same_command(stage, migrated):
    planned = stage.migrate("--check", **{**MEMORYDB, "migration_num_shards": 3})
    assert planned.code == 0 and planned.writes == []
    assert [line for line in planned.lines if "num_shards: 2 -> 3" in line]


def test_node_type_shards_and_replicas_go_up_and_down_under_the_app_that_is_on_it(in_place, figures):
    (up, larger), (down, smaller) = in_place
    assert up.code == down.code == 0
    assert larger == ("db.t4g.medium", [3, 3, 3]) and smaller == ("db.t4g.small", [2, 2])
    assert_no_more_than_a_failover(figures["in place"])


def test_it_goes_back_and_the_target_is_deleted_with_all_that_was_made_for_it(stage, back):
    assert back.code == 0
    assert stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy()
    client = memorydb(stage)
    assert clusters(stage) == []
    assert [one["Name"] for one in client.describe_users()["Users"]] == ["default"]
    assert [one["Name"] for one in client.describe_acls()["ACLs"]] == ["open-access"]
    named = [one["Name"] for one in client.describe_parameter_groups()["ParameterGroups"]]
    assert [name for name in named if not name.startswith("default.")] == []
    assert "sandbox-cache" not in [one["Name"] for one in client.describe_subnet_groups()["SubnetGroups"]]


def test_its_last_snapshot_is_kept_and_restored_from(stage, back):
    [snapshot] = memorydb(stage).describe_snapshots(SnapshotName=LAST)["Snapshots"]
    assert snapshot["Status"] == "available"
    again = stage.migrate(**MEMORYDB, migration_snapshot_name=LAST)
    assert again.code == 0
    assert stage.on_new() and stage.all_healthy()


def test_no_request_failed(back, figures):
    for users in (figures["there"], figures["back"]):
        assert users["requests_total"] > 100
        assert users["failed"] == 0, users["failures"]
