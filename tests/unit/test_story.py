"""What a run says of itself, and how the results of many hosts become one decision."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.kempian.cache_migration.plugins.filter import cache_migration as filters
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, story
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.security_group import rule_description

TARGET = {"address": "master.shop.x.use1.cache.amazonaws.com", "port": 6379, "state": "known"}
OLD = {"host": "10.0.0.5", "port": 6379, "tls": False, "database": 0}
NEW = {"host": TARGET["address"], "port": 6379, "tls": True, "database": 0}


def change(**value):
    return {"changed": True, "changes": {"REDIS_URL": value}}


def test_before_a_cutover_connections_must_leave_what_the_value_says():
    assert batches.locations_to_leave([change(before_location=OLD)], TARGET) == [{"address": "10.0.0.5", "port": 6379}]


def test_after_a_cutover_they_must_leave_what_the_journal_says():
    done = change(before_location=NEW, original_location=OLD)
    assert batches.locations_to_leave([done], TARGET) == [{"address": "10.0.0.5", "port": 6379}]


def test_the_target_itself_is_never_left():
    assert batches.locations_to_leave([change(before_location=NEW), {}], TARGET) == []


def test_a_rollback_leads_to_where_the_restored_value_says():
    assert batches.location_now([change(after_location=OLD)], []) == {"address": "10.0.0.5", "port": 6379}
    assert batches.location_now([{}], [{"address": "10.0.0.9", "port": 6380}]) == {"address": "10.0.0.9", "port": 6380}


def test_a_value_that_is_no_url_leads_nowhere():
    assert batches.location_now([change(after_location=None)], []) == {}
    assert batches.locations_to_leave([change(before_location=None)], TARGET) == []


def test_a_host_that_was_lost_earlier_in_the_run_counts_as_failed():
    results = filters.migration_results(
        ["app1", "app2"], {"app1": {"r": {"state": "ok", "changed": True}}, "app2": {}}, "r"
    )
    assert batches.failed_hosts(results) == ["app2"]


def test_an_unreachable_step_makes_a_failed_result_that_says_so():
    result = filters.host_result(
        {"service": {"unreachable": True, "msg": "No route to host"}}, "app1", "/opt/.env", "shop"
    )
    assert result["state"] == "failed"
    assert "No route to host" in result["why"]


def test_a_host_that_was_lost_after_its_probe_counts_as_changed():
    lost = {"unreachable": True, "msg": "Connection reset"}
    assert filters.host_result({"probe": {}, "change": lost}, "app1", "/opt/.env", "shop")["changed"]
    assert not filters.host_result({"probe": lost}, "app1", "/opt/.env", "shop")["changed"]


def test_a_shared_store_that_failed_may_be_changed_in_part():
    failed = {"failed": True, "msg": "the second parameter was refused"}
    assert filters.host_result({"shared": failed}, "app1", "", "shop")["shared_failed"]
    assert not filters.host_result({"shared": {"skipped": True}}, "app1", "", "shop")["shared_failed"]


def test_a_host_is_on_the_target_where_a_look_finds_nothing_to_restart():
    looks = {"app1": {"look": {"restarted": False}}, "app2": {"look": {"restarted": True}}, "app3": {}}
    assert filters.hosts_on_target(["app1", "app2", "app3"], looks, "look") == ["app1"]


def test_a_host_is_told_by_its_masked_values_and_its_restart():
    changed = change(before="redis://:***@old:6379/0", after="rediss://:***@new:6379/0")
    assert filters.host_result({"change": changed, "service": {"changed": True}}, "app1", "/opt/.env", "shop")[
        "lines"
    ] == [
        "app1: /opt/.env REDIS_URL: redis://:***@old:6379/0 -> rediss://:***@new:6379/0",
        "app1: restart shop",
    ]


def test_what_did_not_change_is_not_told():
    assert story.host_lines("app1", "/opt/.env", "shop", {"changed": False, "changes": {"K": {}}}, {}) == []
    assert story.provision_lines([{"what": "x", "result": {"changed": False, "plan": []}}]) == []


def test_each_source_that_is_let_in_is_a_line():
    assert story.ingress_lines(["sg-1", "10.0.0.0/24"], "shop-cache", 6379) == [
        "security group shop-cache: admit sg-1 to TCP port 6379",
        "security group shop-cache: admit 10.0.0.0/24 to TCP port 6379",
    ]


def test_the_steps_of_a_plan_are_told_with_their_reasons():
    result = {"changed": True, "plan": [{"action": "CreateReplicationGroup", "reason": "it does not exist"}]}
    assert story.provision_lines([{"what": "replication group shop", "result": result}]) == [
        "replication group shop: CreateReplicationGroup, it does not exist"
    ]


def test_an_unknown_price_is_told_as_unknown():
    assert story.cost_line({"usd": None, "note": "no list for eu-west-9"}) == (
        "Cost: unknown a month (no list for eu-west-9)"
    )


def test_the_cost_counts_every_node():
    cost = {"usd": 49.64, "nodes": 2, "usd_per_node_hour": 0.034, "source": "us-east-1, 2026-10-02"}
    assert story.cost_line(cost).startswith("Cost: 49.64 USD a month for 2 nodes, replicas counted")


def test_hosts_that_reach_the_target_already_are_not_waiting():
    probes = {"app1": {"p": {"location": NEW}}, "app2": {"p": {"location": OLD}}}
    assert filters.cache_hosts_elsewhere(["app1", "app2"], probes, "p", TARGET) == {"app2": OLD}


def test_hosts_that_name_another_redis_than_the_assessed_one_are_named():
    lines = story.assess_lines({"findings": []}, {"app1": OLD, "app2": OLD, "app7": {**OLD, "host": "10.0.0.6"}})
    assert "app7 (10.0.0.6:6379)" in lines[0] and "app2" not in lines[0]
    assert story.assess_lines({"findings": []}, {"app1": OLD, "app2": OLD}) == []


def test_what_the_whole_run_did_is_told_where_a_limit_leaves_the_last_host_out():
    known = {"__cutover_checks": [{"phase": "all", "command": "/opt/check"}], "__cutover_remembered": {"changed": True}}
    assert filters.migration_lines(["localhost", "app1", "app2"], {"localhost": {}, "app1": known, "app2": {}}) == [
        "your check after the last batch: /opt/check",
        "ledger: remember that every host is on the target",
    ]


def test_a_plan_tells_that_hosts_which_it_would_switch_again_are_remembered_anew():
    [line] = story.ledger_lines({"changed": False}, {"changed": True})
    assert "remember" in line
    assert story.ledger_lines({"changed": False}, {"skipped": True}) == []
    assert story.ledger_lines({}, {"changed": True}) == [], "a limit leaves hosts out"


def test_a_host_that_leads_elsewhere_again_is_to_be_switched_and_one_that_does_not_stays():
    kept, written = ({"changes": {"REDIS_URL": {"action": action}}} for action in ("keep", "write"))
    hostvars = {"app1": {"__cutover_seen": kept, "__cutover_running": {"restarted": False}}, "app2": {}}
    assert filters.hosts_to_switch(["app1", "app2"], hostvars, {}) == []
    hostvars["app2"]["__cutover_seen"] = written
    assert filters.hosts_to_switch(["app1", "app2"], hostvars, {}) == ["app2"]


@pytest.mark.parametrize(("version", "family"), [("7.1", "redis7"), ("6.2", "redis6.x"), ("5.0.6", "redis5.0")])
def test_the_parameter_group_family_follows_the_version(version, family):
    assert filters.cache_parameter_group_family(version) == family


def test_a_version_without_a_family_is_refused_by_the_name_of_its_variable():
    with pytest.raises(AnsibleFilterError, match="migration_engine_version"):
        filters.cache_parameter_group_family("8.0")


def test_an_endpoint_of_somebody_elses_needs_an_address_only():
    endpoint = filters.cache_endpoint({"address": "cache.example.com", "tls": True})
    assert (endpoint["address"], endpoint["port"], endpoint["tls"]) == ("cache.example.com", 6379, True)


def test_an_endpoint_without_an_address_is_refused_by_the_name_of_its_variable():
    with pytest.raises(AnsibleFilterError, match=r"migration_endpoint.*address"):
        filters.cache_endpoint({"port": 6379})


def test_a_rule_admits_a_security_group_or_an_address_range():
    assert filters.ingress_rule("sg-1", 6379, "shop")["group_id"] == "sg-1"
    assert filters.ingress_rule("10.0.1.7/32", 6379, "shop")["cidr_ip"] == "10.0.1.7/32"
    assert filters.ingress_rule("sg-1", 6379, "shop")["rule_desc"] == rule_description("shop")  # by which it is told


def test_a_source_that_is_admitted_already_gets_no_rule_whoever_made_the_one_that_is_there():
    rules = [
        {"ip_protocol": "tcp", "from_port": 6379, "to_port": 6379, "user_id_group_pairs": [{"group_id": "sg-1"}]},
        {"ip_protocol": "tcp", "from_port": 6000, "to_port": 7000, "ip_ranges": [{"cidr_ip": "10.0.1.7/32"}]},
        {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "user_id_group_pairs": [{"group_id": "sg-2"}]},
        {"ip_protocol": "udp", "from_port": 6379, "to_port": 6379, "user_id_group_pairs": [{"group_id": "sg-2"}]},
        {"ip_protocol": "-1", "user_id_group_pairs": [{"group_id": "sg-3"}]},
    ]
    wanted = ["sg-1", "sg-2", "sg-3", "10.0.1.7/32", "10.0.1.8/32"]
    assert filters.ingress_missing(wanted, [{"ip_permissions": rules}], 6379) == ["sg-2", "10.0.1.8/32"]
    assert filters.ingress_missing(wanted, [], 6379) == wanted


def test_a_rollback_never_says_that_a_failed_host_is_back():
    lines = story.rollback_lines(
        {"app1": {"state": "failed", "why": "edited since"}, "app2": {"state": "ok"}}, "denied", {"playbook": "p.yml"}
    )
    assert lines[0].startswith("The shared store is NOT back: denied.")
    assert lines[1].startswith("app1: NOT back: edited since.")
    assert lines[2] == "app2: on the old Redis, as it was"
