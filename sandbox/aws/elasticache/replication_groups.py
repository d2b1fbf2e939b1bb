"""Creating, describing, failing over and deleting replication groups, and ListAllowedNodeTypeModifications."""

from __future__ import annotations

from sandbox.aws.access import Access, digest_of
from sandbox.aws.clock import now
from sandbox.aws.elasticache import describe, features, rbac_rules, rules, shape, windows
from sandbox.aws.elasticache.admission import access_of
from sandbox.aws.elasticache.catalogue import ENABLED, MAXMEMORY, Version
from sandbox.aws.elasticache.clusters.state import CacheCluster
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.origin import Origin, origin_of
from sandbox.aws.elasticache.snapshots import begin_snapshot, refuse_taken_name, write_snapshot
from sandbox.aws.elasticache.state import (
    AVAILABLE,
    CREATE_FAILED,
    CREATING,
    DELETING,
    MODIFYING,
    REGION,
    Member,
    ReplicationGroup,
    SubnetGroup,
)
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.engines import EngineMissing
from sandbox.aws.iam_tokens import Cache
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal, Result, operation, page


class ReplicationGroups:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation(
        "CreateReplicationGroup",
        *("ReplicationGroupId", "ReplicationGroupDescription", "AutomaticFailoverEnabled", "MultiAZEnabled"),
        *("NumCacheClusters", "PreferredCacheClusterAZs", "NumNodeGroups", "ReplicasPerNodeGroup", "CacheNodeType"),
        *("NodeGroupConfiguration", "ClusterMode", "Engine", "EngineVersion", "CacheParameterGroupName"),
        *("CacheSubnetGroupName", "SecurityGroupIds", "Tags", "SnapshotName", "SnapshotArns", "Port"),
        *("PreferredMaintenanceWindow", "AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow"),
        *("AuthToken", "TransitEncryptionEnabled", "AtRestEncryptionEnabled", "KmsKeyId", "TransitEncryptionMode"),
        *("UserGroupIds", *features.CREATE, features.DURABILITY),
    )
    def create_replication_group(self, params: Params) -> Result:
        name = rules.identifier(params["ReplicationGroupId"], "ReplicationGroupId", 40)
        tags = tags_given(params)
        with self._account.lock:
            if name in self._account.replication_groups:
                raise Refusal("ReplicationGroupAlreadyExists", f"Replication group {name} already exists.")
            origin = origin_of(self._context, params)
            group = self._new_group(name, params, origin)
            self._account.replication_groups[name] = group
            for arn in (group.arn, *(member.arn for member in group.members)):
                self._account.tags[arn] = dict(tags)
            self._work.begin(group, CREATING, lambda: self._start(group, origin))
            return {"ReplicationGroup": describe.replication_group(group)}

    def _start(self, group: ReplicationGroup, origin: Origin) -> None:
        with origin.files(self._context) as seeds:
            self._fleet.of(group).start_group(group, seeds)

    def _new_group(self, name: str, params: Params, origin: Origin) -> ReplicationGroup:
        version = origin.version
        if "CacheNodeType" not in params:
            raise rules.combination("CacheNodeType must be given.")
        node_type = params["CacheNodeType"]
        rules.node_type(node_type)
        rules.runs_on(version, node_type)
        asked = shape.cluster_mode(params)
        parameters = self._account.parameter_group(
            params.get("CacheParameterGroupName", shape.default_parameter_group(asked, version))
        )
        rules.parameter_group_family(parameters.family, version)
        mode = shape.agreed_mode(asked, parameters, version)
        origin.refuse_into(mode)
        subnets = self._subnet_group(params)
        node_groups = shape.node_groups(params, mode, subnets.zones)
        replicas = min(len(group.zones) for group in node_groups) - 1
        clustered = mode == ENABLED
        automatic, multi_az = params.get("AutomaticFailoverEnabled", False), params.get("MultiAZEnabled", False)
        transit, transit_mode = params.get("TransitEncryptionEnabled", False), params.get("TransitEncryptionMode", "")
        at_rest = params.get("AtRestEncryptionEnabled", version.engine == "valkey")
        kms_key = params.get("KmsKeyId", "")
        rules.failover(replicas, automatic, multi_az, mode)
        rules.encryption(transit, transit_mode, "AuthToken" in params, at_rest, kms_key)
        rules.encrypts(version, transit, at_rest)
        rules.transit_mode(version, transit_mode, "AuthToken" in params)
        if "AuthToken" in params:
            rules.token(params["AuthToken"])
        rules.port(params.get("Port", 6379))
        rules.retention(params.get("SnapshotRetentionLimit", 0))
        daily, weekly = windows.chosen(params.get("SnapshotWindow"), params.get("PreferredMaintenanceWindow"))
        windows.check(daily, weekly)
        footing = features.Footing(
            version, node_type, mode, multi_az, replicas, transit, bool(params.get("DataTieringEnabled"))
        )
        extras = features_of(params, footing)
        security_groups = self._context.vpc.security_groups(params.get("SecurityGroupIds", []), subnets.vpc)
        if kms_key:
            self._context.vpc.require_key(kms_key)
        if extras.topic:
            self._context.vpc.require_topic(extras.topic)
        self._require_engine(version)
        digests = [digest_of(params["AuthToken"])] if "AuthToken" in params else []
        transit_mode = (transit_mode or "required") if transit else ""
        user_groups = self._user_groups(params, version, transit_mode)
        members = [
            Member(shape.member_name(name, group.id, number, clustered), zone, group.id)
            for group in node_groups
            for number, zone in enumerate(group.zones, 1)
        ]
        return ReplicationGroup(
            id=name,
            description=params["ReplicationGroupDescription"],
            node_type=node_type,
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
            at_rest=at_rest or bool(extras.durability),
            kms_key=kms_key,
            network_zone=self._context.network_zone,
            members=members,
            access=access_of(self._account.rbac, user_groups, Cache(name, REGION))
            if user_groups
            else Access(not digests, digests),
            user_groups=user_groups,
            token_changed=now() if digests else None,
            snapshotting_member=members[min(1, replicas)].name,
            cluster_mode=mode,
            slots={group.id: group.slots for group in node_groups} if clustered else {},
            features=extras,
        )

    def _user_groups(self, params: Params, version: Version, transit_mode: str) -> list[str]:
        found = [self._account.rbac.group(name) for name in params.get("UserGroupIds", [])]
        if found and "AuthToken" in params:
            raise rules.combination("AuthToken and UserGroupIds exclude each other.")
        for group in found:
            rbac_rules.is_active(group)
        rbac_rules.attachments(found, version, transit_mode)
        return [group.id for group in found]

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
            group: ReplicationGroup | CacheCluster = self._account.replication_group(params["ReplicationGroupId"])
        elif (lone := self._account.cache_clusters.get(params["CacheClusterId"].lower())) is not None:
            group = lone
        else:
            group = self._account.member(params["CacheClusterId"])[0]
        size = MAXMEMORY[group.node_type]
        offered = [name for name in MAXMEMORY if name != group.node_type and may_become(group, name)]
        return {
            "ScaleUpModifications": [name for name in offered if MAXMEMORY[name] >= size],
            "ScaleDownModifications": [name for name in offered if MAXMEMORY[name] < size],
        }

    # -- failing over, deleting ----------------------------------------------------------------------------------
    @operation("TestFailover", "ReplicationGroupId", "NodeGroupId")
    def test_failover(self, params: Params) -> Result:
        group, shard = self._account.replication_group(params["ReplicationGroupId"]), params["NodeGroupId"]
        if shard not in group.shards:
            raise Refusal("NodeGroupNotFoundFault", f"Node group {shard} not found in {group.id}.")
        if not group.failover:
            raise Refusal("InvalidReplicationGroupState", f"Automatic failover is not enabled on {group.id}.")
        if not group.replicas_of(shard):
            raise Refusal("InvalidReplicationGroupState", f"Node group {shard} of {group.id} has no replica.")
        fleet, pause = self._fleet.of(group), self._work.go_unnoticed
        self._work.begin(group, MODIFYING, lambda: fleet.fail_over(group, shard, pause))
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
        self._fleet.of(group).stop_group(group)
        with self._account.lock:
            del self._account.replication_groups[group.id]
            for arn in (group.arn, *(member.arn for member in group.members)):
                self._account.tags.pop(arn, None)


def may_become(cache: ReplicationGroup | CacheCluster, node_type: str) -> bool:
    """Whether it can have that node type in place."""
    if isinstance(cache, ReplicationGroup) and cache.features.durability and not features.is_durable(node_type):
        return False
    same_storage = features.is_tiered(node_type) == features.is_tiered(cache.node_type)
    return same_storage and cache.version.runs_on(node_type)


def features_of(params: Params, footing: features.Footing) -> features.Features:
    network, version = params.get("NetworkType", features.IPV4), footing.version
    discovery = params.get("IpDiscovery", features.IPV4)
    features.network(network, discovery, version)
    asked = params.get(features.DURABILITY, "")
    return features.Features(
        topic=features.topic(params.get("NotificationTopicArn", "")),
        topic_status="active" if params.get("NotificationTopicArn") else "",
        logs=features.logs_after({}, params.get("LogDeliveryConfigurations", []), version),
        network_type=network,
        ip_discovery=discovery,
        data_tiering=features.data_tiering(params.get("DataTieringEnabled"), footing.node_type),
        durability=features.durability(asked, footing),
        durability_asked=asked,
    )
