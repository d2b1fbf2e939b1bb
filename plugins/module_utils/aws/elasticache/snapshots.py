# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a snapshot of ElastiCache: its calls, and what its modules return.

All raise AnsibleAWSError; what acts raises PlanRefused too.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import acting
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import snapshots as snapshot_files
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.calls import read_tags
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots import snapshot as snapshots
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.kinds import (
    NODE_BASED,
    SERVERLESS,
    Kind,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.snapshot import (
    Desired,
    Snapshot,
)

_MISSING = ("SnapshotNotFoundFault", "ServerlessCacheSnapshotNotFoundFault")
_CODES = acting.Codes(
    # Of the cache, and of the snapshot.
    busy=(
        *("InvalidReplicationGroupState", "InvalidCacheClusterState", "InvalidServerlessCacheStateFault"),
        *("InvalidSnapshotState", "InvalidServerlessCacheSnapshotStateFault"),
    ),
    already_so={
        NODE_BASED.create: ("SnapshotAlreadyExistsFault",),
        SERVERLESS.create: ("ServerlessCacheSnapshotAlreadyExistsFault",),
        SERVERLESS.copy: ("ServerlessCacheSnapshotAlreadyExistsFault",),
        NODE_BASED.delete: _MISSING,
        SERVERLESS.delete: _MISSING,
    },
)


# --- reads ---


@aws_call("describe the snapshot {name}", none_on=_MISSING)
def _describe(client: Any, name: str) -> Mapping[str, Any] | None:
    found = client.describe_snapshots(SnapshotName=name)["Snapshots"]
    return found[0] if found else None


@aws_call("describe the serverless cache snapshot {name}", none_on=_MISSING)
def _describe_serverless(client: Any, name: str) -> Mapping[str, Any] | None:
    found = client.describe_serverless_cache_snapshots(ServerlessCacheSnapshotName=name)["ServerlessCacheSnapshots"]
    return found[0] if found else None


@aws_call("describe the snapshots")
def _describe_all(client: Any, **of: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_snapshots").paginate(**of)
    return [one for page in pages for one in page["Snapshots"]]


@aws_call("describe the serverless cache snapshots")
def _describe_all_serverless(client: Any, **of: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_serverless_cache_snapshots").paginate(**of)
    return [one for page in pages for one in page["ServerlessCacheSnapshots"]]


@aws_call("describe the replication group {name}", none_on=("ReplicationGroupNotFoundFault",))
def _describe_group(client: Any, name: str) -> Mapping[str, Any] | None:
    groups = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    return groups[0] if groups else None


def _tags(client: Any, told: Mapping[str, Any]) -> dict[str, str] | None:
    arn = told.get("ARN")
    return read_tags(client, arn) if arn else None


def read_snapshot(client: Any, kind: Kind, name: str) -> Snapshot | None:
    """With its tags; None where there is none."""
    told = _describe(client, name) if kind is NODE_BASED else _describe_serverless(client, name)
    return _shape(client, kind, told) if told else None


def read_snapshots(client: Any, kind: Kind, cache: Mapping[str, str]) -> list[Snapshot]:
    """All of a kind, or those of one cache by the option that names it."""
    of = {kind.parameters[option]: name for option, name in cache.items()}
    told = _describe_all(client, **of) if kind is NODE_BASED else _describe_all_serverless(client, **of)
    return [_shape(client, kind, one) for one in told]


def _shape(client: Any, kind: Kind, told: Mapping[str, Any]) -> Snapshot:
    tags = _tags(client, told)
    if kind is NODE_BASED:
        return snapshots.shape_node_based(told, tags)
    return snapshots.shape_serverless(told, tags, kind)


# --- acts ---


def make_present(client: snapshot_files.Client, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    elasticache = client("elasticache")
    read = snapshot_files.with_exports(lambda: read_snapshot(elasticache, desired.kind, desired.name), client, desired)

    def plan_for(there: Snapshot | None) -> Plan:
        is_new = there is None or there.is_going
        return snapshots.plan_present(there, desired, _node_to_copy(elasticache, desired) if is_new else "")

    return snapshot_files.make_present(read, lambda step: _act(elasticache, step), plan_for, desired, check_mode)


def _node_to_copy(client: Any, desired: Desired) -> str:
    group = desired.cache.get("replication_group_id")
    return snapshots.node_to_copy(_describe_group(client, group)) if group else ""


def make_absent(client: snapshot_files.Client, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    elasticache = client("elasticache")
    return snapshot_files.make_absent(
        lambda: read_snapshot(elasticache, desired.kind, desired.name),
        lambda step: _act(elasticache, step),
        desired,
        check_mode,
    )


def _act(client: Any, step: Step) -> acting.Outcome:
    return acting.act(client, step, _CODES)
