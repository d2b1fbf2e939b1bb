"""ModifyReplicationGroup: at once, in the window, and the token by itself."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def changing(aws: Any, open_group: str) -> dict[str, Any]:
    return dict(aws.create("changing", NumCacheClusters=2, EngineVersion="7.0", SecurityGroupIds=[open_group]))


def pending(aws: Any, name: str) -> dict[str, Any]:
    return dict(aws.nodes(name)[0]["PendingModifiedValues"])


def test_plain_options_need_no_window(aws: Any, changing: dict[str, Any]) -> None:
    options = {
        "ReplicationGroupDescription": "other",
        "SnapshotRetentionLimit": 7,
        "SnapshotWindow": "02:00-03:00",
        "AutoMinorVersionUpgrade": False,
        "SnapshottingClusterId": "changing-001",
    }
    group = aws.modify("changing", ApplyImmediately=False, PreferredMaintenanceWindow="wed:01:00-wed:02:00", **options)
    assert group["Description"] == "other"
    assert {k: group[k] for k in options if k != "ReplicationGroupDescription"} == {
        k: v for k, v in options.items() if k != "ReplicationGroupDescription"
    }
    assert aws.nodes("changing")[0]["PreferredMaintenanceWindow"] == "wed:01:00-wed:02:00"


def test_a_group_that_is_modified_refuses_until_it_is_available(
    aws: Any, changing: dict[str, Any], settings: Any
) -> None:
    settings(modifying_seconds=1.5)
    aws.elasticache.modify_replication_group(ReplicationGroupId="changing", ReplicationGroupDescription="again")
    assert aws.describe("changing")["Status"] == "modifying"
    for operation, options in (
        ("modify_replication_group", {"ReplicationGroupDescription": "too soon"}),
        ("increase_replica_count", {"NewReplicaCount": 2, "ApplyImmediately": True}),
        ("delete_replication_group", {}),
    ):
        code = aws.refusal(operation, ReplicationGroupId="changing", **options)[0]
        assert code == "InvalidReplicationGroupState", operation
    aws.wait("changing")


def test_a_call_that_asks_for_what_is_there_is_refused_as_no_modification(aws: Any, changing: dict[str, Any]) -> None:
    code, _, message = aws.refusal(
        "modify_replication_group", ReplicationGroupId="changing", CacheNodeType="cache.t3.micro", ApplyImmediately=True
    )
    assert code == "InvalidParameterCombination"
    assert message == "No modifications were requested."


def test_failover_and_multi_az_can_be_switched(aws: Any, changing: dict[str, Any]) -> None:
    on = aws.modify("changing", AutomaticFailoverEnabled=True, MultiAZEnabled=True)
    assert (on["AutomaticFailover"], on["MultiAZ"]) == ("enabled", "enabled")
    off = aws.modify("changing", AutomaticFailoverEnabled=False, MultiAZEnabled=False)
    assert (off["AutomaticFailover"], off["MultiAZ"]) == ("disabled", "disabled")


def test_a_node_type_waits_for_the_window_and_keeps_the_data(aws: Any, changing: dict[str, Any]) -> None:
    name = aws.primary(changing)
    aws.ask(name, "SET", "kept", "yes")
    group = aws.modify("changing", CacheNodeType="cache.t3.small", ApplyImmediately=False)
    assert group["CacheNodeType"] == "cache.t3.micro"
    assert group["PendingModifiedValues"] == {}
    assert pending(aws, "changing") == {"CacheNodeType": "cache.t3.small"}
    assert aws.control("maintenance", {}) == {"modified": ["changing"]}
    assert aws.wait("changing")["CacheNodeType"] == "cache.t3.small"
    assert pending(aws, "changing") == {}
    assert aws.ask(name, "INFO", "memory")["ok"]["maxmemory"] == 1471026299 * 75 // 100
    assert aws.ask(name, "GET", "kept") == {"ok": "yes"}
    assert aws.replicas(name, 1)


def test_a_call_that_applies_immediately_flushes_what_is_pending(aws: Any, changing: dict[str, Any]) -> None:
    aws.modify("changing", EngineVersion="7.1", ApplyImmediately=False)
    assert pending(aws, "changing") == {"EngineVersion": "7.1"}
    aws.modify("changing", ReplicationGroupDescription="flushed")
    assert aws.nodes("changing")[0]["EngineVersion"] == "7.1.0"
    assert pending(aws, "changing") == {}


def test_a_failover_setting_that_waits_is_shown_with_the_group(aws: Any, changing: dict[str, Any]) -> None:
    waiting = aws.modify("changing", AutomaticFailoverEnabled=True, ApplyImmediately=False)
    assert waiting["AutomaticFailover"] == "disabled"
    assert waiting["PendingModifiedValues"] == {"AutomaticFailoverStatus": "enabled"}
    withdrawn = aws.modify("changing", AutomaticFailoverEnabled=False, ApplyImmediately=False)
    assert withdrawn["PendingModifiedValues"] == {}


def test_multi_az_is_changed_at_once_without_ever_being_pending(aws: Any, changing: dict[str, Any]) -> None:
    aws.modify("changing", AutomaticFailoverEnabled=True)
    on = aws.modify("changing", MultiAZEnabled=True, ApplyImmediately=False)
    assert (on["MultiAZ"], on["PendingModifiedValues"]) == ("enabled", {})
    off = aws.modify("changing", MultiAZEnabled=False, ApplyImmediately=False)
    assert (off["MultiAZ"], off["PendingModifiedValues"]) == ("disabled", {})
    aws.modify("changing", AutomaticFailoverEnabled=False)


def test_multi_az_waits_unseen_for_a_failover_that_waits(aws: Any, changing: dict[str, Any]) -> None:
    both = {"AutomaticFailoverEnabled": True, "MultiAZEnabled": True}
    waiting = aws.modify("changing", **both, ApplyImmediately=False)
    assert (waiting["AutomaticFailover"], waiting["MultiAZ"]) == ("disabled", "disabled")
    assert waiting["PendingModifiedValues"] == {"AutomaticFailoverStatus": "enabled"}
    aws.control("maintenance", {})
    done = aws.wait("changing")
    assert (done["AutomaticFailover"], done["MultiAZ"], done["PendingModifiedValues"]) == ("enabled", "enabled", {})
    aws.modify("changing", AutomaticFailoverEnabled=False, MultiAZEnabled=False)


def test_windows_that_overlap_are_refused_though_no_snapshots_are_taken(aws: Any, changing: dict[str, Any]) -> None:
    aws.modify("changing", SnapshotRetentionLimit=0)
    refused = aws.refusal("modify_replication_group", ReplicationGroupId="changing", SnapshotWindow="01:30-02:30")
    assert refused == ("InvalidParameterValue", 400, "The snapshot window and maintenance window must not overlap.")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"CacheNodeType": "cache.t9.nano"}, "InvalidParameterValue"),
        ({"SecurityGroupIds": ["sg-00000000000000000"]}, "InvalidParameterValue"),
        ({"CacheParameterGroupName": "nothing"}, "CacheParameterGroupNotFound"),
        ({"CacheParameterGroupName": "default.redis6.x"}, "InvalidParameterCombination"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_is_not_there_is_refused(aws: Any, changing: dict[str, Any], options: dict[str, Any], code: str) -> None:
    refused = aws.refusal("modify_replication_group", ReplicationGroupId="changing", ApplyImmediately=True, **options)
    assert refused[0] == code


def test_an_engine_is_not_downgraded(aws: Any, changing: dict[str, Any]) -> None:
    code = aws.refusal("modify_replication_group", ReplicationGroupId="changing", EngineVersion="6.2")[0]
    assert code == "InvalidParameterCombination"


def test_an_upgrade_to_another_family_takes_the_default_parameters_along(aws: Any) -> None:
    aws.create("older", EngineVersion="6.2")
    aws.modify("older", EngineVersion="7.1")
    assert aws.nodes("older")[0]["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7"


def test_transit_encryption_is_switched_on_in_place_in_two_steps(aws: Any, open_group: str) -> None:
    made = aws.create("opens", NumCacheClusters=2, SecurityGroupIds=[open_group])
    plain = aws.primary(made)
    aws.ask(plain, "SET", "kept", "yes")
    code = aws.refusal(
        "modify_replication_group",
        ReplicationGroupId="opens",
        TransitEncryptionEnabled=True,
        TransitEncryptionMode="required",
        ApplyImmediately=True,
    )[0]
    assert code == "InvalidParameterCombination"

    preferred = aws.modify("opens", TransitEncryptionEnabled=True, TransitEncryptionMode="preferred")
    tls = aws.primary(preferred)
    assert tls.startswith("master.opens.")
    assert aws.ask(plain, "GET", "kept") == {"ok": "yes"}
    assert aws.ask(tls, "GET", "kept", tls=True) == {"ok": "yes"}

    required = aws.modify("opens", TransitEncryptionMode="required")
    assert required["TransitEncryptionMode"] == "required"
    assert "Name or service not known" in aws.ask(plain, "PING")["error"]
    assert aws.ask(tls, "GET", "kept", tls=True) == {"ok": "yes"}
    assert aws.replicas(tls, 1, tls=True)

    aws.elasticache.increase_replica_count(ReplicationGroupId="opens", NewReplicaCount=2, ApplyImmediately=True)
    aws.wait("opens")
    assert aws.replicas(tls, 2, tls=True)


def test_transit_encryption_is_switched_off_again_by_the_same_steps(aws: Any, open_group: str) -> None:
    made = aws.create("closes", TransitEncryptionEnabled=True, SecurityGroupIds=[open_group])
    aws.ask(aws.primary(made), "SET", "kept", "yes", tls=True)
    aws.modify("closes", TransitEncryptionMode="preferred")
    plain = aws.modify("closes", TransitEncryptionEnabled=False)
    assert plain["TransitEncryptionEnabled"] is False
    assert aws.ask(aws.primary(plain), "GET", "kept") == {"ok": "yes"}
    assert "Name or service not known" in aws.ask(aws.primary(made), "PING", tls=True)["error"]


def test_transit_encryption_cannot_be_changed_below_7_0_5(aws: Any) -> None:
    aws.create("ancient", EngineVersion="6.2")
    code, _, message = aws.refusal(
        "modify_replication_group",
        ReplicationGroupId="ancient",
        TransitEncryptionEnabled=True,
        TransitEncryptionMode="preferred",
        ApplyImmediately=True,
    )
    assert code == "InvalidParameterCombination"
    assert "7.0.5" in message


def test_a_group_that_is_made_with_preferred_encryption_speaks_both(aws: Any, open_group: str) -> None:
    options = {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"}
    made = aws.create("both", **options, NumCacheClusters=2, SecurityGroupIds=[open_group])
    plain = next(name for name in aws.names() if name.startswith("both."))
    assert aws.ask(plain, "SET", "kept", "yes") == {"ok": True}
    assert aws.ask(aws.primary(made), "GET", "kept", tls=True) == {"ok": "yes"}
