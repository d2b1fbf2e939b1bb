"""Snapshots of serverless caches: real RDB files, made, copied, told, exported, deleted, restored from."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.elasticache.catalogue import Version
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.rules import combination, identifier, value
from sandbox.aws.elasticache.serverless import describe
from sandbox.aws.elasticache.serverless.fleet import Fleet
from sandbox.aws.elasticache.serverless.paging import page
from sandbox.aws.elasticache.serverless.state import MEMCACHED, ServerlessCache, ServerlessSnapshot
from sandbox.aws.elasticache.snapshots import FAILED, usable_snapshot
from sandbox.aws.elasticache.state import AVAILABLE, CREATING
from sandbox.aws.elasticache.tags import kind_and_name, tags_given
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal, Result, operation


def refuse_snapshot_of_memcached(version: Version) -> None:
    """AWS makes them; a memcached cannot write its data down."""
    if version.engine == MEMCACHED:
        raise Refusal(NO_SUCH_PARAMETER, "Snapshots of serverless caches of Memcached are not implemented here.")


class Snapshots:
    def __init__(self, context: Context, fleet: Fleet, client: Callable[[str], Any]) -> None:
        self._context, self._fleet, self._client = context, fleet, client
        self._account, self._work, self._all = context.account, context.work, context.account.serverless

    @operation(
        "CreateServerlessCacheSnapshot", "ServerlessCacheSnapshotName", "ServerlessCacheName", "KmsKeyId", "Tags"
    )
    def create_serverless_cache_snapshot(self, params: Params) -> Result:
        tags = tags_given(params)
        with self._account.lock:
            cache = self._all.cache(params["ServerlessCacheName"])
            refuse_snapshot_of_memcached(cache.version)
            name = self.new_name(params["ServerlessCacheSnapshotName"])
            require_available(cache)
            snapshot = self.enter(cache, name, self._key(params), tags)
            self._beside(lambda: self.write(cache, snapshot))  # the cache stays available
            return {"ServerlessCacheSnapshot": describe.snapshot(snapshot)}

    @operation(
        "CopyServerlessCacheSnapshot",
        *("SourceServerlessCacheSnapshotName", "TargetServerlessCacheSnapshotName", "KmsKeyId", "Tags"),
    )
    def copy_serverless_cache_snapshot(self, params: Params) -> Result:
        tags = tags_given(params)
        with self._account.lock:
            source = self._usable(params["SourceServerlessCacheSnapshotName"])
            name = self.new_name(params["TargetServerlessCacheSnapshotName"])
            copy = ServerlessSnapshot(name, source.cache, source.version, self._key(params), self._file(name))
            self._enter(copy, tags)

            def act() -> None:
                shutil.copyfile(source.file, copy.file)
                copy.status = AVAILABLE

            self._beside(act)
            return {"ServerlessCacheSnapshot": describe.snapshot(copy)}

    @operation(
        "DescribeServerlessCacheSnapshots",
        *("ServerlessCacheName", "ServerlessCacheSnapshotName", "SnapshotType", "MaxResults", "NextToken"),
    )
    def describe_serverless_cache_snapshots(self, params: Params) -> Result:
        with self._account.lock:
            if "ServerlessCacheSnapshotName" in params:
                found = [self._all.snapshot(params["ServerlessCacheSnapshotName"])]
            else:
                found = [snapshot for _, snapshot in sorted(self._all.snapshots.items())]
            of = params.get("ServerlessCacheName", "").lower()
            kinds = {"user": "manual", "system": "automated"}
            kind = kinds.get(params.get("SnapshotType", ""), params.get("SnapshotType", ""))
            told = [one for one in found if of in ("", one.cache) and kind in ("", one.kind)]
            return page([describe.snapshot(one) for one in told], params, "ServerlessCacheSnapshots")

    @operation("DeleteServerlessCacheSnapshot", "ServerlessCacheSnapshotName")
    def delete_serverless_cache_snapshot(self, params: Params) -> Result:
        with self._account.lock:
            snapshot = self._all.snapshot(params["ServerlessCacheSnapshotName"])
            if snapshot.status == CREATING:
                raise self._not_available(snapshot)
            shown = describe.snapshot(snapshot)
            del self._all.snapshots[snapshot.id]
            self._account.tags.pop(snapshot.arn, None)
            snapshot.file.unlink(missing_ok=True)
            return {"ServerlessCacheSnapshot": {**shown, "Status": "deleting"}}

    @operation("ExportServerlessCacheSnapshot", "ServerlessCacheSnapshotName", "S3BucketName")
    def export_serverless_cache_snapshot(self, params: Params) -> Result:
        with self._account.lock:
            snapshot = self._usable(params["ServerlessCacheSnapshotName"])
            try:
                self._client("s3").upload_file(str(snapshot.file), params["S3BucketName"], f"{snapshot.id}-0001.rdb")
            except ClientError as refused:
                raise value(f"S3BucketName {params['S3BucketName']}: {refused.response['Error']['Message']}")
            return {"ServerlessCacheSnapshot": describe.snapshot(snapshot)}

    # -- for the caches ------------------------------------------------------------------------------------------
    def new_name(self, stated: str) -> str:
        name = identifier(stated, "ServerlessCacheSnapshotName", 255)
        if name in self._all.snapshots:
            raise Refusal(
                "ServerlessCacheSnapshotAlreadyExistsFault", f"Serverless cache snapshot {name} already exists."
            )
        return name

    def enter(self, cache: ServerlessCache, name: str, key: str, tags: dict[str, str]) -> ServerlessSnapshot:
        """Into the account, still without its data."""
        snapshot = ServerlessSnapshot(name, cache.id, cache.version, key or cache.kms_key, self._file(name))
        self._enter(snapshot, tags)
        return snapshot

    def write(self, cache: ServerlessCache, snapshot: ServerlessSnapshot) -> None:
        try:
            self._fleet.dump(cache, snapshot.file)
        except Exception:
            snapshot.status = FAILED
            raise
        snapshot.status = AVAILABLE

    def seed_of(self, arns: Sequence[str], wanted: Version) -> Path | None:
        """The file that a new cache begins with: a serverless cache's snapshot, or that of a group of one shard."""
        if not arns:
            return None
        refuse_snapshot_of_memcached(wanted)
        if len(arns) > 1:
            raise Refusal(NO_SUCH_PARAMETER, "SnapshotArnsToRestore: this sandbox restores one snapshot alone.")
        kind, name = kind_and_name(arns[0])
        if kind == "serverlesscachesnapshot":
            serverless = self._usable(name)
            version, file = serverless.version, serverless.file
        elif kind == "snapshot":
            other = usable_snapshot(self._account, name)
            version, file = other.version, other.only_file
        else:
            raise value(f"SnapshotArnsToRestore: {arns[0]} is not the ARN of a snapshot.")
        if version.number > wanted.number:
            raise combination(f"A snapshot of {version.engine} {version.label} cannot be restored into {wanted.label}.")
        return file

    # ------------------------------------------------------------------------------------------------------------
    def _enter(self, snapshot: ServerlessSnapshot, tags: dict[str, str]) -> None:
        with self._account.lock:
            self._all.snapshots[snapshot.id] = snapshot
            self._account.tags[snapshot.arn] = dict(tags)

    def _file(self, name: str) -> Path:
        self._context.snapshots.mkdir(parents=True, exist_ok=True)
        return self._context.snapshots / f"serverless-{name}.rdb"

    def _beside(self, act: Callable[[], None]) -> None:
        """The cache stays available meanwhile."""

        def run() -> None:
            self._work.take_time()
            act()

        threading.Thread(target=run, daemon=True).start()

    def _key(self, params: Params) -> str:
        key: str = params.get("KmsKeyId", "")
        if key:
            self._context.vpc.require_key(key)
        return key

    def _usable(self, name: str) -> ServerlessSnapshot:
        snapshot = self._all.snapshot(name)
        if snapshot.status != AVAILABLE:
            raise self._not_available(snapshot)
        return snapshot

    @staticmethod
    def _not_available(snapshot: ServerlessSnapshot) -> Refusal:
        text = f"Serverless cache snapshot {snapshot.id} must be available; it is {snapshot.status}."
        return Refusal("InvalidServerlessCacheSnapshotStateFault", text)
