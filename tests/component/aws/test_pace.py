"""Waiting and failing as AWS does: what a waiter must be ready for."""

from __future__ import annotations

import time
from typing import Any

import pytest


def test_a_creation_that_fails_ends_in_create_failed_and_can_be_deleted(aws: Any, settings: Any) -> None:
    settings(failing_creations=1)
    aws.begin("fails")
    assert "NodeGroups" not in aws.wait("fails", "create-failed")
    code = aws.refusal("modify_replication_group", ReplicationGroupId="fails", ReplicationGroupDescription="x")[0]
    assert code == "InvalidReplicationGroupState"
    aws.elasticache.delete_replication_group(ReplicationGroupId="fails")
    aws.elasticache.get_waiter("replication_group_deleted").wait(ReplicationGroupId="fails", WaiterConfig={"Delay": 1})
    assert aws.create("fails")["Status"] == "available"


def test_a_change_can_be_under_way_before_its_status_shows(aws: Any, settings: Any) -> None:
    aws.create("sneaky")
    settings(unnoticed_seconds=1.5)
    aws.elasticache.modify_replication_group(ReplicationGroupId="sneaky", ReplicationGroupDescription="new")
    assert aws.describe("sneaky")["Status"] == "available"
    code = aws.refusal("modify_replication_group", ReplicationGroupId="sneaky", ReplicationGroupDescription="newer")[0]
    assert code == "InvalidReplicationGroupState"
    aws.wait("sneaky", "modifying")
    assert aws.wait("sneaky")["Description"] == "new"


def test_a_primary_that_fails_over_is_gone_for_as_long_as_nobody_notices(
    aws: Any, open_group: str, settings: Any
) -> None:
    group = aws.create("slowly", NumCacheClusters=2, AutomaticFailoverEnabled=True, SecurityGroupIds=[open_group])
    name, before = aws.primary(group), aws.names()
    settings(failing_over_seconds=2)
    aws.elasticache.test_failover(ReplicationGroupId="slowly", NodeGroupId="0001")
    time.sleep(1)
    assert aws.names()[name] == before[name]
    assert "ok" not in aws.ask(name, "PING")
    aws.wait("slowly")
    assert aws.ask(name, "PING") == {"ok": True}


def test_a_token_that_is_changed_shows_as_pending(aws: Any, settings: Any) -> None:
    aws.create("rotates", TransitEncryptionEnabled=True, AuthToken=aws.token)
    settings(modifying_seconds=1)
    aws.elasticache.modify_replication_group(
        ReplicationGroupId="rotates", AuthToken="another-token-of-it", ApplyImmediately=True
    )
    assert aws.describe("rotates")["PendingModifiedValues"] == {"AuthTokenStatus": "ROTATING"}
    assert aws.wait("rotates")["PendingModifiedValues"] == {}


def test_a_setting_that_does_not_exist_is_refused(aws: Any) -> None:
    with pytest.raises(Exception, match="400"):
        aws.control("settings", {"creating_minutes": 1})
