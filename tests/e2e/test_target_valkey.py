"""Valkey as the target: there and back, and a target of Redis OSS 7.1 that is moved to Valkey in place."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.long

HOSTS = 2
VALKEY = {"migration_engine": "valkey", "migration_engine_version": "8.0"}
# A custom parameter group is of one family: a target that is moved takes another.
MOVED = {**VALKEY, "migration_parameter_group_name": "sandbox-valkey"}
SERVES = (
    "import redis; i = redis.from_url(input()).info('server'); print(i.get('server_name'), i.get('valkey_version'))"
)


@pytest.fixture(scope="module")
def figures():
    return {}


@pytest.fixture(scope="module")
def load(stage, figures):
    """Users while the app is moved to a Valkey and back, and on to a Redis OSS."""
    with stage.load() as stop:
        yield lambda: figures.setdefault("there and back", stop())


@pytest.fixture(scope="module")
def migrated(stage, load):
    return stage.migrate(**VALKEY)


@pytest.fixture(scope="module")
def back(stage, migrated):
    return stage.play("playbooks/rollback.yml", migration_rollback_delete_target=True, **VALKEY)


@pytest.fixture(scope="module")
def on_redis(stage, back):
    """The same app on the guide's default."""
    return stage.migrate()


@pytest.fixture(scope="module")
def moved(stage, on_redis, load, figures):
    """Under users of its own: connections are dropped as at a failover, and what was under way then may fail."""
    load()
    with stage.load() as stop:
        runs = {
            "plan": stage.migrate("--check", **MOVED),
            "run": stage.migrate(**MOVED),
            "again": stage.migrate(**MOVED),
        }
        figures["in place"] = stop()
    return runs


def what_serves(stage):
    """What the target says of itself to the app's own redis-py, on the first host."""
    url = stage.environment_files()[stage.hosts[0]].partition(b"REDIS_URL=")[2].split()[0] + b"\n"
    done = stage.sandbox.run(stage.hosts[0], ["/opt/shop/venv/bin/python", "-c", SERVES], input=url)
    return done.stdout.decode().strip() or done.stderr.decode()


def test_the_app_is_moved_to_a_valkey(stage, migrated):
    assert migrated.code == 0
    assert stage.group()["Engine"] == "valkey"
    assert stage.on_new() and stage.all_healthy()


def test_it_goes_back_and_the_valkey_is_deleted_with_its_groups(stage, back):
    assert back.code == 0
    assert stage.environment_files() == stage.originals and stage.parameter() == stage.original_parameter
    assert stage.on_old() and stage.all_healthy()
    elasticache = stage.sandbox.client("elasticache")
    assert elasticache.describe_replication_groups()["ReplicationGroups"] == []
    groups = elasticache.describe_cache_parameter_groups()["CacheParameterGroups"]
    assert [group for group in groups if not group["CacheParameterGroupName"].startswith("default.")] == []


def test_the_plan_of_redis_oss_says_what_valkey_would_cost(on_redis):
    assert on_redis.code == 0
    assert "The same nodes with Valkey would cost 19.86 USD a month" in on_redis.said()


def test_a_target_of_redis_oss_is_moved_in_place_with_its_data_and_its_name(stage, on_redis, moved):
    assert moved["plan"].code == 0 and moved["plan"].writes == []
    assert "valkey" in " ".join(moved["plan"].lines)
    assert moved["run"].code == 0
    assert (stage.group()["Engine"], stage.group()["Status"]) == ("valkey", "available")
    assert what_serves(stage).startswith("valkey 8.")
    assert stage.on_new() and stage.all_healthy()


def test_a_second_run_changes_nothing_and_a_run_that_states_no_engine_keeps_it(stage, moved):
    assert moved["again"].code == 0 and moved["again"].writes == []
    kept = stage.migrate(migration_parameter_group_name="sandbox-valkey")
    assert kept.code == 0 and kept.writes == []
    assert stage.group()["Engine"] == "valkey"


def test_no_request_failed_but_where_the_move_in_place_dropped_connections(moved, figures):
    there, in_place = figures["there and back"], figures["in place"]
    print(f"in place: {in_place['requests_total']} requests, {in_place['failed']} failed")
    assert there["requests_total"] > 100 and in_place["requests_total"] > 100
    assert there["failed"] == 0, there["failures"]
    assert in_place["failed"] < in_place["requests_total"] / 50, in_place["failures"]
