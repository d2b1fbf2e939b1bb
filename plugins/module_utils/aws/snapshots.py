# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a snapshot, of whichever service. All raise PlanRefused and AnsibleAWSError."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import converging
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.converging import Access, Wanted
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots import snapshot as snapshots
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.snapshot import (
    Desired,
    Snapshot,
)

Client = Callable[[str], Any]  # makes one of a service
Read = Callable[[], "Snapshot | None"]
Act = Callable[[Step], Outcome]


@aws_call("list the objects of the bucket {bucket}")
def _list_keys(client: Any, bucket: str, prefix: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents") or ()]


def with_exports(read: Read, client: Client, desired: Desired) -> Read:
    """A read that tells what of the snapshot is in the bucket too, where one is stated."""

    def read_both() -> Snapshot | None:
        there = read()
        if there is None or not desired.bucket:
            return there
        keys = _list_keys(client("s3"), desired.bucket, desired.exported_name)
        return replace(there, exported=tuple(sorted(key for key in keys if desired.is_export(key))))

    return read_both


def make_present(
    read: Read, act: Act, plan_for: Callable[[Snapshot | None], Plan], desired: Desired, check_mode: bool
) -> dict[str, Any]:
    """The module's result."""
    wanted = Wanted(
        plan_for,
        lambda there: snapshots.predict(there, desired),
        lambda there: snapshots.refuse_unusable(there, desired),
    )
    course = converging.present(Access(desired.name, read, act), wanted, check_mode)
    return {**course.result(), "snapshot": course.shown.facts()}


def make_absent(read: Read, act: Act, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    access = Access(desired.name, read, act)
    return converging.absent(
        access, lambda there: snapshots.plan_absent(there, desired), desired.migration_name, check_mode
    )


def facts(snapshot: Snapshot, migration_name: str | None) -> dict[str, Any]:
    """What an info module tells of one."""
    told = snapshot.facts()
    del told["exported"]  # nobody asked a bucket
    return {**told, "ours": ownership.ours_or_unknown(snapshot.tags, migration_name)}
