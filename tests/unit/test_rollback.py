"""What a rollback decides and says: what is to be put back, whether the old Redis serves, what stays behind."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import rollback, story

OLD = {"host": "10.0.0.5", "port": 6379}
RECORDED = {"changes": {"REDIS_URL": {"original_location": OLD, "journaled": False}}}
PLAIN = {"changes": {"REDIS_URL": {"original_location": None}}}
LOST = {"unreachable": True, "msg": "Connection timed out"}
TARGET = {"name": "kempian-cache", "state": "known", "address": "target.example.com"}
REACHED = {"reached": True, "location": OLD}
REFUSED = {"reached": False, "failure": {"found": "refused", "remedy": "open the ingress"}, "location": OLD}


def test_a_value_is_recorded_where_the_journal_has_its_original():
    assert rollback.is_recorded(RECORDED) and not rollback.is_recorded(PLAIN) and not rollback.is_recorded(LOST)


def test_a_host_that_cannot_read_its_journal_or_has_nothing_to_go_back_to_says_nothing_of_the_old_redis():
    unread = {"reached": False, "failure": {"kind": "unreadable", "found": "damaged"}, "location": {}}
    nothing = {"reached": False, "failure": {"kind": "no_original", "found": "no way back"}, "location": {}}
    probes = {"app1": REACHED, "app2": unread, "app3": nothing}
    assert rollback.unproven(probes, TARGET) == {} and rollback.unable(probes) == {"app2": "damaged"}


def test_an_old_redis_is_gone_where_it_is_silent_for_each_host_that_asked_it():
    silent = {"reached": False, "failure": {"kind": "timeout", "found": "x"}, "location": OLD}
    assert rollback.is_gone({"app1": silent, "app2": LOST}, TARGET)
    assert not rollback.is_gone({"app1": silent, "app2": REACHED}, TARGET) and not rollback.is_gone({}, TARGET)


def test_a_probe_that_did_not_come_through_leaves_the_old_redis_unproven_however_it_ended():
    probes = {"app1": REACHED, "app2": REFUSED, "app4": LOST, "app5": {}}
    assert rollback.unproven(probes, TARGET) == {"app2": "refused"}


def test_a_host_in_trouble_of_its_own_says_nothing_of_the_old_redis_unless_no_host_reached_it():
    trouble = {"app1": {"msg": "the journal is damaged"}, "app4": LOST}
    assert rollback.unproven({**trouble, "app2": REACHED}, TARGET) == {}
    assert rollback.unproven(trouble, TARGET) == {"app1": "the journal is damaged"}
    assert rollback.unable({**trouble, "app2": REACHED, "app3": REFUSED}) == {"app1": "the journal is damaged"}


@pytest.mark.parametrize("kind", ["no_permission", "out_of_memory"])
def test_an_old_redis_that_takes_no_key_of_a_probe_serves_as_it_did(kind):
    full = {"failure": {"kind": kind, "found": "full"}, "location": OLD}
    assert rollback.unproven({"app1": full, "app2": REACHED}, TARGET) == {}
    assert rollback.unproven({"app1": full}, TARGET) == {}


def test_a_host_that_asked_the_target_says_nothing_of_the_old_redis():
    at_target = {"failure": {"found": "timeout"}, "location": {"host": "target.example.com", "port": 6379}}
    assert rollback.unproven({"app1": REACHED, "app4": at_target}, TARGET) == {}


def test_the_refusal_names_hosts_of_one_reason_together_and_says_that_nothing_was_touched():
    told = rollback.refusal({"app1": "no answer", "app2": "no answer", "app3": "refused"}, "playbooks/cutover.yml")
    assert told.startswith("Nothing was touched")
    assert "app1, app2: no answer" in told and "app3: refused" in told
    assert "playbooks/cutover.yml switches every host that is not on the target yet" in told


def contents(**more):
    group = {"pattern": "session:*", "type": "string", "database": 0, "count": 90, "without_ttl": 2, "bytes": 1}
    return {"total_keys": 90, "keys_without_ttl": 2, "sampled": 90, "key_groups": [group], **more}


def test_what_stays_behind_is_told_by_pattern_with_and_without_ttl_and_what_it_means():
    told = rollback.left_behind(contents(), TARGET, "2026-11-25T10:00:00Z")
    assert told[0].startswith("kempian-cache holds 90 keys, 2 of them without TTL.")
    assert "since the cutover (2026-11-25T10:00:00Z)" in told[0] and "nothing is copied" in told[0]
    assert told[1] == "- session:* (string, database 0): 90 keys, 2 without TTL"
    assert "served as it was until its TTL ends" in told[2]
    assert told[3].startswith("2 keys without TTL will not come anew")


def test_where_only_some_keys_were_looked_at_that_is_said_and_long_lists_are_cut():
    groups = [{"pattern": f"p{n}", "type": "hash", "database": 0, "count": 1, "without_ttl": 0} for n in range(25)]
    told = rollback.left_behind(contents(total_keys=500, sampled=25, key_groups=groups, keys_without_ttl=0), TARGET)
    assert "- and 5 more patterns" in told
    assert "- counted among 25 keys that were looked at, of 500" in told
    assert not any("come anew" in line for line in told)


def test_of_memcached_it_is_told_how_much_stays_and_that_nobody_tells_what():
    pages = {"name": "pages", "protocol": "memcached"}
    told = " ".join(rollback.left_behind(contents(sampled=0, key_groups=[]), pages))
    assert "pages holds 90 keys; Memcached tells neither which, nor how long they stay." in told
    assert "without TTL" not in told and "looked at" not in told


def test_a_target_that_cannot_be_read_is_told_and_no_reason_to_stop():
    [told] = rollback.left_behind({"failed": False, "msg": "The token is wrong"}, TARGET)
    assert "cannot be told (The token is wrong)" in told
    [gone] = rollback.left_behind({}, {"name": "kempian-cache", "state": "after_apply"})
    assert "kempian-cache is not there" in gone
    assert rollback.left_behind(contents(total_keys=0), TARGET) == [
        "kempian-cache holds no keys, so nothing stays behind."
    ]


WAY_BACK = {"playbook": "p.yml", "inventories": ["inv"], "by_host": False}


def test_what_is_not_back_is_listed_with_the_command_that_does_it():
    results = {"app1": {"state": "failed", "why": "the host cannot be reached: timed out."}, "app2": {"state": "ok"}}
    lines = story.rollback_lines(results, "denied", {**WAY_BACK, "by_host": True})
    assert lines[0] == "The shared store is NOT back: denied. When that is mended: ansible-playbook p.yml -i inv"
    assert lines[1] == (
        "app1: NOT back: the host cannot be reached: timed out. When that is mended: ansible-playbook p.yml -i inv "
        "--limit app1"
    )
    assert lines[2] == "app2: on the old Redis, as it was"


def test_a_plan_does_not_say_that_it_was_done():
    assert story.rollback_lines({"app1": {"state": "ok", "changed": True}}, "", WAY_BACK, planned=True) == [
        "app1: would be put back on the old Redis"
    ]


def test_what_was_to_be_deleted_and_stays_is_named_with_the_reason():
    parts = [
        {"what": "replication group a", "result": {"changed": True}},
        {"what": "subnet group b", "result": {"changed": False}},
        {"what": "parameter group c", "result": {"failed": True, "msg": "It is not this migration's."}},
        {"what": "security group d", "result": {"skipped": True, "hangs_on": "replication group e"}},
    ]
    assert rollback.removal_lines(parts) == [
        "replication group a: deleted",
        "subnet group b: is not there",
        "parameter group c: stays. It is not this migration's.",
        "security group d: stays, as replication group e does",
    ]
    assert rollback.removal_lines(parts[:1], planned=True) == ["replication group a: would be deleted"]


def test_what_stays_on_a_target_that_is_deleted_is_told_to_go_with_it():
    asked = {"rollback_delete_target": True, "endpoint": {}, "final_snapshot_identifier": ""}
    (told,) = rollback.fate_of_data(asked, {"name": "shop"})
    assert "shop is deleted" in told and "nowhere, as migration_final_snapshot_identifier is empty" in told
    (told,) = rollback.fate_of_data({**asked, "final_snapshot_identifier": "last"}, {"name": "shop"})
    assert "in the snapshot last alone" in told
    assert rollback.fate_of_data({**asked, "rollback_delete_target": False}, {"name": "shop"}) == []
