# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is stated of a replication group and is not so, nor queued to become so. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import upgrade
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    QUEUED_OPTIONS,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import nodes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    engine_of,
    label,
    same_version,
)

# Compared otherwise, or by a step of its own.
_APART = ("replication_group_id", "tags", "user_group_ids")


def differences(current: ReplicationGroup, desired: Desired) -> dict[str, Any]:
    """Stated options that are not so, with what they are to be; left out is what is queued for the window."""
    found: dict[str, Any] = {}
    for item in fields(current):
        wanted = getattr(desired, item.name, None)
        if wanted is None or item.name in _APART:
            continue
        queued = not desired.apply_immediately and is_queued(item.name, current.pending, desired)
        if _is_so(item.name, current, wanted) or queued:
            continue
        found[item.name] = wanted
    if not (current.notification_topic_arn or desired.notification_topic_arn):
        found.pop("notification_topic_status", None)  # without a topic there is nobody to tell
    found = _with_its_engine(current, found)
    return {**found, **upgrade.group_of_its_family(current, desired, found), **_of_nodes(current, desired)}


def _of_nodes(current: ReplicationGroup, desired: Desired) -> dict[str, Any]:
    """By the options that state them."""
    after = desired.layout.after(current.shards)
    found: dict[str, Any] = {}
    if len(after) != len(current.shards):
        found["num_node_groups"] = len(after)
    stated = desired.num_cache_clusters
    if stated is not None and current.cluster_enabled and stated != current.num_cache_clusters:
        return {**found, "num_cache_clusters": stated}  # which counts no nodes there, so that it is refused
    counts = [shard.replica_count for shard in after]
    if counts == [shard.replica_count for shard in current.shards]:
        return found
    option = desired.replicas_option
    if option == "num_cache_clusters":
        return {**found, option: nodes(after)}
    if option == "node_group_configuration":
        return {**found, option: [shard.as_option() for shard in after]}
    is_other = any(shard.replica_count != desired.layout.replicas for shard in current.shards)
    stated = desired.layout.replicas is not None and is_other
    return {**found, **({option: desired.layout.replicas} if stated else {})}


def _with_its_engine(current: ReplicationGroup, values: dict[str, Any]) -> dict[str, Any]:
    """A version that is stated beside a queued move to another engine says of which engine it is."""
    if "engine_version" not in values or "engine" not in current.pending:
        return values
    return {**values, "engine": engine_of(values["engine_version"])}


def _is_so(option: str, current: ReplicationGroup, wanted: Any) -> bool:
    if option == "engine_version":
        return same_version(current.engine_version, wanted)
    if option == "at_rest_encryption_enabled":
        return current.is_encrypted_at_rest if wanted else not current.at_rest_encryption_enabled
    if option == "kms_key_id":
        return bool(current.kms_key_id == wanted or current.kms_key_id.endswith(f"/{wanted}"))
    return bool(getattr(current, option) == wanted)


def is_queued(option: str, pending: Mapping[str, Any], desired: Desired) -> bool:
    """Two that AWS does not show are queued by the call that queues what they belong to."""
    if option == "multi_az_enabled":
        return pending.get("automatic_failover_enabled") is desired.multi_az_enabled
    if option == "cache_parameter_group_name":
        option = "engine_version"
    wanted = getattr(desired, option)
    if option not in pending or wanted is None:
        return False
    if option == "engine_version":
        return same_version(pending[option], wanted)
    return bool(pending[option] == wanted)


def with_overrides(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, and what is stated against something queued that this call would flush."""
    against = {name: getattr(desired, name) for name in _queued_otherwise(current, desired)}
    if "engine" in against:
        against.setdefault("engine_version", label(current.engine_version))
    return {**_with_its_engine(current, against), **changes}


def _queued_otherwise(group: ReplicationGroup, desired: Desired) -> list[str]:
    return [
        name
        for name in QUEUED_OPTIONS
        if name in group.pending and getattr(desired, name) is not None and not is_queued(name, group.pending, desired)
    ]


def queued_against(group: ReplicationGroup, desired: Desired) -> list[str]:
    """Sentences on what the maintenance window will change although it is stated otherwise."""
    return [
        f"{name} of {group.replication_group_id} is stated as {getattr(desired, name)}, but {group.pending[name]} is "
        "queued and comes with its maintenance window"
        for name in _queued_otherwise(group, desired)
    ]
