"""The ledger and the lock, against moto's Parameter Store over HTTP."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger, lock
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.lock import Holder
from ansible_collections.kempian.cache_migration.plugins.modules import (
    migration_ledger,
    migration_ledger_info,
    migration_lock,
)

Run = Callable[..., dict[str, Any]]

NAME = "test"
ME = Holder("ann", "desk", 100, "1", "migrate.yml")
OTHER = Holder("awx", "job-7", 7, "2", "rollback.yml")


@pytest.fixture
def ssm(connect_ssm: Callable[[], Any]) -> Iterator[Any]:
    client = connect_ssm()
    yield client
    for page in client.get_paginator("get_parameters_by_path").paginate(Path="/cache_migration", Recursive=True):
        for found in page["Parameters"]:
            client.delete_parameter(Name=found["Name"])


@pytest.fixture
def run(
    run_module: Callable[..., dict[str, Any]], moto_options: dict[str, str], ssm: Any
) -> Callable[..., dict[str, Any]]:
    def call(module: Any, **params: Any) -> dict[str, Any]:
        return run_module(module.main, migration_name=NAME, **moto_options, **params)

    return call


def hours(count: float) -> datetime.timedelta:
    return datetime.timedelta(hours=count)


def stored(holder: Holder, expires_in: datetime.timedelta) -> lock.Lock:
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return lock.Lock("cafe0001", holder, now - hours(1), now + expires_in)


def put(ssm: Any, held: lock.Lock) -> None:
    ledger.write(ssm, NAME, lock.ENTRY, held.as_dict())


def current(ssm: Any) -> Holder | None:
    found, _now, _version = lock.look(ssm, NAME)
    return found.holder if found else None


# --- the ledger ---


def test_an_entry_is_written_with_awss_time_and_not_again_where_it_holds_the_same(run, ssm):
    first = run(migration_ledger, entry="cutover", value={"hosts": ["app1"]})
    assert first["changed"] and first["value"]["hosts"] == ["app1"]
    assert abs(ledger.as_time(first["value"]["time"]) - datetime.datetime.now(datetime.timezone.utc)) < hours(1)
    again = run(migration_ledger, entry="cutover", value={"hosts": ["app1"]})
    assert not again["changed"] and again["value"] == first["value"]
    assert ssm.get_parameter(Name="/cache_migration/test/cutover")["Parameter"]["Version"] == 1
    assert run(migration_ledger, entry="cutover", value={"hosts": ["app2"]})["changed"]


def test_an_entry_holds_no_secret_whatever_it_is_given(run, ssm):
    run(migration_ledger, entry="backup", value={"from": "redis://:hunter2@old:6379/0", "password": "hunter2"})
    written = json.loads(ssm.get_parameter(Name="/cache_migration/test/backup")["Parameter"]["Value"])
    assert (written["from"], written["password"]) == ("redis://:***@old:6379/0", "***")


def test_check_mode_says_what_would_be_written_and_writes_nothing(run, ssm):
    told = run(migration_ledger, entry="cutover", value={"hosts": []}, check_mode=True)
    assert told["changed"] and told["diff"]["before"] == {} and told["diff"]["after"]["hosts"] == []
    assert ledger.read(ssm, NAME, "cutover").value is None


def test_an_entry_that_is_gone_need_not_be_removed(run):
    run(migration_ledger, entry="cutover", value={})
    assert run(migration_ledger, entry="cutover", state="absent")["changed"]
    assert not run(migration_ledger, entry="cutover", state="absent")["changed"]


def test_all_is_read_but_the_originals(run, ssm):
    run(migration_ledger, entry="cutover", value={"hosts": ["app1"]})
    name = "/cache_migration/test/journal/_2Fkempian_2Fprod_2FREDIS_5FURL"
    ssm.put_parameter(Name=name, Value='{"original": "redis://:secret@old/0"}', Type="SecureString")
    told = run(migration_ledger_info)
    assert list(told["entries"]) == ["cutover"]
    assert told["journaled"] == ["/kempian/prod/REDIS_URL"]
    assert "secret" not in json.dumps(told)


def test_an_entry_that_somebody_broke_is_refused_by_its_name(run, ssm):
    ssm.put_parameter(Name="/cache_migration/test/cutover", Value="yesterday", Type="String")
    told = run(migration_ledger, entry="cutover", value={})
    assert told["failed"] and "/cache_migration/test/cutover" in told["msg"]


def test_an_entry_counts_from_when_aws_says_that_it_was_written_where_it_states_an_older_time(ssm):
    ledger.write(ssm, NAME, "cutover", {"hosts": ["app1"], "time": "2020-01-01T00:00:00Z"})
    known = ledger.read_all(ssm, NAME)
    dated = known.dated(NAME, "cutover")
    assert dated["hosts"] == ["app1"]
    assert abs(ledger.as_time(dated["time"]) - known.now) < hours(1)
    assert known.dated(NAME, "decommission") == {}


# --- the lock ---


def test_the_lock_is_taken_once_and_found_ours_without_a_write(run, ssm):
    holder = vars(ME)
    assert run(migration_lock, holder=holder)["taken"]
    assert not run(migration_lock, holder=holder)["taken"]
    assert ssm.get_parameter(Name="/cache_migration/test/lock")["Parameter"]["Version"] == 1


def test_another_run_is_told_who_holds_it_since_when_and_how_to_break_it(run, ssm):
    put(ssm, stored(OTHER, hours(1)))
    for state in ("held", "free"):
        told = run(migration_lock, state=state, holder=vars(ME))
        assert told["failed"]
        assert "awx@job-7 has been running rollback.yml (process 7) since " in told["msg"]
        assert "1 h 0 min ago" in told["msg"] and "-e migration_break_lock=cafe0001" in told["msg"]
    assert current(ssm) == OTHER


def test_a_plan_under_the_lock_of_another_run_is_told_with_a_warning(run, ssm):
    put(ssm, stored(OTHER, hours(1)))
    told = run(migration_lock, holder=vars(ME), check_mode=True)
    assert not told.get("failed") and told["lock"]["id"] == "cafe0001"


def test_a_plan_takes_nothing(run, ssm):
    assert not run(migration_lock, holder=vars(ME), check_mode=True)["changed"]
    assert current(ssm) is None


def test_a_lock_that_has_expired_is_taken_over(run, ssm):
    put(ssm, stored(OTHER, hours(-0.5)))
    assert run(migration_lock, holder=vars(ME))["taken"]
    assert current(ssm) == ME


def test_a_run_learns_that_it_has_lost_its_lock(run, ssm):
    assert run(migration_lock, holder=vars(ME))["taken"]
    assert not run(migration_lock, state="kept", holder=vars(ME)).get("failed")
    put(ssm, stored(ME, -hours(1)))
    assert not run(migration_lock, state="kept", holder=vars(ME)).get("failed"), "it has expired, and nobody came"
    put(ssm, stored(OTHER, hours(1)))
    for _another_then_none in range(2):
        told = run(migration_lock, state="kept", holder=vars(ME))
        assert told["failed"] and told["lost"]
        assert "does not hold the lock of the migration test any more" in told["msg"]
        assert "same command again" in told["msg"] and "kempian.cache_migration.state" in told["msg"]
        assert "rollback" not in told["msg"], "a rotation that stops is gone on with"
        ledger.remove(ssm, NAME, lock.ENTRY)


def test_a_run_lets_go_of_its_own_lock_and_of_no_other(run, ssm):
    assert run(migration_lock, holder=vars(ME))["taken"]
    assert not run(migration_lock, state="released", holder=vars(ME), check_mode=True).get("failed")
    assert current(ssm) == ME
    assert not run(migration_lock, state="released", holder=vars(ME))["changed"]
    assert current(ssm) is None
    put(ssm, stored(OTHER, hours(1)))
    assert not run(migration_lock, state="released", holder=vars(ME)).get("failed")
    assert current(ssm) == OTHER


def test_a_lock_is_broken_by_its_id_alone(run, ssm):
    put(ssm, stored(OTHER, hours(1)))
    assert not run(migration_lock, state="broken", lock_id="other", holder=vars(ME))["changed"]
    assert current(ssm) == OTHER
    assert run(migration_lock, state="broken", lock_id="cafe0001", holder=vars(ME))["changed"]
    assert current(ssm) is None


def test_of_many_that_take_it_at_once_one_has_it(connect_ssm, ssm):
    won = at_once(connect_ssm)
    assert len(won) == 1 and current(ssm) == won[0]


class Unlucky:
    """A client that sees no lock, as another run takes it after each look, and lets go of it before the next."""

    def __init__(self, client: Any, others: int) -> None:
        self.client, self.others = client, others

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def get_parameter(self, **asked: Any) -> Any:
        ledger.remove(self.client, NAME, lock.ENTRY)
        try:
            return self.client.get_parameter(**asked)
        finally:
            if self.others:
                self.others -= 1
                put(self.client, stored(OTHER, hours(1)))


def test_a_lock_that_is_let_go_of_between_the_attempt_and_the_look_is_taken(ssm):
    mine, taken = lock.hold(Unlucky(ssm, others=1), NAME, ME)
    assert taken and lock.look(ssm, NAME)[0] == mine


def test_a_lock_that_is_never_seen_and_never_free_is_not_believed_to_be_held(ssm):
    with pytest.raises(ledger.LedgerError, match="Run this again when they have ended"):
        lock.hold(Unlucky(ssm, others=9), NAME, ME)
    assert current(ssm) == OTHER


def test_a_lock_whose_answer_was_lost_is_ours(ssm):
    put(ssm, stored(ME, hours(1)))
    mine = lock.Lock("cafe0002", ME, *[datetime.datetime.now(datetime.timezone.utc)] * 2)
    assert lock._create(ssm, NAME, mine).id == "cafe0001"


def test_an_empty_lock_is_named_and_not_believed_to_be_free(run, ssm):
    ssm.put_parameter(Name="/cache_migration/test/lock", Value="{}", Type="String")
    told = run(migration_lock, holder=vars(ME))
    assert told["failed"] and "delete the parameter /cache_migration/test/lock" in told["msg"]


def test_of_many_that_take_over_an_expired_one_at_once_one_has_it(connect_ssm, ssm):
    for _round in range(5):
        put(ssm, stored(OTHER, hours(-0.5)))
        won = at_once(connect_ssm)
        assert len(won) == 1 and current(ssm) == won[0]


def at_once(connect_ssm: Callable[[], Any]) -> list[Holder]:
    """Six runs that want the lock in the same moment; those that have it then."""
    won, together = [], threading.Barrier(6)

    def want(number: int) -> None:
        client, me = connect_ssm(), Holder("ann", "desk", number, "1", "migrate.yml")
        together.wait()
        try:
            lock.hold(client, NAME, me)
            won.append(me)
        except lock.LockRefused:
            pass

    threads = [threading.Thread(target=want, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_a_lock_is_renewed_and_released_by_its_holder_alone(ssm):
    lock.hold(ssm, NAME, ME, seconds=60)
    assert not lock.renew(ssm, NAME, OTHER)
    lock.release(ssm, NAME, OTHER)
    assert current(ssm) == ME
    before, _now, _version = lock.look(ssm, NAME)
    assert lock.renew(ssm, NAME, ME, seconds=600)
    after, _now, _version = lock.look(ssm, NAME)
    assert after.expires - before.expires > hours(0.1) and after.id == before.id
    lock.release(ssm, NAME, ME)
    assert current(ssm) is None


def test_a_lock_that_was_broken_is_not_renewed(ssm):
    lock.hold(ssm, NAME, ME)
    lock.break_lock(ssm, NAME, lock.look(ssm, NAME)[0].id)
    assert not lock.renew(ssm, NAME, ME)
    assert current(ssm) is None
