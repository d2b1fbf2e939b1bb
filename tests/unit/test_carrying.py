"""A rollback that carries back what the app wrote to the target: when it does, and what stands against it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import carrying, engine

from tests.unit.engine_world import ENDPOINT, NEW, OLD, SETTINGS, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
CUTOVER = {"endpoint": ENDPOINT, "hosts": ["app1"], "time": "then"}
GONE = {**ENDPOINT, "state": "after_apply", "address": "after-apply.invalid"}


def plan(*hosts, seen=None, ledger=None, present=(), endpoint=ENDPOINT, shared=None, **settings):
    there = World(
        {f"app{number}": host for number, host in enumerate(hosts, 1)},
        shared=shared,
        present=present,
        ledger={"cutover": CUTOVER, **(ledger or {})},
    )
    stated = {**SETTINGS, "rollback_carries": True, **settings}
    known = there.known("rollback", settings=stated, endpoint=endpoint)
    looks = there.looks("rollback")
    first = next(iter(looks))
    return engine.plan(known, {**looks, first: replace(looks[first], transfer=seen or {"source": {}})})


def refused(*hosts, **more):
    [why] = plan(*hosts, **more).refusals
    assert "migration_rollback_carries: false" in why and why.startswith("Nothing was touched")
    return why


def test_it_is_a_step_of_its_own_before_the_hosts_and_nothing_is_said_to_stay_behind():
    made = plan(ON_TARGET, ON_TARGET)
    assert made.lines[0].startswith("data: carry back what shop-cache holds, by app1, while the services of app1, app2")
    assert made.batches == (("app1", "app2"),) and made.facts["data"]["holds"] and made.facts["left_behind"] == []
    assert not any("nothing is copied" in note for note in made.notes)


def test_without_it_a_rollback_is_as_ever():
    made = plan(ON_TARGET, rollback_carries=False)
    assert "data" not in made.facts and "stays there" in " ".join(made.notes)


def test_where_nothing_is_to_be_put_back_nothing_is_carried():
    assert "data" not in plan(ON_OLD).facts


def test_what_hosts_wrote_to_the_old_redis_since_would_be_lost():
    assert "app1 write to the old Redis already" in refused(ON_OLD, ON_TARGET)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"present": ("app1",)}, "--limit"),
        ({"endpoint": GONE}, "The target is not there."),
        ({"endpoint": {**ENDPOINT, "protocol": "memcached"}}, "Memcached tells nobody"),
        ({"seen": {"failure": "the old Redis is full"}}, "could not be looked at: the old Redis is full"),
        ({"seen": {"refusals": ["10.0.0.4:6379 may hold 5 MiB."]}}, "may hold 5 MiB"),
        ({"ledger": {"transfer": {**CUTOVER, "step": "used", "strategy": "live", "host": "app1"}}}, "still follows"),
    ],
)
def test_what_stands_against_it_ends_the_run_before_anything_is_touched(more, said):
    assert said in refused(ON_TARGET, ON_TARGET, **more)


def test_a_value_that_all_share_would_lead_back_before_anything_is():
    assert "/shop/REDIS_URL is shared" in refused(Host(None, "target.internal"), shared=Held.written_over(OLD, NEW))


def test_what_came_of_it_is_said_with_its_time():
    held = {"hosts": ["app1", "app2"], "behind_ms": 1500.0, "still_ms": 4300.0}
    [line, note] = carrying.lines(held, {"keys_done": 1200, "notes": ["300 keys went."]})
    assert line == (
        "Carried back 1,200 keys, and compared them: equal on both sides. Services of app1, app2 stood still for 4.3 "
        "s, 1.5 s of it for that."
    )
    assert note == "300 keys went."
