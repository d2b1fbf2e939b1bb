"""Security groups as a packet filter: who may reach which address and port, and a missing rule is a timeout.

One nft table in the network namespace of the sandbox. Packets to the engines' range are dropped unless a security
group admits them; what is established stays, as AWS tracks connections.
"""

from __future__ import annotations

import ipaddress
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENGINES = "172.31.2.0/23"
ALL_PORTS = (0, 65535)
TABLE = f"""table inet sandbox
delete table inet sandbox
table inet sandbox {{
  map second {{ type ipv4_addr . inet_service : ipv4_addr . inet_service; }}
  set admitted {{ type ipv4_addr . ipv4_addr . inet_service; flags interval; }}
  chain second_protocol {{
    type nat hook prerouting priority -100;
    dnat ip to ip daddr . tcp dport map @second
  }}
  chain input {{
    type filter hook input priority 0;
    ct state established,related accept
    ip saddr . ip daddr . tcp dport @admitted accept
    ip daddr {ENGINES} drop
  }}
}}
"""

Ports = tuple[int, int]
Rules = Mapping[str, Sequence[Mapping[str, Any]]]  # security group → its ingress permissions, as EC2 describes them
Members = Mapping[str, Iterable[str]]  # security group → private addresses of what wears it


class DoorsUnavailable(Exception):
    """nft cannot be used here."""


@dataclass(frozen=True)
class Door:
    """One address behind the filter. `peers` are admitted without a rule: the nodes of the same replication group.

    Where what listens is at another address and port, `behind` says where, and packets to the door are led there.
    """

    address: str
    ports: Ports
    security_groups: tuple[str, ...]
    peers: tuple[str, ...] = ()
    behind: tuple[str, int] | None = None


@dataclass(frozen=True, order=True)
class Admission:
    network: str
    address: str
    ports: Ports

    def element(self) -> str:
        low, high = self.ports
        return f"{self.network} . {self.address} . {low if low == high else f'{low}-{high}'}"


def admissions(door: Door, rules: Rules, members: Members) -> list[Admission]:
    """What the security groups of one door let in, without overlaps: a set of nft with ranges refuses them."""
    wanted = [(peer + "/32", door.ports) for peer in door.peers]
    for group in door.security_groups:
        for permission in rules.get(group, ()):
            ports = _common(door.ports, _ports_of(permission))
            if ports is not None:
                wanted += [(network, ports) for network in _sources_of(permission, members)]
    address, port = door.behind or (door.address, None)  # the filter sees packets after they were led on
    return [
        Admission(str(network), address, (port, port) if port else ports)
        for ports in _segments([ports for _, ports in wanted])
        for network in ipaddress.collapse_addresses(
            ipaddress.IPv4Network(n) for n, p in wanted if p[0] <= ports[0] and ports[1] <= p[1]
        )
    ]


def _ports_of(permission: Mapping[str, Any]) -> Ports | None:
    if permission["IpProtocol"] == "-1":
        return ALL_PORTS
    return (permission["FromPort"], permission["ToPort"]) if permission["IpProtocol"] in ("tcp", "6") else None


def _common(one: Ports, other: Ports | None) -> Ports | None:
    if other is None:
        return None
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else None


def _sources_of(permission: Mapping[str, Any], members: Members) -> Iterable[str]:
    yield from (r["CidrIp"] for r in permission.get("IpRanges", ()))
    for pair in permission.get("UserIdGroupPairs", ()):
        yield from (address + "/32" for address in members.get(pair["GroupId"], ()))


def _segments(ranges: Sequence[Ports]) -> list[Ports]:
    """Cut ranges of ports where one begins or ends, so that each piece is wholly inside or outside of each range."""
    cuts = sorted({low for low, _ in ranges} | {high + 1 for _, high in ranges})
    return [(a, b - 1) for a, b in zip(cuts, cuts[1:]) if any(low <= a and b - 1 <= high for low, high in ranges)]


class Doors:
    """Keeps the filter equal to the security groups. `sources` say which doors there are now."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2
        self._lock = threading.Lock()
        self._last = ""
        self.sources: list[Callable[[], Iterable[Door]]] = []
        nft(TABLE)

    def refresh(self) -> None:
        """Read the security groups and set the filter; called after every write of EC2 and before an engine is used."""
        with self._lock:
            doors = [door for source in self.sources for door in source()]
            found = self._ec2.describe_security_groups()["SecurityGroups"] if doors else []
            rules = {group["GroupId"]: group["IpPermissions"] for group in found}
            members = self._members(doors) if doors else {}
            wanted = sorted({a for door in doors for a in admissions(door, rules, members)})  # two may lead to one
            text = filling("set", "admitted", [a.element() for a in wanted])
            text += filling("map", "second", [leading(door) for door in doors if door.behind])
            if text != self._last:
                nft(text)
                self._last = text

    def _members(self, doors: Sequence[Door]) -> dict[str, set[str]]:
        members: dict[str, set[str]] = {}
        for door in doors:
            for group in door.security_groups:
                members.setdefault(group, set()).add(door.behind[0] if door.behind else door.address)
        for reservation in self._ec2.describe_instances()["Reservations"]:
            for instance in reservation["Instances"]:
                for group in instance.get("SecurityGroups", ()) if instance.get("PrivateIpAddress") else ():
                    members.setdefault(group["GroupId"], set()).add(instance["PrivateIpAddress"])
        return members


def leading(door: Door) -> str:
    assert door.behind is not None
    address, port = door.behind
    return f"{door.address} . {door.ports[0]} : {address} . {port}"


def filling(kind: str, name: str, elements: Sequence[str]) -> str:
    add = f"add element inet sandbox {name} {{ {', '.join(elements)} }}\n" if elements else ""
    return f"flush {kind} inet sandbox {name}\n{add}"


def nft(text: str) -> None:
    try:
        done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=False)
    except FileNotFoundError:
        raise DoorsUnavailable(
            "nft is not on PATH: security groups need it (Debian and Ubuntu: apt-get install nftables)"
        )
    if done.returncode:
        raise DoorsUnavailable(f"nft refused the filter of the security groups: {done.stderr.strip()}")
