"""What security groups let in, as elements of a packet filter."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws.doors import ALL_PORTS, Admission, Door, admissions

networks = st.builds(
    lambda n, bits: str(ipaddress.IPv4Network((n << 8, bits), strict=False)),
    st.integers(0xAC1F00, 0xAC1F0F),
    st.integers(8, 32),
)
ports = st.tuples(st.integers(1, 20), st.integers(0, 10)).map(lambda pair: (pair[0], pair[0] + pair[1]))
permissions = st.lists(st.tuples(networks, ports), max_size=6)


def rule(source: str, low: int, high: int, protocol: str = "tcp") -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": low, "ToPort": high, "IpRanges": [{"CidrIp": source}]}


def contains(admission: Admission, source: str, port: int) -> bool:
    inside = ipaddress.IPv4Address(source) in ipaddress.IPv4Network(admission.network)
    return inside and admission.ports[0] <= port <= admission.ports[1]


@given(permissions, st.integers(0xAC1F0000, 0xAC1F0FFF), st.integers(1, 30))
def test_exactly_what_a_rule_admits_is_admitted_and_by_one_element(
    rules: list[tuple[str, tuple[int, int]]], source: int, port: int
) -> None:
    door = Door("172.31.3.1", ALL_PORTS, ("sg",))
    found = admissions(door, {"sg": [rule(network, *span) for network, span in rules]}, {})
    address = str(ipaddress.IPv4Address(source))
    wanted = any(contains(Admission(network, "172.31.3.1", span), address, port) for network, span in rules)
    assert [contains(a, address, port) for a in found].count(True) == int(wanted)  # nft refuses overlaps


def test_a_door_admits_its_own_ports_alone() -> None:
    door = Door("172.31.2.10", (6379, 6379), ("sg",))
    assert admissions(door, {"sg": [rule("10.0.0.0/8", 80, 443)]}, {}) == []
    found = admissions(door, {"sg": [rule("10.0.0.0/8", 6000, 7000)]}, {})
    assert found == [Admission("10.0.0.0/8", "172.31.2.10", (6379, 6379))]


def test_all_traffic_is_every_port_and_udp_is_none() -> None:
    door = Door("172.31.2.10", (6379, 6379), ("sg",))
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    assert len(admissions(door, {"sg": [everything]}, {})) == 1
    assert admissions(door, {"sg": [rule("10.0.0.0/8", 6379, 6379, "udp")]}, {}) == []


def test_a_group_as_source_is_the_addresses_of_its_members() -> None:
    door = Door("172.31.2.10", (6379, 6379), ("cache",))
    pair = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [{"GroupId": "app"}]}
    found = admissions(door, {"cache": [pair]}, {"app": ["172.31.1.1", "172.31.1.4"]})
    assert [a.element() for a in found] == ["172.31.1.1/32 . 172.31.2.10 . 6379", "172.31.1.4/32 . 172.31.2.10 . 6379"]


def test_nodes_of_a_group_reach_each_other_without_a_rule() -> None:
    door = Door("172.31.2.10", (6379, 6379), (), peers=("172.31.2.11",))
    assert [a.network for a in admissions(door, {}, {})] == ["172.31.2.11/32"]


def test_a_door_that_leads_on_is_filtered_where_it_leads_to() -> None:
    door = Door("172.31.2.20", (6379, 6379), ("sg",), behind=("172.31.2.10", 16379))
    found = admissions(door, {"sg": [rule("10.0.0.0/8", 6379, 6379)]}, {})
    assert found == [Admission("10.0.0.0/8", "172.31.2.10", (16379, 16379))]
