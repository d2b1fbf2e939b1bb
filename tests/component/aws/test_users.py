"""Users by user groups: real ACLs on real engines, and what AWS refuses about them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.calls import (
    read_replication_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.converge import facts
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.iam_token import (
    Credentials,
    Login,
    iam_token,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import build_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import TARGETS

from sandbox.aws.keys import AccessKey

APP, NEW = "the-password-of-the-app", "another-password-of-it"
OFF = {"AccessString": "off -@all", "NoPasswordRequired": True}


BY_IAM = {"AuthenticationMode": {"Type": "iam"}, "AccessString": "on ~* &* +@all"}


def user(aws: Any, name: str, **options: Any) -> str:
    given = {"UserName": name, "Engine": "redis", "AccessString": "on ~app:* -@all +@read +@write", **options}
    login = {} if {"NoPasswordRequired", "AuthenticationMode"} & set(given) else {"Passwords": [APP]}
    aws.elasticache.create_user(UserId=name, **login, **given)
    return name


def settle(aws: Any, name: str) -> dict[str, Any]:
    """The user group, once it is active again."""

    def described() -> dict[str, Any]:
        return dict(aws.elasticache.describe_user_groups(UserGroupId=name)["UserGroups"][0])

    aws.wait_until(lambda: described()["Status"] == "active", f"{name} is not active")
    return described()


def people(aws: Any, name: str, *users: str, engine: str = "redis") -> str:
    aws.elasticache.create_user_group(UserGroupId=name, Engine=engine, UserIds=list(users))
    settle(aws, name)
    return name


@pytest.fixture
def served(aws: Any, open_group: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A replication group with a user group: an app, and a default that may do nothing."""
    name = f"u{abs(hash(request.node.name)) % 10**8}"
    group = people(
        aws, name, user(aws, f"{name}-app", UserName="app"), user(aws, f"{name}-off", UserName="default", **OFF)
    )
    made = aws.create(name, TransitEncryptionEnabled=True, UserGroupIds=[group], SecurityGroupIds=[open_group])
    return dict(made)


def asked(aws: Any, group: dict[str, Any], *command: str, **login: Any) -> dict[str, Any]:
    return dict(aws.ask(aws.primary(group), *command, tls=True, **login))


def test_a_user_may_do_what_its_access_string_says_and_nobody_else_anything(aws: Any, served: dict[str, Any]) -> None:
    assert served["UserGroupIds"] == [served["ReplicationGroupId"]]
    app = {"user": "app", "token": APP}
    assert asked(aws, served, "SET", "app:1", "x", **app) == {"ok": True}
    assert "NoPermissionError" in asked(aws, served, "GET", "other", **app)["error"]
    assert "NoPermissionError" in asked(aws, served, "INFO", **app)["error"]
    assert "unknown command" in asked(aws, served, "CONFIG", "GET", "*", **app)["error"].lower()
    assert "invalid username-password" in asked(aws, served, "PING", user="app", token=NEW)["error"].lower()
    assert "AuthenticationError" in asked(aws, served, "PING")["error"]


def test_a_changed_user_and_a_changed_group_reach_the_engines(aws: Any, served: dict[str, Any]) -> None:
    name, app = served["ReplicationGroupId"], {"user": "app", "token": APP}
    aws.elasticache.modify_user(UserId=f"{name}-app", Passwords=[NEW], AccessString="on ~* +@all")
    settle(aws, name)
    aws.wait(name)
    assert "invalid username-password" in asked(aws, served, "PING", **app)["error"].lower()
    assert asked(aws, served, "SET", "other", "x", user="app", token=NEW) == {"ok": True}
    second = user(aws, f"{name}-second", UserName="second")
    aws.elasticache.modify_user_group(UserGroupId=name, UserIdsToAdd=[second], UserIdsToRemove=[f"{name}-app"])
    pending = aws.elasticache.describe_user_groups(UserGroupId=name)["UserGroups"][0]
    assert (pending["Status"], pending["PendingChanges"]["UserIdsToAdd"]) == ("modifying", [second])
    assert settle(aws, name)["ReplicationGroups"] == [name]
    aws.wait(name)
    assert asked(aws, served, "GET", "app:1", user="second", token=APP) == {"ok": None}
    assert "invalid username-password" in asked(aws, served, "PING", user="app", token=NEW)["error"].lower()
    aws.elasticache.delete_user(UserId=second)
    settle(aws, name)
    aws.wait(name)
    assert "invalid username-password" in asked(aws, served, "PING", user="second", token=APP)["error"].lower()


def test_a_token_gives_way_to_users_and_comes_back_by_one_call_each(aws: Any, open_group: str) -> None:
    given = {"TransitEncryptionEnabled": True, "SecurityGroupIds": [open_group]}
    locked = aws.create("giving-way", AuthToken=aws.token, **given)
    group = people(aws, "giving-way", user(aws, "giving-way-default", UserName="default"))
    refused = aws.refusal(
        "modify_replication_group",
        ReplicationGroupId="giving-way",
        UserGroupIdsToAdd=[group],
        ApplyImmediately=True,
    )
    assert refused[0] == "InvalidParameterCombination"
    with_users = aws.modify("giving-way", UserGroupIdsToAdd=[group], AuthTokenUpdateStrategy="DELETE")
    assert (with_users["AuthTokenEnabled"], with_users["UserGroupIds"]) == (False, [group])
    assert "AuthenticationError" in asked(aws, locked, "PING", token=aws.token)["error"]
    assert asked(aws, locked, "GET", "app:1", user="default", token=APP) == {"ok": None}
    back = aws.modify("giving-way", RemoveUserGroups=True, AuthToken=NEW, AuthTokenUpdateStrategy="SET")
    assert (back["AuthTokenEnabled"], back.get("UserGroupIds", [])) == (True, [])
    assert asked(aws, locked, "PING", token=NEW) == {"ok": True}
    assert "AuthenticationError" in asked(aws, locked, "GET", "app:1", user="default", token=APP)["error"]


def test_what_aws_refuses_about_users_of_a_replication_group(aws: Any, served: dict[str, Any]) -> None:
    name = served["ReplicationGroupId"]
    valkey = people(aws, f"{name}-v", user(aws, f"{name}-vu", UserName="default", Engine="valkey"), engine="valkey")
    create = {"ReplicationGroupId": "refused", "ReplicationGroupDescription": "x", "CacheNodeType": "cache.t3.micro"}
    tls = {**create, "TransitEncryptionEnabled": True}
    for why, options in {
        "without TLS": {**create, "Engine": "redis", "UserGroupIds": [name]},
        "with a token": {**tls, "Engine": "redis", "UserGroupIds": [name], "AuthToken": aws.token},
        "two": {**tls, "Engine": "valkey", "UserGroupIds": [name, valkey]},
        "of Valkey": {**tls, "Engine": "redis", "UserGroupIds": [valkey]},
        "of Redis 5": {**tls, "Engine": "redis", "EngineVersion": "5.0.6", "UserGroupIds": [name]},
    }.items():
        assert aws.refusal("create_replication_group", **options)[0] == "InvalidParameterCombination", why
    assert aws.refusal("create_replication_group", **tls, Engine="redis", UserGroupIds=["none"])[:2] == (
        "UserGroupNotFound",
        404,
    )
    for options in ({"AuthToken": NEW}, {"UserGroupIdsToAdd": [name]}, {"UserGroupIdsToRemove": [valkey]}):
        refused = aws.refusal("modify_replication_group", ReplicationGroupId=name, ApplyImmediately=True, **options)
        assert refused[0] == "InvalidParameterCombination"
    assert aws.refusal("delete_user_group", UserGroupId=name)[0] == "InvalidUserGroupState"
    assert aws.refusal("delete_user", UserId=f"{name}-off")[0] == "DefaultUserAssociatedToUserGroup"


def test_the_probe_logs_in_as_the_user_that_the_settings_name(aws: Any, served: dict[str, Any]) -> None:
    """By the URL that the app is given, and as a user who may do what an app needs: else the probe says what lacks."""
    name = served["ReplicationGroupId"]
    found = facts(read_replication_group(aws.elasticache, name), None)
    endpoint = TARGETS["elasticache"].endpoint({"replication_group_id": name, "username": "app"}, found)
    assert (endpoint.auth, endpoint.username) == ("rbac", "app")
    lacking = aws.ask(name, probe=build_url(endpoint, APP))["ok"]
    assert not lacking["reached"] and "app" in str(lacking["failure"])
    aws.elasticache.modify_user(UserId=f"{name}-app", AccessString="on ~* &* +@all")
    settle(aws, name)
    aws.wait(name)
    assert aws.ask(name, probe=build_url(endpoint, APP))["ok"] == {"reached": True, "failure": None}
    refused = aws.ask(name, probe=build_url(endpoint, NEW))["ok"]
    assert not refused["reached"] and NEW not in str(refused)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "InvalidParameterCombination"),
        ({"Passwords": ["short"]}, "InvalidParameterValue"),
        ({"Passwords": [APP], "NoPasswordRequired": True}, "InvalidParameterCombination"),
        ({"Engine": "valkey", "NoPasswordRequired": True}, "InvalidParameterCombination"),
        ({"AuthenticationMode": {"Type": "iam"}}, "InvalidParameterCombination"),
        ({"Passwords": [APP], "AccessString": "on ~* +gett"}, "InvalidParameterValue"),
        ({"Passwords": [APP], "AccessString": "on ~* >written-where-all-see"}, "InvalidParameterValue"),
        ({"Passwords": [APP], "AccessString": "on ~* +config"}, "InvalidParameterValue"),
        ({"Passwords": [APP], "Engine": "memcached"}, "InvalidParameterValue"),
    ],
)
def test_what_aws_refuses_of_a_user(aws: Any, options: dict[str, Any], code: str) -> None:
    given = {"UserId": "odd", "UserName": "other", "Engine": "redis", "AccessString": "on ~* +@all", **options}
    refused = aws.refusal("create_user", **given)
    assert refused[0] == code and APP not in refused[2] and "written" not in refused[2]


def test_what_aws_refuses_of_a_user_group(aws: Any) -> None:
    app, twin = user(aws, "gr-app", UserName="app"), user(aws, "gr-twin", UserName="app")
    for users, code in (
        ([app], "DefaultUserRequired"),
        ([app, twin, "default"], "DuplicateUserName"),
        (["nobody"], "UserNotFound"),
    ):
        assert aws.refusal("create_user_group", UserGroupId="gr", Engine="redis", UserIds=users)[0] == code
    assert (
        aws.refusal("create_user_group", UserGroupId="gr", Engine="valkey", UserIds=["default"])[0]
        == "InvalidParameterCombination"
    )
    people(aws, "gr", app, "default")
    for options, code in (
        ({}, "InvalidParameterCombination"),
        ({"UserIdsToAdd": [app]}, "InvalidParameterCombination"),
        ({"UserIdsToRemove": ["default"]}, "DefaultUserRequired"),
        ({"UserIdsToAdd": [twin]}, "DuplicateUserName"),
    ):
        assert aws.refusal("modify_user_group", UserGroupId="gr", **options)[0] == code
    assert aws.refusal("modify_user", UserId="default", AccessString="off -@all")[0] == "InvalidParameterValue"


def test_no_password_lies_in_the_sandboxs_files(aws: Any, served: dict[str, Any]) -> None:
    assert served["UserGroupIds"]
    for path in aws.state.rglob("*"):
        if path.is_file():
            assert APP.encode() not in path.read_bytes(), path


# --- by IAM ---


@pytest.fixture
def by_iam(aws: Any, open_group: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """A replication group, with a replica, whose app logs in by IAM."""
    name = f"i{abs(hash(request.node.name)) % 10**8}"
    off = user(aws, f"{name}-off", UserName="default", **OFF)
    group = people(aws, name, user(aws, f"{name}-app", UserName=f"{name}-app", **BY_IAM), off)
    options = {"TransitEncryptionEnabled": True, "UserGroupIds": [group], "SecurityGroupIds": [open_group]}
    return dict(aws.create(name, NumCacheClusters=2, AutomaticFailoverEnabled=True, **options))


def token(aws: Any, name: str, key: AccessKey | None = None, ago: int = 0, **login: Any) -> str:
    signer, now = key or aws.keys.operator, datetime.datetime.now(datetime.timezone.utc)
    who = Login(**{"user": f"{name}-app", "cache": name, "region": "us-east-1", **login})
    return iam_token(who, Credentials(signer.id, signer.secret), now - datetime.timedelta(seconds=ago))


def test_a_token_of_iam_lets_its_user_in_and_no_other_does(aws: Any, by_iam: dict[str, Any]) -> None:
    name = by_iam["ReplicationGroupId"]
    user_name = f"{name}-app"
    assert asked(aws, by_iam, "SET", "a", "1", user=user_name, token=token(aws, name)) == {"ok": True}
    assert asked(aws, by_iam, "GET", "a", user=user_name, token=token(aws, name, ago=890)) == {"ok": "1"}
    wrong = {
        "is over": token(aws, name, ago=901),
        "is of another cache": token(aws, name, cache="another"),
        "is of another user": token(aws, name, user="another"),
        "is of another region": token(aws, name, region="eu-west-1"),
        "is of another service": token(aws, name, service="memorydb"),
        "is of a serverless cache": token(aws, name, is_serverless=True),
        "is signed by another key": token(aws, name, AccessKey(aws.keys.operator.id, "x" * 32)),
        "is of a key that nobody knows": token(aws, name, AccessKey("x" * 32, aws.keys.operator.secret)),
        "is no token": APP,
    }
    for why, one in wrong.items():
        assert "invalid username-password" in str(asked(aws, by_iam, "PING", user=user_name, token=one)), why


def test_a_token_of_iam_is_no_password_of_a_user_who_has_one(aws: Any, served: dict[str, Any]) -> None:
    name = served["ReplicationGroupId"]
    answer = asked(aws, served, "PING", user="app", token=token(aws, name, user="app"))
    assert "invalid username-password" in str(answer)
