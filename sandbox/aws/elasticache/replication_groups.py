"""Creating, describing, failing over and deleting replication groups, and ListAllowedNodeTypeModifications."""

from __future__ import annotations

from pathlib import Path

from sandbox.aws.access import Access, digest_of
from sandbox.aws.clock import now
from sandbox.aws.elasticache import describe, rbac_rules, rules, windows
from sandbox.aws.elasticache.admission import access_of
from sandbox.aws.elasticache.catalogue import MAXMEMORY, Version, default_version
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.snapshots import begin_snapshot, refuse_taken_name, usable_snapshot, write_snapshot
from sandbox.aws.elasticache.state import (
    AVAILABLE,
    CREATE_FAILED,
    CREATING,
    DELETING,
    MODIFYING,
    Member,
    ReplicationGroup,
    SubnetGroup,
)
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.engines import EngineMissing
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal, Result, operation, page

IPV4 = ("ipv4",)


class ReplicationGroups:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation(
        "CreateReplicationGroup",
        *("ReplicationGroupId", "ReplicationGroupDescription", "AutomaticFailoverEnabled", "MultiAZEnabled"),
        *("NumCacheClusters", "PreferredCacheClusterAZs", "ReplicasPerNodeGroup", "CacheNodeType", "Engine"),
        *("EngineVersion", "CacheParameterGroupName", "CacheSubnetGroupName", "SecurityGroupIds", "Tags"),
        *("SnapshotName", "PreferredMaintenanceWindow", "Port", "AutoMinorVersionUpgrade", "SnapshotRetentionLimit"),
        *("SnapshotWindow", "AuthToken", "TransitEncryptionEnabled", "AtRestEncryptionEnabled", "KmsKeyId"),
        *("TransitEncryptionMode", "UserGroupIds"),
        only={
            "NumNodeGroups": (1,),
            "ClusterMode": ("disabled",),
            "NetworkType": IPV4,
            "IpDiscovery": IPV4,
            "DataTieringEnabled": (False,),
        },
    )
    def create_replication_group(self, params: Params) -> Result:
        name = rules.identifier(params["ReplicationGroupId"], "ReplicationGroupId", 40)
        tags = tags_given(params)
        with self._account.lock:
            if name in self._account.replication_groups:
                raise Refusal("ReplicationGroupAlreadyExists", f"Replication group {name} already exists.")
            seed, wanted_version = self._seed(params)
            group = self._new_group(name, params, wanted_version)
            self._account.replication_groups[name] = group
            for arn in (group.arn, *(member.arn for member in group.members)):
                self._account.tags[arn] = dict(tags)
            self._work.begin(group, CREATING, lambda: self._fleet.start_group(group, seed))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _seed(self, params: Params) -> tuple[Path | None, Version]:
        """The file to start from, and the version to start with: a snapshot's own, unless another is stated."""
        engine = params.get("Engine", "redis")
        if "SnapshotName" not in params:
            rules.engine(engine)
            return None, rules.version(engine, params.get("EngineVersion", default_version(engine).label))
        snapshot = usable_snapshot(self._account, params["SnapshotName"])
        engine = params.get("Engine", snapshot.version.engine)
        version = rules.version(engine, params.get("EngineVersion", snapshot.version.label))
        if version.number < snapshot.version.number:
            raise rules.combination(f"A snapshot of {snapshot.version.label} cannot be restored into {version.label}.")
        return snapshot.file, version

    def _new_group(self, name: str, params: Params, version: Version) -> ReplicationGroup:
        nodes = self._node_count(params)
        automatic, multi_az = params.get("AutomaticFailoverEnabled", False), params.get("MultiAZEnabled", False)
        transit, mode = params.get("TransitEncryptionEnabled", False), params.get("TransitEncryptionMode", "")
        at_rest = params.get("AtRestEncryptionEnabled", version.engine == "valkey")
        kms_key = params.get("KmsKeyId", "")
        if "CacheNodeType" not in params:
            raise rules.combination("CacheNodeType must be given.")
        rules.node_type(params["CacheNodeType"])
        rules.runs_on(version, params["CacheNodeType"])
        rules.failover(nodes, automatic, multi_az)
        rules.encryption(transit, mode, "AuthToken" in params, at_rest, kms_key)
        rules.transit_mode(version, mode, "AuthToken" in params)
        if "AuthToken" in params:
            rules.token(params["AuthToken"])
        rules.port(params.get("Port", 6379))
        rules.retention(params.get("SnapshotRetentionLimit", 0))
        daily, weekly = windows.chosen(params.get("SnapshotWindow"), params.get("PreferredMaintenanceWindow"))
        windows.check(daily, weekly)
        parameters = self._account.parameter_group(params.get("CacheParameterGroupName", f"default.{version.family}"))
        rules.parameter_group_family(parameters.family, version)
        subnets = self._subnet_group(params)
        security_groups = self._context.vpc.security_groups(params.get("SecurityGroupIds", []), subnets.vpc)
        if kms_key:
            self._context.vpc.require_key(kms_key)
        self._require_engine(version)
        digests = [digest_of(params["AuthToken"])] if "AuthToken" in params else []
        transit_mode = (mode or "required") if transit else ""
        user_groups = self._user_groups(params, version, transit_mode)
        return ReplicationGroup(
            id=name,
            description=params["ReplicationGroupDescription"],
            node_type=params["CacheNodeType"],
            version=version,
            parameter_group=parameters.name,
            subnet_group=subnets.name,
            security_groups=security_groups,
            port=params.get("Port", 6379),
            transit_mode=transit_mode,
            failover=automatic,
            multi_az=multi_az,
            retention=params.get("SnapshotRetentionLimit", 0),
            snapshot_window=daily,
            maintenance_window=weekly.lower(),
            auto_minor_version_upgrade=params.get("AutoMinorVersionUpgrade", True),
            at_rest=at_rest,
            kms_key=kms_key,
            network_zone=self._context.network_zone,
            members=self._members(name, nodes, subnets, params),
            access=access_of(self._account.rbac, user_groups) if user_groups else Access(not digests, digests),
            user_groups=user_groups,
            token_changed=now() if digests else None,
            snapshotting_member=f"{name}-001" if nodes == 1 else f"{name}-002",
        )

    def _user_groups(self, params: Params, version: Version, transit_mode: str) -> list[str]:
        found = [self._account.rbac.group(name) for name in params.get("UserGroupIds", [])]
        if found and "AuthToken" in params:
            raise rules.combination("AuthToken and UserGroupIds exclude each other.")
        for group in found:
            rbac_rules.is_active(group)
        rbac_rules.attachments(found, version, transit_mode)
        return [group.id for group in found]

    def _node_count(self, params: Params) -> int:
        if "NumCacheClusters" in params and "ReplicasPerNodeGroup" in params:
            raise rules.combination("Give NumCacheClusters, or NumNodeGroups with ReplicasPerNodeGroup, not both.")
        nodes: int = params.get("NumCacheClusters", params.get("ReplicasPerNodeGroup", 0) + 1)
        rules.node_count(nodes)
        return nodes

    def _members(self, name: str, nodes: int, subnets: SubnetGroup, params: Params) -> list[Member]:
        wanted: list[str] = params.get("PreferredCacheClusterAZs", [])
        rules.zones(wanted, params.get("NumCacheClusters"), subnets.zones)
        zones = wanted or [subnets.zones[i % len(subnets.zones)] for i in range(nodes)]
        return [Member(f"{name}-{number:03}", zone) for number, zone in enumerate(zones, 1)]

    def _subnet_group(self, params: Params) -> SubnetGroup:
        name = params.get("CacheSubnetGroupName", "default")
        if name == "default" and name not in self._account.subnet_groups:
            self._account.subnet_groups[name] = self._context.vpc.default_subnet_group()
        return self._account.subnet_group(name)

    def _require_engine(self, version: Version) -> None:
        try:
            self._fleet.require_engine(version.engine)
        except EngineMissing as missing:
            raise Refusal(NO_SUCH_PARAMETER, f"Engine {version.engine} is not implemented here: {missing}")

    # -- reading -------------------------------------------------------------------------------------------------
    @operation("DescribeReplicationGroups", "ReplicationGroupId", "MaxRecords", "Marker")
    def describe_replication_groups(self, params: Params) -> Result:
        with self._account.lock:
            if "ReplicationGroupId" in params:
                found = [self._account.replication_group(params["ReplicationGroupId"])]
            else:
                found = sorted(self._account.replication_groups.values(), key=lambda group: group.id)
            return page([describe.replication_group(group) for group in found], params, "ReplicationGroups")

    @operation("ListAllowedNodeTypeModifications", "ReplicationGroupId", "CacheClusterId")
    def list_allowed_node_type_modifications(self, params: Params) -> Result:
        if ("ReplicationGroupId" in params) == ("CacheClusterId" in params):
            raise rules.combination("Give either ReplicationGroupId or CacheClusterId.")
        if "ReplicationGroupId" in params:
            now_type = self._account.replication_group(params["ReplicationGroupId"]).node_type
        elif (lone := self._account.cache_clusters.get(params["CacheClusterId"].lower())) is not None:
            now_type = lone.node_type
        else:
            now_type = self._account.member(params["CacheClusterId"])[0].node_type
        up = [name for name, size in MAXMEMORY.items() if size >= MAXMEMORY[now_type] and name != now_type]
        down = [name for name, size in MAXMEMORY.items() if size < MAXMEMORY[now_type]]
        return {"ScaleUpModifications": up, "ScaleDownModifications": down}

    # -- failing over, deleting ----------------------------------------------------------------------------------
    @operation("TestFailover", "ReplicationGroupId", "NodeGroupId")
    def test_failover(self, params: Params) -> Result:
        group = self._account.replication_group(params["ReplicationGroupId"])
        if params["NodeGroupId"] != describe.NODE_GROUP:
            raise Refusal("NodeGroupNotFoundFault", f"Node group {params['NodeGroupId']} not found in {group.id}.")
        if not group.failover:
            raise Refusal("InvalidReplicationGroupState", f"Automatic failover is not enabled on {group.id}.")
        self._work.begin(group, MODIFYING, lambda: self._fleet.fail_over(group, self._work.go_unnoticed))
        return {"ReplicationGroup": describe.replication_group(group)}

    @operation(
        "DeleteReplicationGroup",
        "ReplicationGroupId",
        "FinalSnapshotIdentifier",
        only={"RetainPrimaryCluster": (False,)},
    )
    def delete_replication_group(self, params: Params) -> Result:
        group = self._account.replication_group(params["ReplicationGroupId"])
        final = params.get("FinalSnapshotIdentifier")
        with self._account.lock:
            if group.status == CREATE_FAILED and not final:
                group.status = AVAILABLE  # it may be deleted as it is; there is nothing to keep
            if final:
                refuse_taken_name(self._account, final)
            self._work.begin(group, DELETING, lambda: self._delete(group, final))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _delete(self, group: ReplicationGroup, final: str | None) -> None:
        if final:
            write_snapshot(group, begin_snapshot(self._context, group, final, {}))
        self._work.take_time()
        self._fleet.stop_group(group)
        with self._account.lock:
            del self._account.replication_groups[group.id]
            for arn in (group.arn, *(member.arn for member in group.members)):
                self._account.tags.pop(arn, None)
