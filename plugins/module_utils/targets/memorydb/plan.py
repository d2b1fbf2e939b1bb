# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a cluster of MemoryDB as it is to one as it is wanted: the steps, in an order that AWS takes. Pure.

What AWS cannot change in place is refused in ``rules``, before there is a step. MemoryDB queues nothing for its
maintenance window that a user asks for: every call acts at once.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb import rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import (
    Cluster,
    as_options,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.desired import Deletion, Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    same_version,
)

# Options that CreateCluster takes as they are, by their names in the API.
_CREATED_WITH = {
    "node_type": "NodeType",
    "parameter_group_name": "ParameterGroupName",
    "num_shards": "NumShards",
    "num_replicas_per_shard": "NumReplicasPerShard",
    "subnet_group_name": "SubnetGroupName",
    "security_group_ids": "SecurityGroupIds",
    "maintenance_window": "MaintenanceWindow",
    "port": "Port",
    "sns_topic_arn": "SnsTopicArn",
    "tls_enabled": "TLSEnabled",
    "kms_key_id": "KmsKeyId",
    "snapshot_arns": "SnapshotArns",
    "snapshot_name": "SnapshotName",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "acl_name": "ACLName",
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "data_tiering": "DataTiering",
    "network_type": "NetworkType",
    "ip_discovery": "IpDiscovery",
}

# Options that go together in one UpdateCluster.
_UPDATED_TOGETHER = {
    "description": "Description",
    "security_group_ids": "SecurityGroupIds",
    "maintenance_window": "MaintenanceWindow",
    "sns_topic_arn": "SnsTopicArn",
    "parameter_group_name": "ParameterGroupName",
    "snapshot_window": "SnapshotWindow",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "acl_name": "ACLName",
    "ip_discovery": "IpDiscovery",
}

_NOTICED_BY_CLIENTS = ("acl_name", "engine_version")


# --- state present ---


def plan_present(current: Cluster | None, desired: Desired) -> Plan:
    """Raises PlanRefused. ``current`` is None where there is no cluster, or is on its way out."""
    if current is None or current.is_going:
        return _plan_creation(desired)
    refuse_unusable(current, desired)
    changes = differences(current, desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        rules.check_kind(current)
        return ownership.plan_adopted(f"The MemoryDB cluster {current.cluster_name}", changes, as_options(current))
    rules.check_changes(current, desired, changes)
    after = _predict(current, desired, changes)
    rules.check_windows(after, changes)
    before = as_options(current)
    shown = {**changes, **({"tags": after.tags} if after.tags != current.tags else {})}
    return Plan(
        steps=tuple(_steps(current, changes, after)),
        before={name: before.get(name) for name in shown},
        after={name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()},
    )


def predict(current: Cluster | None, desired: Desired) -> Cluster:
    """The cluster that the plan leads to, for its endpoint and its cost before it is there."""
    if current is None or current.is_going:
        return _created(desired)
    if current.tags is not None and not ownership.is_ours(current.tags, desired.migration_name):
        return current  # adopted, and so left as it is
    return _predict(current, desired, differences(current, desired))


def needs_allowed_node_types(current: Cluster | None, desired: Desired) -> bool:
    """Only a change of the node type asks AWS for the types that it may change to."""
    return current is not None and current.is_ready and "node_type" in differences(current, desired)


def refuse_unusable(current: Cluster, desired: Desired, events: str = "") -> None:
    """A cluster that waiting does not mend: somebody else's, or one whose creation failed, with what AWS says of it."""
    what = f"The MemoryDB cluster {current.cluster_name}"
    if current.has_failed:
        told = f" ({events})" if events else ""
        raise PlanRefused(
            f"{what} is {current.waits_for}: AWS could not make it{told}. Have it removed (rollback.yml with "
            "migration_rollback_delete_target: true; of this module state: absent with skip_final_snapshot: true), "
            "mend what its events name (aws memorydb describe-events), and run this again",
            "state",
        )
    ownership.refuse_foreign(what, current.tags, desired.migration_name, desired.adopt)


def differences(current: Cluster, desired: Desired) -> dict[str, Any]:
    """Stated options that are not so."""
    found: dict[str, Any] = {}
    for item in fields(current):
        wanted = getattr(desired, item.name, None)
        if wanted is None or item.name in ("cluster_name", "tags") or _is_so(item.name, current, wanted):
            continue
        found[item.name] = wanted
    return found


def _is_so(option: str, current: Cluster, wanted: Any) -> bool:
    if option == "engine_version":
        return same_version(current.engine_version, wanted)
    if option == "kms_key_id":
        return bool(current.kms_key_id == wanted or current.kms_key_id.endswith(f"/{wanted}"))
    return bool(getattr(current, option) == wanted)


def _predict(current: Cluster, desired: Desired, changes: Mapping[str, Any]) -> Cluster:
    tags = ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags)
    return replace(current, tags=tags, **changes)


# --- steps ---


def _plan_creation(desired: Desired) -> Plan:
    rules.check_creation(desired)
    made = _created(desired)
    stated = {name: getattr(desired, name) for name in _CREATED_WITH if getattr(desired, name) not in (None, (), "")}
    parameters = {
        "ClusterName": made.cluster_name,
        "Description": made.description,
        **{_CREATED_WITH[name]: list(value) if isinstance(value, tuple) else value for name, value in stated.items()},
        "Tags": ownership.as_tag_list(made.tags or {}),
    }
    after = {
        "cluster_name": made.cluster_name,
        "description": made.description,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in stated.items()},
        "tags": dict(made.tags or {}),
    }
    step = Step("CreateCluster", parameters, f"there is no MemoryDB cluster {made.cluster_name}")
    return Plan(steps=(step,), before={}, after=after)


def _created(desired: Desired) -> Cluster:
    names = {item.name for item in fields(Cluster)}
    stated = {
        item.name: getattr(desired, item.name)
        for item in fields(desired)
        if item.name in names and getattr(desired, item.name) is not None
    }
    return Cluster(
        **{
            "engine": REDIS,
            "num_shards": 1,
            "num_replicas_per_shard": 1,
            "tls_enabled": True,
            **stated,
            "status": "creating",
            "description": f"Cache of {desired.migration_name}" if desired.description is None else desired.description,
            "tags": {**ownership.with_owner(desired.tags, desired.migration_name), **desired.origin},
        }
    )


def _steps(current: Cluster, changes: Mapping[str, Any], after: Cluster) -> list[Step]:
    """The order that works for caches: tags, shards, more replicas, the node type, the rest, fewer replicas.

    AWS takes each of these alone, whatever it makes of them together.
    """
    grows = after.num_replicas_per_shard > current.num_replicas_per_shard
    shrinks = after.num_replicas_per_shard < current.num_replicas_per_shard
    return [
        *ownership.tag_steps(current.arn, current.tags or {}, after.tags or {}, ownership.MEMORYDB),
        *([_shards(current, after.num_shards)] if "num_shards" in changes else []),
        *([_replicas(current, after.num_replicas_per_shard)] if grows else []),
        *([_node_type(current, after.node_type)] if "node_type" in changes else []),
        *_update_steps(current, changes),
        *([_replicas(current, after.num_replicas_per_shard)] if shrinks else []),
    ]


def _shards(current: Cluster, wanted: int) -> Step:
    return Step(
        "UpdateCluster",
        {"ClusterName": current.cluster_name, "ShardConfiguration": {"ShardCount": wanted}},
        f"num_shards: {current.num_shards} -> {wanted}; slots move while it serves",
    )


def _replicas(current: Cluster, wanted: int) -> Step:
    return Step(
        "UpdateCluster",
        {"ClusterName": current.cluster_name, "ReplicaConfiguration": {"ReplicaCount": wanted}},
        f"num_replicas_per_shard: {current.num_replicas_per_shard} -> {wanted}",
        disruptive=wanted < current.num_replicas_per_shard,
    )


def _node_type(current: Cluster, wanted: str) -> Step:
    return Step(
        "UpdateCluster",
        {"ClusterName": current.cluster_name, "NodeType": wanted},
        f"node_type: {current.node_type} -> {wanted}",
        disruptive=True,
    )


def _update_steps(current: Cluster, changes: Mapping[str, Any]) -> list[Step]:
    together = {name: value for name, value in changes.items() if name in _UPDATED_TOGETHER}
    if not together:
        return []
    parameters = {
        _UPDATED_TOGETHER[name]: list(value) if isinstance(value, tuple) else value for name, value in together.items()
    }
    if "sns_topic_arn" in together:
        parameters["SnsTopicStatus"] = "active" if together["sns_topic_arn"] else "inactive"
    reasons = [f"{name}: {_said(getattr(current, name))} -> {_said(value)}" for name, value in together.items()]
    noticed = any(name in _NOTICED_BY_CLIENTS for name in together)
    return [Step("UpdateCluster", {"ClusterName": current.cluster_name, **parameters}, "; ".join(reasons), noticed)]


def _said(value: Any) -> str:
    return ", ".join(value) if isinstance(value, (tuple, list)) else str(value) if value not in ("", None) else "none"


# --- deletion ---


def plan_absent(current: Cluster | None, deletion: Deletion) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None or current.is_going:
        return Plan()
    what = f"The MemoryDB cluster {current.cluster_name}"
    if not ownership.is_ours(current.tags, deletion.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, deletion.migration_name)
    rules.check_kind(current)
    if current.has_failed and deletion.final_snapshot_name:
        raise PlanRefused(
            f"{what} is {current.waits_for} and has no data to snapshot: set skip_final_snapshot: true instead of "
            "final_snapshot_name",
            "skip_final_snapshot",
        )
    parameters = {"ClusterName": current.cluster_name}
    data = "its data is given up (skip_final_snapshot)"
    if deletion.final_snapshot_name:
        parameters["FinalSnapshotName"] = deletion.final_snapshot_name
        data = f"its data is kept in the snapshot {deletion.final_snapshot_name}"
    return Plan((Step("DeleteCluster", parameters, f"state: absent; {data}", disruptive=True),), as_options(current))
