"""What a group may have besides nodes: notifications, log delivery, a network, data tiering, durability. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.catalogue import DATA_TIERING, ENABLED, Version, family_of_type
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal

SLOW, ENGINE = "slow-log", "engine-log"
LOG_SINCE = {SLOW: (6, 0), ENGINE: (6, 2)}
CLOUDWATCH, FIREHOSE = "cloudwatch-logs", "kinesis-firehose"
DETAILS = {CLOUDWATCH: ("CloudWatchLogsDetails", "LogGroup"), FIREHOSE: ("KinesisFirehoseDetails", "DeliveryStream")}
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+")
DURABLE_TYPES = frozenset(("r6g", "r7g", "r8g", "m6g", "m7g", "m8g", "c7gn", "c8gn"))
DURABLE_SINCE = (9, 0)
IPV4, IPV6, DUAL = "ipv4", "ipv6", "dual_stack"
NETWORK_SINCE = {"redis": (6, 2), "valkey": (7, 2), "memcached": (1, 6, 6)}  # for anything but IPv4 alone
CREATE = ("NotificationTopicArn", "LogDeliveryConfigurations", "NetworkType", "IpDiscovery", "DataTieringEnabled")
MODIFY = ("NotificationTopicArn", "NotificationTopicStatus", "LogDeliveryConfigurations", "IpDiscovery")
DURABILITY = "Durability"
Logs = Mapping[str, dict[str, Any]]  # log type → as AWS shows it


@dataclass
class Features:
    topic: str = ""
    topic_status: str = ""
    logs: dict[str, dict[str, Any]] = field(default_factory=dict)  # log type → as AWS shows it
    network_type: str = IPV4
    ip_discovery: str = IPV4
    data_tiering: bool = False
    durability: str = ""  # sync, async
    durability_asked: str = ""  # as stated, also default and disabled


def logs_after(
    now: Mapping[str, dict[str, Any]], asked: Sequence[Params], version: Version
) -> dict[str, dict[str, Any]]:
    """The log deliveries after a request: each type is switched by itself."""
    found = dict(now)
    if len({one.get("LogType") for one in asked}) != len(asked):
        raise rules.combination("LogDeliveryConfigurations must have one entry for a LogType.")
    for one in asked:
        kind = one.get("LogType")
        if kind is None:
            raise rules.combination("LogDeliveryConfigurations: LogType must be given.")
        if not one.get("Enabled", True):
            found.pop(kind, None)
            continue
        if version.number < LOG_SINCE[kind]:
            since = ".".join(str(part) for part in LOG_SINCE[kind])
            raise rules.combination(f"Log type {kind} is not supported by {version.full}; it is from {since} on.")
        found[kind] = _delivery(one, kind)
    return found


def _delivery(asked: Params, kind: str) -> dict[str, Any]:
    destination = asked.get("DestinationType")
    if destination is None or "LogFormat" not in asked:
        raise rules.combination("LogDeliveryConfigurations: DestinationType and LogFormat must be given.")
    shape, name = DETAILS[destination]
    told = asked.get("DestinationDetails", {})
    if set(told) != {shape} or not told[shape].get(name):
        raise rules.combination(f"DestinationType {destination} needs DestinationDetails.{shape}.{name}, and no other.")
    return {
        "LogType": kind,
        "DestinationType": destination,
        "DestinationDetails": told,
        "LogFormat": asked["LogFormat"],
        "Status": "active",
    }


def topic(arn: str) -> str:
    if arn and not TOPIC.fullmatch(arn):
        raise rules.value(f"NotificationTopicArn {arn!r} is not the ARN of an SNS topic.")
    return arn


def topic_status(status: str) -> str:
    if status not in ("active", "inactive"):
        raise rules.value(f"NotificationTopicStatus must be active or inactive, not {status!r}.")
    return status


def network(kind: str, discovery: str, version: Version) -> None:
    """The engines here are reached by IPv4: what AWS has beyond that is shown and not routed."""
    since = NETWORK_SINCE[version.engine]
    if kind != IPV4 and version.number < since:
        first = ".".join(str(part) for part in since)
        raise rules.combination(f"NetworkType {kind} is not supported by {version.full}; it is from {first} on.")
    if kind == IPV6:
        text = "NetworkType ipv6 exists at AWS; this sandbox implements ipv4 and dual_stack alone."
        raise Refusal(NO_SUCH_PARAMETER, text)
    ip_discovery(kind, discovery)


def ip_discovery(kind: str, discovery: str) -> None:
    if discovery == IPV6 and kind == IPV4:
        raise rules.combination("IpDiscovery ipv6 needs a NetworkType of ipv6 or dual_stack.")


def is_tiered(node_type: str) -> bool:
    return family_of_type(node_type) == DATA_TIERING


def is_durable(node_type: str) -> bool:
    return family_of_type(node_type) in DURABLE_TYPES


def data_tiering(wanted: bool | None, node_type: str) -> bool:
    tiered = is_tiered(node_type)
    if tiered and not wanted:
        raise rules.combination(f"{node_type} needs DataTieringEnabled true.")
    if wanted and not tiered:
        raise rules.combination(f"Data tiering is supported by node types of {DATA_TIERING} alone, not {node_type}.")
    return tiered


def node_type_keeps_tiering(now: str, wanted: str) -> None:
    if is_tiered(now) != is_tiered(wanted):
        raise rules.combination(f"Data tiering cannot be changed in place: from {now} there is no way to {wanted}.")


@dataclass(frozen=True)
class Footing:
    """What durability stands on."""

    version: Version
    node_type: str
    cluster_mode: str
    multi_az: bool
    least_replicas: int
    tls: bool
    tiered: bool


def durability(asked: str, on: Footing) -> str:
    """What is in effect: sync, async, or nothing. Raises where AWS has not what is asked for."""
    if asked in ("", "disabled", "default"):
        return ""
    faults = [
        text
        for fails, text in (
            (on.version.engine != "valkey" or on.version.number < DURABLE_SINCE, "Valkey 9.0 or newer"),
            (on.cluster_mode != ENABLED, "cluster mode enabled"),
            (not on.multi_az, "Multi-AZ"),
            (on.least_replicas < 1, "a replica in each node group"),
            (not on.tls, "transit encryption"),
            (on.tiered, "no data tiering"),
            (not is_durable(on.node_type), f"a node type of {', '.join(sorted(DURABLE_TYPES))}"),
        )
        if fails
    ]
    if faults:
        raise rules.combination(f"Durability {asked} needs {'; '.join(faults)}.")
    return asked
