# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""MemoryDB's API of snapshots, and one invocation for one. All raise PlanRefused and AnsibleAWSError."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import snapshots as snapshot_files
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots import snapshot as snapshots
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.snapshot import (
    Desired,
    Snapshot,
)


@aws_call("describe the snapshot {name}", none_on=("SnapshotNotFoundFault",))
def _describe(client: Any, name: str) -> Mapping[str, Any] | None:
    found = client.describe_snapshots(SnapshotName=name, ShowDetail=True)["Snapshots"]
    return found[0] if found else None


@aws_call("describe the snapshots")
def _describe_all(client: Any, **of: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_snapshots").paginate(ShowDetail=True, **of)
    return [one for page in pages for one in page["Snapshots"]]


def _shape(client: Any, told: Mapping[str, Any]) -> Snapshot:
    return snapshots.shape_memorydb(told, calls.read_tags(client, told["ARN"]))


def read_snapshot(client: Any, name: str) -> Snapshot | None:
    """With its tags; None where there is none."""
    told = _describe(client, name)
    return _shape(client, told) if told else None


def read_snapshots(client: Any, cluster: str) -> list[Snapshot]:
    """All, or those of one cluster."""
    of = {"ClusterName": cluster} if cluster else {}
    return [_shape(client, one) for one in _describe_all(client, **of)]


def make_present(client: snapshot_files.Client, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    memorydb = client("memorydb")
    return snapshot_files.make_present(
        snapshot_files.with_exports(lambda: read_snapshot(memorydb, desired.name), client, desired),
        lambda step: calls.act(memorydb, step),
        lambda there: snapshots.plan_present(there, desired),
        desired,
        check_mode,
    )


def make_absent(client: snapshot_files.Client, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    memorydb = client("memorydb")
    return snapshot_files.make_absent(
        lambda: read_snapshot(memorydb, desired.name), lambda step: calls.act(memorydb, step), desired, check_mode
    )
