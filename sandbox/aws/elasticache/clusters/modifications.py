"""ModifyCacheCluster: what applies at once, and what waits for the maintenance window."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache import features, windows
from sandbox.aws.elasticache import rules as common
from sandbox.aws.elasticache.catalogue import Version
from sandbox.aws.elasticache.clusters import describe, rules
from sandbox.aws.elasticache.clusters.fleet import Fleet
from sandbox.aws.elasticache.clusters.state import CROSS, SINGLE, CacheCluster, Node
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import AVAILABLE, MODIFYING
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Result, operation

AT_ONCE = {
    "SecurityGroupIds": "security_groups",
    "PreferredMaintenanceWindow": "maintenance_window",
    "NotificationTopicArn": "topic",
    "NotificationTopicStatus": "topic_status",
    "CacheParameterGroupName": "parameter_group",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "SnapshotRetentionLimit": "retention",
    "SnapshotWindow": "snapshot_window",
    "IpDiscovery": "ip_discovery",
    "LogDeliveryConfigurations": "logs",
}
OF_NODES = ("NumCacheNodes", "CacheNodeIdsToRemove", "NewAvailabilityZones", "AZMode")
QUEUED = (*OF_NODES, "CacheNodeType", "EngineVersion", "ScaleConfig")


class Modifications:
    def __init__(self, context: Context, fleet: Fleet) -> None:
        self._context, self._account, self._work, self._fleet = context, context.account, context.work, fleet

    @operation(
        "ModifyCacheCluster",
        *("CacheClusterId", "ApplyImmediately", *AT_ONCE, *QUEUED),
    )
    def modify_cache_cluster(self, params: Params) -> Result:
        with self._account.lock:
            cluster = self._account.cache_cluster(params["CacheClusterId"])
            require_available(cluster)
            rules.parameters_of_engine(params, cluster.version.engine)
            at_once = self._at_once(cluster, params)
            queued, cancels = self._queued(cluster, params)
            immediately = params.get("ApplyImmediately", False)
            if not at_once and not queued and not cancels and not (immediately and cluster.pending):
                raise common.combination("No modifications were requested.")
            pending = {k: v for k, v in cluster.pending.items() if not (cancels and k in OF_NODES)}
            cluster.pending = {} if immediately else {**pending, **queued}
            changes = {**at_once, **({**pending, **queued} if immediately else {})}
            if changes:
                self._work.begin(cluster, MODIFYING, lambda: self._apply(cluster, changes))
            return {"CacheCluster": describe.cache_cluster(self._account, cluster, with_nodes=False)}

    def _at_once(self, cluster: CacheCluster, params: Params) -> Params:
        """The values as AWS stores them, of what differs; whatever cannot be is refused before anything changes."""
        wanted = {name: params[name] for name in AT_ONCE if name in params}
        if "PreferredMaintenanceWindow" in wanted:
            wanted["PreferredMaintenanceWindow"] = wanted["PreferredMaintenanceWindow"].lower()
            windows.maintenance(wanted["PreferredMaintenanceWindow"])
        if not cluster.is_memcached:
            daily = wanted.get("SnapshotWindow", cluster.snapshot_window)
            windows.check(daily, wanted.get("PreferredMaintenanceWindow", cluster.maintenance_window))
            common.retention(wanted.get("SnapshotRetentionLimit", 0))
        if "SecurityGroupIds" in wanted:
            vpc = self._account.subnet_group(cluster.subnet_group).vpc
            wanted["SecurityGroupIds"] = self._context.vpc.security_groups(wanted["SecurityGroupIds"], vpc)
        if "NotificationTopicArn" in wanted:
            self._context.vpc.require_topic(wanted["NotificationTopicArn"])
        if wanted.get("NotificationTopicStatus", "active") not in ("active", "inactive"):
            raise common.value("NotificationTopicStatus must be active or inactive.")
        features.ip_discovery(cluster.network_type, wanted.get("IpDiscovery", cluster.ip_discovery))
        if "LogDeliveryConfigurations" in wanted:
            asked = wanted["LogDeliveryConfigurations"]
            wanted["LogDeliveryConfigurations"] = features.logs_after(cluster.logs, asked, cluster.version)
        if "CacheParameterGroupName" in wanted:
            group = self._account.parameter_group(wanted["CacheParameterGroupName"])
            version = rules.upgrade(cluster, params.get("EngineVersion", cluster.version.label))
            common.parameter_group_family(group.family, version)
            wanted["CacheParameterGroupName"] = group.name
        return {name: value for name, value in wanted.items() if getattr(cluster, AT_ONCE[name]) != value}

    def _queued(self, cluster: CacheCluster, params: Params) -> tuple[Params, bool]:
        """What may wait for the window; and whether what was queued of nodes is taken back."""
        wanted: Params = {}
        if "EngineVersion" in params:
            version = rules.upgrade(cluster, params["EngineVersion"])
            self._check_family(cluster, version, params.get("CacheParameterGroupName"))
            if version != cluster.version:
                wanted["EngineVersion"] = version.label
        if "CacheNodeType" in params and params["CacheNodeType"] != cluster.node_type:
            rules.scaling(cluster, params["CacheNodeType"])
            wanted["CacheNodeType"] = params["CacheNodeType"]
            if "ScaleConfig" in params:
                rules.scale_config(params["ScaleConfig"])
                wanted["ScaleConfig"] = params["ScaleConfig"]
        nodes, cancels = self._of_nodes(cluster, params)
        return {**wanted, **nodes}, cancels

    def _check_family(self, cluster: CacheCluster, version: Version, named: str | None) -> None:
        """An upgrade to another family moves a default group along; a custom one has to be named."""
        group = self._account.parameter_group(named or cluster.parameter_group)
        if named or not group.is_default:
            common.parameter_group_family(group.family, version)

    def _of_nodes(self, cluster: CacheCluster, params: Params) -> tuple[Params, bool]:
        there = len(cluster.nodes)
        count = params.get("NumCacheNodes", there)
        gone, zones = params.get("CacheNodeIdsToRemove", []), params.get("NewAvailabilityZones", [])
        mode = params.get("AZMode", CROSS if len(set(cluster.zones)) > 1 else SINGLE)
        rules.node_count(cluster.version.engine, count)
        if params.get("AZMode") == SINGLE and len(set(cluster.zones)) > 1:
            raise common.combination("AZMode single-az is not possible while nodes lie in several zones.")
        if params.get("AZMode") == CROSS and count < 2:
            raise common.combination("Cross-AZ mode needs more than one cache node.")
        if zones and count <= there:
            raise common.combination("NewAvailabilityZones is of nodes that are added alone.")
        if gone and count >= there:
            raise common.combination("CacheNodeIdsToRemove is of a lower NumCacheNodes alone.")
        queued = cluster.pending.get("NumCacheNodes")
        if "NumCacheNodes" in params and queued is not None and queued > there and there < count < queued:
            raise common.combination(
                f"{queued - there} nodes are to be added already. Cancel that first by NumCacheNodes {there}."
            )
        if count == there:
            return {}, "NumCacheNodes" in params and queued is not None
        if count < there:
            rules.fewer_nodes(cluster, count, gone)
            return {"NumCacheNodes": count, "CacheNodeIdsToRemove": sorted(gone)}, queued is not None
        offered = self._account.subnet_group(cluster.subnet_group).zones
        rules.zones(mode, zones, count - there, offered) if zones else None
        if zones and mode != CROSS and set(zones) != set(cluster.zones):
            raise common.combination("Nodes in several availability zones need AZMode cross-az.")
        placed = zones or [
            offered[n % len(offered)] if mode == CROSS else cluster.zones[0] for n in range(there, count)
        ]
        return {"NumCacheNodes": count, "NewAvailabilityZones": placed}, queued is not None

    # -- acting --------------------------------------------------------------------------------------------------
    def _apply(self, cluster: CacheCluster, changes: dict[str, Any]) -> None:
        replaces = "CacheNodeType" in changes or "EngineVersion" in changes
        with self._account.lock:
            for name, attribute in AT_ONCE.items():
                if name in changes:
                    setattr(cluster, attribute, changes[name])
            if "EngineVersion" in changes:
                cluster.version = rules.version(cluster.version.engine, changes["EngineVersion"])
                if cluster.parameter_group.startswith("default."):
                    cluster.parameter_group = f"default.{cluster.version.family}"
            cluster.node_type = changes.get("CacheNodeType", cluster.node_type)
            gone = [node for node in cluster.nodes if node.id in changes.get("CacheNodeIdsToRemove", ())]
            cluster.nodes = [node for node in cluster.nodes if node not in gone]
        self._fleet.stop(cluster, gone)
        if replaces and cluster.is_memcached:
            for node in list(cluster.nodes):
                self._fleet.restart(cluster, [node])
        elif replaces:
            self._fleet.replace_keeping_data(cluster)
        elif "CacheParameterGroupName" in changes:
            self._fleet.apply_parameters(cluster)
        new = [self._new_node(cluster, zone) for zone in changes.get("NewAvailabilityZones", ())]
        self._fleet.start(cluster, new)

    def _new_node(self, cluster: CacheCluster, zone: str) -> Node:
        with self._account.lock:
            taken = {node.id for node in cluster.nodes}
            free = next(f"{n:04}" for n in range(1, 1000) if f"{n:04}" not in taken)
            node = Node(free, zone)
            cluster.nodes = sorted([*cluster.nodes, node], key=lambda one: one.id)
        return node

    # -- the maintenance window ----------------------------------------------------------------------------------
    def maintenance_window(self) -> list[str]:
        """Run the window of every cluster that is available and has something pending; answers their names."""
        with self._account.lock:
            waiting = [c for c in self._account.cache_clusters.values() if c.pending and c.status == AVAILABLE]
            for cluster in waiting:
                changes, cluster.pending = cluster.pending, {}
                self._begin(cluster, changes)
        return [cluster.id for cluster in waiting]

    def _begin(self, cluster: CacheCluster, changes: dict[str, Any]) -> None:
        self._work.begin(cluster, MODIFYING, lambda: self._apply(cluster, changes))
