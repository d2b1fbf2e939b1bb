"""What listens on this host, as its kernel tells it."""

from __future__ import annotations

import os
import pathlib
import socket

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.looks import Neighbours
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.listeners import listeners, own_addresses


def found(protocol, port):
    return [one for one in listeners() if (one.protocol, one.port) == (protocol, port)]


def test_a_socket_that_takes_connections_is_found_with_its_program():
    with socket.create_server(("127.0.0.1", 0)) as server:
        [one] = found("tcp", server.getsockname()[1])
        own = pathlib.Path("/proc/self/comm").read_text().strip()
        assert (one.address, one.program, one.pid) == ("127.0.0.1", own, os.getpid())


def test_a_socket_that_takes_datagrams_is_found_and_one_that_is_connected_is_not():
    with socket.socket(type=socket.SOCK_DGRAM) as taking, socket.socket(type=socket.SOCK_DGRAM) as asking:
        taking.bind(("127.0.0.1", 0))
        asking.connect(taking.getsockname())
        assert len(found("udp", taking.getsockname()[1])) == 1
        assert found("udp", asking.getsockname()[1]) == []


def test_a_connection_is_no_listener():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert found("tcp", client.getsockname()[1]) == []


def test_loopback_is_no_address_of_a_host():
    assert "127.0.0.1" not in own_addresses() and "::1" not in own_addresses()


def test_what_every_machine_runs_and_the_old_redis_itself_are_no_other_service():
    seen = Neighbours(
        "old",
        listeners=tuple(
            {"protocol": protocol, "address": "0.0.0.0", "port": port, "program": program, "pid": 1}
            for protocol, port, program in [
                ("tcp", 22, "sshd"),
                ("udp", 323, "chronyd"),
                ("tcp", 6379, "redis-server"),
                ("udp", 6379, "else"),
                ("tcp", 9121, "redis_exporter"),
                ("tcp", 9121, "redis_exporter"),
                ("tcp", 8000, ""),
            ]
        ),
    )
    assert seen.other_than(6379) == [
        "a program that cannot be seen (tcp 0.0.0.0:8000)",
        "else (udp 0.0.0.0:6379)",
        "redis_exporter (tcp 0.0.0.0:9121)",
    ]
