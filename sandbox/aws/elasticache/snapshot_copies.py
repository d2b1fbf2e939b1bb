"""CopySnapshot: to another snapshot, or out to a bucket of S3."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.elasticache import bucket_policy, describe, rules
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.snapshots import refuse_taken_name, usable_snapshot
from sandbox.aws.elasticache.state import AVAILABLE, REGION, Snapshot
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.wire import Params, Result, operation

EXPORTING = "exporting"
NEEDED = ("s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject")


class SnapshotCopies:
    def __init__(self, context: Context, client: Callable[[str], Any]) -> None:
        self._context, self._account, self._client = context, context.account, client

    @operation("CopySnapshot", "SourceSnapshotName", "TargetSnapshotName", "TargetBucket", "KmsKeyId", "Tags")
    def copy_snapshot(self, params: Params) -> Result:
        tags = tags_given(params)
        with self._account.lock:
            source = usable_snapshot(self._account, params["SourceSnapshotName"].lower())
            if params.get("TargetBucket"):
                return self._export(source, params)
            return self._copy(source, params, tags)

    def _copy(self, source: Snapshot, params: Params, tags: dict[str, str]) -> Result:
        name = params["TargetSnapshotName"].lower()
        refuse_taken_name(self._account, name)
        key = params.get("KmsKeyId", "")
        if key:
            self._context.vpc.require_key(key)
        of = {**{k: v for k, v in source.of.items() if k != "KmsKeyId"}, **({"KmsKeyId": key} if key else {})}
        files = {shard: self._context.snapshots / f"{name}-{shard}.rdb" for shard in source.files}
        copy = Snapshot(name, "manual", of, source.version, files, dict(source.slots), dict(source.zones))
        self._account.snapshots[name] = copy
        self._account.tags[copy.arn] = tags

        def act() -> None:
            for shard, file in source.files.items():
                shutil.copyfile(file, files[shard])
            copy.status = AVAILABLE

        self._beside(act)
        return {"Snapshot": describe.snapshot(copy)}

    def _export(self, source: Snapshot, params: Params) -> Result:
        bucket, name = params["TargetBucket"], params["TargetSnapshotName"]
        if "KmsKeyId" in params or params.get("Tags"):
            raise rules.combination("KmsKeyId and Tags are of a copy; an export has neither.")
        files = {f"{name}-{number:04}.rdb": file for number, file in enumerate(files_of(source), 1)}
        self._refuse_bucket(bucket, list(files))
        source.status = EXPORTING

        def act() -> None:
            try:
                for key, file in files.items():
                    self._client("s3").upload_file(str(file), bucket, key)
            finally:
                source.status = AVAILABLE

        self._beside(act)
        return {"Snapshot": describe.snapshot(source)}

    def _refuse_bucket(self, bucket: str, keys: list[str]) -> None:
        """In AWS's words, as its model tells them of CopySnapshot."""
        s3 = self._client("s3")
        try:
            place = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
        except ClientError:
            raise rules.value(f"The S3 bucket {bucket} does not exist.")
        if place != REGION:
            raise rules.value(f"The S3 bucket {bucket} is outside of the region.")
        lacking = bucket_policy.lacking(s3, bucket, NEEDED)
        if lacking:
            raise rules.value(
                f"ElastiCache has not been granted {', '.join(lacking)} permissions on the S3 Bucket {bucket}."
            )
        there = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []) if one["Key"] in keys]
        if there:
            raise rules.value(f"The S3 bucket {bucket} already contains an object with key {there[0]}.")

    def _beside(self, act: Callable[[], None]) -> None:
        """The cache stays available meanwhile."""

        def run() -> None:
            self._context.work.take_time()
            act()

        threading.Thread(target=run, daemon=True).start()


def files_of(snapshot: Snapshot) -> list[Path]:
    """One for each shard."""
    return [snapshot.files[shard] for shard in sorted(snapshot.files)]
