"""TCP connections as /proc shows them."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import connections
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import (
    Connection,
    links_of,
    places,
)

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 010110AC:A1B2 0A021FAC:18EB 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm
   0: 0000000000000000FFFF00000101AC0A:A1B2 0000000000000000FFFF00000A021FAC:18EB 01 00000000:00000000 00:0 0 0 0 333 1
"""


def test_listening_and_established_sockets_are_read():
    assert connections.parse_tcp(TCP) == [
        Connection("111", connections.LISTEN, ("0.0.0.0", 0)),
        Connection("222", connections.ESTABLISHED, ("172.31.2.10", 6379)),
    ]


def test_an_ipv4_address_seen_through_an_ipv6_socket_is_the_ipv4_address():
    [found] = connections.parse_tcp(TCP6)
    assert found.remote == ("172.31.2.10", 6379)


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6])
def held(request):
    """A connection of this process to itself, over IPv4, or to an IPv4 address over an IPv6 socket."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(request.param) as client:
        port = server.getsockname()[1]
        client.connect(("127.0.0.1" if request.param == socket.AF_INET else "::ffff:127.0.0.1", port))
        yield server, port


def test_the_connections_of_a_real_process_are_told_apart(held):
    _server, port = held
    target = places([{"address": "localhost", "port": port}])
    links = links_of(os.getpid(), target, frozenset())
    assert (links.to_target, links.to_left) == (1, 0)
    links = links_of(os.getpid(), frozenset(), target)
    assert (links.to_target, links.to_left) == (0, 1)
    links = links_of(os.getpid(), frozenset([("127.0.0.1", port + 1)]), frozenset([("127.0.0.2", port)]))
    assert (links.to_target, links.to_left) == (0, 0)


def test_a_listening_socket_is_known_by_its_inode(held):
    server, _port = held
    inode = os.readlink(f"/proc/self/fd/{server.fileno()}")[8:-1]
    assert inode in links_of(os.getpid(), frozenset(), frozenset()).listening


def test_a_process_that_has_ended_has_no_links():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert links_of(child, frozenset(), frozenset()) is None


def test_a_process_of_another_user_is_refused_with_the_way_out():
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            links_of(1, frozenset(), frozenset())
        except connections.NotAllowed as error:
            os._exit(0 if "become" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_name_that_does_not_resolve_has_no_places():
    assert places([{"address": "no-such-name.invalid", "port": 1}, {"address": "127.0.0.9", "port": "2"}]) == {
        ("127.0.0.9", 2)
    }


def test_of_a_cluster_the_addresses_of_its_nodes_are_places_too():
    nodes = [{"name": "n1", "address": "127.0.0.8", "port": 6380}, {"address": "127.0.0.9", "port": "6379"}]
    cluster = {"address": "127.0.0.7", "port": 6379, "protocol": "redis-cluster", "nodes": nodes}
    assert places([cluster]) == {("127.0.0.7", 6379), ("127.0.0.8", 6380), ("127.0.0.9", 6379)}


def test_of_one_node_for_all_keys_only_its_endpoint_is():
    single = {"address": "127.0.0.7", "port": 6379, "protocol": "redis", "nodes": [{"address": "127.0.0.8", "port": 1}]}
    assert places([single]) == {("127.0.0.7", 6379)}
