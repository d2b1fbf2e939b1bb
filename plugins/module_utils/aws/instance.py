# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The EC2 instance of the old Redis: as it is, and the call that leads to the state that is wanted. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step

RUNNING, STOPPED, TERMINATED = "running", "stopped", "terminated"
_ON_THE_WAY = {"pending": RUNNING, "stopping": STOPPED, "shutting-down": TERMINATED}
_CALLS = {RUNNING: "StartInstances", STOPPED: "StopInstances", TERMINATED: "TerminateInstances"}
_AUTO_SCALING_TAG = "aws:autoscaling:groupName"
# Owns a public address that is not an Elastic IP: a stop releases it, and a start brings another.
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#concepts-public-addresses
_LENDER = "amazon"
# What EC2 says of a stop that somebody asked for, as in "User initiated (2026-11-25 19:42:11 GMT)".
_STOP_TIME = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


@dataclass(frozen=True)
class Instance:
    """``addresses`` and ``names`` are all by which it can be reached, ``released`` those that a stop takes away;
    ``protections`` are the options that guard it. EC2 renews ``launched`` at each start, and says when it was last
    stopped; None where it does not."""

    instance_id: str
    state: str
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    protections: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    launched: datetime | None = None
    stopped: datetime | None = None

    @property
    def auto_scaling_group(self) -> str:
        return self.tags.get(_AUTO_SCALING_TAG, "")

    def is_lost_by_a_stop(self, host: str, addresses: Sequence[str]) -> bool:
        """Whether what leads here by this host and its addresses leads nowhere once the instance was stopped."""
        released = set(self.released)
        led = {*self.addresses, *self.names}.intersection((host, *addresses))
        return host.lower() in released or (bool(led) and led <= released)


def is_instance_id(instance_id: Any) -> bool:
    return isinstance(instance_id, str) and bool(re.fullmatch(r"i-[0-9a-f]{8,17}", instance_id))


def check_instance_id(instance_id: str) -> str:
    if not is_instance_id(instance_id):
        raise PlanRefused(
            f"the instance id is {instance_id!r}: it is i- and 8 or 17 hexadecimal digits, as EC2 shows it; change "
            "migration_old_instance_id",
            "instance_id",
        )
    return instance_id


def shape(found: Mapping[str, Any], protections: tuple[str, ...] = ()) -> Instance:
    """Of DescribeInstances, with every address of every interface."""
    interfaces = found.get("NetworkInterfaces") or ()
    private = [one for each in interfaces for one in each.get("PrivateIpAddresses") or ()]
    addresses = [found.get("PrivateIpAddress"), found.get("PublicIpAddress"), found.get("Ipv6Address")]
    addresses += [one.get("PrivateIpAddress") for one in private]
    addresses += [one["Association"].get("PublicIp") for one in private if one.get("Association")]
    addresses += [one.get("Ipv6Address") for each in interfaces for one in each.get("Ipv6Addresses") or ()]
    associations = [one["Association"] for one in (*interfaces, *private) if one.get("Association")]
    lent = [one for one in associations if one.get("IpOwnerId") == _LENDER]
    released = [one.get(name) for one in lent for name in ("PublicIp", "PublicDnsName")]
    if found.get("PublicIpAddress") in released:
        released.append(found.get("PublicDnsName"))
    return Instance(
        instance_id=found["InstanceId"],
        state=found["State"]["Name"],
        addresses=tuple(dict.fromkeys(filter(None, addresses))),
        names=tuple(filter(None, (found.get("PrivateDnsName"), found.get("PublicDnsName")))),
        released=tuple(dict.fromkeys(filter(None, released))),
        protections=protections,
        tags={tag["Key"]: tag.get("Value", "") for tag in found.get("Tags") or ()},
        launched=found.get("LaunchTime"),
        stopped=_stop_time(found.get("StateTransitionReason") or ""),
    )


def _stop_time(reason: str) -> datetime | None:
    told = _STOP_TIME.search(reason)
    return datetime.strptime(told[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc) if told else None


def plan_state(current: Instance | None, instance_id: str, wanted: str) -> Plan:
    """At most one step; none where it is in the wanted state or on its way there. Raises PlanRefused."""
    state = current.state if current else TERMINATED
    heads_for = _ON_THE_WAY.get(state, state)
    if heads_for == wanted:
        return Plan()
    if heads_for == TERMINATED:
        raise PlanRefused(f"{instance_id} is terminated, and cannot be {wanted} any more", "instance_id")
    if state in _ON_THE_WAY and wanted != TERMINATED:
        return Plan()  # on its way elsewhere: EC2 refuses another wish until it is there
    if current and current.protections and wanted != RUNNING:
        guards = " and ".join(current.protections)
        raise PlanRefused(
            f"{instance_id} is protected ({guards}), and this collection never switches that off: do so yourself if "
            "it is really to go",
            "instance_id",
        )
    step = Step(_CALLS[wanted], {"InstanceIds": [instance_id]}, f"{instance_id}: {state} -> {wanted}", disruptive=True)
    return Plan((step,), {"state": state}, {"state": wanted})
