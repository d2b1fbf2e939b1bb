"""cache_probe of clusters: every slot, every node, and the app's own client of the cluster protocol."""

from __future__ import annotations

import re
import sys

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import cluster_probe, slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.cluster import Cluster
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.modules import cache_probe

from tests.component.probe.conftest import ask, own_id

TOKEN = "a-token-of-this-test!"


@pytest.fixture
def probe(run_module):
    def run(**params):
        result = run_module(cache_probe.main, **{"timeout": 2.0, "protocol": "redis-cluster", **params})
        assert TOKEN not in repr(result)
        return result

    return run


@pytest.fixture
def without_redis_py(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)


def details(result):
    return {check["name"]: check["detail"] for check in result["checks"]}


def failed_as(result, kind):
    assert result.get("failed") and result["failure"]["kind"] == kind, result
    return result["msg"]


@pytest.mark.long
def test_a_cluster_is_reached_through_redis_py_with_a_key_in_each_shard(probe, start_cluster):
    first, second, replica = start_cluster(replicas_of=[1])
    result = probe(url=first.url())
    assert result["reached"] and result["through"].startswith("redis-py ")
    assert details(result)["nodes"] == "2 shards, 3 nodes"
    assert details(result)["write"] == "SET, GET, DEL of a key of its own in each of 2 shards"
    assert {node["port"] for node in result["nodes"]} == {first.port, second.port, replica.port}
    assert [ask(node, "DBSIZE") for node in (first, second)] == [0, 0]
    for node in (first, second):
        assert "cmdstat_set:calls=1" in ask(node, "INFO", "commandstats")


@pytest.mark.long
@pytest.mark.usefixtures("without_redis_py")
def test_and_by_the_client_that_comes_along(probe, start_cluster):
    nodes = start_cluster()
    result = probe(url=nodes[1].url())
    assert result["reached"] and result["through"] == "own client"
    assert all("cmdstat_set:calls=1" in ask(node, "INFO", "commandstats") for node in nodes)


@pytest.mark.long
def test_a_replica_is_as_good_a_beginning_as_any(probe, start_cluster):
    *_primaries, replica = start_cluster(replicas_of=[0])
    assert probe(url=replica.url())["reached"]


def test_the_endpoint_says_for_itself_that_it_is_a_cluster(probe, start_cluster, ca, ca_file):
    nodes = start_cluster(
        "cluster-announce-hostname localhost",
        "cluster-preferred-endpoint-type hostname",
        password=TOKEN,
        certificate=ca.issue_cert("localhost", "127.0.0.1"),
        ca_file=ca_file,
    )
    target = Endpoint("elasticache", "shop", "redis-cluster", "localhost", nodes[0].tls_port, tls=True, auth="token")
    result = probe(endpoint={**target.as_dict(), "databases": 1}, auth_token=TOKEN, ca_certs=ca_file, protocol="redis")
    assert result["reached"], result
    assert {"address": "localhost", "port": nodes[1].tls_port} in result["nodes"]
    assert {"address": "127.0.0.1", "port": nodes[1].tls_port} in result["nodes"]


@pytest.mark.long
def test_an_app_without_such_a_client_is_told_so(probe, start_cluster):
    nodes = start_cluster()
    said = failed_as(probe(url=nodes[0].url(), protocol="redis"), "cluster_redirect")
    assert "redis.RedisCluster" in said


@pytest.mark.long
def test_and_one_whose_redis_py_has_none(probe, start_cluster, monkeypatch):
    monkeypatch.setitem(sys.modules, "redis.cluster", None)
    said = failed_as(probe(url=start_cluster()[0].url()), "client_library")
    assert "has no RedisCluster" in said


def test_a_single_engine_is_no_cluster(probe, start_engine):
    assert "is no node of a cluster" in failed_as(probe(url=start_engine().url()), "not_a_cluster")


@pytest.mark.long
def test_a_slot_without_an_owner_is_refused(probe, start_cluster):
    nodes = start_cluster(ranges=((0, 8191), (8193, 16383)))
    said = failed_as(probe(url=nodes[0].url()), "slots_not_covered")
    assert "1 of 16384 slots have no owner" in said


def test_a_primary_that_this_host_does_not_reach_is_named(probe, start_cluster):
    first, second = start_cluster()
    second.stop()
    assert f"127.0.0.1:{second.port} refuses connections" in failed_as(probe(url=first.url()), "refused")


@pytest.mark.long
def test_a_replica_that_is_silent_is_told_and_holds_nobody_up(probe, start_cluster):
    first, _second, replica = start_cluster("cluster-node-timeout 600000", replicas_of=[0])
    replica.stop()
    result = probe(url=first.url())
    assert result["reached"] and f"no answer from the replicas 127.0.0.1:{replica.port}" in details(result)["nodes"]


@pytest.mark.long
@pytest.mark.parametrize("which", [1, 2], ids=["a primary", "a replica"])
def test_a_node_that_does_not_take_the_token_is_refused(probe, start_cluster, which):
    nodes = start_cluster(password=TOKEN, replicas_of=[0])
    ask(nodes[which], "CONFIG", "SET", "requirepass", "another-token")
    said = failed_as(probe(url=nodes[0].url()), "auth_differs")
    assert f"127.0.0.1:{nodes[0].port} take the token (password), and 127.0.0.1:{nodes[which].port} do not" in said


@pytest.mark.long
def test_that_a_token_is_wrong_is_the_word_of_all_nodes(probe, start_cluster):
    nodes = start_cluster(password=TOKEN, replicas_of=[0])
    known = [{"name": str(node.port), "address": "127.0.0.1", "port": node.port} for node in nodes]
    target = Endpoint("elasticache", "shop", "redis-cluster", "127.0.0.1", nodes[0].port, auth="token", databases=1)
    order = {"endpoint": {**target.as_dict(), "nodes": known}, "auth_token": "ended"}
    assert "is wrong" in failed_as(probe(**order), "auth_wrong")
    ask(nodes[2], "CONFIG", "SET", "requirepass", "ended")
    assert f"127.0.0.1:{nodes[2].port} take the token" in failed_as(probe(**order), "auth_differs")
    nodes[2].stop()
    failed_as(probe(**order), "refused")


@pytest.mark.long
def test_a_database_that_a_cluster_does_not_have_is_refused(probe, start_cluster):
    nodes = start_cluster()
    result = probe(url=nodes[0].url(database=2))
    assert result["failed"] and result["failure"]["kind"] in ("cluster_redirect", "database_out_of_range")


def test_our_own_client_follows_a_slot_that_is_moved_and_one_on_its_way(start_cluster):
    first, second = start_cluster()
    with cluster_probe.session(Question(first.url(), protocol="redis-cluster")) as cluster:
        cluster.look()
        key = slots.keys_of_each(cluster.shards, "k")[0]
        slot = slots.slot_of(key)
        cluster.execute(key, "SET", key, "1")
        ask(second, "CLUSTER", "SETSLOT", slot, "IMPORTING", own_id(first))
        ask(first, "CLUSTER", "SETSLOT", slot, "MIGRATING", own_id(second))
        ask(first, "MIGRATE", "127.0.0.1", second.port, key, 0, 5000)
        assert cluster.execute(key, "GET", key) == b"1"  # ASK
        for node in (second, first):
            ask(node, "CLUSTER", "SETSLOT", slot, "NODE", own_id(second))
        assert cluster.execute(key, "GET", key) == b"1"  # MOVED
        assert cluster.execute(key, "GET", key) == b"1"


@pytest.mark.long
def test_the_nodes_are_told_without_a_probe_and_none_of_what_is_no_cluster(start_cluster, start_engine):
    nodes = start_cluster()
    target = Endpoint("elasticache", "shop", "redis-cluster", "127.0.0.1", nodes[0].port, databases=1)
    told = cluster_probe.nodes_of(target, "", 2.0)
    assert {node["port"] for node in told} == {node.port for node in nodes}
    single = Endpoint("elasticache", "shop", "redis", "127.0.0.1", start_engine().port)
    assert cluster_probe.nodes_of(single, "", 2.0) == []


ACCESS = "~* &* +@read +@write +@connection"


@pytest.mark.parametrize("through", ["redis-py", "own client"])
def test_a_user_who_may_not_ask_for_the_slots_is_told_by_which_rights_he_may(
    probe, start_cluster, monkeypatch, through
):
    if through == "own client":
        monkeypatch.setitem(sys.modules, "redis", None)
    nodes = start_cluster()
    url = f"redis://shop:{TOKEN}@127.0.0.1:{nodes[0].port}"

    def grant(rights):
        for node in nodes:
            ask(node, "ACL", "SETUSER", "shop", "reset", "on", f">{TOKEN}", *rights.split())

    grant(ACCESS)
    told = failed_as(probe(url=url), "no_permission")
    [string] = re.findall(r"\((~\* .*?)\)", told)
    assert "cluster" in string
    grant(string)
    assert probe(url=url)["through"].startswith(through)


@pytest.mark.parametrize("said", ["MOVED 7572 node:6380", "ERR MOVED 7572 node:6380"])
def test_a_key_is_followed_also_where_a_serverless_cache_says_err_before(said):
    class Node:
        def __init__(self, place):
            self.place = place

        def execute(self, *command):
            if self.place == ("node", 6380):
                return b"here"
            raise ServerError(said)

    asked = Cluster(None, "entry", Node)
    asked.shards = slots.read([[0, 16383, [b"entry", 6379, b"id"]]], "entry")
    assert asked.execute("key", "GET", "key") == b"here"
