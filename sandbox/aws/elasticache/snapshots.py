"""CreateSnapshot, DescribeSnapshots, DeleteSnapshot: real RDB files."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.catalogue import ENABLED
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import AVAILABLE, SNAPSHOTTING, Account, ReplicationGroup, Snapshot
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Refusal, Result, operation, page

FAILED = "failed"


def refuse_taken_name(account: Account, name: str) -> None:
    rules.identifier(name, "The snapshot name", 255)
    if name in account.snapshots:
        raise Refusal("SnapshotAlreadyExistsFault", f"Snapshot {name} already exists.")


def usable_snapshot(account: Account, name: str) -> Snapshot:
    snapshot = account.snapshot(name)
    if snapshot.status != AVAILABLE:
        raise Refusal("InvalidSnapshotState", f"Snapshot {name} must be available; it is {snapshot.status}.")
    return snapshot


def begin_snapshot(context: Context, group: ReplicationGroup, name: str, tags: dict[str, str]) -> Snapshot:
    """Enter it into the account, still without its data."""
    of: dict[str, Any] = {
        "ReplicationGroupId": group.id,
        "ReplicationGroupDescription": group.description,
        "CacheNodeType": group.node_type,
        "PreferredMaintenanceWindow": group.maintenance_window,
        "Port": group.port,
        "CacheParameterGroupName": group.parameter_group,
        "CacheSubnetGroupName": group.subnet_group,
        "VpcId": context.account.subnet_group(group.subnet_group).vpc,
        "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
        "SnapshotRetentionLimit": group.retention,
        "SnapshotWindow": group.snapshot_window,
        "NumNodeGroups": len(group.shards),
        "AutomaticFailover": describe.on_off(group.failover),
        **({"KmsKeyId": group.kms_key} if group.kms_key else {}),
    }
    context.snapshots.mkdir(parents=True, exist_ok=True)
    of["DataTiering"] = describe.on_off(group.features.data_tiering)
    if group.features.topic:
        of["TopicArn"] = group.features.topic
    files = {shard: context.snapshots / f"{name}-{shard}.rdb" for shard in group.shards}
    zones = {shard: [member.zone for member in group.of_shard(shard)] for shard in group.shards}
    snapshot = Snapshot(name, "manual", of, group.version, files, dict(group.slots), zones)
    with context.account.lock:
        context.account.snapshots[name] = snapshot
        context.account.tags[snapshot.arn] = dict(tags)
    return snapshot


def write_snapshot(group: ReplicationGroup, snapshot: Snapshot) -> None:
    """Each shard from a replica where there is one, as AWS does it."""
    try:
        for shard, file in snapshot.files.items():
            members = group.of_shard(shard)
            last = members[min(1, len(members) - 1)]
            source = next((m for m in members if m.name == group.snapshotting_member), last)
            source.running.dump(file)
    except Exception:
        snapshot.status = FAILED
        raise
    snapshot.status = AVAILABLE


class Snapshots:
    def __init__(self, context: Context) -> None:
        self._context, self._account = context, context.account

    @operation("CreateSnapshot", "ReplicationGroupId", "CacheClusterId", "SnapshotName", "KmsKeyId", "Tags")
    def create_snapshot(self, params: Params) -> Result:
        tags = tags_given(params)
        with self._account.lock:
            group = self._of_what(params)
            refuse_taken_name(self._account, params["SnapshotName"])
            require_available(group)
            if params.get("KmsKeyId"):
                self._context.vpc.require_key(params["KmsKeyId"])
            snapshot = begin_snapshot(self._context, group, params["SnapshotName"], tags)
            snapshot.of.update({name: params[name] for name in ("CacheClusterId", "KmsKeyId") if name in params})
            if "CacheClusterId" in params:  # it is of the node then, and of no group
                del snapshot.of["ReplicationGroupId"], snapshot.of["ReplicationGroupDescription"]
            self._context.work.begin(group, SNAPSHOTTING, lambda: write_snapshot(group, snapshot))
            return {"Snapshot": describe.snapshot(snapshot)}

    def _of_what(self, params: Params) -> ReplicationGroup:
        """AWS takes a group with cluster mode, or a node of one without."""
        if "CacheClusterId" in params:
            group = self._account.member(params["CacheClusterId"])[0]
            if len(group.shards) > 1:
                raise rules.combination(f"{group.id} has several node groups: give ReplicationGroupId.")
            return group
        if "ReplicationGroupId" not in params:
            raise rules.combination("Give ReplicationGroupId or CacheClusterId.")
        group = self._account.replication_group(params["ReplicationGroupId"])
        if group.cluster_mode == ENABLED:
            return group
        raise rules.combination(
            "Cannot snapshot a replication group with cluster-mode disabled. Please specify a cache cluster instead."
        )

    @operation(
        "DescribeSnapshots",
        *("ReplicationGroupId", "CacheClusterId", "SnapshotName", "SnapshotSource", "ShowNodeGroupConfig"),
        *("MaxRecords", "Marker"),
    )
    def describe_snapshots(self, params: Params) -> Result:
        with self._account.lock:
            if "SnapshotName" in params:
                self._account.snapshot(params["SnapshotName"])
            with_shards = params.get("ShowNodeGroupConfig", False)
            found = [describe.snapshot(s, with_shards) for _, s in sorted(self._account.snapshots.items())]
        sources = {"system": "automated", "user": "manual"}
        wanted: dict[str, str] = {
            **{k: params[k] for k in ("SnapshotName", "CacheClusterId") if k in params},
            **({"ReplicationGroupId": params["ReplicationGroupId"].lower()} if "ReplicationGroupId" in params else {}),
            **({"SnapshotSource": sources.get(params["SnapshotSource"], "")} if "SnapshotSource" in params else {}),
        }
        return page([s for s in found if all(s.get(k) == v for k, v in wanted.items())], params, "Snapshots", 20)

    @operation("DeleteSnapshot", "SnapshotName")
    def delete_snapshot(self, params: Params) -> Result:
        with self._account.lock:
            snapshot = self._account.snapshot(params["SnapshotName"])
            if snapshot.status not in (AVAILABLE, FAILED):
                raise Refusal("InvalidSnapshotState", f"Snapshot {snapshot.name} is {snapshot.status}.")
            shown = describe.snapshot(snapshot)
            del self._account.snapshots[snapshot.name]
            self._account.tags.pop(snapshot.arn, None)
            for file in snapshot.files.values():
                file.unlink(missing_ok=True)
            return {"Snapshot": {**shown, "SnapshotStatus": "deleting"}}
