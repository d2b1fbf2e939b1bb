"""Whether the old Redis may be retired: a decision over what was seen, with every reason at once."""

from __future__ import annotations

import datetime
import pathlib
from dataclasses import replace

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.backup import folder_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import Instance
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import decommission, looks
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.checks import Wishes
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.course import Course
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.decommission import (
    NOTHING,
    RETIRE,
    STOP,
    TERMINATE,
    decide,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.looks import (
    HostLook,
    Neighbours,
    RedisLook,
    Seen,
    Unit,
    led_apart,
)
from ansible_collections.kempian.cache_migration.plugins.modules import decommission_plan

NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.timezone.utc)
ID = "i-0123456789abcdef0"
OLD = {"host": "old-redis.internal", "port": 6379}
TARGET = "master.cache.example"
ON_TARGET = HostLook(original=OLD, addresses=("10.0.0.9",), current={"host": TARGET, "port": 6379})
SSHD = {"protocol": "tcp", "address": "0.0.0.0", "port": 22, "program": "sshd", "pid": 9}
REDIS = {"protocol": "tcp", "address": "0.0.0.0", "port": 6379, "program": "redis-server", "pid": 10}
SHOP = {"protocol": "tcp", "address": "0.0.0.0", "port": 8000, "program": "python3", "pid": 11}
AT = {"life": "a" * 40, "calls": {"set": 3}}
BACKUP = {
    "bucket": "b",
    "key": "cache_migration/shop/20261122T110000Z.rdb",
    "size": 9,
    "sha256": "f" * 64,
    "writes": AT,
    "keyspace": {},
}

WISHES = Wishes(instance_id=ID, bucket="b", folder=folder_of("shop"))
SEEN = Seen(
    now=NOW,
    hosts={"app1": ON_TARGET, "app2": ON_TARGET},
    target_address=TARGET,
    redis=RedisLook(peer="10.0.0.9", writes=AT),
    instance=Instance(ID, "running", ("10.0.0.9",), ("ip-10-0-0-9.ec2.internal",)),
    neighbours=Neighbours("old", addresses=("10.0.0.9",), listeners=(SSHD, REDIS)),
    engine="/usr/bin/redis-server",
    cutover={"time": "2026-11-23T11:00:00Z", "hosts": ["app1", "app2"], "endpoint": {"address": TARGET}},
)


def stopped(step="stopped", time="2026-11-22T11:00:00Z", **more):
    entry = {"step": step, "instance_id": ID, "time": time}
    return replace(SEEN, instance=replace(SEEN.instance, state="stopped"), entry=entry, backup=BACKUP, **more)


def checks(wishes, seen):
    return [reason.check for reason in decide(wishes, seen).reasons]


def test_the_right_one_is_stopped_after_a_backup():
    decision = decide(WISHES, SEEN)
    assert (decision.step, decision.reasons, decision.wants_backup) == (STOP, (), True)


@pytest.mark.parametrize(
    ("check", "what"),
    [
        ("transfer", {"transfer": {"step": "used", "strategy": "copy", "host": "app1", "time": "then"}}),
        ("age", {"cutover": {}}),
        ("age", {"cutover": {**SEEN.cutover, "time": "2026-11-23T12:00:01Z"}}),
        ("age", {"cutover": {**SEEN.cutover, "hosts": ["app1"]}}),
        ("age", {"cutover": {**SEEN.cutover, "endpoint": {"address": "the.former.target"}}}),
        ("hosts", {"hosts": {"app1": ON_TARGET, "app2": HostLook(failure="the host cannot be reached")}}),
        ("hosts", {"hosts": {"app1": ON_TARGET, "app2": replace(ON_TARGET, current=OLD)}}),
        ("hosts", {"target_address": ""}),
        ("hosts", {"hosts": {"app1": ON_TARGET, "app2": HostLook(current=ON_TARGET.current)}}),
        ("instance", {"instance": replace(SEEN.instance, addresses=("10.0.0.8",))}),
        ("instance", {"hosts": {"app1": ON_TARGET, "app2": replace(ON_TARGET, original={**OLD, "port": 6380})}}),
        ("instance", {"instance": replace(SEEN.instance, released=("old-redis.internal",))}),
        ("instance", {"instance": replace(SEEN.instance, released=("10.0.0.9",))}),
        ("instance", {"instance": replace(SEEN.instance, tags={"aws:autoscaling:groupName": "redis"})}),
        ("instance", {"instance": replace(SEEN.instance, state="stopped")}),
        ("instance", {"instance": None}),
        ("instance", {"redis": replace(SEEN.redis, peer="127.0.0.1")}),
        ("instance", {"redis": replace(SEEN.redis, peer="")}),
        ("protection", {"instance": replace(SEEN.instance, protections=("disableApiStop",))}),
        ("clients", {"redis": replace(SEEN.redis, clients=("10.0.0.5 (1 connections)",))}),
        ("clients", {"redis": RedisLook(failure="it does not answer")}),
        ("clients", {"redis": None}),
        ("other_services", {"neighbours": None}),
        ("other_services", {"neighbours": Neighbours("old", failure="no way there")}),
        ("other_services", {"neighbours": replace(SEEN.neighbours, listeners=(SSHD, REDIS, SHOP))}),
        ("other_services", {"neighbours": replace(SEEN.neighbours, addresses=("10.0.0.8",))}),
        ("persistence", {"redis": replace(SEEN.redis, survives_a_stop=False)}),
        ("backup_load", {"engine": ""}),
    ],
)
def test_it_is_refused_for_one_reason_alone(check, what):
    assert set(checks(WISHES, replace(SEEN, **what))) == {check}


def test_hosts_whose_old_urls_led_to_two_are_named_each_with_its_own():
    elsewhere = replace(ON_TARGET, original={**OLD, "port": 6380, "password": "secret"})
    hosts = {"app1": ON_TARGET, "app2": ON_TARGET, "app3": elsewhere}
    seen = replace(SEEN, hosts=hosts, cutover={**SEEN.cutover, "hosts": list(hosts)})
    (reason,) = decide(WISHES, seen).reasons
    told = "app1, app2 to old-redis.internal:6379 (10.0.0.9); app3 to old-redis.internal:6380 (10.0.0.9)"
    assert told in reason.sentence and "secret" not in reason.sentence
    other = {**REDIS, "port": 6380}
    both = replace(seen, neighbours=replace(SEEN.neighbours, listeners=(REDIS, other)))
    assert checks(WISHES, both) == ["instance", "other_services"], "only the one port is that of the old Redis"


def test_an_address_that_a_stop_takes_away_is_refused_with_one_that_lasts():
    instance = replace(SEEN.instance, addresses=("10.0.0.9", "192.0.2.9"), released=("192.0.2.9",))
    public = replace(ON_TARGET, original={**OLD, "host": "192.0.2.9"}, addresses=("192.0.2.9",))
    seen = replace(SEEN, instance=instance, hosts={"app1": public, "app2": public})
    (reason,) = [one for one in decide(WISHES, seen).reasons if one.check == "instance"]
    assert "of app1, app2 leads by 192.0.2.9 to a public address" in reason.sentence
    assert "the private address (10.0.0.9) or an Elastic IP" in reason.sentence
    assert checks(WISHES, replace(SEEN, instance=instance)) == []


def test_hosts_may_name_the_one_they_led_to_in_ways_of_their_own():
    by_address = replace(ON_TARGET, original={"host": "10.0.0.9", "port": 6379})
    both = ("10.0.0.9", "fd00::9")
    hosts = {"app1": replace(ON_TARGET, addresses=both), "app2": by_address}
    instance, neighbours = replace(SEEN.instance, addresses=both), replace(SEEN.neighbours, addresses=both)
    assert checks(WISHES, replace(SEEN, hosts=hosts, instance=instance, neighbours=neighbours)) == []


def test_a_name_that_leads_to_another_machine_as_well_is_refused():
    """Whoever says where it leads could answer in place of the old Redis, and have it retired for what he says."""
    hosts = {"app1": replace(ON_TARGET, addresses=("10.0.0.9", "127.0.0.1"))}
    cutover = {**SEEN.cutover, "hosts": ["app1"]}
    assert set(checks(WISHES, replace(SEEN, hosts=hosts, cutover=cutover))) == {"instance", "other_services"}
    assert checks(SERVICE, replace(WITH_UNIT, hosts=hosts, cutover=cutover)) == ["service"]


def test_every_reason_is_given_at_once():
    seen = replace(SEEN, cutover={}, neighbours=None, redis=None, engine="")
    assert checks(replace(WISHES, bucket=""), seen) == ["other_services", "age", "clients", "backup", "backup_load"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("other_services", {"neighbours": None}),
        ("persistence", {"redis": replace(SEEN.redis, survives_a_stop=False)}),
        ("backup_load", {"engine": ""}),
    ],
)
def test_some_checks_are_waived_by_name(name, what):
    assert checks(replace(WISHES, waive=frozenset([name])), replace(SEEN, **what)) == []


def test_a_name_that_is_no_waiver_is_refused():
    assert checks(replace(WISHES, waive=frozenset(["clients"])), SEEN) == ["waive"]


def test_without_a_backup_where_that_is_waived():
    decision = decide(replace(WISHES, waive=frozenset(["backup"]), bucket=""), replace(SEEN, engine=""))
    assert (decision.reasons, decision.wants_backup) == ((), False)


@pytest.mark.parametrize(
    ("told", "is_current"),
    [
        (AT, True),
        ({**AT, "calls": {"set": 4}}, False),
        ({**AT, "calls": {"set": 3, "del": 1}}, False),
        ({**AT, "life": "b" * 40}, False),  # started again meanwhile
    ],
)
def test_an_earlier_backup_counts_while_nothing_was_written_since(told, is_current):
    decision = decide(WISHES, replace(SEEN, backup=BACKUP, redis=RedisLook(writes=told)))
    assert (decision.wants_backup, decision.keeps_backup) == (not is_current, is_current)


def test_an_earlier_backup_that_cannot_be_proven_does_not_count():
    decision = decide(WISHES, replace(SEEN, backup={**BACKUP, "sha256": ""}))
    assert (decision.wants_backup, decision.keeps_backup) == (True, False)


ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles/decommission/tasks"


def tasks_of(name):
    """The tasks of a file of the role, by their names."""
    return {task["name"].partition("| ")[2]: task for task in yaml.safe_load((ROLE / name).read_text())}


def test_all_is_looked_at_again_after_the_backup_and_before_anything_is_begun():
    tasks = tasks_of("act.yml")
    names = list(tasks)
    again = names.index("Look again")
    assert names.index("Keep other runs out, and begin") < names.index("Prove the backup, and note where it is") < again
    assert tasks["Look again"]["when"] == "__retire_begun.looks_again"
    assert names[again + 1] == "Note what is begun"


@pytest.mark.parametrize("kind", ["wants_backup", "keeps_backup"])
def test_a_backup_that_counts_is_one_of_what_the_old_redis_holds_after_it(kind):
    assert Course(STOP, "", **{kind: True}).looks_again
    assert not Course(STOP, "").looks_again


def test_the_command_that_forgets_an_entry_names_the_region():
    told = "aws ssm delete-parameter --region eu-west-1 --name /cache_migration/shop/backup"
    assert decommission.forget_command("shop", "backup", "eu-west-1") == told
    assert decommission.forget_command("shop", "backup") == told.replace(" --region eu-west-1", "")


def test_a_stopped_one_is_held_until_the_end_of_the_hold_even_when_its_end_is_asked_for():
    early = stopped(time="2026-11-22T12:00:01Z")
    assert decide(WISHES, early).step == NOTHING
    assert checks(replace(WISHES, terminate=True), early) == ["hold"]
    late = stopped(time="2026-11-22T12:00:00Z")
    assert decide(WISHES, late).step == NOTHING
    decision = decide(replace(WISHES, terminate=True), late)
    assert (decision.step, decision.reasons) == (TERMINATE, ())


@pytest.mark.parametrize(
    ("check", "seen"),
    [
        ("protection", stopped(hosts={})),
        ("hosts", stopped(hosts={"app1": replace(ON_TARGET, current=OLD)})),
    ],
)
def test_what_was_stopped_is_not_terminated_while_something_stands_against_it(check, seen):
    if check == "protection":
        seen = replace(seen, instance=replace(seen.instance, protections=("disableApiTermination",)))
    assert checks(replace(WISHES, terminate=True), seen) == [check]


def test_what_was_stopped_without_a_backup_is_terminated_only_where_that_is_waived():
    seen = replace(stopped(), backup={})
    wishes = replace(WISHES, terminate=True)
    assert checks(wishes, seen) == ["backup"]
    assert checks(replace(wishes, waive=frozenset(["backup"])), seen) == []


@pytest.mark.parametrize(
    "place", [{"bucket": "c"}, {"key": "cache_migration/shop2/x.rdb"}, {"key": "x.rdb"}, {"key": None}]
)
def test_a_backup_elsewhere_than_this_migration_puts_it_does_not_count(place):
    elsewhere = {**BACKUP, **place}
    reasons = decide(replace(WISHES, terminate=True), replace(stopped(), backup=elsewhere)).reasons
    assert [reason.check for reason in reasons] == ["backup"]
    assert "s3://b/cache_migration/shop/" in reasons[0].sentence and "migration_backup_bucket" in reasons[0].sentence
    assert decide(WISHES, replace(SEEN, backup=elsewhere)).wants_backup


def test_without_a_stated_bucket_no_backup_is_believed():
    assert checks(replace(WISHES, terminate=True, bucket=""), replace(stopped(), backup={**BACKUP, "bucket": ""})) == [
        "backup"
    ]


def test_an_entry_of_something_stopped_that_has_no_name_is_no_entry_of_this_instance():
    nameless = replace(stopped(), entry={"step": "stopped", "time": "2026-11-22T11:00:00Z"})
    assert checks(replace(WISHES, terminate=True), nameless) == ["instance"]
    assert checks(WISHES, nameless) == ["instance"]


def test_an_earlier_backup_of_other_data_is_forgotten_where_none_is_taken():
    """It would pass for one of what is stopped now: for the end of the instance, and on the way back."""
    waived = replace(WISHES, waive=frozenset(["backup"]))
    written_since = replace(SEEN, backup=BACKUP, redis=replace(SEEN.redis, writes={**AT, "calls": {"set": 4}}))
    assert decide(waived, written_since).forgets_backup
    assert not decide(WISHES, written_since).forgets_backup  # another takes its place
    assert not decide(waived, replace(SEEN, backup=BACKUP)).forgets_backup
    assert not decide(waived, stopped(step="stopping")).forgets_backup


def test_an_instance_that_is_stopped_by_hand_after_a_backup_that_failed_was_not_stopped_by_this_migration():
    by_hand = replace(SEEN, instance=replace(SEEN.instance, state="stopped"), backup=BACKUP)
    for wishes in (WISHES, replace(WISHES, terminate=True)):
        assert checks(wishes, by_hand) == ["instance"]


def test_what_is_begun_is_noted_after_the_backup_and_right_before_the_act():
    names = list(tasks_of("act.yml"))
    last = names.index("Note what is begun")
    assert names[last + 1 :] == ["Stop or terminate the instance", "Stop and disable the service", "Mask the service"]
    assert names.index("Take a snapshot of the old Redis and send it") < last


@pytest.mark.parametrize(
    ("step", "entry", "is_noted"),
    [
        (STOP, {}, True),
        (STOP, {"step": "stopping"}, False),
        (RETIRE, {"step": "stopped"}, True),
        (TERMINATE, {"step": "stopped"}, False),
    ],
)
def test_what_is_begun_is_noted_once(step, entry, is_noted):
    assert Course(step, "", entry=entry).is_to_note is is_noted


def test_a_stop_that_did_not_last_is_forgotten_before_the_backup():
    """Were the instance to end again before this run has stopped it, the old note would pass for that stop."""
    again = Course(STOP, "", wants_backup=True, entry={"step": "stopped", "instance_id": ID})
    assert again.forgets_stop
    assert not replace(again, entry={}).forgets_stop
    assert not replace(again, step=RETIRE).forgets_stop, "of a service it still knows whether it was enabled"


def test_the_ledger_says_what_is_begun_and_what_is_done():
    instance = Course(STOP, "", instance_id=ID)
    assert (instance.begun, instance.done) == (
        {"step": "stopping", "instance_id": ID},
        {"step": "stopped", "instance_id": ID},
    )
    assert replace(instance, step=TERMINATE).done == {"step": "terminated", "instance_id": ID}
    service = Course(RETIRE, "", instance_id=ID, service="redis-server", host="old", unit={"enabled": True})
    assert service.begun == {"step": "stopping", "service": "redis-server", "host": "old", "was_enabled": True}
    continued = replace(service, unit={"enabled": False}, entry=service.begun)
    assert continued.done["was_enabled"] is True, "as it was before the run that disabled it"


def test_the_instance_is_left_alone_where_its_service_is_retired():
    assert {step: Course(step, "", service="x").instance_state for step in (STOP, RETIRE, TERMINATE, NOTHING)} == {
        STOP: "stopped",
        RETIRE: "",
        TERMINATE: "terminated",
        NOTHING: "",
    }


def test_a_stop_that_was_begun_is_finished():
    assert decide(WISHES, stopped(step="stopping")).step == STOP


@pytest.mark.parametrize("step", ["stopping", "stopped"])
@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({"launched": NOW}, "was started again at 2026-11-25T12:00:00Z"),
        ({"stopped": NOW}, "was stopped by somebody else at 2026-11-25T12:00:00Z"),
    ],
)
def test_one_that_has_run_since_is_neither_held_nor_terminated(step, when, told):
    """What was written meanwhile is in no backup."""
    seen = stopped(step=step)
    seen = replace(seen, instance=replace(seen.instance, **when))
    for wishes in (WISHES, replace(WISHES, terminate=True)):
        decision = decide(wishes, seen)
        assert (decision.step, [reason.check for reason in decision.reasons]) == (NOTHING, ["instance"])
        assert f"{ID} {told}" in decision.reasons[0].sentence
        assert f"aws ec2 start-instances --instance-ids {ID}" in decision.reasons[0].sentence


def test_what_ec2_says_of_the_stop_itself_is_nothing_that_ran_since():
    seen = stopped()
    of_it = {"launched": NOW - datetime.timedelta(days=90), "stopped": NOW - datetime.timedelta(hours=73)}
    seen = replace(seen, instance=replace(seen.instance, **of_it))
    assert decide(replace(WISHES, terminate=True), seen).reasons == ()
    half_way = stopped(step="stopping")
    a_moment_later = datetime.datetime(2026, 11, 22, 11, 1, tzinfo=datetime.timezone.utc)
    half_way = replace(half_way, instance=replace(half_way.instance, stopped=a_moment_later))
    assert decide(WISHES, half_way).reasons == ()


def test_one_that_is_gone_is_only_noted():
    gone = replace(stopped(), instance=replace(SEEN.instance, state="terminated"))
    assert decide(WISHES, gone).step == TERMINATE
    assert decide(WISHES, replace(gone, entry={**gone.entry, "step": "terminated"})).step == NOTHING


def test_another_instance_than_the_one_that_was_stopped_is_refused():
    assert checks(replace(WISHES, instance_id="i-0fedcba9876543210"), stopped()) == ["instance"]


# --- who asks the old Redis ---

SAID = {
    "failure": "",
    "peer": "10.0.0.9",
    "clients": [],
    "persistence": {"appends": True, "saves": True, "unsaved_changes": 0},
    "writes": AT,
}
OUR_OWN = {"address": "10.0.0.5", "connections": 1}
CUT_OFF = {"redis": {"failure": "it is silent."}}
LOST = {"unreachable": True, "msg": "no route."}


def looks_of(*found):
    return {f"app{number}": look for number, look in enumerate(found, 1)}


@pytest.mark.parametrize(
    ("found", "asker"),
    [
        ([{"redis": SAID}, {"redis": SAID}], "app1"),
        ([CUT_OFF, {"redis": SAID}], "app2"),
        ([LOST, {"failed": True, "msg": "no journal"}, {"redis": {}}, {"redis": SAID}], "app4"),
        ([LOST, CUT_OFF], ""),
        ([None], ""),
    ],
)
def test_the_first_host_that_the_old_redis_answers_asks_it(found, asker):
    assert looks.asker(looks_of(*found).items()) == asker


def test_hosts_that_ask_at_the_same_time_are_no_clients_of_the_old_redis():
    busy = {"redis": {**SAID, "clients": [OUR_OWN]}}
    known = looks_of(CUT_OFF, busy, busy)
    seen = RedisLook.of_hosts(looks.of_run(known, {"app2": {"redis": SAID}}))
    assert (seen.failure, seen.clients) == ("", ())
    assert RedisLook.of_hosts(looks.of_run(known, {"app2": busy})).clients
    assert not RedisLook.of_hosts(looks.of_run(known, {"app3": {"redis": SAID}})).clients


def test_where_it_answers_no_host_each_is_named_with_its_reason():
    params = {**PARAMS, "hosts": looks.of_run(looks_of(LOST, CUT_OFF), {"app1": None})}
    seen = decommission_plan.seen_of(params, ledger.Contents({}, [], NOW), None)
    (told,) = [reason.sentence for reason in decide(WISHES, replace(SEEN, redis=seen.redis)).reasons]
    assert told.endswith("app1: the host cannot be reached: no route.; app2: it is silent.")


def test_a_host_without_a_look_was_left_out():
    (told,) = looks.of_run({"app1": None}, {}).values()
    assert "left out of this run" in HostLook.of(told).failure


def test_every_host_asks_and_one_of_them_alone():
    first, second = list(tasks_of("look.yml").values())[:2]
    steps = [task["kempian.cache_migration.retire_host"]["step"] for task in (first, second)]
    assert steps == ["look", "ask"]
    assert "when" not in first and "run_once" not in first
    assert all(task["ignore_errors"] for task in (first, second))


# --- an app with several values ---

TWO = {
    "stores": [
        {"name": "REDIS_URL", "original": OLD, "addresses": ["10.0.0.9"], "current": {"host": TARGET, "port": 6379}},
        {"name": "JOBS_URL", "original": OLD, "addresses": ["10.0.0.9"], "current": {"host": TARGET, "port": 6379}},
    ]
}


def with_jobs(**differs):
    first, second = TWO["stores"]
    look = HostLook.of({"stores": [first, {**second, **differs}]})
    return replace(SEEN, hosts={"app1": look, "app2": ON_TARGET})


def test_several_values_that_all_went_from_the_old_redis_to_the_target_are_as_one():
    assert checks(WISHES, with_jobs()) == []


@pytest.mark.parametrize(
    ("check", "differs", "told"),
    [
        ("hosts", {"current": OLD}, "app1 is not on the target (master.cache.example): its value JOBS_URL leads to"),
        ("hosts", {"original": {}}, "app1 has no original of its value JOBS_URL in the journal"),
        ("instance", {"original": {**OLD, "port": 6380}}, "app1 to old-redis.internal:6380"),
    ],
)
def test_each_of_several_values_counts(check, differs, told):
    (reason,) = decide(WISHES, with_jobs(**differs)).reasons
    assert reason.check == check and told in reason.sentence


def test_a_value_that_led_to_another_machine_is_refused():
    assert "instance" in checks(WISHES, with_jobs(addresses=["10.0.0.8"]))


# --- the times of the ledger ---


@pytest.mark.parametrize(
    ("stated", "counts"), [("2026-11-01T00:00:00Z", "2026-11-25T12:00:00Z"), ("2026-11-26T00:00:00Z",) * 2]
)
def test_the_later_of_an_entrys_own_time_and_that_of_its_parameter_counts(stated, counts):
    known = ledger.Contents({"cutover": {"time": stated, "hosts": ["app1"]}}, [], NOW, {"cutover": NOW})
    assert known.dated("shop", "cutover") == {"time": counts, "hosts": ["app1"]}


@pytest.mark.parametrize("value", [{"time": "yesterday"}, {"hosts": []}])
def test_an_entry_without_a_time_is_refused_by_its_name_and_with_what_to_do(value):
    known = ledger.Contents({"cutover": value}, [], NOW, {"cutover": NOW})
    with pytest.raises(ledger.LedgerError, match=r"/cache_migration/shop/cutover .* get-parameter-history"):
        known.dated("shop", "cutover")


PARAMS = {
    **dict.fromkeys(("service", "target_address", "old_host", "engine", "bucket"), ""),
    "migration_name": "shop",
    "instance_id": ID,
    "hosts": {},
    "old_host_seen": {},
}


@pytest.mark.parametrize(("entry", "seen_as"), [("cutover", "cutover"), ("decommission", "entry")])
def test_the_age_of_the_cutover_and_the_hold_count_from_that(entry, seen_as):
    known = ledger.Contents({entry: {"time": "2020-01-01T00:00:00Z"}}, [], NOW, {entry: NOW})
    assert getattr(decommission_plan.seen_of(PARAMS, known, None), seen_as)["time"] == ledger.as_text(NOW)


# --- a service alone ---

SERVICE = Wishes(service="redis-server", bucket="b", folder=folder_of("shop"))
WITH_UNIT = replace(
    SEEN,
    instance=None,
    neighbours=replace(
        SEEN.neighbours, listeners=(SSHD, REDIS, SHOP), unit=Unit("redis-server", True, frozenset([6379]))
    ),
)


def test_a_service_is_retired_whatever_else_is_on_its_host():
    decision = decide(SERVICE, WITH_UNIT)
    assert (decision.step, decision.reasons) == (RETIRE, ())


@pytest.mark.parametrize(
    "neighbours",
    [
        None,
        Neighbours("old", failure="no way there"),
        replace(WITH_UNIT.neighbours, addresses=("10.0.0.8",)),
        replace(WITH_UNIT.neighbours, unit=None),
        replace(WITH_UNIT.neighbours, unit=Unit("redis-server", False, frozenset())),
        replace(WITH_UNIT.neighbours, unit=Unit("redis-server", True, frozenset([8000]))),
    ],
)
def test_a_service_that_is_not_seen_to_be_the_old_redis_is_refused(neighbours):
    assert checks(SERVICE, replace(WITH_UNIT, neighbours=neighbours)) == ["service"]


def test_a_service_to_which_not_every_host_led_is_refused():
    elsewhere = replace(ON_TARGET, original={**OLD, "host": "10.0.0.8"}, addresses=("10.0.0.8",))
    assert checks(SERVICE, replace(WITH_UNIT, hosts={"app1": ON_TARGET, "app2": elsewhere})) == ["service"]


@pytest.mark.parametrize(("old_host", "refused"), [("app2", []), ("elsewhere", ["service"])])
def test_loopback_leads_to_the_service_on_its_own_host_alone(old_host, refused):
    local = replace(ON_TARGET, original={**OLD, "host": "localhost"}, addresses=("127.0.0.1", "::1"))
    neighbours = replace(WITH_UNIT.neighbours, host=old_host)
    hosts = {"app1": ON_TARGET, "app2": local}
    assert checks(SERVICE, replace(WITH_UNIT, hosts=hosts, neighbours=neighbours)) == refused
    assert led_apart({"app1": local, "app2": local}, neighbours)


@pytest.mark.parametrize(
    ("host", "peer", "refused"),
    [("app1", "10.0.0.9", []), ("app1", "127.0.0.1", ["service"]), ("old", "127.0.0.1", []), ("old", "", ["service"])],
)
def test_the_redis_that_answered_must_be_the_one_of_the_service(host, peer, refused):
    redis = replace(SEEN.redis, host=host, peer=peer)
    assert checks(SERVICE, replace(WITH_UNIT, redis=redis)) == refused


def test_a_service_is_never_terminated():
    assert checks(replace(SERVICE, terminate=True), WITH_UNIT) == ["terminate"]


def test_a_retired_service_stays_so():
    unit = Unit("redis-server", False, frozenset())
    entry = {"step": "stopped", "service": "redis-server", "time": "2026-11-22T11:00:00Z"}
    seen = replace(WITH_UNIT, neighbours=replace(WITH_UNIT.neighbours, unit=unit), entry=entry, redis=None)
    assert decide(SERVICE, seen).step == NOTHING
    assert decide(SERVICE, replace(seen, entry={**entry, "step": "stopping"})).step == RETIRE
