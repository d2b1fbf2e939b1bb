"""How many shards a group is asked to have, of how many nodes, in which zones and with which slots. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.aws import slots as hash_slots
from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.catalogue import COMPATIBLE, DISABLED, ENABLED, Version
from sandbox.aws.elasticache.parameters import CLUSTER_ENABLED, effective_values
from sandbox.aws.elasticache.state import ParameterGroup
from sandbox.aws.wire import Params, Refusal

MOST_SHARDS, MOST_NODES = 90, 90  # quotas of an account that has not asked for more
FIRST_SHARD = "0001"
ALL_SLOTS = f"0-{hash_slots.SLOTS - 1}"


@dataclass(frozen=True)
class NodeGroup:
    """One shard: zones of its nodes, the primary's first."""

    id: str
    zones: tuple[str, ...]
    slots: str = ""


def cluster_mode(params: Params) -> str:
    """What the call asks for. Several shards are cluster mode; a parameter group may ask for it too, see `agrees`."""
    shards = params.get("NumNodeGroups", len(params.get("NodeGroupConfiguration", ())) or 1)
    return str(params.get("ClusterMode", ENABLED if shards > 1 else ""))


def default_parameter_group(mode: str, version: Version) -> str:
    return f"default.{version.family}" + ("" if mode in ("", DISABLED) else ".cluster.on")


def agreed_mode(asked: str, group: ParameterGroup, version: Version) -> str:
    """The mode that the call and its parameter group make together."""
    is_on = effective_values(group).get(CLUSTER_ENABLED) == "yes"
    if asked == COMPATIBLE:
        raise rules.combination("A replication group is not made in cluster mode compatible: it is changed to it.")
    if asked == ENABLED and not is_on:
        raise rules.combination(f"Cluster mode enabled needs a parameter group with {CLUSTER_ENABLED} yes.")
    if asked == DISABLED and is_on:
        raise rules.combination(f"Cluster mode disabled needs a parameter group with {CLUSTER_ENABLED} no.")
    if is_on and not version.has_cluster_mode:
        raise rules.combination(f"Cluster mode is not supported by {version.engine} {version.full}.")
    return ENABLED if is_on else DISABLED


def node_groups(params: Params, mode: str, zones: Sequence[str]) -> list[NodeGroup]:
    """The shards, from what CreateReplicationGroup was told."""
    if "NumCacheClusters" in params and ("ReplicasPerNodeGroup" in params or params.get("NumNodeGroups", 1) > 1):
        raise rules.combination("Give NumCacheClusters, or NumNodeGroups with ReplicasPerNodeGroup, not both.")
    configured: list[dict[str, Any]] = params.get("NodeGroupConfiguration", [])
    count = params.get("NumNodeGroups", len(configured) or 1)
    if configured and len(configured) != count:
        raise rules.combination(f"NodeGroupConfiguration has {len(configured)} shards, and NumNodeGroups is {count}.")
    if mode == DISABLED and count != 1:
        raise rules.combination(f"Without cluster mode there is one node group, not {count}.")
    if not 1 <= count <= MOST_SHARDS:
        raise Refusal(
            "NodeGroupsPerReplicationGroupQuotaExceeded", f"A group has 1 to {MOST_SHARDS} node groups, not {count}."
        )
    found = _configured(configured, params, zones) if configured else _counted(params, count, zones)
    if sum(len(group.zones) for group in found) > MOST_NODES:
        raise Refusal("NodeQuotaForClusterExceeded", f"A cluster has at most {MOST_NODES} nodes.")
    return with_slots(found) if mode == ENABLED else found


def _counted(params: Params, count: int, zones: Sequence[str]) -> list[NodeGroup]:
    nodes: int = params.get("NumCacheClusters", params.get("ReplicasPerNodeGroup", 0) + 1)
    rules.node_count(nodes)
    named: list[str] = params.get("PreferredCacheClusterAZs", [])
    if named and count > 1:
        raise rules.combination("With several node groups, zones are stated in NodeGroupConfiguration.")
    rules.zones(named, params.get("NumCacheClusters"), zones)
    return [
        NodeGroup(shard, tuple(named) or spread(zones, nodes, begin)) for begin, shard in enumerate(shard_ids(count))
    ]


def _configured(configured: Sequence[dict[str, Any]], params: Params, zones: Sequence[str]) -> list[NodeGroup]:
    if "PreferredCacheClusterAZs" in params:
        raise rules.combination("Give PreferredCacheClusterAZs or NodeGroupConfiguration, not both.")
    ids = [str(one.get("NodeGroupId", shard)).zfill(4) for one, shard in zip(configured, shard_ids(len(configured)))]
    if len(set(ids)) != len(ids) or not all(name.isdigit() for name in ids):
        raise rules.value("Each NodeGroupId is a number of its own, of up to four digits.")
    found = []
    for begin, (name, one) in enumerate(zip(ids, configured)):
        followers: list[str] = one.get("ReplicaAvailabilityZones", [])
        among = len(followers) or params.get("ReplicasPerNodeGroup", 0)
        replicas = one.get("ReplicaCount", among)
        rules.node_count(replicas + 1)
        if followers and len(followers) != replicas:
            raise rules.value(f"ReplicaAvailabilityZones of {name} must have {replicas} zones, not {len(followers)}.")
        first = one.get("PrimaryAvailabilityZone")
        picked = spread(zones, replicas + 1, begin)
        named = (first or picked[0], *(followers or picked[1:]))
        rules.known_zones(named, zones)
        found.append(NodeGroup(name, named, one.get("Slots", "")))
    return sorted(found, key=lambda group: group.id)


def with_slots(groups: Sequence[NodeGroup]) -> list[NodeGroup]:
    """All slots, each in one shard: as stated, or else evenly."""
    if not any(group.slots for group in groups):
        layout = {shard: hash_slots.as_text(found) for shard, found in hash_slots.even([g.id for g in groups]).items()}
        return [NodeGroup(group.id, group.zones, layout[group.id]) for group in groups]
    try:
        stated = [slot for group in groups for slot in hash_slots.of_text(group.slots)]
    except ValueError as fault:
        raise rules.value(f"Slots: {fault}.") from None
    if sorted(stated) != list(range(hash_slots.SLOTS)):
        raise rules.value(f"The Slots of all node groups must be 0 to {hash_slots.SLOTS - 1}, each of them once.")
    return [NodeGroup(group.id, group.zones, hash_slots.as_text(hash_slots.of_text(group.slots))) for group in groups]


def spread(zones: Sequence[str], nodes: int, begin: int = 0) -> tuple[str, ...]:
    """One zone after the other, so that a shard's nodes are apart."""
    return tuple(zones[(begin + number) % len(zones)] for number in range(nodes))


def shard_ids(count: int, taken: Iterable[str] = ()) -> list[str]:
    """The next ones after the highest that there is, as AWS numbers them."""
    last = max((int(name) for name in taken), default=0)
    return [f"{number:04}" for number in range(last + 1, last + count + 1)]


def member_name(group: str, shard: str, number: int, with_shard: bool) -> str:
    return f"{group}-{shard}-{number:03}" if with_shard else f"{group}-{number:03}"
