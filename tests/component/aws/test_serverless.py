"""Serverless caches of the local AWS: what they serve, what they refuse, what comes of changes, and their snapshots."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.iam_token import (
    Credentials,
    Login,
    iam_token,
)

ONE = {"ServerlessCacheName": "one"}
NO_LIMITS = {"DataStorage": {"Maximum": 5000, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 15_000_000}}


class Caches:
    """What a test asks of serverless caches."""

    def __init__(self, aws: Any) -> None:
        self._aws, self._client = aws, aws.elasticache

    def begin(self, name: str, **options: Any) -> dict[str, Any]:
        wanted = {"Engine": "valkey", "MajorEngineVersion": "8", **options}
        return dict(self._client.create_serverless_cache(ServerlessCacheName=name, **wanted)["ServerlessCache"])

    def create(self, name: str, **options: Any) -> dict[str, Any]:
        self.begin(name, **options)
        return self.wait(name)

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self._client.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"][0])

    def wait(self, name: str, status: str = "available") -> dict[str, Any]:
        self._aws.wait_until(lambda: self.describe(name)["Status"] == status, f"{name} is not {status}", 60)
        return self.describe(name)

    def modify(self, name: str, **options: Any) -> dict[str, Any]:
        self._client.modify_serverless_cache(ServerlessCacheName=name, **options)
        return self.wait(name)

    def delete(self, name: str, **options: Any) -> None:
        self._client.delete_serverless_cache(ServerlessCacheName=name, **options)
        there = self._client.describe_serverless_caches
        names = lambda: [cache["ServerlessCacheName"] for cache in there()["ServerlessCaches"]]  # noqa: E731
        self._aws.wait_until(lambda: name not in names(), f"{name} is still there", 60)

    def snapshot(self, name: str) -> dict[str, Any]:
        asked = {"ServerlessCacheSnapshotName": name}
        return dict(self._client.describe_serverless_cache_snapshots(**asked)["ServerlessCacheSnapshots"][0])

    def ask(self, cache: dict[str, Any], *command: str, **options: Any) -> Any:
        endpoint = cache["Endpoint"]
        where = {"host": endpoint["Address"], "port": endpoint["Port"], "tls": True}
        return self._aws.ask(where.pop("host"), *command, **{**where, **options})


@pytest.fixture(scope="module")
def caches(aws: Any) -> Caches:
    return Caches(aws)


@pytest.fixture(scope="module")
def both_ports(aws: Any) -> str:
    """A security group that admits the app host to the cache and to its reader."""
    group = str(aws.security_group("serverless", "172.31.0.0/16"))
    aws.admit(group, "172.31.0.0/16", port=6380)
    return group


@pytest.fixture(scope="module")
def one(caches: Caches, both_ports: str) -> Iterator[dict[str, Any]]:
    yield caches.create("one", SecurityGroupIds=[both_ports], Tags=[{"Key": "team", "Value": "a"}])
    caches.delete("one")


def test_it_is_one_name_with_two_ports_that_speaks_the_cluster_protocol_by_tls(
    aws: Any, caches: Caches, one: dict[str, Any]
) -> None:
    assert one["Endpoint"]["Address"].endswith(".serverless.use1.cache.amazonaws.com")
    assert (one["Endpoint"]["Port"], one["ReaderEndpoint"]["Port"]) == (6379, 6380)
    assert one["ReaderEndpoint"]["Address"] == one["Endpoint"]["Address"]
    assert caches.ask(one, "SET", "{tag}greeting", "hello") == {"ok": True}
    both = [[one["Endpoint"]["Address"], port] for port in (6379, 6380)]
    shown = lambda: [node[:2] for node in caches.ask(one, "CLUSTER", "SLOTS")["ok"][0][2:]]  # noqa: E731
    aws.wait_until(lambda: shown() == both, "its nodes do not show")  # a replica does once it has been heard of
    assert caches.ask(one, "CLUSTER", "SLOTS")["ok"][0][:2] == [0, 16383]
    assert "Moved" in caches.ask(one, "GET", "{tag}greeting", port=6380)["error"]
    assert "error" in caches.ask(one, "PING", tls=False)


def test_keys_is_no_command_there(caches: Caches, one: dict[str, Any]) -> None:
    assert "unknown command 'KEYS'" in caches.ask(one, "KEYS", "*")["error"]


@pytest.mark.parametrize(
    "command",
    ["SELECT 1", "CONFIG GET maxmemory", "CLIENT LIST", "DEBUG SLEEP 0", "CLUSTER RESET", "BGSAVE", "MONITOR"],
)
def test_what_a_serverless_cache_does_not_have_is_refused(caches: Caches, one: dict[str, Any], command: str) -> None:
    assert "error" in caches.ask(one, *command.split())


def test_who_is_not_admitted_meets_silence(aws: Any, caches: Caches, one: dict[str, Any]) -> None:
    closed = aws.security_group("closed-serverless")
    shut = caches.modify("one", SecurityGroupIds=[closed])
    assert "Timeout" in caches.ask(shut, "PING")["error"]
    opened = caches.modify("one", SecurityGroupIds=one["SecurityGroupIds"])
    assert caches.ask(opened, "PING")["ok"]


def test_it_is_described_with_its_defaults(one: dict[str, Any]) -> None:
    assert (one["Engine"], one["MajorEngineVersion"], one["FullEngineVersion"]) == ("valkey", "8", "8.2")
    assert (one["StorageEncryptionType"], one["ConnectionType"], one["NetworkType"]) == (
        "sse-elasticache",
        "vpc",
        "ipv4",
    )
    assert (one["SnapshotRetentionLimit"], one["DailySnapshotTime"]) == (0, "03:00")
    assert one["CacheUsageLimits"] == NO_LIMITS and len(one["SubnetIds"]) == 3


def test_limits_are_changed_and_taken_away(caches: Caches, one: dict[str, Any]) -> None:
    limited = caches.modify(
        "one", CacheUsageLimits={"DataStorage": {"Maximum": 10, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 5000}}
    )
    assert limited["CacheUsageLimits"] == {
        "DataStorage": {"Maximum": 10, "Unit": "GB"},
        "ECPUPerSecond": {"Maximum": 5000},
    }
    less = caches.modify("one", CacheUsageLimits={"ECPUPerSecond": {"Maximum": 0}})
    assert less["CacheUsageLimits"] == {**NO_LIMITS, "DataStorage": {"Maximum": 10, "Unit": "GB"}}
    none = caches.modify("one", CacheUsageLimits={"DataStorage": {"Maximum": 0, "Unit": "GB"}})
    assert none["CacheUsageLimits"] == NO_LIMITS


@pytest.mark.parametrize(
    "params, code",
    [
        ({}, "InvalidParameterCombination"),
        ({"Description": "a", "SnapshotRetentionLimit": 1}, "InvalidParameterCombination"),
        ({"Engine": "redis"}, "InvalidParameterCombination"),
        ({"Engine": "redis", "MajorEngineVersion": "7"}, "InvalidParameterCombination"),
        ({"Engine": "memcached", "MajorEngineVersion": "1.6"}, "InvalidParameterCombination"),
        ({"MajorEngineVersion": "7"}, "InvalidParameterCombination"),
        ({"SnapshotRetentionLimit": 36}, "InvalidParameterValue"),
        ({"DailySnapshotTime": "3:00"}, "InvalidParameterValue"),
        ({"CacheUsageLimits": {"ECPUPerSecond": {"Maximum": 10}}}, "InvalidParameterValue"),
        ({"CacheUsageLimits": {"DataStorage": {"Maximum": 0, "Unit": "GB"}}}, "InvalidParameterValue"),
        (
            {"CacheUsageLimits": {"DataStorage": {"Maximum": 1, "Minimum": 2, "Unit": "GB"}}},
            "InvalidParameterCombination",
        ),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameterValue"),
    ],
)
def test_a_change_that_aws_does_not_make_is_refused(
    aws: Any, one: dict[str, Any], params: dict[str, Any], code: str
) -> None:
    assert aws.refusal("modify_serverless_cache", **ONE, **params)[:2] == (code, 400)


def test_names_are_unique_and_unknown_ones_are_not_found(aws: Any, one: dict[str, Any]) -> None:
    taken = aws.refusal("create_serverless_cache", ServerlessCacheName="ONE", Engine="valkey")
    assert taken[:2] == ("ServerlessCacheAlreadyExistsFault", 400)
    for operation in ("describe_serverless_caches", "modify_serverless_cache", "delete_serverless_cache"):
        unknown = aws.refusal(operation, ServerlessCacheName="two")
        assert unknown[:2] == ("ServerlessCacheNotFoundFault", 404)


def test_it_has_tags_and_is_busy_while_it_changes(aws: Any, caches: Caches, one: dict[str, Any]) -> None:
    assert aws.elasticache.list_tags_for_resource(ResourceName=one["ARN"])["TagList"] == [{"Key": "team", "Value": "a"}]
    aws.elasticache.modify_serverless_cache(**ONE, Description="Another")
    busy = aws.refusal("modify_serverless_cache", **ONE, Description="Yet another")
    assert busy[0] == "InvalidServerlessCacheStateFault"
    assert caches.wait("one")["Description"] == "Another"


def _by_iam(aws: Any, caches: Caches, one: dict[str, Any]) -> None:
    """In place of its password the user whose id is its name has a token, which is one of a serverless cache."""
    aws.elasticache.modify_user(UserId="app", AuthenticationMode={"Type": "iam"})
    password = {"user": "app", "token": "a-password-of-app"}
    aws.wait_until(lambda: "error" in caches.ask(one, "GET", "shop:1", **password), "its password is still taken")
    key, now = aws.keys.operator, datetime.datetime.now(datetime.timezone.utc)
    for is_serverless, answer in ((True, "'ok': 'x'"), (False, "invalid username-password")):
        login = Login("app", "one", "us-east-1", is_serverless=is_serverless)
        token = iam_token(login, Credentials(key.id, key.secret), now)
        assert answer in str(caches.ask(one, "GET", "shop:1", user="app", token=token))


def test_who_logs_in_is_told_by_its_user_group(aws: Any, caches: Caches, one: dict[str, Any]) -> None:
    access = {"Engine": "valkey", "AccessString": "on ~shop:* +@read +@write"}
    users = {"guest": ("default", "off -@all"), "app": ("app", access["AccessString"])}
    for user, (name, rules) in users.items():
        asked = {**access, "AccessString": rules, "Passwords": [f"a-password-of-{user}"]}
        aws.elasticache.create_user(UserId=user, UserName=name, **asked)
    aws.elasticache.create_user_group(UserGroupId="shop", Engine="valkey", UserIds=list(users))
    told = lambda: aws.elasticache.describe_user_groups(UserGroupId="shop")["UserGroups"][0]  # noqa: E731
    aws.wait_until(lambda: told()["Status"] == "active", "the user group is not active")
    assert caches.modify("one", UserGroupId="shop")["UserGroupId"] == "shop"
    assert told()["ServerlessCaches"] == ["one"]
    assert "error" in caches.ask(one, "PING")
    app = {"user": "app", "token": "a-password-of-app"}
    assert caches.ask(one, "SET", "shop:1", "x", **app) == {"ok": True}
    assert "NoPermission" in caches.ask(one, "SET", "bank:1", "x", **app)["error"]
    assert "NoPermission" in caches.ask(one, "CLIENT", "LIST", **app)["error"]
    assert aws.refusal("delete_user_group", UserGroupId="shop")[0] == "InvalidUserGroupState"
    _by_iam(aws, caches, one)
    assert "UserGroupId" not in caches.modify("one", RemoveUserGroup=True)
    assert caches.ask(one, "PING") == {"ok": True}


@pytest.mark.long
def test_memcached_is_served_at_one_name_with_two_ports_and_never_becomes_another_engine(
    aws: Any, caches: Caches, both_ports: str
) -> None:
    made = caches.create("pages", Engine="memcached", MajorEngineVersion="1.6", SecurityGroupIds=[both_ports])
    assert (made["MajorEngineVersion"], made["FullEngineVersion"][:4]) == ("1.6", "1.6.")
    assert (made["Endpoint"]["Port"], made["ReaderEndpoint"]["Port"]) == (11211, 11212)
    asked = {"Engine": "valkey", "MajorEngineVersion": "8"}
    assert aws.refusal("modify_serverless_cache", ServerlessCacheName="pages", **asked)[0] == (
        "InvalidParameterCombination"
    )
    limits = {"DataStorage": {"Maximum": 10, "Unit": "GB"}}
    assert caches.modify("pages", CacheUsageLimits=limits)["CacheUsageLimits"] == {**NO_LIMITS, **limits}
    caches.delete("pages")


@pytest.mark.long
def test_redis_oss_becomes_valkey_and_back_with_its_data(caches: Caches, both_ports: str) -> None:
    made = caches.create("old", Engine="redis", MajorEngineVersion="7", SecurityGroupIds=[both_ports])
    assert (made["Engine"], made["FullEngineVersion"]) == ("redis", "7.1")
    assert "redis_version" in caches.ask(made, "INFO", "server")["ok"]
    assert caches.ask(made, "SET", "kept", "yes")["ok"]
    moved = caches.modify("old", Engine="valkey", MajorEngineVersion="7")
    assert (moved["Engine"], moved["FullEngineVersion"]) == ("valkey", "7.2")
    assert caches.ask(moved, "INFO", "server")["ok"]["server_name"] == "valkey"
    assert caches.ask(moved, "GET", "kept") == {"ok": "yes"}
    back = caches.modify("old", Engine="redis", MajorEngineVersion="7")
    assert "server_name" not in caches.ask(back, "INFO", "server")["ok"]
    assert caches.ask(back, "GET", "kept") == {"ok": "yes"}
    caches.delete("old")


@pytest.mark.long
def test_the_last_snapshot_has_the_data_and_a_new_cache_begins_with_it(
    aws: Any, caches: Caches, both_ports: str
) -> None:
    made = caches.create("kept", SecurityGroupIds=[both_ports])
    assert caches.ask(made, "SET", "saved", "yes")["ok"]
    caches.delete("kept", FinalSnapshotName="Kept-last")
    last = caches.snapshot("kept-last")
    assert (last["Status"], last["ServerlessCacheConfiguration"]["Engine"]) == ("available", "valkey")
    again = caches.create("again", SecurityGroupIds=[both_ports], SnapshotArnsToRestore=[last["ARN"]])
    assert caches.ask(again, "GET", "saved") == {"ok": "yes"}
    older = aws.refusal(
        "create_serverless_cache",
        ServerlessCacheName="older",
        Engine="valkey",
        MajorEngineVersion="7",
        SnapshotArnsToRestore=[last["ARN"]],
    )
    assert older[0] == "InvalidParameterCombination"
    aws.elasticache.copy_serverless_cache_snapshot(
        SourceServerlessCacheSnapshotName="kept-last", TargetServerlessCacheSnapshotName="copy"
    )
    aws.wait_until(lambda: caches.snapshot("copy")["Status"] == "available", "the copy is not available")
    for name in ("kept-last", "copy"):
        aws.elasticache.delete_serverless_cache_snapshot(ServerlessCacheSnapshotName=name)
    gone = aws.refusal("describe_serverless_cache_snapshots", ServerlessCacheSnapshotName="copy")
    assert gone[:2] == ("ServerlessCacheSnapshotNotFoundFault", 404)
    caches.delete("again")


def test_a_creation_that_fails_may_be_deleted(caches: Caches, settings: Callable[..., Any]) -> None:
    settings(failing_creations=1)
    caches.begin("failed")
    assert "Endpoint" not in caches.wait("failed", "create-failed")
    caches.delete("failed")
