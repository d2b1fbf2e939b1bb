"""Where a migration stands, and what is told of it."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.standing import host_standing, state_lines
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.standing import lines as standing_lines

from tests.unit.engine_world import NEW, OLD, Held, Host, World

TARGET = {"state": "known", "name": "shop-cache", "address": "master.shop", "port": 6379}
LOCK = {
    "id": "cafe0001",
    "user": "awx",
    "host": "job-7",
    "pid": 7,
    "started": "1",
    "what": "migrate.yml",
    "since": "2026-11-25T19:00:00Z",
    "expires": "2026-11-25T19:05:00Z",
}


def value(host, original=None):
    return {"changes": {"REDIS_URL": {"before_location": {"host": host, "port": 6379}, "original_location": original}}}


def service(to_target=0, to_left=0):
    return {"connections": {"to_target": to_target, "to_left": to_left}}


@pytest.mark.parametrize(
    ("leads_to", "connections", "state"),
    [
        ("old", {"to_left": 2}, "old"),
        ("old", {}, "old"),
        ("master.shop", {"to_target": 2}, "new"),
        ("master.shop", {"to_left": 2}, "mixed"),
        ("master.shop", {"to_target": 1, "to_left": 1}, "mixed"),
        ("master.shop", {}, "mixed"),
        ("old", {"to_target": 2}, "mixed"),
    ],
)
def test_a_host_is_judged_by_its_value_and_its_connections(leads_to, connections, state):
    assert host_standing(value(leads_to), service(**connections), {}, TARGET)["state"] == state


def test_what_is_proven_by_something_else_than_connections_that_it_has_is_there_too():
    known = World({"app1": Host(Held.written_over(OLD, NEW))}).known("state")
    for proof, word in (("seen", "new"), ("environment", "new"), ("", "mixed")):
        values = [{"path": "/x", "changes": {"REDIS_URL": {"before_location": {"host": "target.internal", "port": 1}}}}]
        look = Look.from_dict("app1", {"values": values, "services": [{**service(), "name": "beat", "proof": proof}]})
        [said] = [line for line in standing_lines(known, {"app1": look}) if line.startswith("app1")]
        assert word in said, said


def test_a_value_of_this_migration_leads_to_its_target_also_where_that_is_not_there():
    gone = {"state": "after_apply", "name": "shop-cache", "address": "after-apply.invalid", "port": 6379}
    ours = {"action": "restore", "before_location": {"host": "master.shop", "port": 6379}}
    looks = value("old"), {"changes": {"REDIS_URL": ours}}
    assert host_standing(looks[1], service(), {}, gone)["state"] == "mixed"
    assert host_standing({}, service(), looks[1], gone)["state"] == "mixed"
    assert host_standing(looks[0], service(), looks[1], gone)["state"] == "old", "the host has a value of its own"


def test_a_host_whose_original_is_in_the_journal_is_told_as_such():
    assert host_standing(value("new", original={"host": "old"}), service(), {}, TARGET)["journaled"]
    assert not host_standing(value("old"), service(), {}, TARGET)["journaled"]


def test_a_host_whose_value_is_in_the_shared_store_alone_is_judged_by_that():
    assert host_standing({}, service(to_target=1), value("master.shop"), TARGET)["state"] == "new"


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        (({"unreachable": True, "msg": "no route"}, {}, {}), "cannot be reached: no route"),
        (({"failed": True, "msg": "somebody has changed it"}, service(), {}), "somebody has changed it"),
        ((value("old"), {"failed": True, "msg": "no such service"}, {}), "no such service"),
    ],
)
def test_a_host_that_cannot_be_looked_at_is_unknown_with_the_reason(looks, why):
    told = host_standing(*looks, TARGET)
    assert told["state"] == "unknown" and why in told["why"]


def lines(hosts, entries=None, endpoint=TARGET, now="2026-11-25T19:01:00Z"):
    remembered = {"entries": entries or {}, "journaled": ["/shop/URL"], "now": now}
    return state_lines(hosts, endpoint, remembered, "shop")


def standing(state):
    return {"state": state, "why": "its value leads to x:6379", "journaled": state != "old"}


def test_hosts_originals_entries_and_the_lock_are_told():
    told = lines(
        {"app1": standing("new"), "app2": standing("old")},
        {"cutover": {"time": "2026-11-25T18:00:00Z", "hosts": ["app1"]}, "lock": LOCK},
    )
    assert told == [
        "target: shop-cache at master.shop:6379",
        "app1: new: its value leads to x:6379",
        "app2: old: its value leads to x:6379",
        "originals are kept of: app1, /shop/URL",
        "cutover: 2026-11-25T18:00:00Z: hosts app1",
        "lock: awx@job-7 is running migrate.yml (process 7) since 2026-11-25T19:00:00Z; a run that would change "
        "something is refused until it ends",
        "next: migrate.yml would switch app2",
        "next: rollback.yml would put back app1",
    ]


def test_an_expired_lock_keeps_nobody_out():
    assert "lock: nobody is at work; what awx@job-7 held has expired" in lines(
        {}, {"lock": LOCK}, now="2026-11-25T19:05:00Z"
    )


def test_a_lock_that_somebody_broke_is_told_with_the_parameter_to_delete_and_hides_nothing():
    told = lines({"app1": standing("old")}, {"lock": {**LOCK, "since": "yesterday"}})
    assert any(line.startswith("lock: unknown:") and "/cache_migration/shop/lock " in line for line in told)
    assert told[-1].startswith("next: ")


def test_before_anything_is_made_a_run_would_make_the_target_and_switch_all():
    told = lines({"app1": standing("old")}, endpoint={"state": "after_apply", "name": "shop-cache"})
    assert told[0] == "target: shop-cache is not there"
    assert told[-2:] == [
        "next: migrate.yml would make the target, and switch app1",
        "next: rollback.yml would change no value",
    ]


def test_an_unknown_host_is_to_be_looked_at_first():
    told = lines({"app1": standing("unknown"), "app2": standing("new")})
    assert any(line.startswith("next: mend app1 first: until all can be") for line in told)
    assert not any("would change no value" in line for line in told)
    told = lines({"app1": standing("unknown"), "app2": standing("old")})
    assert "next: migrate.yml would then switch app2" in told


def test_a_rotation_of_the_token_under_way_is_to_be_gone_on_with():
    hosts = {"app1": {"state": "new", "why": "", "journaled": True}}
    token = {"secret": "shop/token", "version_id": "v1"}

    def told(entry):
        return " ".join(lines(hosts, {"token": entry}))

    assert "rotate.yml would go on" in told({**token, "rotating": {"version_id": "v2", "hosts": []}})
    assert "rotate.yml" not in told(token)


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("stopped", "decommission.yml goes on where it stopped"),
        ("terminated", "the old Redis is terminated: rollback.yml cannot bring it back"),
    ],
)
def test_what_comes_next_for_an_old_redis_that_is_retired_is_told(step, told):
    found = lines({"app1": standing("new")}, {"decommission": {"time": "2026-11-25T18:00:00Z", "step": step}})
    assert any(line.startswith(f"next: {told}") for line in found)
    assert any("would put back" in line for line in found) is (step != "terminated")


def test_a_ledger_that_cannot_be_read_hides_no_host():
    told = state_lines({"app1": standing("old")}, TARGET, {"failed": True, "msg": "AccessDenied"}, "shop")
    assert "app1: old: its value leads to x:6379" in told
    assert "ledger and lock: unknown: AccessDenied" in told


def test_that_no_value_is_changed_is_said_of_what_was_seen_alone():
    def originals(state, remembered):
        told = state_lines({"app1": {**standing(state), "journaled": False}}, TARGET, remembered, "shop")
        return next(line for line in told if "originals" in line)

    seen = {"entries": {}, "journaled": [], "now": "2026-11-25T19:01:00Z"}
    assert originals("old", seen) == "no originals are kept: no value is changed"
    assert originals("new", seen) == "no originals are kept"
    assert originals("old", {**seen, "entries": {"cutover": {"hosts": ["app1"]}}}) == "no originals are kept"
    assert originals("unknown", seen) == "whether originals are kept is unknown of: app1"
    assert originals("unknown", {**seen, "journaled": ["/shop/URL"]}) == (
        "originals are kept of: /shop/URL; whether originals are kept is unknown of: app1"
    )
    assert originals("old", {"failed": True}) == "whether originals are kept is unknown of: Parameter Store"


def test_no_way_back_is_promised_to_a_host_of_which_no_original_is_kept():
    def ahead(kept):
        remembered = {"entries": {}, "journaled": kept, "now": "2026-11-25T19:01:00Z"}
        hosts = {"app1": standing("new"), "app2": {**standing("new"), "journaled": False}}
        return state_lines(hosts, TARGET, remembered, "shop")[-2:]

    assert ahead([]) == [
        "next: rollback.yml would put back app1",
        "next: no original is kept of app2: only by hand can its old value be put back",
    ]
    assert ahead(["/shop/URL"])[-1] == "next: rollback.yml would put back app1, app2"


def test_a_target_that_could_not_be_read_is_told_with_the_reason():
    gone = {"state": "after_apply", "name": "shop-cache", "failure": "AccessDenied"}
    assert lines({}, endpoint=gone)[0] == "target: shop-cache could not be read: AccessDenied"


# --- by the looks of a run ---


def told_of(world, looks=None, **known):
    return standing_lines(world.known("state", **known), {**world.looks("state"), **(looks or {})})


OF_THE_OLD, OF_THE_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")


def test_each_host_is_told_by_its_look_and_one_out_of_reach_with_the_reason():
    world = World({"app1": OF_THE_TARGET, "app2": OF_THE_OLD, "app3": OF_THE_OLD})
    told = told_of(world, {"app3": Look.from_dict("app3", {"unreachable": True, "msg": "no route"})})
    assert told[1:4] == [
        "app1: new: its value leads to target.internal:6379",
        "app2: old: its value leads to old.internal:6379",
        "app3: unknown: the host cannot be reached: no route",
    ]
    assert told[4] == "originals are kept of: app1; whether originals are kept is unknown of: app3"


def test_hosts_that_read_what_all_share_are_told_by_that():
    world = World({"app1": Host(None, "target.internal")}, Held.written_over(OLD, NEW))
    assert "app1: new: its value leads to target.internal:6379" in told_of(world)
    unread = [{"store": "ssm", "name": "/shop/REDIS_URL", "words": "SSM parameter", "failure": "AccessDenied"}]
    assert "app1: unknown: AccessDenied" in told_of(world, shared=unread)
