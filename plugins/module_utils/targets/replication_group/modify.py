# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The one ModifyReplicationGroup for all that needs no call of its own, and what it brings that was queued. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    QUEUED_OPTIONS,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.differences import (
    with_overrides,
)

# Options that go together, by their names in the API.
TOGETHER = {
    "replication_group_description": "ReplicationGroupDescription",
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "automatic_failover_enabled": "AutomaticFailoverEnabled",
    "multi_az_enabled": "MultiAZEnabled",
    "security_group_ids": "SecurityGroupIds",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "notification_topic_arn": "NotificationTopicArn",
    "notification_topic_status": "NotificationTopicStatus",
    "ip_discovery": "IpDiscovery",
    "log_delivery_configurations": "LogDeliveryConfigurations",
}

_NOTICED_BY_CLIENTS = ("engine_version", "cache_node_type")

# Redis OSS below is cut off from its clients while it becomes Valkey.
_MOVES_WITHOUT_DOWNTIME_FROM = (5, 0, 6)


def steps(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any], flushes: bool) -> list[Step]:
    """``flushes``: whether a call of the plan acts at once, and so applies what was queued before."""
    together = {name: value for name, value in changes.items() if name in TOGETHER}
    reasons = [f"{name}: {said(getattr(current, name))} -> {said(value)}" for name, value in together.items()]
    if flushes:
        for name, value in with_overrides(current, desired, {}).items():
            if name not in together:
                reasons.append(f"{name}: stays {value}, and not {current.pending[name]} as queued")
                together[name] = value
        reasons += [
            f"what was queued goes with it: {name} {value}"
            for name, value in current.pending.items()
            if name in QUEUED_OPTIONS and name not in together
        ]
    if not together:
        return []
    if "engine" in changes and current.version < _MOVES_WITHOUT_DOWNTIME_FROM:
        reasons.append("clients are cut off for 30 to 60 s, as below Redis OSS 5.0.6")
    parameters = {
        "ReplicationGroupId": current.replication_group_id,
        **{TOGETHER[name]: _as_api(current, name, value) for name, value in together.items()},
        **_snapshot_source(current, together),
        "ApplyImmediately": desired.apply_immediately,
    }
    noticed = any(name in _NOTICED_BY_CLIENTS for name in together)
    return [Step("ModifyReplicationGroup", parameters, "; ".join(reasons), noticed)]


def _as_api(current: ReplicationGroup, option: str, value: Any) -> Any:
    if option == "log_delivery_configurations":
        return log_delivery.changes(current.log_delivery_configurations, value)
    return list(value) if isinstance(value, tuple) else value


def _snapshot_source(current: ReplicationGroup, together: Mapping[str, Any]) -> dict[str, str]:
    """Snapshots that begin name the node they are taken of: a replica, where there is one."""
    if not together.get("snapshot_retention_limit") or current.snapshot_retention_limit or current.cluster_enabled:
        return {}  # where cluster mode is enabled, AWS takes none
    source = next(iter([*current.replica_members(), *current.members]), None)
    return {"SnapshottingClusterId": source.cache_cluster_id} if source else {}


def said(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in ("", None) else "none"
