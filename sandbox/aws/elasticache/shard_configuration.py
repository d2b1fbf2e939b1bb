"""ModifyReplicationGroupShardConfiguration: more shards, or fewer, while the group serves."""

from __future__ import annotations

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.catalogue import ENABLED
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.replicas import enter
from sandbox.aws.elasticache.shape import MOST_NODES, MOST_SHARDS, member_name, shard_ids, spread
from sandbox.aws.elasticache.state import MODIFYING, Member, ReplicationGroup
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Refusal, Result, operation


class ShardConfiguration:
    def __init__(self, context: Context) -> None:
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation(
        "ModifyReplicationGroupShardConfiguration",
        *("ReplicationGroupId", "NodeGroupCount", "ApplyImmediately", "ReshardingConfiguration"),
        *("NodeGroupsToRemove", "NodeGroupsToRetain"),
    )
    def modify_replication_group_shard_configuration(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.replication_group(params["ReplicationGroupId"])
            require_available(group)
            if group.cluster_mode != ENABLED:
                raise rules.combination(f"{group.id} has no cluster mode: its one node group stays.")
            if not params["ApplyImmediately"]:
                raise rules.value("ApplyImmediately must be true: shards cannot wait for the window.")
            count, has = params["NodeGroupCount"], len(group.shards)
            if count == has:
                raise rules.combination(f"{group.id} has {has} node groups already.")
            if count > has:
                self._increase(group, count, params)
            else:
                self._decrease(group, count, params)
            return {"ReplicationGroup": describe.replication_group(group)}

    def _increase(self, group: ReplicationGroup, count: int, params: Params) -> None:
        if "NodeGroupsToRemove" in params or "NodeGroupsToRetain" in params:
            raise rules.combination("NodeGroupsToRemove and NodeGroupsToRetain are for fewer node groups.")
        nodes = len(group.of_shard(group.shards[0]))
        if count > MOST_SHARDS:
            raise Refusal("NodeGroupsPerReplicationGroupQuotaExceeded", f"A group has at most {MOST_SHARDS} shards.")
        if count * nodes > MOST_NODES:
            raise Refusal("NodeQuotaForCustomerExceeded", f"A cluster has at most {MOST_NODES} nodes.")
        shards = shard_ids(count - len(group.shards), group.shards)
        zones = self._zones(group, shards, nodes, params)
        added = [
            Member(member_name(group.id, shard, number, True), zone, shard)
            for shard in shards
            for number, zone in enumerate(zones[shard], 1)
        ]
        enter(self._account, group, added)
        for shard in shards:
            group.primaries[shard] = member_name(group.id, shard, 1, True)
        self._work.begin(group, MODIFYING, lambda: self._fleet.clustered.add_shards(group, shards))

    def _zones(
        self, group: ReplicationGroup, shards: list[str], nodes: int, params: Params
    ) -> dict[str, tuple[str, ...]]:
        offered = self._account.subnet_group(group.subnet_group).zones
        stated = params.get("ReshardingConfiguration", [])
        if stated and len(stated) not in (len(shards), len(shards) + len(group.shards)):
            raise rules.combination("ReshardingConfiguration must have one entry for each node group that is new.")
        found = {shard: spread(offered, nodes, number) for number, shard in enumerate(shards)}
        for one, shard in zip(stated[-len(shards) :], shards):
            zones = tuple(one.get("PreferredAvailabilityZones", ()))
            rules.known_zones(zones, offered)
            if zones and len(zones) != nodes:
                raise rules.value(f"PreferredAvailabilityZones must have one for each of the {nodes} nodes of a shard.")
            found[str(one.get("NodeGroupId", shard)).zfill(4) if stated else shard] = zones or found[shard]
        return found

    def _decrease(self, group: ReplicationGroup, count: int, params: Params) -> None:
        gone, stay = params.get("NodeGroupsToRemove", []), params.get("NodeGroupsToRetain", [])
        if "ReshardingConfiguration" in params:
            raise rules.combination("ReshardingConfiguration is for more node groups.")
        if bool(gone) == bool(stay):
            raise rules.combination("For fewer node groups, give either NodeGroupsToRemove or NodeGroupsToRetain.")
        if count < 1:
            raise rules.value(f"NodeGroupCount must be at least 1, not {count}.")
        unknown = sorted(set(gone or stay) - set(group.shards))
        if unknown:
            raise Refusal("InvalidParameterValue", f"{', '.join(unknown)} is no node group of {group.id}.")
        leaving = sorted(set(gone)) if gone else sorted(set(group.shards) - set(stay))
        if len(group.shards) - len(leaving) != count:
            raise rules.combination(f"The node groups named leave {len(group.shards) - len(leaving)}, not {count}.")
        self._work.begin(group, MODIFYING, lambda: self._remove(group, leaving))

    def _remove(self, group: ReplicationGroup, shards: list[str]) -> None:
        arns = [member.arn for shard in shards for member in group.of_shard(shard)]
        self._fleet.clustered.remove_shards(group, shards)
        with self._account.lock:
            for arn in arns:
                self._account.tags.pop(arn, None)
