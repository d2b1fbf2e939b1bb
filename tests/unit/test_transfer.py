"""The data before the hosts: when it is brought, when anew, when it is too late, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import brought, engine, queues, transfer
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.transfer import (
    ABORT,
    ANEW,
    BEGUN,
    BRING,
    FINISHED,
    GO_ON,
    NOTHING,
    READY,
    USED,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine_world import ENDPOINT, NEW, OLD, SETTINGS, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
PLACE = "old.internal:6379"
DONE, UNDER_WAY = {"phase": "done", "keys_done": 5}, {"phase": "copying", "keys_done": 2}


def world(*hosts, entry=None, **more):
    """``entry`` is the step that the ledger has of the transfer."""
    ledger = {"transfer": entry_of(entry)} if entry else {}
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, ledger=ledger, **more)


def entry_of(step, **more):
    return {"step": step, "host": "app1", "strategy": "copy", "endpoint": ENDPOINT, "time": "then", **more}


def plan(there, goal="transfer", job=None, seen=None, endpoint=ENDPOINT, *, jobs=(), **settings):
    """``job`` is the progress of the one on app1, ``seen`` all that it tells. ``jobs`` are queues of the last host."""
    stated = {**SETTINGS, "transfer": "copy", **settings}
    known = there.known(goal, settings=stated, endpoint=endpoint)
    told = {"transfer": job or {}, "source": {"place": PLACE, "keys": 5}, **(seen or {})}
    looks = there.looks(goal)
    first, last = next(iter(looks)), list(looks)[-1]
    looks[last] = replace(looks[last], queues=tuple(jobs))
    return engine.plan(known, {**looks, first: replace(looks[first], transfer=told)})


def does(*args, **kwargs):
    made = plan(*args, **kwargs)
    assert not made.refusals, made.refusals
    return made.facts["data"]["does"]


def refused(*args, **kwargs):
    [why] = plan(*args, **kwargs).refusals
    return why


# --- what is done ---


def test_what_the_old_one_holds_is_brought_before_the_first_host_is_switched():
    lines = plan(world(ON_OLD, ON_OLD)).lines
    assert lines == [f"data: copy what {PLACE} holds, by app1, while the app works (copy); then compare every key"]


def test_a_target_is_seeded_while_it_is_made_and_never_once_it_is_there():
    stated = {"transfer": "seed", "snapshot_arns": ["arn:aws:s3:::seeds/dump.rdb"]}
    [line] = plan(world(ON_OLD), **stated).lines
    assert "is made from arn:aws:s3:::seeds/dump.rdb (seed)" in line and "since the dump stays behind" in line
    assert "from what the target is to be made is not stated" in refused(world(ON_OLD), transfer="seed")
    known = world(ON_OLD).known("transfer", settings={**SETTINGS, **stated})
    standing = transfer.Standing(waiting={"app1": {"host": "old.internal", "port": 6379}})
    there = transfer.course(replace(known, found={"tags": {}}), {}, standing)
    assert "was not made from a dump" in there.refusals[0]
    seeded = replace(known, found={"tags": {"cache_migration:restored_from": "arn:aws:s3:::seeds/dump.rdb"}})
    assert transfer.course(seeded, {}, standing).does == BRING


def test_a_target_that_was_seeded_before_a_rollback_is_not_seeded_again():
    kept = {"transfer": entry_of(USED, strategy="seed")}
    known = World({"app1": ON_OLD}, ledger=kept).known("transfer", settings={**SETTINGS, "transfer": "seed"})
    standing = transfer.Standing(waiting={"app1": {"host": "old.internal", "port": 6379}})
    [why] = transfer.course(known, {"transfer": DONE}, standing).refusals
    assert "is not seeded again" in why and "migration_rollback_delete_target" in why


def test_what_differs_from_a_dump_is_told_and_a_dump_of_which_nothing_is_there_is_refused():
    compared = {"compared": 100, "different": 30, "complete": True, "names": {}}
    seed = brought.Wanted("seed")
    told = brought.result({"keys_done": 100}, compared, None, seed)
    assert told["lines"][0] == "The target holds 100 keys of the dump."
    assert "state" not in told and "since the dump was taken, or not in it" in told["lines"][-1]
    other = brought.result({"keys_done": 100}, {**compared, "different": 100}, None, seed)
    assert other["state"] == "failed" and "another dump" in other["why"]


def test_with_cold_nothing_is_done_for_it():
    made = plan(world(ON_OLD), transfer="cold")
    assert made.is_nothing and not made.refusals and made.facts["data"]["does"] == NOTHING


@pytest.mark.parametrize(
    ("entry", "job", "expected"),
    [
        (None, None, BRING),
        (BEGUN, None, BRING),
        (BEGUN, UNDER_WAY, BRING),
        (BEGUN, DONE, BRING),
        (READY, DONE, NOTHING),
        (READY, UNDER_WAY, BRING),
        (USED, DONE, ANEW),
        (USED, UNDER_WAY, BRING),
        (FINISHED, DONE, ANEW),
        (FINISHED, None, BRING),
    ],
)
def test_a_run_of_the_data_alone_goes_on_where_the_one_before_stopped(entry, job, expected):
    assert does(world(ON_OLD, entry=entry), job=job) == expected


def test_a_copy_that_lay_ready_is_made_anew_by_the_run_that_switches_the_hosts():
    there = world(ON_OLD, entry=READY)
    settings = {"cache_node_type": "cache.t3.micro"}
    known = there.known("migrate", settings={**SETTINGS, "transfer": "copy", **settings})
    standing = transfer.Standing(waiting={"app1": {"host": "old.internal", "port": 6379}})
    seen = {"transfer": DONE, "source": {"place": PLACE}}
    assert transfer.course(known, seen, standing).does == ANEW
    assert transfer.course(known, {**seen, "transfer": UNDER_WAY}, standing).does == BRING


def test_where_every_host_is_on_the_target_nothing_is_brought():
    assert does(world(ON_TARGET, entry=FINISHED), job=DONE) == NOTHING
    assert does(world(ON_TARGET)) == NOTHING


def test_a_run_that_was_killed_between_two_hosts_does_not_copy_over_what_the_first_has_written():
    made = plan(world(ON_TARGET, ON_OLD, entry=USED), "cutover", DONE)
    assert made.facts["data"]["does"] == NOTHING and not made.refusals and "app2" in made.consumers


def test_what_hosts_have_written_to_the_target_is_never_copied_over():
    why = refused(world(ON_TARGET, ON_OLD))
    assert "app1 is on the target already" in why and "migration_transfer: cold" in why


def test_of_a_transfer_to_another_target_nothing_is_known():
    there = World({"app1": ON_OLD}, ledger={"transfer": entry_of(READY, endpoint={"address": "before", "port": 1})})
    assert does(there, job=DONE) == BRING


def test_a_host_that_cannot_be_seen_may_be_on_the_target_so_nothing_is_copied_under_it():
    there = world(ON_OLD, ON_OLD)
    looks = {**there.looks("transfer")}
    looks["app2"] = replace(looks["app2"], values=(), why="it is down", step="look at the host")
    known = there.known("transfer", settings={**SETTINGS, "transfer": "copy"})
    [why] = engine.plan(known, looks).refusals
    assert "app2 failed: it is down" in why


# --- the cutover by itself ---


@pytest.mark.parametrize(("entry", "job"), [(None, None), (BEGUN, DONE), (READY, UNDER_WAY), (USED, DONE)])
def test_no_host_is_switched_to_a_target_whose_data_is_not_there(entry, job):
    why = refused(world(ON_OLD, entry=entry), "cutover", job)
    assert "playbooks/transfer.yml first" in why


def test_hosts_are_switched_once_the_data_is_ready():
    made = plan(world(ON_OLD, entry=READY), "cutover", DONE)
    assert not made.refusals and made.batches == (("app1",),)


def test_a_transfer_that_was_begun_is_not_left_alone_by_calling_it_cold():
    why = refused(world(ON_OLD, entry=READY), "cutover", DONE, transfer="cold")
    assert "migration_transfer_abort=true" in why


# --- its end before time ---


def test_what_was_begun_is_ended_and_taken_away():
    made = plan(world(ON_OLD, entry=BEGUN), job=UNDER_WAY, transfer_abort=True)
    assert made.facts["data"]["does"] == ABORT and not made.facts["data"]["finishes"] and len(made.steps) == 1


def test_nothing_is_taken_away_under_an_app():
    assert "not taken away" in refused(world(ON_TARGET, ON_OLD, entry=USED), job=DONE, transfer_abort=True)


def test_where_nothing_was_begun_there_is_nothing_to_end():
    assert plan(world(ON_OLD), transfer_abort=True).is_nothing


# --- what stands against it ---


def test_what_the_host_says_against_it_is_said():
    assert refused(world(ON_OLD), seen={"refusals": ["The target holds 3 keys."]}) == "The target holds 3 keys."
    assert "no way" in refused(world(ON_OLD), seen={"failure": "no way"})


def test_keys_that_a_copy_brought_before_are_no_reason_against_bringing_them_anew():
    there = world(ON_OLD, entry=USED)
    assert does(there, job=DONE, seen={"refusals": ["The target holds 3 keys."]}) == ANEW


def test_one_redis_is_copied_and_not_that_of_one_of_several_hosts():
    other = Host(Held("redis://:pw@other.internal:6379/0"), "other.internal")
    assert "other.internal:6379" in refused(world(ON_OLD, other))


def test_where_each_host_has_a_redis_of_its_own_none_is_copied():
    own = Host(Held("redis://:pw@127.0.0.1:6379/0"), "127.0.0.1")
    assert "more than that" in refused(world(own, own), seen={"source": {"place": "127.0.0.1:6379"}})
    assert does(world(own), seen={"source": {"place": "127.0.0.1:6379"}}) == BRING


def test_who_is_stated_to_copy_is_a_host_of_the_run():
    assert "migration_transfer_host" in refused(world(ON_OLD), transfer_host="elsewhere")
    assert plan(world(ON_OLD, ON_OLD), transfer_host="app2").facts["data"]["host"] == "app2"


def test_who_has_begun_goes_on_whoever_is_stated():
    assert plan(world(ON_OLD, ON_OLD, entry=BEGUN), transfer_host="app2").facts["data"]["host"] == "app1"


def test_nothing_is_brought_or_taken_away_under_hosts_that_a_run_does_not_see():
    for entry, more in ((None, {}), (USED, {}), (BEGUN, {"transfer_abort": True})):
        why = refused(world(ON_OLD, ON_TARGET, entry=entry, present=("app1",)), job=DONE, **more)
        assert "whether app2 is on the target already" in why and "--limit" in why


def test_nothing_is_copied_to_memcached():
    assert "Memcached" in refused(world(ON_OLD), endpoint={**ENDPOINT, "protocol": "memcached"})


def test_figures_are_no_part_of_what_is_approved():
    one, other = (plan(world(ON_OLD), seen={"source": {"place": PLACE, "keys": keys}}) for keys in (5, 6))
    assert one.digest == other.digest and one.notes != other.notes


# --- what follows ---

FOLLOWS = {"phase": "following", "lag_ms": 1.0}


def live(*hosts, entry=None, goal="transfer", job=None, at_it=True, **more):
    there = world(*hosts)
    if entry:
        there = replace(there, ledger={"transfer": entry_of(entry, strategy="live")})
    return plan(there, goal, job, {"in_progress": at_it}, transfer="live", **more)


@pytest.mark.parametrize(
    ("entry", "job", "at_it", "expected"),
    [
        (None, None, False, BRING),
        (BEGUN, UNDER_WAY, True, BRING),
        (READY, FOLLOWS, True, NOTHING),
        (READY, FOLLOWS, False, BRING),
        (READY, DONE, False, ANEW),
        (USED, FOLLOWS, True, ANEW),
        (FINISHED, DONE, False, ANEW),
    ],
)
def test_what_follows_is_good_for_as_long_as_it_does_and_no_host_was_on_the_target(entry, job, at_it, expected):
    made = live(ON_OLD, entry=entry, job=job, at_it=at_it)
    assert not made.refusals and made.facts["data"]["does"] == expected


def test_where_hosts_are_switched_it_is_followed_again_and_nothing_is_copied():
    made = live(ON_TARGET, ON_OLD, entry=USED, goal="cutover", job=FOLLOWS, at_it=False)
    assert made.facts["data"]["does"] == GO_ON and "go on to follow" in made.lines[0]
    assert live(ON_TARGET, ON_OLD, entry=USED, goal="cutover", job=FOLLOWS).facts["data"]["does"] == NOTHING


@pytest.mark.parametrize("hosts", [(ON_OLD, ON_OLD), (ON_TARGET, ON_OLD), (ON_TARGET, ON_TARGET)])
def test_it_is_ended_with_the_last_host_just_before_the_ledger_is_told_of_the_cutover(hosts):
    entry = USED if ON_TARGET in hosts else READY
    made = live(*hosts, entry=entry, goal="cutover", job=FOLLOWS)
    assert not made.refusals and made.facts["data"]["finishes"]
    assert "end the following" in made.lines[-2] and made.lines[-1].startswith("ledger")


def test_it_is_not_ended_while_hosts_are_left():
    there = world(ON_OLD, ON_OLD, present=("app1",))
    there = replace(there, ledger={"transfer": entry_of(READY, strategy="live")})
    made = plan(there, "cutover", FOLLOWS, {"in_progress": True}, transfer="live")
    assert not made.refusals and not made.facts["data"]["finishes"]


def test_no_host_is_switched_where_nobody_follows_any_more():
    [why] = live(ON_OLD, entry=READY, goal="cutover", job=FOLLOWS, at_it=False).refusals
    assert "nobody brings what is written now" in why


def test_a_cutover_that_is_complete_has_nothing_to_end():
    made = live(ON_TARGET, entry=FINISHED, goal="cutover", job=DONE)
    assert not made.facts["data"]["finishes"] and not any("end the following" in line for line in made.lines)


# --- planning against what a plan leads to ---


@given(
    st.lists(st.sampled_from([ON_OLD, ON_TARGET]), min_size=1, max_size=3),
    st.sampled_from([None, BEGUN, READY, USED, FINISHED]),
    st.sampled_from([None, UNDER_WAY, DONE]),
)
def test_after_the_data_was_brought_there_is_nothing_to_bring(hosts, entry, job):
    there = world(*hosts, entry=entry)
    made = plan(there, job=job)
    if made.refusals:
        return
    if made.facts["data"]["does"] == NOTHING:
        assert made.is_nothing
        return
    again = plan(world(*hosts, entry=READY), job=DONE)
    assert again.is_nothing and not again.refusals


@given(
    st.lists(st.sampled_from([ON_OLD, ON_TARGET]), min_size=1, max_size=3),
    st.sampled_from([None, BEGUN, READY, USED, FINISHED]),
    st.sampled_from([None, UNDER_WAY, DONE]),
    st.sampled_from(["transfer", "cutover"]),
)
def test_whatever_is_known_nothing_is_brought_while_a_host_is_on_the_target(hosts, entry, job, goal):
    made = plan(world(*hosts, entry=entry), goal, job)
    if ON_TARGET in hosts:
        assert made.refusals or made.facts["data"]["does"] == NOTHING


# --- what came of it ---

EQUAL = {"equal": True, "complete": True, "compared": 5, "missing": 0, "extra": 0, "different": 0}
NAMED = {"missing": [{"database": 0, "key": "a", "why": "not there"}], "different": [{"database": 3, "key": "b"}]}
TWO_DIFFER = {**EQUAL, "equal": False, "different": 1, "missing": 1, "names": NAMED}


def came(compared, written=0, progress=DONE, **wanted):
    return brought.result(progress, compared, written, brought.Wanted(**wanted))


def test_what_is_equal_is_said_to_be():
    assert came(EQUAL)["lines"][-1] == "Compared 5 keys: equal on both sides." and "state" not in came(EQUAL)


def test_more_keys_that_differ_than_were_written_were_not_copied_as_they_are():
    told = came(TWO_DIFFER, 1)
    assert told["state"] == "failed" and "not copied as they are" in told["why"]
    assert "a of database 0: not there; b of database 3" in told["why"]


@pytest.mark.parametrize("written", [2, None])
def test_what_was_written_since_is_named_as_what_stays_behind(written):
    told = came(TWO_DIFFER, written)
    assert "state" not in told and "1 missing, 1 different" in told["lines"][-1] and not told["compared"]["equal"]


@pytest.mark.parametrize("written", [2, None, 0])
def test_with_what_follows_no_key_at_rest_may_differ(written):
    assert came(TWO_DIFFER, written, strategy="live")["state"] == "failed"


def test_a_key_that_was_written_all_the_while_is_named_as_not_proven():
    told = came({**EQUAL, "equal": False, "complete": False, "changing": 1}, strategy="live")
    assert "state" not in told and "1 were written all the while, and are not proven" in told["lines"][-1]


@pytest.mark.parametrize(
    "told",
    [
        {"complete": False},
        {"complete": None},
        {"unseen": 1},
        {"unknown": 1, "equal": False},
        {"in_progress": True},
        {"libraries": {"shop": "not on the target"}, "equal": False},
    ],
)
def test_what_was_not_compared_whole_is_no_proof(told):
    assert came({**EQUAL, **told})["state"] == "failed"


def test_a_sample_is_said_to_be_one():
    told = came({**EQUAL, "complete": False, "sampled": 5})
    assert "state" not in told and told["lines"][-1] == "Compared a sample of 5 keys: equal on both sides."


def test_what_does_not_say_that_it_is_equal_is_not_said_to_be():
    assert "equal on both sides" not in came({**EQUAL, "equal": False})["lines"][-1]


def test_equal_that_counts_a_difference_is_not_believed():
    assert came({**TWO_DIFFER, "equal": True})["state"] == "failed"


@pytest.mark.parametrize(
    ("target_keys", "counts", "is_told"),
    [
        ("keep", {"extra": 1, "different": 1}, False),
        ("keep", {"missing": 1}, True),
        ("replace", {"extra": 1}, False),
        ("replace", {"different": 1}, True),
        ("refuse", {"extra": 1}, True),
    ],
)
def test_keys_that_the_target_held_before_are_no_difference(target_keys, counts, is_told):
    told = came({**EQUAL, "equal": False, **counts}, target_keys=target_keys)
    assert (told.get("state") == "failed") == is_told
    assert is_told or "held keys before" in told["lines"][-1]


def test_names_of_keys_are_told_as_patterns():
    named = {
        "missing": [{"database": 0, "key": f"session:8f3a91{number}:cart", "why": "not there"} for number in (1, 2)]
    }
    told = came({**TWO_DIFFER, "names": named}, 2)
    assert "as session:*:cart of database 0: not there)" in told["lines"][-1] and "8f3a91" not in repr(told)


def test_where_nothing_was_compared_that_is_said():
    assert "not proven" in came({})["lines"][-1]


def test_what_was_left_out_is_named():
    left = {**DONE, "left_out_count": 1, "left_out": [{"key": "big", "why": "its module is not there"}]}
    assert "big: its module is not there" in came(EQUAL, progress=left)["lines"][1]


def test_how_many_keys_writes_can_have_changed():
    before = {"life": "1", "calls": {"set": 3}}
    assert brought.most_written(before, {"life": "1", "calls": {"set": 5, "rename": 1}}) == 6
    assert brought.most_written(before, before) == 0
    assert brought.most_written(before, {"life": "1", "calls": {"set": 3, "flushall": 1}}) is None
    assert brought.most_written(before, {"life": "2", "calls": {"set": 3}}) is None
    assert brought.most_written({}, {}) is None


# --- where it stands ---


def said_of(job, entry=BEGUN, **more):
    there = world(ON_OLD, entry=entry)
    looks = there.looks("state")
    looks["app1"] = replace(looks["app1"], transfer={"transfer": job, "progress": "copied 2 of 5 keys", **more})
    return [line for line in engine.plan(there.known("state"), looks).notes if line.startswith("data:")]


def test_the_state_tells_how_far_it_is():
    assert said_of(UNDER_WAY) == ["data: copy on app1, begun since then: copied 2 of 5 keys"]
    assert "nobody is at it" in said_of(UNDER_WAY, in_progress=False)[0]
    assert "nobody" not in said_of(DONE, READY, in_progress=False)[0]
    assert "unknown" in said_of({})[0]
    assert said_of(DONE, FINISHED) == []


# --- queues ---

CELERY = {"database": 1, "names": ["celery", "unacked"]}


def test_what_waits_in_queues_of_any_host_is_moved_when_the_last_host_is_switched():
    made = plan(world(ON_OLD, ON_OLD, entry=READY), "cutover", DONE, jobs=[CELERY])
    assert not made.refusals and made.facts["data"]["finishes"] and made.facts["data"]["queues"] == [CELERY]
    moves = "data: move what waits in queues by then (celery, unacked), each job once"
    assert moves in made.lines and made.lines.index(moves) > made.lines.index(
        next(line for line in made.lines if line.startswith("app2"))
    )


def test_a_run_that_was_killed_after_the_last_host_moves_the_jobs():
    made = plan(world(ON_TARGET, entry=USED), "cutover", DONE, jobs=[CELERY])
    assert made.facts["data"]["finishes"]


def test_without_queues_or_with_cold_nothing_is_moved():
    assert not plan(world(ON_OLD, entry=READY), "cutover", DONE).facts["data"]["finishes"]
    cold = plan(world(ON_OLD), "cutover", jobs=[CELERY], transfer="cold")
    assert not cold.facts["data"]["finishes"] and cold.facts["data"]["queues"] == []


def test_jobs_of_several_hosts_are_named_once():
    named = queues.together([CELERY, {"database": 1, "names": ["celery", "mails"]}, {"database": 0, "names": ["x"]}])
    assert named == ({"database": 0, "names": ["x"]}, {"database": 1, "names": ["celery", "mails", "unacked"]})


def test_jobs_are_not_moved_among_keys_that_were_there_before_or_into_a_cluster():
    why = refused(world(ON_OLD), jobs=[CELERY], transfer_target_keys="replace")
    assert "migration_transfer_target_keys: refuse" in why
    cluster = {**ENDPOINT, "protocol": "redis-cluster"}
    assert "without cluster mode" in refused(world(ON_OLD), jobs=[CELERY], endpoint=cluster)


def test_with_live_the_jobs_are_moved_after_the_following_has_ended():
    there = replace(world(ON_OLD), ledger={"transfer": entry_of(READY, strategy="live")})
    made = plan(there, "cutover", FOLLOWS, {"in_progress": True}, jobs=[CELERY], transfer="live")
    assert not made.refusals and made.facts["data"]["queues"] == [CELERY]
    assert "end the following" in made.lines[-3] and "move what waits in queues" in made.lines[-2]
