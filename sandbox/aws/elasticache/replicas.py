"""IncreaseReplicaCount, DecreaseReplicaCount: of every shard, or shard by shard."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.catalogue import COMPATIBLE, DISABLED, ENABLED
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.shape import member_name
from sandbox.aws.elasticache.state import MODIFYING, Account, Member, ReplicationGroup
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Refusal, Result, operation

Counts = dict[str, int]  # shard → replicas


class Replicas:
    def __init__(self, context: Context) -> None:
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation(
        "IncreaseReplicaCount", "ReplicationGroupId", "NewReplicaCount", "ReplicaConfiguration", "ApplyImmediately"
    )
    def increase_replica_count(self, params: Params) -> Result:
        with self._account.lock:
            group = self._available(params)
            wanted, zones = self._wanted(group, params), self._account.subnet_group(group.subnet_group).zones
            named = {
                one["NodeGroupId"].zfill(4): zones_of(one, zones) for one in params.get("ReplicaConfiguration", [])
            }
            added: list[Member] = []
            for shard, count in wanted.items():
                rules.replica_count(count)
                has = len(group.replicas_of(shard))
                if count < has:
                    raise rules.value(f"{group.id} has {has} replicas already: {count} would be fewer.")
                added += new_members(group, shard, count - has, named.get(shard) or zones)
            enter(self._account, group, added)
            self._work.begin(group, MODIFYING, lambda: self._start(group, added))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _start(self, group: ReplicationGroup, added: list[Member]) -> None:
        for member in added:
            self._fleet.of(group).start_replica(group, member)
        self._fleet.of(group).publish(group)

    @operation(
        "DecreaseReplicaCount",
        *("ReplicationGroupId", "NewReplicaCount", "ReplicaConfiguration", "ReplicasToRemove", "ApplyImmediately"),
    )
    def decrease_replica_count(self, params: Params) -> Result:
        with self._account.lock:
            named = params.get("ReplicasToRemove", [])
            if named and ("NewReplicaCount" in params or "ReplicaConfiguration" in params):
                raise rules.combination("Give NewReplicaCount or ReplicasToRemove, not both.")
            group = self._available(params)
            gone = chosen(group, named) if named else self._superfluous(group, params)
            left = [len([m for m in group.replicas_of(shard) if m not in gone]) for shard in group.shards]
            # In cluster mode automatic failover is on, whether there are replicas or not.
            if 0 in left and (group.multi_az or (group.failover and group.cluster_mode == DISABLED)):
                raise rules.combination("Automatic failover and Multi-AZ need a replica: disable them first.")
            if 0 in left and group.features.durability:
                raise rules.combination("Durability needs a replica in each node group: disable it first.")
            self._work.begin(group, MODIFYING, lambda: self._stop(group, gone))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _superfluous(self, group: ReplicationGroup, params: Params) -> list[Member]:
        gone: list[Member] = []
        for shard, count in self._wanted(group, params).items():
            has = len(group.replicas_of(shard))
            if count > has:
                raise rules.value(f"{group.id} has {has} replicas: {count} would be more.")
            if count < 0:
                raise rules.value(f"NewReplicaCount must not be negative, and is {count}.")
            gone += group.replicas_of(shard)[count:]
        return gone

    def _stop(self, group: ReplicationGroup, gone: list[Member]) -> None:
        for member in gone:
            self._fleet.of(group).stop_member(group, member)
            with self._account.lock:
                group.members.remove(member)
                self._account.tags.pop(member.arn, None)
        if group.snapshotting_member in [member.name for member in gone]:
            group.snapshotting_member = group.members[-1].name
        self._fleet.of(group).publish(group)

    def _available(self, params: Params) -> ReplicationGroup:
        group = self._account.replication_group(params["ReplicationGroupId"])
        require_available(group)
        refuse_in_compatible(group)
        if not params["ApplyImmediately"]:
            raise rules.value("ApplyImmediately must be true: a replica count cannot wait for the window.")
        return group

    def _wanted(self, group: ReplicationGroup, params: Params) -> Counts:
        configured: Counts = {
            one["NodeGroupId"].zfill(4): one["NewReplicaCount"] for one in params.get("ReplicaConfiguration", [])
        }
        if ("NewReplicaCount" in params) == bool(configured):
            raise rules.combination("Give NewReplicaCount or ReplicaConfiguration.")
        unknown = sorted(set(configured) - set(group.shards))
        if unknown:
            raise rules.value(f"{', '.join(unknown)} is no node group of {group.id}.")
        wanted = configured or dict.fromkeys(group.shards, int(params.get("NewReplicaCount") or 0))
        if all(count == len(group.replicas_of(shard)) for shard, count in wanted.items()):
            raise Refusal("NoOperationFault", f"{group.id} has these replicas already.")
        return wanted


def refuse_in_compatible(group: ReplicationGroup) -> None:
    if group.cluster_mode == COMPATIBLE:
        raise rules.combination("In cluster mode compatible a group cannot be scaled: complete the change first.")


def zones_of(configured: Params, offered: Sequence[str]) -> list[str]:
    """Those stated for a shard, which are of all its nodes."""
    zones: list[str] = configured.get("PreferredAvailabilityZones", [])
    rules.known_zones(zones, offered)
    if zones and len(zones) != configured["NewReplicaCount"] + 1:
        raise rules.value("PreferredAvailabilityZones must have one for each node, the primary's too.")
    return zones


def enter(account: Account, group: ReplicationGroup, added: Sequence[Member]) -> None:
    """New members of a group, with its tags."""
    group.members.extend(added)
    for member in added:
        account.tags[member.arn] = dict(account.tags.get(group.arn, {}))


def new_members(group: ReplicationGroup, shard: str, count: int, zones: Sequence[str]) -> list[Member]:
    """The lowest numbers that are free, each in the zone that the shard lacks most.

    A zone may be there more than once, as where one is stated for each node.
    """
    has_shard_names = group.cluster_mode == ENABLED and not plain_names(group, shard)
    taken = {member.name for member in group.members}
    added: list[Member] = []
    for _ in range(count):
        names = (member_name(group.id, shard, n, has_shard_names) for n in range(1, 100))
        name = next(name for name in names if name not in taken)
        there = [member.zone for member in [*group.of_shard(shard), *added]]
        zone = min(zones, key=lambda z: (there.count(z) / zones.count(z), z))
        taken.add(name)
        added.append(Member(name, zone, shard))
    return added


def plain_names(group: ReplicationGroup, shard: str) -> bool:
    """Whether its nodes are called as before the group got cluster mode: names stay."""
    return any(member.name.count("-") == group.id.count("-") + 1 for member in group.of_shard(shard))


def chosen(group: ReplicationGroup, named: Sequence[str]) -> list[Member]:
    """The replicas to go, never a primary."""
    replicas = {member.name: member for shard in group.shards for member in group.replicas_of(shard)}
    unknown = sorted(set(named) - set(replicas))
    if unknown:
        raise rules.value(f"{', '.join(unknown)} is no replica of {group.id}.")
    return [replicas[name] for name in dict.fromkeys(named)]
