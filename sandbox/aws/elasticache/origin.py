"""What a new group starts from: nothing, a snapshot, or RDB files in S3."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.catalogue import DISABLED, Version, default_version
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.snapshots import usable_snapshot
from sandbox.aws.wire import Params

OBJECT = re.compile(r"arn:aws[a-z-]*:s3:::([^/]+)/(.+)")


@dataclass(frozen=True)
class Origin:
    version: Version  # to start with
    snapshot_files: Sequence[Path] = ()
    objects: Sequence[tuple[str, str]] = ()  # bucket and key

    def refuse_into(self, cluster_mode: str) -> None:
        if cluster_mode == DISABLED and max(len(self.snapshot_files), len(self.objects)) > 1:
            raise rules.combination("Data of several node groups cannot be restored into a group without cluster mode.")

    @contextlib.contextmanager
    def files(self, context: Context) -> Iterator[list[Path]]:
        """The RDB files, of those in S3 a copy for as long as it is needed."""
        copies = []
        context.snapshots.mkdir(parents=True, exist_ok=True)
        try:
            for bucket, key in self.objects:
                copy = context.snapshots / f".{secrets.token_hex(8)}.rdb"
                copies.append(copy)
                context.vpc.download(bucket, key, copy)
            yield [*self.snapshot_files, *copies]
        finally:
            for copy in copies:
                copy.unlink(missing_ok=True)


def origin_of(context: Context, params: Params) -> Origin:
    if "SnapshotName" in params and "SnapshotArns" in params:
        raise rules.combination("Give SnapshotName or SnapshotArns, not both.")
    if "SnapshotName" in params:
        return _of_snapshot(context, params)
    engine = params.get("Engine", "redis")
    rules.engine(engine)
    version = rules.version(engine, params.get("EngineVersion", default_version(engine).label))
    objects = [_object(context, arn) for arn in params.get("SnapshotArns", [])]
    return Origin(version, objects=objects)


def _of_snapshot(context: Context, params: Params) -> Origin:
    """With the snapshot's own version, unless another is stated."""
    snapshot = usable_snapshot(context.account, params["SnapshotName"])
    engine = params.get("Engine", snapshot.version.engine)
    version = rules.version(engine, params.get("EngineVersion", snapshot.version.label))
    if version.number < snapshot.version.number:
        raise rules.combination(f"A snapshot of {snapshot.version.label} cannot be restored into {version.label}.")
    return Origin(version, [snapshot.files[shard] for shard in sorted(snapshot.files)])


def _object(context: Context, arn: str) -> tuple[str, str]:
    found = OBJECT.fullmatch(arn)
    if not found or "," in arn:
        raise rules.value(f"SnapshotArns: {arn!r} is not the ARN of an object in S3.")
    if not context.vpc.may_read(found[1], found[2]):
        raise rules.value(f"SnapshotArns: {arn} cannot be read; it must exist and let the service read it.")
    return found[1], found[2]
