"""IncreaseReplicaCount, DecreaseReplicaCount."""

from __future__ import annotations

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import MODIFYING, Member, ReplicationGroup
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Refusal, Result, operation


class Replicas:
    def __init__(self, context: Context) -> None:
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation("IncreaseReplicaCount", "ReplicationGroupId", "NewReplicaCount", "ApplyImmediately")
    def increase_replica_count(self, params: Params) -> Result:
        with self._account.lock:
            group, wanted = self._checked(params)
            rules.replica_count(wanted)
            if wanted < len(group.replicas):
                raise rules.value(f"{group.id} has {len(group.replicas)} replicas already: {wanted} would be fewer.")
            zones = self._account.subnet_group(group.subnet_group).zones
            added = new_members(group, wanted - len(group.replicas), zones)
            group.members.extend(added)
            for member in added:
                self._account.tags[member.arn] = dict(self._account.tags.get(group.arn, {}))
            self._work.begin(group, MODIFYING, lambda: self._start(group, added))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _start(self, group: ReplicationGroup, added: list[Member]) -> None:
        for member in added:
            self._fleet.start_replica(group, member)
        self._fleet.publish(group)

    @operation("DecreaseReplicaCount", "ReplicationGroupId", "NewReplicaCount", "ReplicasToRemove", "ApplyImmediately")
    def decrease_replica_count(self, params: Params) -> Result:
        with self._account.lock:
            named = params.get("ReplicasToRemove", [])
            if named and "NewReplicaCount" in params:
                raise rules.combination("Give NewReplicaCount or ReplicasToRemove, not both.")
            if named:
                group = self._account.replication_group(params["ReplicationGroupId"])
                params = {**params, "NewReplicaCount": len(group.replicas) - len(set(named))}
            group, wanted = self._checked(params)
            if wanted > len(group.replicas):
                raise rules.value(f"{group.id} has {len(group.replicas)} replicas: {wanted} would be more.")
            if wanted < 0:
                raise rules.value(f"NewReplicaCount must not be negative, and is {wanted}.")
            if wanted == 0 and (group.failover or group.multi_az):
                raise rules.combination("Automatic failover and Multi-AZ need a replica: disable them first.")
            gone = chosen(group, named, wanted)
            self._work.begin(group, MODIFYING, lambda: self._stop(group, gone))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _stop(self, group: ReplicationGroup, gone: list[Member]) -> None:
        for member in gone:
            self._fleet.stop_member(group, member)
            with self._account.lock:
                group.members.remove(member)
                self._account.tags.pop(member.arn, None)
        if group.snapshotting_member in [member.name for member in gone]:
            group.snapshotting_member = group.members[-1].name
        self._fleet.publish(group)

    def _checked(self, params: Params) -> tuple[ReplicationGroup, int]:
        group = self._account.replication_group(params["ReplicationGroupId"])
        require_available(group)
        if not params["ApplyImmediately"]:
            raise rules.value("ApplyImmediately must be true: a replica count cannot wait for the window.")
        if "NewReplicaCount" not in params:
            raise rules.combination("NewReplicaCount must be given where cluster mode is disabled.")
        wanted: int = params["NewReplicaCount"]
        if wanted == len(group.replicas):
            raise Refusal("NoOperationFault", f"{group.id} has {wanted} replicas already.")
        return group, wanted


def new_members(group: ReplicationGroup, count: int, zones: list[str]) -> list[Member]:
    """The lowest numbers that are free, spread over the zones that have fewest nodes."""
    members = list(group.members)
    for _ in range(count):
        taken = {member.name for member in members}
        name = next(f"{group.id}-{n:03}" for n in range(1, 100) if f"{group.id}-{n:03}" not in taken)
        zone = min(zones, key=lambda z: ([m.zone for m in members].count(z), z))
        members.append(Member(name, zone))
    return members[len(group.members) :]


def chosen(group: ReplicationGroup, named: list[str], wanted: int) -> list[Member]:
    """The replicas to go: those named, else the last ones; never the primary."""
    if not named:
        return group.replicas[wanted:]
    replicas = {member.name: member for member in group.replicas}
    unknown = sorted(set(named) - set(replicas))
    if unknown:
        raise rules.value(f"{', '.join(unknown)} is no replica of {group.id}.")
    return [replicas[name] for name in dict.fromkeys(named)]
