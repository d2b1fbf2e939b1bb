"""Creating, describing, failing over and deleting clusters, ListAllowedNodeTypeUpdates and DescribeEvents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from sandbox.aws.elasticache import windows
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.engines import EngineMissing
from sandbox.aws.memorydb import describe, rules
from sandbox.aws.memorydb.catalogue import MAXMEMORY, Version, default_version, is_tiered
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.snapshots import begin_snapshot, refuse_taken_name, usable_snapshot, write_snapshot
from sandbox.aws.memorydb.state import (
    AVAILABLE,
    CREATE_FAILED,
    CREATING,
    DELETING,
    UPDATING,
    Cluster,
    Node,
    SubnetGroup,
)
from sandbox.aws.wire import Params, Refusal, Result, operation

IPV4 = ("ipv4",)
OBJECT = re.compile(r"arn:aws:s3:::([a-z0-9.-]+)/([^,]+)")


@dataclass(frozen=True)
class Seed:
    """What a cluster begins with: a file for each shard of the one that it was taken of, and that one's slots."""

    version: Version
    files: Mapping[str, Path] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)


class Clusters:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation(
        "CreateCluster",
        *("ClusterName", "NodeType", "ParameterGroupName", "Description", "NumShards", "NumReplicasPerShard"),
        *("SubnetGroupName", "SecurityGroupIds", "MaintenanceWindow", "Port", "SnsTopicArn", "TLSEnabled", "KmsKeyId"),
        *("SnapshotArns", "SnapshotName", "SnapshotRetentionLimit", "Tags", "SnapshotWindow", "ACLName", "Engine"),
        *("EngineVersion", "AutoMinorVersionUpgrade", "DataTiering"),
        only={"NetworkType": IPV4, "IpDiscovery": IPV4},
    )
    def create_cluster(self, params: Params) -> Result:
        name, tags = rules.name(params["ClusterName"], "ClusterName"), tags_given(params)
        with self._account.lock:
            if name in self._account.clusters:
                raise Refusal("ClusterAlreadyExistsFault", f"Cluster {name} already exists.")
            seed = self._seed(params, name)
            cluster = self._new_cluster(name, params, seed.version)
            self._account.clusters[name] = cluster
            self._account.tags[cluster.arn] = dict(tags)
            self._work.begin(cluster, CREATING, lambda: self._start(cluster, seed))
            return {"Cluster": describe.cluster(cluster)}

    def _start(self, cluster: Cluster, seed: Seed) -> None:
        self._fleet.start(cluster, seed.files, seed.slots)
        self._account.note("cluster", cluster.id, f"Cluster {cluster.id} has been created.")

    def _seed(self, params: Params, name: str) -> Seed:
        if "SnapshotName" in params and params.get("SnapshotArns"):
            raise rules.combination("Give either SnapshotName or SnapshotArns.")
        if "SnapshotName" not in params:
            engine = params.get("Engine", "redis").lower()
            label = params.get("EngineVersion") or (default_version(engine).label if engine in rules.ENGINES else "")
            version = rules.version(engine, label)
            arns = params.get("SnapshotArns")
            return Seed(version, {"0001": self._fetched(arns, name)}, {"0001": "0-16383"}) if arns else Seed(version)
        snapshot = usable_snapshot(self._account, params["SnapshotName"])
        engine = params.get("Engine", snapshot.version.engine).lower()
        label = snapshot.version.label if engine == snapshot.version.engine else default_version(engine).label
        version = rules.version(engine, params.get("EngineVersion", label))
        rules.engine_change(snapshot.version, version)
        return Seed(version, snapshot.files, snapshot.slots)

    def _fetched(self, arns: list[str], name: str) -> Path:
        if len(arns) > 1:
            raise rules.not_here("SnapshotArns: of several files AWS makes shards; this sandbox restores one alone.")
        found = OBJECT.fullmatch(arns[0])
        if not found:
            raise rules.value(f"SnapshotArns: {arns[0]} is not the ARN of an object in S3.")
        file = self._context.snapshots / f"of-s3-{name}.rdb"
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._context.client("s3").download_file(found[1], found[2], str(file))
        except ClientError as refused:
            raise rules.value(f"SnapshotArns: {arns[0]}: {refused.response['Error']['Message']}")
        return file

    def _new_cluster(self, name: str, params: Params, version: Version) -> Cluster:
        node_type, tls = params["NodeType"], params.get("TLSEnabled", True)
        shards, replicas = params.get("NumShards", 1), params.get("NumReplicasPerShard", 1)
        rules.node_type(node_type)
        rules.tiering(node_type, params.get("DataTiering", False))
        rules.shards(shards)
        rules.replicas(replicas)
        rules.nodes(shards * (replicas + 1))
        rules.port(params.get("Port", 6379))
        rules.retention(params.get("SnapshotRetentionLimit", 0))
        if params.get("SnsTopicArn"):
            rules.topic(params["SnsTopicArn"])
        daily, weekly = windows.chosen(params.get("SnapshotWindow"), params.get("MaintenanceWindow"))
        windows.check(daily, weekly)
        acl = self._account.acl(params["ACLName"])
        rules.acl(acl, tls)
        default = self._account.default_parameter_group(version.family).name
        parameters = self._account.parameter_group(params.get("ParameterGroupName", default))
        rules.parameter_group_family(parameters.family, version)
        subnets = self._subnet_group(params)
        groups = params.get("SecurityGroupIds", [])
        if params.get("KmsKeyId"):
            self._context.vpc.require_key(params["KmsKeyId"])
        self._require_engine(version)
        return Cluster(
            id=name,
            description=params.get("Description", ""),
            node_type=node_type,
            version=version,
            parameter_group=parameters.name,
            subnet_group=subnets.name,
            security_groups=self._context.vpc.security_groups(groups, subnets.vpc) if groups else [],
            port=params.get("Port", 6379),
            tls=tls,
            kms_key=params.get("KmsKeyId", ""),
            acl=acl.name,
            retention=params.get("SnapshotRetentionLimit", 0),
            snapshot_window=daily,
            maintenance_window=weekly.lower(),
            auto_minor_version_upgrade=params.get("AutoMinorVersionUpgrade", True),
            topic=params.get("SnsTopicArn", ""),
            data_tiering=params.get("DataTiering", False),
            network_zone=self._context.network_zone,
            nodes={
                shard: [new_node(name, shard, number, subnets.zones) for number in range(1, replicas + 2)]
                for shard in (f"{number:04}" for number in range(1, shards + 1))
            },
        )

    def _subnet_group(self, params: Params) -> SubnetGroup:
        name = params.get("SubnetGroupName", "default")
        if name == "default" and name not in self._account.subnet_groups:
            found = self._context.vpc.default_subnet_group()
            group = SubnetGroup(found.name, "Default subnet group", found.vpc, found.subnets)
            self._account.subnet_groups[name] = group
        return self._account.subnet_group(name)

    def _require_engine(self, version: Version) -> None:
        try:
            self._fleet.require_engine(version.engine)
        except EngineMissing as missing:
            raise rules.not_here(f"Engine {version.engine} is not implemented here: {missing}")

    # -- reading -------------------------------------------------------------------------------------------------
    @operation("DescribeClusters", "ClusterName", "ShowShardDetails", "MaxResults", "NextToken")
    def describe_clusters(self, params: Params) -> Result:
        with self._account.lock:
            if "ClusterName" in params:
                found = [self._account.cluster(params["ClusterName"])]
            else:
                found = sorted(self._account.clusters.values(), key=lambda cluster: cluster.id)
        with_shards = params.get("ShowShardDetails", False)
        return rules.page([describe.cluster(cluster, with_shards) for cluster in found], params, "Clusters")

    @operation("ListAllowedNodeTypeUpdates", "ClusterName")
    def list_allowed_node_type_updates(self, params: Params) -> Result:
        now = self._account.cluster(params["ClusterName"]).node_type
        others = {name: size for name, size in MAXMEMORY.items() if is_tiered(name) == is_tiered(now) and name != now}
        return {
            "ScaleUpNodeTypes": [name for name, size in others.items() if size >= MAXMEMORY[now]],
            "ScaleDownNodeTypes": [name for name, size in others.items() if size < MAXMEMORY[now]],
        }

    @operation(
        "DescribeEvents", "SourceName", "SourceType", "StartTime", "EndTime", "Duration", "MaxResults", "NextToken"
    )
    def describe_events(self, params: Params) -> Result:
        """All that there were, as a sandbox lives shorter than AWS keeps events."""
        with self._account.lock:
            found = [
                {"SourceName": e.source, "SourceType": e.source_type, "Message": e.message, "Date": e.date}
                for e in self._account.events
                if params.get("SourceName", e.source) == e.source
                and params.get("SourceType", e.source_type) == e.source_type
            ]
        return rules.page(found, params, "Events")

    # -- failing over, deleting ----------------------------------------------------------------------------------
    @operation("FailoverShard", "ClusterName", "ShardName")
    def failover_shard(self, params: Params) -> Result:
        with self._account.lock:
            cluster, shard = self._account.cluster(params["ClusterName"]), params["ShardName"]
            rules.require_available(cluster)
            if shard not in cluster.nodes:
                raise Refusal("ShardNotFoundFault", f"Shard {shard} not found in {cluster.id}.")
            if not cluster.replicas:
                raise Refusal("TestFailoverNotAvailableFault", f"Shard {shard} of {cluster.id} has no replica.")
            work = self._work
            work.begin(cluster, UPDATING, lambda: cluster.running.fail_over(shard, work.go_unnoticed))
            return {"Cluster": describe.cluster(cluster)}

    @operation("DeleteCluster", "ClusterName", "FinalSnapshotName")
    def delete_cluster(self, params: Params) -> Result:
        final = params.get("FinalSnapshotName", "").lower()
        with self._account.lock:
            cluster = self._account.cluster(params["ClusterName"])
            if cluster.status == CREATE_FAILED and not final:
                cluster.status = AVAILABLE  # it may be deleted as it is; there is nothing to keep
            if final:
                refuse_taken_name(self._account, final)
            rules.require_available(cluster)
            self._work.begin(cluster, DELETING, lambda: self._delete(cluster, final))
            return {"Cluster": describe.cluster(cluster)}

    def _delete(self, cluster: Cluster, final: str) -> None:
        if final:
            write_snapshot(cluster, begin_snapshot(self._context, cluster, final, {}))
        self._work.take_time()
        self._fleet.stop(cluster)
        with self._account.lock:
            del self._account.clusters[cluster.id]
            self._account.tags.pop(cluster.arn, None)


def new_node(cluster: str, shard: str, number: int, zones: list[str]) -> Node:
    return Node(f"{cluster}-{shard}-{number:03}", zones[(int(shard) + number) % len(zones)])
