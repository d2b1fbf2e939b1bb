"""What of a target is taken down after a rollback, and when it stays."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import removal

from tests.unit.engine_world import OLD, SETTINGS, Held, Host, World

OK, FAILED = {"state": "ok"}, {"state": "failed"}
ALL = {"rollback_delete_target": True, "rollback_close_ingress": True}


def known(*hosts, present=(), **more):
    return replace(World({host: Host(Held(OLD)) for host in hosts}, present=present).known("rollback"), **more)


def parts(**settings):
    return [part["what"] for part in removal.parts({**SETTINGS, **ALL, **settings})]


def test_it_goes_where_every_host_of_the_inventory_is_off_it():
    assert removal.why_it_stays(known("app1", "app2"), {"app1": OK, "app2": OK}) == ""


def test_it_stays_under_a_host_that_is_not_back_or_that_a_limit_left_out():
    assert "app2" in removal.why_it_stays(known("app1", "app2"), {"app1": OK, "app2": FAILED})
    assert "app2" in removal.why_it_stays(known("app1", "app2", present=("app1",)), {"app1": OK})


def test_it_stays_where_aws_could_not_tell_which_it_is():
    assert "app1" in removal.why_it_stays(known("app1", target_failure="AccessDenied"), {"app1": OK})


def test_it_is_taken_down_only_where_that_is_asked_for():
    assert not removal.is_asked(SETTINGS) and removal.is_asked({**SETTINGS, "rollback_close_ingress": True})
    assert parts(rollback_delete_target=False) == ["rules of the security group shop-cache"]


def test_the_rules_go_first_then_the_target_and_its_groups_once_it_is_gone():
    found = parts()
    assert found[0] == "rules of the security group shop-cache" and found[-1] == "security group shop-cache"
    assert found[1] == "replication group shop-cache"
    after = {part["what"]: part["after_target"] for part in removal.parts({**SETTINGS, **ALL})}
    assert not after[found[0]] and not after[found[1]] and all(after[what] for what in found[2:])


def test_a_target_of_somebody_elses_making_is_not_deleted():
    assert parts(endpoint={"address": "cache.example.com"}) == ["rules of the security group shop-cache"]


def test_what_became_of_each_part_is_a_line():
    told = removal.lines(removal.parts({**SETTINGS, **ALL})[:1], [{"changed": True}], planned=False)
    assert told == ["rules of the security group shop-cache: deleted"]
