# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The calls that change the shards of a replication group, and their replicas. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import (
    Shard,
    nodes,
)


def shard_steps(name: str, current: Sequence[Shard], after: Sequence[Shard]) -> list[Step]:
    """More shards, or fewer: those that go are named, the highest ids first."""
    if len(after) == len(current):
        return []
    parameters: dict[str, Any] = {"ReplicationGroupId": name, "NodeGroupCount": len(after), "ApplyImmediately": True}
    reason = f"num_node_groups: {len(current)} -> {len(after)}"
    if len(after) > len(current):
        return [Step("ModifyReplicationGroupShardConfiguration", parameters, f"{reason}; slots move while it serves")]
    kept = {shard.node_group_id for shard in after}
    gone = sorted((shard.node_group_id for shard in current if shard.node_group_id not in kept), reverse=True)
    return [
        Step(
            "ModifyReplicationGroupShardConfiguration",
            {**parameters, "NodeGroupsToRemove": gone},
            f"{reason}; {', '.join(gone)} go, and their slots move to the others",
            disruptive=True,
        )
    ]


def more_replicas(name: str, current: Sequence[Shard], after: Sequence[Shard], option: str) -> list[Step]:
    grown = [(is_now, will) for is_now, will in _pairs(current, after) if will.replica_count > is_now.replica_count]
    return _replica_steps("IncreaseReplicaCount", name, grown, len(after), _reason(option, current, after))


def fewer_replicas(name: str, current: Sequence[Shard], after: Sequence[Shard], option: str) -> list[Step]:
    shrunk = [(is_now, will) for is_now, will in _pairs(current, after) if will.replica_count < is_now.replica_count]
    named = [node for is_now, will in shrunk for node in _to_remove(is_now, will)]
    if named:
        parameters = {"ReplicationGroupId": name, "ReplicasToRemove": named, "ApplyImmediately": True}
        return [Step("DecreaseReplicaCount", parameters, f"{option}: {', '.join(named)} go", disruptive=True)]
    return _replica_steps("DecreaseReplicaCount", name, shrunk, len(after), _reason(option, current, after))


def _pairs(current: Sequence[Shard], after: Sequence[Shard]) -> list[tuple[Shard, Shard]]:
    """The shards that stay, as they are and as they will be, and those that come, as AWS makes them."""
    there = {shard.node_group_id: shard for shard in current}
    fewest = Shard(replica_count=min((shard.replica_count for shard in current), default=0))
    return [(there.get(shard.node_group_id, fewest), shard) for shard in after]


def _replica_steps(
    action: str, name: str, changed: Sequence[tuple[Shard, Shard]], shards: int, reason: str
) -> list[Step]:
    """One call: a count for all shards, or one for each that is named."""
    if not changed:
        return []
    parameters: dict[str, Any] = {"ReplicationGroupId": name}
    counts = {will.replica_count for _is_now, will in changed}
    placed = [will for _is_now, will in changed if will.zones and action == "IncreaseReplicaCount"]
    if len(changed) == shards and len(counts) == 1 and not placed:
        parameters["NewReplicaCount"] = counts.pop()
    else:
        # A shard that has no id yet is for the next look, as only AWS names it.
        named = [will for is_now, will in changed if is_now.node_group_id]
        parameters["ReplicaConfiguration"] = [_configured(will, will in placed) for will in named]
        if not named:
            return []
    parameters["ApplyImmediately"] = True
    return [Step(action, parameters, reason, disruptive=action == "DecreaseReplicaCount")]


def _configured(shard: Shard, is_placed: bool) -> dict[str, Any]:
    zones = {"PreferredAvailabilityZones": list(shard.zones)} if is_placed else {}
    return {"NodeGroupId": shard.node_group_id, "NewReplicaCount": shard.replica_count, **zones}


def _to_remove(is_now: Shard, will: Shard) -> list[str]:
    """The replicas in the zones that are not stated any more; empty where AWS may choose."""
    if not (will.zones and is_now.zones and is_now.replicas):
        return []
    surplus, gone = Counter(is_now.zones) - Counter(will.zones), []
    for name, zone in sorted(is_now.replicas, reverse=True):
        if surplus[zone] > 0:
            surplus[zone] -= 1
            gone.append(name)
    return gone


def _reason(option: str, current: Sequence[Shard], after: Sequence[Shard]) -> str:
    if option == "num_cache_clusters":
        return f"{option}: {nodes(current)} -> {nodes(after)}"
    return f"{option}: {_counts(current)} -> {_counts(after)}"


def _counts(shards: Sequence[Shard]) -> str:
    counts = [shard.replica_count for shard in shards]
    return str(counts[0]) if len(set(counts)) == 1 else ", ".join(map(str, counts)) or "none"
