"""CreateCacheCluster, DeleteCacheCluster, RebootCacheCluster: of clusters that are in no replication group."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache import features, windows
from sandbox.aws.elasticache import rules as common
from sandbox.aws.elasticache.catalogue import default_version
from sandbox.aws.elasticache.clusters import describe, rules
from sandbox.aws.elasticache.clusters.fleet import Fleet
from sandbox.aws.elasticache.clusters.state import CROSS, MEMCACHED, SINGLE, CacheCluster, Node
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.snapshots import refuse_taken_name, usable_snapshot
from sandbox.aws.elasticache.state import AVAILABLE, CREATE_FAILED, CREATING, DELETING, Snapshot, SubnetGroup
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.engines import Engine, EngineMissing
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal, Result, operation

PORTS = {MEMCACHED: 11211, "redis": 6379}
REBOOTING = "rebooting cluster nodes"


class CacheClusters:
    def __init__(self, context: Context, fleet: Fleet) -> None:
        self._context, self._account, self._work, self._fleet = context, context.account, context.work, fleet

    @operation(
        "CreateCacheCluster",
        *("CacheClusterId", "AZMode", "PreferredAvailabilityZone", "PreferredAvailabilityZones", "NumCacheNodes"),
        *("CacheNodeType", "Engine", "EngineVersion", "CacheParameterGroupName", "CacheSubnetGroupName"),
        *("SecurityGroupIds", "Tags", "SnapshotName", "PreferredMaintenanceWindow", "Port", "NotificationTopicArn"),
        *("AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow", "TransitEncryptionEnabled"),
        *("NetworkType", "IpDiscovery", "LogDeliveryConfigurations"),
    )
    def create_cache_cluster(self, params: Params) -> Result:
        name = common.identifier(params["CacheClusterId"], "CacheClusterId", 50)
        tags = tags_given(params)
        with self._account.lock:
            if name in self._account.cache_clusters or self._is_a_member(name):
                raise Refusal("CacheClusterAlreadyExists", f"Cache cluster {name} already exists.")
            cluster = self._new_cluster(name, params)
            seed = (
                usable_snapshot(self._account, params["SnapshotName"]).only_file if "SnapshotName" in params else None
            )
            self._account.cache_clusters[name] = cluster
            self._account.tags[cluster.arn] = dict(tags)
            self._work.begin(cluster, CREATING, lambda: self._fleet.start(cluster, cluster.nodes, seed))
            return {"CacheCluster": describe.cache_cluster(self._account, cluster, with_nodes=False)}

    def _is_a_member(self, name: str) -> bool:
        return any(m.name == name for group in self._account.replication_groups.values() for m in group.members)

    def _new_cluster(self, name: str, params: Params) -> CacheCluster:
        for needed in ("Engine", "CacheNodeType", "NumCacheNodes"):
            if needed not in params:
                raise common.combination(f"{needed} must be given.")
        engine, nodes = params["Engine"], params["NumCacheNodes"]
        version = rules.version(engine, params.get("EngineVersion", default_version(engine).label))
        rules.parameters_of_engine(params, engine)
        rules.node_count(engine, nodes)
        common.node_type(params["CacheNodeType"])
        common.runs_on(version, params["CacheNodeType"])
        rules.transit(version, params.get("TransitEncryptionEnabled", False))
        common.port(params.get("Port", PORTS[engine]))
        common.retention(params.get("SnapshotRetentionLimit", 0))
        daily, weekly = windows.chosen(params.get("SnapshotWindow"), params.get("PreferredMaintenanceWindow"))
        if engine == MEMCACHED:
            windows.maintenance(weekly)
        else:
            windows.check(daily, weekly)
        parameters = self._account.parameter_group(params.get("CacheParameterGroupName", f"default.{version.family}"))
        common.parameter_group_family(parameters.family, version)
        subnets = self._subnet_group(params)
        security_groups = self._context.vpc.security_groups(params.get("SecurityGroupIds", []), subnets.vpc)
        self._require_engine(engine, params.get("TransitEncryptionEnabled", False))
        if "NotificationTopicArn" in params:
            self._context.vpc.require_topic(params["NotificationTopicArn"])
        zones = self._zones(params, nodes, subnets)
        network = params.get("NetworkType", features.IPV4)
        discovery = params.get("IpDiscovery", features.IPV4)
        features.network(network, discovery, version)
        return CacheCluster(
            id=name,
            node_type=params["CacheNodeType"],
            version=version,
            parameter_group=parameters.name,
            subnet_group=subnets.name,
            security_groups=security_groups,
            port=params.get("Port", PORTS[engine]),
            tls=params.get("TransitEncryptionEnabled", False),
            maintenance_window=weekly.lower(),
            snapshot_window=daily,
            retention=params.get("SnapshotRetentionLimit", 0),
            auto_minor_version_upgrade=params.get("AutoMinorVersionUpgrade", True),
            topic=params.get("NotificationTopicArn", ""),
            network_type=network,
            ip_discovery=discovery,
            logs=features.logs_after({}, params.get("LogDeliveryConfigurations", []), version),
            network_zone=self._context.network_zone,
            nodes=[Node(f"{number:04}", zone) for number, zone in enumerate(zones, 1)],
        )

    def _zones(self, params: Params, nodes: int, subnets: SubnetGroup) -> list[str]:
        mode, one = params.get("AZMode", SINGLE), params.get("PreferredAvailabilityZone")
        wanted = params.get("PreferredAvailabilityZones") or ([one] * nodes if one else [])
        rules.zones(mode, wanted, nodes, subnets.zones)
        if wanted:
            return wanted
        return [subnets.zones[n % len(subnets.zones) if mode == CROSS else 0] for n in range(nodes)]

    def _subnet_group(self, params: Params) -> SubnetGroup:
        name = params.get("CacheSubnetGroupName", "default")
        if name == "default" and name not in self._account.subnet_groups:
            self._account.subnet_groups[name] = self._context.vpc.default_subnet_group()
        return self._account.subnet_group(name)

    def _require_engine(self, engine: str, tls: bool) -> None:
        try:
            self._fleet.require_engine(engine)
        except EngineMissing as missing:
            raise Refusal(NO_SUCH_PARAMETER, f"Engine {engine} is not implemented here: {missing}")
        if tls and not self._fleet.can_speak_tls():
            text = "TransitEncryptionEnabled is not implemented here: this memcached was built without TLS."
            raise Refusal(NO_SUCH_PARAMETER, text)

    # -- rebooting, deleting -------------------------------------------------------------------------------------
    @operation("RebootCacheCluster", "CacheClusterId", "CacheNodeIdsToReboot")
    def reboot_cache_cluster(self, params: Params) -> Result:
        with self._account.lock:
            cluster = self._account.cache_cluster(params["CacheClusterId"])
            wanted = set(params["CacheNodeIdsToReboot"])
            nodes = [node for node in cluster.nodes if node.id in wanted]
            if len(nodes) != len(wanted) or not nodes:
                raise common.value(f"CacheNodeIdsToReboot must name nodes of {cluster.id}.")
            self._work.begin(cluster, REBOOTING, lambda: self._fleet.restart(cluster, nodes))
            return {"CacheCluster": describe.cache_cluster(self._account, cluster, with_nodes=False)}

    @operation("DeleteCacheCluster", "CacheClusterId", "FinalSnapshotIdentifier")
    def delete_cache_cluster(self, params: Params) -> Result:
        final = params.get("FinalSnapshotIdentifier")
        with self._account.lock:
            cluster = self._account.cache_cluster(params["CacheClusterId"])
            if final and cluster.is_memcached:
                raise Refusal("SnapshotFeatureNotSupportedFault", "Snapshots are not supported for memcached.")
            if final:
                refuse_taken_name(self._account, final)
            if cluster.status == CREATE_FAILED:
                cluster.status = AVAILABLE  # it may be deleted as it is
            self._work.begin(cluster, DELETING, lambda: self._delete(cluster, final))
            return {"CacheCluster": describe.cache_cluster(self._account, cluster, with_nodes=False)}

    def _delete(self, cluster: CacheCluster, final: str | None) -> None:
        if final:
            self._snapshot(cluster, final)
        self._work.take_time()
        self._fleet.end(cluster)
        with self._account.lock:
            del self._account.cache_clusters[cluster.id]
            self._account.tags.pop(cluster.arn, None)

    def _snapshot(self, cluster: CacheCluster, name: str) -> None:
        of: dict[str, Any] = {
            "CacheClusterId": cluster.id,
            "CacheNodeType": cluster.node_type,
            "NumCacheNodes": 1,
            "PreferredAvailabilityZone": cluster.zones[0],
            "CacheClusterCreateTime": cluster.created,
            "PreferredMaintenanceWindow": cluster.maintenance_window,
            "Port": cluster.port,
            "CacheParameterGroupName": cluster.parameter_group,
            "CacheSubnetGroupName": cluster.subnet_group,
            "VpcId": self._account.subnet_group(cluster.subnet_group).vpc,
            "AutoMinorVersionUpgrade": cluster.auto_minor_version_upgrade,
            "SnapshotRetentionLimit": cluster.retention,
            "SnapshotWindow": cluster.snapshot_window,
        }
        self._context.snapshots.mkdir(parents=True, exist_ok=True)
        snapshot = Snapshot(name, "manual", of, cluster.version, {"0001": self._context.snapshots / f"{name}-0001.rdb"})
        with self._account.lock:
            self._account.snapshots[name] = snapshot
            self._account.tags[snapshot.arn] = {}
        engine = cluster.nodes[0].running
        assert isinstance(engine, Engine)
        engine.dump(snapshot.only_file)
        snapshot.status = AVAILABLE
