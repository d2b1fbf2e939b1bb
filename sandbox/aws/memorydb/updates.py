"""UpdateCluster. All acts at once: MemoryDB queues nothing for its maintenance window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.aws.elasticache import windows
from sandbox.aws.memorydb import describe, rules
from sandbox.aws.memorydb.catalogue import Version, is_tiered
from sandbox.aws.memorydb.clusters import IPV4, new_node
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.state import APPLYING, IN_SYNC, UPDATING, Cluster
from sandbox.aws.wire import Params, Refusal, Result, operation

# What AWS makes of two of these in one call, nobody tells: so they come alone here.
SCALING = ("ShardConfiguration", "ReplicaConfiguration", "NodeType", "EngineVersion")

Act = Callable[[], None]


class Updates:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation(
        "UpdateCluster",
        *("ClusterName", "Description", "SecurityGroupIds", "MaintenanceWindow", "SnsTopicArn", "SnsTopicStatus"),
        *("ParameterGroupName", "SnapshotWindow", "SnapshotRetentionLimit", "NodeType", "Engine", "EngineVersion"),
        *("ReplicaConfiguration", "ShardConfiguration", "ACLName"),
        only={"IpDiscovery": IPV4},
    )
    def update_cluster(self, params: Params) -> Result:
        with self._account.lock:
            cluster = self._account.cluster(params["ClusterName"])
            rules.require_available(cluster)
            if not any(value not in ([], {}) for name, value in params.items() if name != "ClusterName"):
                raise rules.combination("No modifications were requested.")
            together = [name for name in SCALING if params.get(name)]
            if len(together) > 1:
                raise rules.not_here(f"UpdateCluster: {' and '.join(together)} in one call are not implemented here.")
            acts = [*self._checked_engine(cluster, params), *self._checked_scaling(cluster, params)]
            acts += [*self._checked_access(cluster, params), *self._checked_settings(cluster, params)]
            self._work.begin(cluster, UPDATING, lambda: self._do(acts))
            return {"Cluster": describe.cluster(cluster)}

    def _do(self, acts: list[Act]) -> None:
        self._work.take_time()
        for act in acts:
            act()

    # -- engine, node type, parameters ---------------------------------------------------------------------------
    def _checked_engine(self, cluster: Cluster, params: Params) -> list[Act]:
        version, node_type = self._version(cluster, params), params.get("NodeType", cluster.node_type)
        rules.node_type(node_type)
        if is_tiered(node_type) != cluster.data_tiering:
            raise rules.combination("Data tiering cannot be changed in place.")
        parameters = params.get("ParameterGroupName", "").lower() or cluster.parameter_group
        if self._account.parameter_group(parameters).is_default and parameters == cluster.parameter_group:
            parameters = self._account.default_parameter_group(version.family).name
        rules.parameter_group_family(self._account.parameter_group(parameters).family, version)
        if (version, node_type) != (cluster.version, cluster.node_type):
            return [lambda: self._replace(cluster, version, node_type, parameters)]
        return [lambda: self._use_parameters(cluster, parameters)] if parameters != cluster.parameter_group else []

    def _version(self, cluster: Cluster, params: Params) -> Version:
        engine = params.get("Engine", cluster.version.engine).lower()
        if engine != cluster.version.engine and "EngineVersion" not in params:
            raise rules.combination("EngineVersion must be specified where Engine is changed.")
        version = rules.version(engine, params.get("EngineVersion", cluster.version.label))
        rules.engine_change(cluster.version, version)
        return version

    def _replace(self, cluster: Cluster, version: Version, node_type: str, parameters: str) -> None:
        before = (cluster.version, cluster.node_type, cluster.parameter_group)
        cluster.version, cluster.node_type, cluster.parameter_group = version, node_type, parameters
        try:
            cluster.running.replace(self._fleet.look(cluster))
        except Exception:
            cluster.version, cluster.node_type, cluster.parameter_group = before
            raise

    def _use_parameters(self, cluster: Cluster, parameters: str) -> None:
        cluster.parameter_group, cluster.parameter_status = parameters, APPLYING
        self._fleet.apply_parameters(cluster)
        cluster.parameter_status = IN_SYNC

    # -- shards and replicas -------------------------------------------------------------------------------------
    def _checked_scaling(self, cluster: Cluster, params: Params) -> list[Act]:
        shards = params.get("ShardConfiguration", {}).get("ShardCount", len(cluster.nodes))
        replicas = params.get("ReplicaConfiguration", {}).get("ReplicaCount", cluster.replicas)
        rules.shards(shards)
        rules.replicas(replicas)
        rules.nodes(shards * (replicas + 1))
        acts: list[Act] = []
        if "ShardConfiguration" in params:
            if shards == len(cluster.nodes):
                raise Refusal("NoOperationFault", f"{cluster.id} has {shards} shards already.")
            acts.append(lambda: self._reshard(cluster, shards))
        if "ReplicaConfiguration" in params:
            if replicas == cluster.replicas:
                raise Refusal("NoOperationFault", f"Each shard of {cluster.id} has {replicas} replicas already.")
            acts.append(lambda: self._set_replicas(cluster, replicas))
        return acts

    def _zones(self, cluster: Cluster) -> list[str]:
        return self._account.subnet_group(cluster.subnet_group).zones

    def _reshard(self, cluster: Cluster, count: int) -> None:
        wanted = [f"{number:04}" for number in range(1, count + 1)]
        zones, nodes = self._zones(cluster), cluster.replicas + 1
        cluster.is_resharding = True
        try:
            added = {
                shard: [new_node(cluster.id, shard, number, zones) for number in range(1, nodes + 1)]
                for shard in wanted
                if shard not in cluster.nodes
            }
            if added:
                cluster.running.add_shards({shard: [n.name for n in of] for shard, of in added.items()})
            gone = [shard for shard in cluster.nodes if shard not in wanted]
            if gone:
                cluster.running.remove_shards(gone)
            with self._account.lock:
                cluster.nodes = {shard: of for shard, of in {**cluster.nodes, **added}.items() if shard in wanted}
        finally:
            cluster.is_resharding = False

    def _set_replicas(self, cluster: Cluster, count: int) -> None:
        zones = self._zones(cluster)
        for shard, nodes in list(cluster.nodes.items()):
            taken = {node.name for node in nodes}
            fresh = [new_node(cluster.id, shard, number, zones) for number in range(1, 2 * rules.MOST_REPLICAS)]
            added = [node for node in fresh if node.name not in taken][: max(0, count + 1 - len(nodes))]
            if added:
                cluster.running.add_nodes(shard, [node.name for node in added])
            primary = cluster.running.primary(shard).name
            replicas = [node for node in nodes if node.name != primary]
            gone = [node.name for node in replicas[count:]] if len(nodes) > count + 1 else []
            if gone:
                cluster.running.remove_nodes(gone)
            with self._account.lock:
                cluster.nodes[shard] = [node for node in [*nodes, *added] if node.name not in gone]

    # -- who may come in -----------------------------------------------------------------------------------------
    def _checked_access(self, cluster: Cluster, params: Params) -> list[Act]:
        acts: list[Act] = []
        if "ACLName" in params:
            acl = self._account.acl(params["ACLName"])
            rules.acl(acl, cluster.tls)
            cluster.pending_acl = acl.name
            acts.append(lambda: self._use_acl(cluster, acl.name))
        if params.get("SecurityGroupIds"):
            vpc = self._account.subnet_group(cluster.subnet_group).vpc
            groups = self._context.vpc.security_groups(params["SecurityGroupIds"], vpc)
            cluster.group_status = {
                **{group: "adding" for group in groups if group not in cluster.security_groups},
                **{group: "removing" for group in cluster.security_groups if group not in groups},
            }
            acts.append(lambda: self._use_security_groups(cluster, groups))
        return acts

    def _use_acl(self, cluster: Cluster, acl: str) -> None:
        cluster.running.admit(self._fleet.access(acl))
        with self._account.lock:
            cluster.acl, cluster.pending_acl = acl, ""

    def _use_security_groups(self, cluster: Cluster, groups: list[str]) -> None:
        with self._account.lock:
            cluster.security_groups, cluster.group_status = groups, {}
        self._fleet.refresh()

    # -- the rest ------------------------------------------------------------------------------------------------
    def _checked_settings(self, cluster: Cluster, params: Params) -> list[Act]:
        daily = params.get("SnapshotWindow", cluster.snapshot_window)
        weekly = params.get("MaintenanceWindow", cluster.maintenance_window).lower()
        windows.check(daily, weekly)
        retention = params.get("SnapshotRetentionLimit", cluster.retention)
        rules.retention(retention)
        topic = params.get("SnsTopicArn") or cluster.topic
        if params.get("SnsTopicArn"):
            rules.topic(params["SnsTopicArn"])
        status = params.get("SnsTopicStatus", "active" if params.get("SnsTopicArn") else "").lower()
        if status not in ("", "active", "inactive"):
            raise rules.value(f"SnsTopicStatus is active or inactive, not {status!r}.")
        changes: dict[str, Any] = {
            "description": params.get("Description", cluster.description),
            "snapshot_window": daily,
            "maintenance_window": weekly,
            "retention": retention,
            "topic": topic,
            "topic_is_active": status == "active" if status else cluster.topic_is_active,
        }
        return [lambda: vars(cluster).update(changes)]
