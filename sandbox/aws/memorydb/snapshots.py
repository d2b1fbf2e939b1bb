"""CreateSnapshot, CopySnapshot, DescribeSnapshots, DeleteSnapshot: real RDB files, one of each shard."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from typing import Any

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.memorydb import describe, rules
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.state import AVAILABLE, CREATING, SNAPSHOTTING, Account, Cluster, Snapshot
from sandbox.aws.wire import Params, Refusal, Result, operation

FAILED = "failed"


def refuse_taken_name(account: Account, name: str) -> None:
    rules.name(name, "The snapshot name", 255)
    if name in account.snapshots:
        raise Refusal("SnapshotAlreadyExistsFault", f"Snapshot {name} already exists.")


def usable_snapshot(account: Account, name: str) -> Snapshot:
    snapshot = account.snapshot(name)
    if snapshot.status != AVAILABLE:
        raise Refusal("InvalidSnapshotStateFault", f"Snapshot {name} must be available; it is {snapshot.status}.")
    return snapshot


def begin_snapshot(context: Context, cluster: Cluster, name: str, tags: dict[str, str], kms_key: str = "") -> Snapshot:
    """Enter it into the account, still without its data."""
    of: dict[str, Any] = {
        "Name": cluster.id,
        "Description": cluster.description,
        "NodeType": cluster.node_type,
        "Engine": cluster.version.engine,
        "EngineVersion": cluster.version.label,
        "MaintenanceWindow": cluster.maintenance_window,
        **({"TopicArn": cluster.topic} if cluster.topic else {}),
        "Port": cluster.port,
        "ParameterGroupName": cluster.parameter_group,
        "SubnetGroupName": cluster.subnet_group,
        "VpcId": context.account.subnet_group(cluster.subnet_group).vpc,
        "SnapshotRetentionLimit": cluster.retention,
        "SnapshotWindow": cluster.snapshot_window,
        "NumShards": len(cluster.nodes),
    }
    folder = context.snapshots / name
    folder.mkdir(parents=True, exist_ok=True)
    files = {shard: folder / f"{shard}.rdb" for shard in cluster.nodes}
    snapshot = Snapshot(name, of, cluster.version, files, kms_key or cluster.kms_key, cluster.data_tiering)
    with context.account.lock:
        context.account.snapshots[name] = snapshot
        context.account.tags[snapshot.arn] = dict(tags)
    return snapshot


def write_snapshot(cluster: Cluster, snapshot: Snapshot) -> None:
    try:
        snapshot.slots = cluster.running.dump(lambda shard: snapshot.files[shard])
    except Exception:
        snapshot.status = FAILED
        raise
    snapshot.status = AVAILABLE


class Snapshots:
    def __init__(self, context: Context) -> None:
        self._context, self._account = context, context.account

    @operation("CreateSnapshot", "ClusterName", "SnapshotName", "KmsKeyId", "Tags")
    def create_snapshot(self, params: Params) -> Result:
        tags, name = tags_given(params), params["SnapshotName"].lower()
        with self._account.lock:
            cluster = self._account.cluster(params["ClusterName"])
            refuse_taken_name(self._account, name)
            rules.require_available(cluster)
            snapshot = begin_snapshot(self._context, cluster, name, tags, params.get("KmsKeyId", ""))
            self._context.work.begin(cluster, SNAPSHOTTING, lambda: write_snapshot(cluster, snapshot))
            return {"Snapshot": describe.snapshot(snapshot)}

    @operation("CopySnapshot", "SourceSnapshotName", "TargetSnapshotName", "TargetBucket", "KmsKeyId", "Tags")
    def copy_snapshot(self, params: Params) -> Result:
        tags, name = tags_given(params), params["TargetSnapshotName"].lower()
        with self._account.lock:
            source = usable_snapshot(self._account, params["SourceSnapshotName"])
            if params.get("TargetBucket"):
                return self._export(source, params["TargetBucket"], params["TargetSnapshotName"])
            refuse_taken_name(self._account, name)
            folder = self._context.snapshots / name
            files = {shard: folder / file.name for shard, file in source.files.items()}
            key = params.get("KmsKeyId", source.kms_key)
            copied = replace(source, name=name, files=files, kms_key=key, status=CREATING)
            self._account.snapshots[name] = copied
            self._account.tags[copied.arn] = tags
        threading.Thread(target=self._copy, args=(source, copied), daemon=True).start()
        return {"Snapshot": describe.snapshot(copied)}

    def _export(self, source: Snapshot, bucket: str, name: str) -> Result:
        """A file of each shard, as an object. AWS asks for a bucket that admits it, which nobody looks at here."""
        try:
            for shard, file in source.files.items():
                self._context.client("s3").upload_file(str(file), bucket, f"{name}-{shard}.rdb")
        except (ClientError, S3UploadFailedError) as refused:
            raise rules.value(f"TargetBucket {bucket}: {refused}")
        return {"Snapshot": describe.snapshot(source)}

    def _copy(self, source: Snapshot, copied: Snapshot) -> None:
        self._context.work.take_time()
        for shard, file in copied.files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.files[shard], file)
        copied.status = AVAILABLE

    @operation("DescribeSnapshots", "ClusterName", "SnapshotName", "Source", "ShowDetail", "MaxResults", "NextToken")
    def describe_snapshots(self, params: Params) -> Result:
        sources = {"system": "automated", "user": "manual"}
        with self._account.lock:
            if "SnapshotName" in params:
                found = [self._account.snapshot(params["SnapshotName"])]
            else:
                found = [snapshot for _, snapshot in sorted(self._account.snapshots.items())]
            if "ClusterName" in params:
                found = [s for s in found if s.of["Name"] == params["ClusterName"].lower()]
            if "Source" in params:
                found = [s for s in found if s.source == sources.get(params["Source"])]
            shown = [describe.snapshot(each, params.get("ShowDetail", False)) for each in found]
        return rules.page(shown, params, "Snapshots")

    @operation("DeleteSnapshot", "SnapshotName")
    def delete_snapshot(self, params: Params) -> Result:
        with self._account.lock:
            snapshot = self._account.snapshot(params["SnapshotName"])
            if snapshot.status not in (AVAILABLE, FAILED):
                raise Refusal("InvalidSnapshotStateFault", f"Snapshot {snapshot.name} is {snapshot.status}.")
            shown = describe.snapshot(snapshot)
            del self._account.snapshots[snapshot.name]
            self._account.tags.pop(snapshot.arn, None)
            for file in snapshot.files.values():
                file.unlink(missing_ok=True)
            return {"Snapshot": {**shown, "Status": "deleting"}}
