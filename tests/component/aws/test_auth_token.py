"""The AUTH token: rotated, set, and what AWS refuses about it."""

from __future__ import annotations

from typing import Any

import pytest

NEW = "another-token-of-it"


@pytest.fixture
def locked(aws: Any, open_group: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    name = f"locked-{abs(hash(request.node.name)) % 10**8}"
    return dict(aws.create(name, TransitEncryptionEnabled=True, AuthToken=aws.token, SecurityGroupIds=[open_group]))


def test_rotate_admits_both_tokens_and_set_the_new_one_alone(aws: Any, locked: dict[str, Any]) -> None:
    name, primary = locked["ReplicationGroupId"], aws.primary(locked)
    aws.modify(name, AuthToken=NEW, AuthTokenUpdateStrategy="ROTATE")
    assert aws.ask(primary, "PING", tls=True, token=aws.token) == {"ok": True}
    assert aws.ask(primary, "PING", tls=True, token=NEW) == {"ok": True}
    aws.modify(name, AuthToken=NEW, AuthTokenUpdateStrategy="SET")
    assert "AuthenticationError" in aws.ask(primary, "PING", tls=True, token=aws.token)["error"]
    assert aws.ask(primary, "PING", tls=True, token=NEW) == {"ok": True}


def test_a_first_token_leaves_the_group_open_until_it_is_set(aws: Any, open_group: str) -> None:
    made = aws.create("unlocked", TransitEncryptionEnabled=True, SecurityGroupIds=[open_group])
    aws.modify("unlocked", AuthToken=NEW)
    assert aws.ask(aws.primary(made), "PING", tls=True) == {"ok": True}
    closed = aws.modify("unlocked", AuthToken=NEW, AuthTokenUpdateStrategy="SET")
    assert closed["AuthTokenEnabled"] is True
    assert "AuthenticationError" in aws.ask(aws.primary(made), "PING", tls=True)["error"]
    assert aws.ask(aws.primary(made), "PING", tls=True, token=NEW) == {"ok": True}


def test_what_aws_refuses_about_a_token(aws: Any, locked: dict[str, Any]) -> None:
    name = locked["ReplicationGroupId"]
    for why, options in {
        "in the window": {"AuthToken": NEW, "ApplyImmediately": False},
        "with something else": {"AuthToken": NEW, "ReplicationGroupDescription": "too", "ApplyImmediately": True},
        "SET without ROTATE": {"AuthToken": NEW, "AuthTokenUpdateStrategy": "SET", "ApplyImmediately": True},
        "DELETE without RBAC": {"AuthTokenUpdateStrategy": "DELETE", "ApplyImmediately": True},
        "a strategy without token": {"AuthTokenUpdateStrategy": "ROTATE", "ApplyImmediately": True},
    }.items():
        code = aws.refusal("modify_replication_group", ReplicationGroupId=name, **options)[0]
        assert code == "InvalidParameterCombination", why


@pytest.mark.parametrize("token", ["short", "x" * 129, "has-a-blank in it!", "has-a-slash/in-it-x"])
def test_a_token_that_aws_does_not_take_is_refused_without_being_repeated(
    aws: Any, locked: dict[str, Any], token: str
) -> None:
    code, _, message = aws.refusal(
        "modify_replication_group",
        ReplicationGroupId=locked["ReplicationGroupId"],
        AuthToken=token,
        ApplyImmediately=True,
    )
    assert code == "InvalidParameterValue"
    assert token not in message


def test_no_token_lies_in_the_sandboxs_files_or_arguments(aws: Any, locked: dict[str, Any]) -> None:
    for path in aws.state.rglob("*"):
        if path.is_file():
            assert aws.token.encode() not in path.read_bytes(), path
