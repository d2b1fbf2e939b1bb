"""What AWS refuses of a cache cluster, by the code of its model and in words near to its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.catalogue import Version, find_version
from sandbox.aws.elasticache.clusters.names import MOST_NODES
from sandbox.aws.elasticache.clusters.state import CROSS, MEMCACHED, CacheCluster
from sandbox.aws.wire import Params, Refusal

ENGINES = (MEMCACHED, "redis")
OF_REDIS = ("SnapshotArns", "SnapshotName", "SnapshotRetentionLimit", "SnapshotWindow", "LogDeliveryConfigurations")
OF_MEMCACHED = ("AZMode", "PreferredAvailabilityZones", "NewAvailabilityZones", "CacheNodeIdsToRemove", "ScaleConfig")
TLS_FROM, SCALES_FROM = (1, 6, 12), (1, 5)


def version(engine: str, label: str) -> Version:
    if engine not in ENGINES:
        raise rules.value(f"Invalid Engine: {engine}. A cache cluster runs {' or '.join(ENGINES)}.")
    found = find_version(engine, label)
    if found is None:
        raise rules.combination(f"Cannot find version {label} for {engine}.")
    return found


def parameters_of_engine(params: Params, engine: str) -> None:
    for name in OF_REDIS if engine == MEMCACHED else OF_MEMCACHED:
        if name in params:
            raise rules.combination(f"{name} is not supported for {engine}.")


def node_count(engine: str, nodes: int) -> None:
    if engine != MEMCACHED and nodes != 1:
        raise rules.combination(f"Cannot create a {engine} cluster with a NumCacheNodes parameter other than 1.")
    if nodes < 1:
        raise rules.value(f"NumCacheNodes must be at least 1, not {nodes}.")
    if nodes > MOST_NODES:
        raise Refusal("NodeQuotaForClusterExceeded", f"A cluster has at most {MOST_NODES} nodes, not {nodes}.")


def zones(mode: str, wanted: Sequence[str], nodes: int, offered: Sequence[str]) -> None:
    if wanted and len(wanted) != nodes:
        raise rules.value(f"The number of availability zones ({len(wanted)}) must equal that of the nodes ({nodes}).")
    unknown = sorted(set(wanted) - set(offered))
    if unknown:
        raise rules.value(
            f"{', '.join(unknown)} is not an availability zone of the subnet group, which has {', '.join(offered)}."
        )
    if mode == CROSS and nodes < 2:
        raise rules.combination("Cross-AZ mode needs more than one cache node.")
    if mode != CROSS and len(set(wanted)) > 1:
        raise rules.combination("Nodes in several availability zones need AZMode cross-az.")


def transit(version: Version, wanted: bool) -> None:
    if not wanted:
        return
    if version.engine != MEMCACHED:
        raise rules.combination("Encryption features are not supported for a cache cluster of redis.")
    if version.number < TLS_FROM:
        raise rules.combination(f"Encryption features are not supported for engine version {version.full}.")


def upgrade(cluster: CacheCluster, label: str) -> Version:
    wanted = version(cluster.version.engine, label)
    if wanted.number < cluster.version.number:
        raise rules.combination(f"Cannot downgrade {cluster.version.engine} {cluster.version.full} to {wanted.full}.")
    return wanted


def scaling(cluster: CacheCluster, node_type: str) -> None:
    rules.node_type(node_type)
    rules.runs_on(cluster.version, node_type)
    if cluster.is_memcached and cluster.version.number < SCALES_FROM:
        raise rules.combination(f"Memcached {cluster.version.full} does not change its node type; 1.5 and newer do.")


def scale_config(given: dict[str, int]) -> None:
    for name, least, most in (("ScalePercentage", 10, 100), ("ScaleIntervalMinutes", 2, 30)):
        if name in given and not least <= given[name] <= most:
            raise rules.value(f"{name} must be between {least} and {most}, not {given[name]}.")


def fewer_nodes(cluster: CacheCluster, nodes: int, gone: Sequence[str]) -> None:
    """`cluster.pending` was taken away before, as a newer request replaces it."""
    if len(set(gone)) != len(cluster.nodes) - nodes:
        raise rules.combination(
            f"CacheNodeIdsToRemove must name {len(cluster.nodes) - nodes} nodes to go from {len(cluster.nodes)} to "
            f"{nodes}; it names {len(gone)}."
        )
    unknown = sorted(set(gone) - {node.id for node in cluster.nodes})
    if unknown:
        raise rules.value(f"{cluster.id} has no cache node {', '.join(unknown)}.")
