"""A cluster of real engines on loopback, as two shards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots as slots_of

from tests.component.conftest import Engine, free_port

HALVES = ((0, 8191), (8192, 16383))


@pytest.fixture
def start_cluster(start_engine: Callable[..., Engine]) -> Callable[..., list[Engine]]:
    """Start one engine for each of ``ranges``, that owns these slots, and one for each number of ``replicas_of``. With
    ``ca_file`` (and a certificate) they speak TLS among themselves, and so tell clients their ports of that.
    """

    def start(
        *lines: str, ranges: Any = HALVES, replicas_of: Any = (), password: str = "", ca_file: str = "", **more: Any
    ) -> list[Engine]:
        usual = ["cluster-enabled yes", "cluster-node-timeout 1000", *lines]
        usual += [f"masterauth {password}"] if password else []
        usual += [f"tls-ca-cert-file {ca_file}", "tls-cluster yes", "tls-replication yes"] if ca_file else []
        buses = [free_port() for _node in (*ranges, *replicas_of)]
        nodes = [start_engine(*usual, f"cluster-port {bus}", password=password, **more) for bus in buses]
        for node, slots in zip(nodes, ranges):
            ask(node, "CLUSTER", "ADDSLOTSRANGE", *slots)
        for node, bus in zip(nodes[1:], buses[1:]):
            ask(nodes[0], "CLUSTER", "MEET", "127.0.0.1", node.tls_port if ca_file else node.port, bus)
        until(lambda: all(len(known(node)) == len(nodes) for node in nodes))
        for number, node in zip(replicas_of, nodes[len(ranges) :]):
            until(lambda node=node, number=number: is_done(node, "CLUSTER", "REPLICATE", own_id(nodes[number])))
        if sum(last - first + 1 for first, last in ranges) == slots_of.COUNT:
            until(lambda: all("cluster_state:ok" in ask(node, "CLUSTER", "INFO") for node in nodes))
        until(lambda: all(shown(node) == len(nodes) for node in nodes))
        return nodes

    return start


def ask(node: Engine, *command: Any) -> Any:
    client = redis.Redis("127.0.0.1", node.port, password=node.password or None, decode_responses=True)
    client.response_callbacks.clear()
    try:
        return client.execute_command(*command)
    finally:
        client.close()


def shown(node: Engine) -> int:
    """How many nodes it tells clients of."""
    return len({told[2] for each in ask(node, "CLUSTER", "SLOTS") for told in each[2:]})


def known(node: Engine) -> list[str]:
    return [line for line in ask(node, "CLUSTER", "NODES").splitlines() if "handshake" not in line]


def own_id(node: Engine) -> str:
    return str(ask(node, "CLUSTER", "MYID"))


def is_done(node: Engine, *command: Any) -> bool:
    try:
        return bool(ask(node, *command))
    except redis.ResponseError:
        return False


def until(is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
