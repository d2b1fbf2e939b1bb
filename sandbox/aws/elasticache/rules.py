"""What AWS refuses. Pure: each function looks at values and raises, with AWS's code and a sentence of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.aws.elasticache.catalogue import ENABLED, MAXMEMORY, REPLICATION_ENGINES, VERSIONS, Version, find_version
from sandbox.aws.wire import Refusal

MOST_REPLICAS = 5
LONGEST_RETENTION = 35
TOKEN = re.compile(r"[A-Za-z0-9!&#$^<>-]{16,128}")


def value(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)


def combination(message: str) -> Refusal:
    return Refusal("InvalidParameterCombination", message)


def identifier(name: str, what: str, longest: int) -> str:
    """The name as AWS stores it."""
    ok = re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name) and len(name) <= longest and "--" not in name and name[-1] != "-"
    if not ok:
        raise value(
            f"{what} {name!r} must begin with a letter, have 1 to {longest} letters, digits and hyphens, no two "
            f"hyphens in a row and none at the end."
        )
    return name.lower()


def token(given: str) -> None:
    """The token itself is never in the message."""
    if not TOKEN.fullmatch(given):
        raise value(
            "AuthToken must be 16 to 128 printable characters; of the special ones only ! & # $ ^ < > - are allowed."
        )


def node_type(name: str) -> None:
    if name not in MAXMEMORY:
        raise value(f"The cache node type {name} does not exist or is not offered here.")


def runs_on(wanted: Version, node_type_name: str) -> None:
    if not wanted.runs_on(node_type_name):
        raise combination(f"{wanted.engine} {wanted.full} does not run on {node_type_name}.")


def engine(name: str) -> None:
    if name not in REPLICATION_ENGINES:
        raise value(f"Engine {name!r} cannot make a replication group; {' and '.join(REPLICATION_ENGINES)} can.")


def version(engine_name: str, label: str) -> Version:
    engine(engine_name)
    found = find_version(engine_name, label)
    if found is None:
        raise combination(f"Cannot find version {label} for {engine_name}.")
    return found


def engine_change(now: Version, wanted: Version) -> None:
    """In place an engine goes up, and from Redis OSS to Valkey. One way leads down: Valkey 7.2 to Redis OSS 7.1."""
    is_the_way_back = (now.engine, now.label, wanted.engine, wanted.label) == ("valkey", "7.2", "redis", "7.1")
    if wanted.number < now.number and not is_the_way_back:
        raise combination(
            f"Cannot downgrade from {now.engine} {now.full} to {wanted.engine} {wanted.full} in place: delete the "
            f"replication group, and create it anew with the earlier version."
        )


def engine_version_is_stated(stated: bool) -> None:
    if not stated:
        raise combination("EngineVersion must be specified where Engine is changed.")


def failover(replicas: int, automatic: bool, multi_az: bool, cluster_mode: str) -> None:
    """`replicas` of the shard that has fewest."""
    if cluster_mode == ENABLED and not automatic:
        raise combination("Cluster mode enabled cannot be without automatic failover.")
    if automatic and replicas < 1 and cluster_mode != ENABLED:
        raise combination("Automatic failover needs at least two nodes: one primary and one replica.")
    if multi_az and not automatic:
        raise combination("Multi-AZ needs automatic failover.")
    if multi_az and replicas < 1:
        raise combination("Multi-AZ needs at least one replica in each node group.")


def encrypts(wanted: Version, transit: bool, at_rest: bool) -> None:
    if (transit or at_rest) and not wanted.can_encrypt:
        raise combination(f"Encryption features are not supported for engine version {wanted.full}.")


def node_count(nodes: int) -> None:
    if not 1 <= nodes <= MOST_REPLICAS + 1:
        raise value(f"A node group has 1 to {MOST_REPLICAS + 1} nodes, not {nodes}.")


def replica_count(replicas: int) -> None:
    if not 0 <= replicas <= MOST_REPLICAS:
        raise value(f"NewReplicaCount must be between 0 and {MOST_REPLICAS}, not {replicas}.")


def zones(wanted: Sequence[str], nodes: int | None, offered: Sequence[str]) -> None:
    if wanted and len(wanted) != nodes:
        raise value(
            "When specifying preferred availability zones, the number of cache clusters must be specified and must "
            "match the number of preferred availability zones."
        )
    known_zones(wanted, offered)


def known_zones(wanted: Sequence[str], offered: Sequence[str]) -> None:
    unknown = sorted(set(wanted) - set(offered))
    if unknown:
        raise value(
            f"{', '.join(unknown)} is not an availability zone of the subnet group, which has {', '.join(offered)}."
        )


def encryption(transit: bool, mode: str, has_token: bool, at_rest: bool, kms_key: str) -> None:
    if has_token and not transit:
        raise combination("An AUTH token needs transit encryption.")
    if mode and not transit:
        raise combination("TransitEncryptionMode needs TransitEncryptionEnabled.")
    if kms_key and not at_rest:
        raise combination("KmsKeyId needs AtRestEncryptionEnabled.")


def transit_mode(version: Version, mode: str, has_token: bool) -> None:
    """Of a group that is to be made."""
    if mode and not version.can_switch_transit_encryption:
        raise combination(f"TransitEncryptionMode is not supported for {version.full}; it is from 7.0.5 on.")
    if mode == "preferred" and has_token:
        raise combination("Transit encryption preferred is not supported with redis access control.")


def transit_change(version: Version, now: str, enabled: bool, mode: str) -> None:
    """In place from 7.0.5 on, one step at a time: none, preferred, required, and back."""
    if mode and not enabled:
        raise combination("TransitEncryptionMode needs TransitEncryptionEnabled.")
    if mode == now:
        return
    if not version.can_switch_transit_encryption:
        raise combination(f"Transit encryption cannot be changed in place at {version.full}; it can from 7.0.5 on.")
    steps = ["", "preferred", "required"]
    if abs(steps.index(mode) - steps.index(now)) > 1:
        raise combination("Transit encryption changes in two steps: TransitEncryptionMode preferred is between.")


def port(number: int) -> None:
    if not 1 <= number <= 65535:
        raise value(f"Port must be between 1 and 65535, not {number}.")


def retention(days: int) -> None:
    if not 0 <= days <= LONGEST_RETENTION:
        raise value(f"SnapshotRetentionLimit must be between 0 and {LONGEST_RETENTION} days, not {days}.")


def parameter_group_family(family: str, wanted: Version) -> None:
    """In AWS's own words, as users report them."""
    engine_of_group = next(known.engine for known in VERSIONS if known.family == family)
    if engine_of_group != wanted.engine:
        raise combination(f"{engine_of_group} parameter group is not applicable to engine {wanted.engine}")
    if family != wanted.family:
        raise combination(f"Expected a parameter group of family {wanted.family} but found one of family {family}")
