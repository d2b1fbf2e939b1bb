"""What engines say of themselves."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    address_of,
    keyspace,
    parse_client,
    parse_info,
    server_of,
)

INFO = """# Server\r
redis_version:7.2.4\r
redis_mode:standalone\r
# Stats\r
used_memory:1048576\r
mem_fragmentation_ratio:1.25\r
executable:/usr/bin/redis:server\r
role:master\r
db0:keys=10,expires=4,avg_ttl=0\r
db12:keys=1,expires=0,avg_ttl=0,subexpiry=0\r
"""


def test_numbers_of_info_are_numbers_and_the_rest_stays_text():
    info = parse_info(INFO)
    assert info["used_memory"] == 1048576 and info["mem_fragmentation_ratio"] == 1.25
    assert info["redis_version"] == "7.2.4" and info["executable"] == "/usr/bin/redis:server"


def test_databases_with_keys_are_counted():
    assert keyspace(parse_info(INFO)) == {0: {"count": 10, "expires": 4}, 12: {"count": 1, "expires": 0}}


def test_valkey_is_told_from_the_redis_that_it_claims_to_be():
    valkey = server_of(parse_info(INFO + "server_name:valkey\r\nvalkey_version:8.1.0\r\n"))
    assert (valkey.engine, valkey.version) == ("valkey", "8.1.0")
    redis = server_of(parse_info(INFO))
    assert (redis.engine, redis.version, redis.role, redis.mode) == ("redis", "7.2.4", "master", "standalone")


def test_a_cluster_is_known_by_its_setting():
    assert server_of(parse_info(INFO + "cluster_enabled:1\r\n")).mode == "cluster"


def test_a_client_has_an_address_whatever_its_family():
    assert address_of(parse_client("id=3 addr=172.31.1.1:5000 name= cmd=get")["addr"]) == "172.31.1.1"
    assert address_of("[fd00::1]:5000") == "fd00::1"
    assert address_of("/run/redis.sock:0") == "/run/redis.sock:0"
