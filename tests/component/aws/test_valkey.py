"""Valkey: real valkey-server processes, and the move of a group from Redis OSS to Valkey in place, and back."""

from __future__ import annotations

from typing import Any

import pytest

TLS = {"TransitEncryptionEnabled": True}
CREATE = {"ReplicationGroupDescription": "d", "CacheNodeType": "cache.t3.micro"}


@pytest.fixture(scope="module")
def till(aws: Any, open_group: str) -> dict[str, Any]:
    """Two nodes of Valkey, TLS, a token."""
    options = {**TLS, "AuthToken": aws.token, "AutomaticFailoverEnabled": True, "MultiAZEnabled": True}
    return dict(
        aws.create(
            "till", Engine="valkey", EngineVersion="8.0", NumCacheClusters=2, **options, SecurityGroupIds=[open_group]
        )
    )


def server(aws: Any, name: str, **options: Any) -> str:
    return str(aws.ask(name, "INFO", "server", **options)["ok"].get("server_name", "redis"))


def group_of_parameters(aws: Any, name: str) -> str:
    return str(aws.nodes(name)[0]["CacheParameterGroup"]["CacheParameterGroupName"])


# -- as it is made -------------------------------------------------------------------------------------------------
def test_a_group_of_valkey_runs_on_a_real_valkey_server(aws: Any, till: dict[str, Any]) -> None:
    access = {"tls": True, "token": aws.token}
    info = aws.ask(aws.primary(till), "INFO", "server", **access)["ok"]
    assert info["server_name"] == "valkey"
    assert info["valkey_version"]  # what really runs: the group's version is a label over it
    aws.write(aws.primary(till), "SET", "followed", "yes", **access)
    assert aws.ask(aws.reader(till), "GET", "followed", **access) == {"ok": "yes"}
    assert "AuthenticationError" in aws.ask(aws.primary(till), "PING", tls=True)["error"]
    assert "unknown command" in aws.ask(aws.primary(till), "CONFIG", "GET", "*", **access)["error"]
    assert "cmd=client|list user=default" in str(aws.ask(aws.primary(till), "CLIENT", "LIST", **access)["ok"])


def test_it_is_described_as_valkey_with_its_own_defaults(aws: Any, till: dict[str, Any]) -> None:
    assert (till["Engine"], till["AtRestEncryptionEnabled"]) == ("valkey", True)
    assert till["StorageEncryptionType"] == "sse-elasticache"
    assert [(n["Engine"], n["EngineVersion"]) for n in aws.nodes("till")] == [("valkey", "8.0.1")] * 2
    assert group_of_parameters(aws, "till") == "default.valkey8"


def test_a_failover_of_valkey_keeps_the_data(aws: Any, till: dict[str, Any]) -> None:
    access = {"tls": True, "token": aws.token}
    aws.write(aws.primary(till), "SET", "kept", "yes", **access)
    aws.elasticache.test_failover(ReplicationGroupId="till", NodeGroupId="0001")
    aws.wait("till")
    assert aws.ask(aws.primary(till), "GET", "kept", **access) == {"ok": "yes"}
    assert aws.replicas(aws.primary(till), 1, **access)


def test_the_versions_of_valkey_have_families_of_their_own(aws: Any) -> None:
    found = aws.elasticache.describe_cache_engine_versions(Engine="valkey")["CacheEngineVersions"]
    assert {v["EngineVersion"]: v["CacheParameterGroupFamily"] for v in found} == {
        "7.2": "valkey7",
        **dict.fromkeys(("8.0", "8.1", "8.2"), "valkey8"),
        **dict.fromkeys(("9.0", "9.1"), "valkey9"),
    }
    groups = aws.elasticache.describe_cache_parameter_groups()["CacheParameterGroups"]
    names = {g["CacheParameterGroupName"]: g["CacheParameterGroupFamily"] for g in groups}
    assert names["default.valkey9"] == "valkey9"
    listed = aws.elasticache.describe_cache_parameters(CacheParameterGroupName="default.valkey8")["Parameters"]
    assert {p["MinimumEngineVersion"] for p in listed} == {"8.0.1"}


def test_the_newest_version_and_every_parameter_are_taken_by_the_engine(aws: Any, open_group: str) -> None:
    aws.elasticache.create_cache_parameter_group(
        CacheParameterGroupName="till", CacheParameterGroupFamily="valkey9", Description="d"
    )
    values = [{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lfu"}]
    aws.elasticache.modify_cache_parameter_group(CacheParameterGroupName="till", ParameterNameValues=values)
    group = aws.create(
        "newest", Engine="valkey", EngineVersion="9.1", CacheParameterGroupName="till", SecurityGroupIds=[open_group]
    )
    assert aws.ask(aws.primary(group), "INFO", "memory")["ok"]["maxmemory_policy"] == "allkeys-lfu"


# -- the move in place ---------------------------------------------------------------------------------------------
def test_redis_becomes_valkey_in_place_with_names_token_replica_and_data(
    aws: Any, open_group: str, settings: Any
) -> None:
    access = {"tls": True, "token": aws.token}
    options = {**TLS, "AuthToken": aws.token, "NumCacheClusters": 2, "SecurityGroupIds": [open_group]}
    before = aws.create("becomes", EngineVersion="7.1", **options)
    name = aws.primary(before)
    aws.write(name, "SET", "kept", "yes", "EX", "1000", **access)
    held = {**access, "hold": "a client of moves"}
    aws.ask(name, "CLIENT", "SETNAME", "old", **held)

    settings(modifying_seconds=1)
    answer = aws.elasticache.modify_replication_group(
        ReplicationGroupId="becomes", Engine="valkey", EngineVersion="8.0", ApplyImmediately=True
    )["ReplicationGroup"]
    assert answer["Status"] == "modifying"
    after = aws.wait("becomes")

    assert after["Engine"] == "valkey"
    assert [(n["Engine"], n["EngineVersion"]) for n in aws.nodes("becomes")] == [("valkey", "8.0.1")] * 2
    assert group_of_parameters(aws, "becomes") == "default.valkey8"
    assert (aws.primary(after), aws.reader(after)) == (name, aws.reader(before))
    assert aws.ask(name, "CLIENT", "GETNAME", **held) == {"ok": None}  # its connection was dropped, as at a failover
    assert server(aws, name, **access) == "valkey"
    assert aws.ask(name, "GET", "kept", **access) == {"ok": "yes"}
    assert aws.ask(name, "TTL", "kept", **access)["ok"] > 900
    assert aws.replicas(name, 1, **access)
    assert server(aws, aws.reader(after), **access) == "valkey"


def test_valkey_7_2_becomes_redis_7_1_again_with_data_of_every_type(aws: Any, open_group: str) -> None:
    group = aws.create(
        "returns", Engine="valkey", EngineVersion="7.2", NumCacheClusters=2, SecurityGroupIds=[open_group]
    )
    name = aws.primary(group)
    for command in FILL:
        aws.write(name, *command)
    before = [aws.ask(name, *command) for command in READ]
    after = aws.modify("returns", Engine="redis", EngineVersion="7.1")
    assert (after["Engine"], aws.primary(after)) == ("redis", name)
    assert group_of_parameters(aws, "returns") == "default.redis7"
    assert server(aws, name) == "redis"
    assert [aws.ask(name, *command) for command in READ] == before
    assert aws.replicas(name, 1)
    assert aws.ask(aws.reader(after), "GET", "text") == {"ok": "yes"}


FILL = (
    ("SET", "text", "yes"),
    ("RPUSH", "list", "a", "b", "c"),
    ("SADD", "set", "1", "2"),
    ("ZADD", "scores", "1.5", "a", "inf", "b"),
    ("HSET", "hash", "town", "Zürich"),
    ("XADD", "stream", "1-1", "kind", "paid"),
    ("XADD", "stream", "1-2", "kind", "sent"),
    ("XGROUP", "CREATE", "stream", "billing", "0"),
    ("XREADGROUP", "GROUP", "billing", "worker", "COUNT", "1", "STREAMS", "stream", ">"),
)
READ = (
    ("DBSIZE",),
    ("GET", "text"),
    ("LRANGE", "list", "0", "-1"),
    ("SMISMEMBER", "set", "1", "2", "3"),
    ("ZRANGE", "scores", "0", "-1", "WITHSCORES"),
    ("HGETALL", "hash"),
    ("XRANGE", "stream", "-", "+"),
    ("XPENDING", "stream", "billing"),
)


def test_a_move_that_waits_for_the_window_shows_its_version_and_leaves_the_parameters(aws: Any) -> None:
    aws.create("waits", EngineVersion="7.1")
    waiting = aws.modify("waits", Engine="valkey", EngineVersion="8.1", ApplyImmediately=False)
    assert waiting["Engine"] == "redis"
    assert aws.nodes("waits")[0]["PendingModifiedValues"] == {"EngineVersion": "8.1"}
    assert group_of_parameters(aws, "waits") == "default.redis7"
    aws.control("maintenance", {})
    assert aws.wait("waits")["Engine"] == "valkey"
    assert group_of_parameters(aws, "waits") == "default.valkey8"


@pytest.fixture(scope="module")
def staying(aws: Any) -> None:
    """A Redis 7.1 with parameters of its own, a Valkey 8.0, and parameters for each family."""
    for family in ("redis7", "valkey7", "valkey8"):
        aws.elasticache.create_cache_parameter_group(
            CacheParameterGroupName=f"for-{family}", CacheParameterGroupFamily=family, Description="d"
        )
    aws.create("stays", EngineVersion="7.1", CacheParameterGroupName="for-redis7")
    aws.create("stays-valkey", Engine="valkey", EngineVersion="8.0")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("stays", {"Engine": "valkey"}, "EngineVersion must be specified"),
        (
            "stays",
            {"Engine": "valkey", "EngineVersion": "8.0"},
            "redis parameter group is not applicable to engine valkey",
        ),
        (
            "stays",
            {"Engine": "valkey", "EngineVersion": "8.0", "CacheParameterGroupName": "for-valkey7"},
            "Expected a parameter group of family valkey8 but found one of family valkey7",
        ),
        (
            "stays",
            {"CacheParameterGroupName": "for-valkey8"},
            "valkey parameter group is not applicable to engine redis",
        ),
        ("stays", {"Engine": "valkey", "EngineVersion": "7.1"}, "Cannot find version 7.1 for valkey"),
        ("stays-valkey", {"EngineVersion": "7.2"}, "Cannot downgrade from valkey 8.0.1 to valkey 7.2.6"),
        (
            "stays-valkey",
            {"Engine": "redis", "EngineVersion": "7.1"},
            "Cannot downgrade from valkey 8.0.1 to redis 7.1.0",
        ),
    ],
)
def test_a_move_that_aws_refuses_changes_nothing(
    aws: Any, staying: None, name: str, options: dict[str, Any], message: str
) -> None:
    code, status, said = aws.refusal(
        "modify_replication_group", ReplicationGroupId=name, ApplyImmediately=True, **options
    )
    assert (code, status) == ("InvalidParameterCombination", 400)
    assert message in said
    assert aws.describe(name)["Status"] == "available"


def test_a_snapshot_of_redis_seeds_valkey_and_not_the_other_way_round(aws: Any, open_group: str) -> None:
    group = aws.create("seeds-valkey", EngineVersion="7.1", SecurityGroupIds=[open_group])
    aws.ask(aws.primary(group), "SET", "kept", "yes")
    for name, snapshot in (("seeds-valkey", "of-redis"), ("till", "of-valkey")):
        aws.elasticache.create_snapshot(CacheClusterId=f"{name}-001", SnapshotName=snapshot)
        aws.wait(name)
    seeded = aws.create(
        "seeded", Engine="valkey", EngineVersion="8.0", SnapshotName="of-redis", SecurityGroupIds=[open_group]
    )
    assert aws.ask(aws.primary(seeded), "GET", "kept") == {"ok": "yes"}
    code = aws.refusal(
        "create_replication_group",
        ReplicationGroupId="x",
        **CREATE,
        Engine="redis",
        EngineVersion="7.1",
        SnapshotName="of-valkey",
    )[0]
    assert code == "InvalidParameterCombination"
