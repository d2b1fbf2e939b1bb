"""What a host sees of AWS's online migration: REPLICAOF stands for what AWS does to the target's engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import running
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.modules import cache_transfer

Run = Callable[..., dict[str, Any]]

MANAGED = "ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.managed"


class Pair:
    """Two engines, of which the one is to follow the other."""

    def __init__(self, old: Any, new: Any, run: Callable[..., dict[str, Any]]) -> None:
        self.old, self.new, self.run = old, new, run

    def follow(self) -> None:
        """As AWS does with StartMigration."""
        self.new.client.replicaof("127.0.0.1", self.old.port)

    def complete(self) -> None:
        """As AWS does with CompleteMigration."""
        self.new.client.replicaof("NO", "ONE")

    def until(self, is_so: Callable[[dict[str, Any]], bool], **params: Any) -> dict[str, Any]:
        end = time.monotonic() + 60
        while True:
            result = self.run(**{"wait": 0.3, **params})
            if is_so(result) or result.get("failed"):
                return result
            assert time.monotonic() < end, result


@pytest.fixture
def pair_of(start_engine: Callable[..., Any], run_module: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a pair; ``old`` are options of the old one's engine. Loopback is taken for another machine's address."""
    monkeypatch.setattr(f"{MANAGED}.is_loopback", lambda host: False)
    folders = []

    def make(*lines: str, **old: Any) -> Pair:
        source, target = start_engine("protected-mode no", *lines, **old), start_engine()
        endpoint = Endpoint("elasticache", "shop", address="127.0.0.1", port=target.port)
        common = {
            "urls": [{"name": "REDIS_URL", "original": source.url()}],
            "migration_name": "shop",
            "state_dir": str(tmp_path / "state"),
            "endpoint": endpoint.as_dict(),
            "strategy": "managed",
            "latency_limit_ms": 0,
        }
        folders.append(jobs.folder_of(str(tmp_path / "state"), "shop"))
        return Pair(source, target, lambda **params: run_module(cache_transfer.main, **{**common, **params}))

    yield make
    for folder in folders:
        running.stop(folder)


@pytest.fixture
def pair(pair_of: Any) -> Pair:
    made: Pair = pair_of()
    made.old.client.mset({f"key:{number}": number for number in range(100)})
    return made


def begun(result: dict[str, Any]) -> bool:
    return bool(result["transfer"]["began"])


def follows(result: dict[str, Any]) -> bool:
    return result["transfer"]["phase"] == "following" and not result["in_progress"]


def test_it_waits_for_aws_tells_that_the_target_is_in_step_and_that_it_takes_writes_again(pair):
    waiting = pair.until(begun)
    assert waiting["in_progress"] and waiting["transfer"]["phase"] == "checking"
    pair.follow()
    assert pair.until(follows)["transfer"]["lag_bytes"] == 0
    pair.old.client.set("since", "1")
    assert pair.until(lambda told: told["transfer"]["keys_done"] == 101)["transfer"]["keys_total"] == 101
    pair.run(state="finished", wait=0)
    pair.complete()
    done = pair.until(lambda told: told["transfer"]["phase"] == "done", state="finished")
    assert done["transfer"]["keys_done"] == 101 and not done["in_progress"]


@pytest.mark.long
def test_what_ends_before_anybody_said_so_is_a_failure_and_no_success(pair):
    pair.until(begun)
    pair.follow()
    pair.until(follows)
    pair.complete()
    result = pair.until(lambda told: told["transfer"]["phase"] == "failed")
    assert "follows the old Redis no longer" in result["msg"]


def test_a_target_that_never_followed_is_not_done_when_it_is_to_be_finished(pair):
    pair.until(begun)
    pair.run(state="finished", wait=0)
    time.sleep(1)
    told = pair.run(state="finished", wait=0.3)
    assert told["transfer"]["phase"] == "checking" and told["in_progress"]


@pytest.mark.long
def test_a_target_that_follows_another_one_is_told(pair, start_engine):
    pair.until(begun)
    stranger = start_engine()
    pair.new.client.replicaof("127.0.0.1", stranger.port)
    result = pair.until(lambda told: told["transfer"]["phase"] == "failed")
    assert "follows another Redis" in result["msg"]


@pytest.mark.long
def test_abort_waits_for_aws_and_then_empties_a_target_that_was_empty(pair):
    pair.until(begun)
    pair.follow()
    pair.until(follows)
    assert "have AWS end that first" in pair.run(state="absent")["msg"]
    pair.complete()
    assert not pair.run(state="absent").get("failed")
    assert pair.new.client.dbsize() == 0 and pair.old.client.dbsize() == 100


def refusals(pair: Pair, **params: Any) -> str:
    result = pair.run(check_mode=True, **params)
    assert not begun({"transfer": {"began": 0, **result["transfer"]}})
    return " ".join(result["refusals"])


def test_nothing_is_against_it_where_all_is_well(pair):
    assert refusals(pair) == ""


def test_a_password_of_the_old_one_is_refused_as_aws_knows_none(pair_of):
    pair = pair_of(password="old-secret-0123")
    assert "asks for a password" in refusals(pair)


def test_a_command_that_was_renamed_is_refused(pair_of):
    assert "lets nobody follow it" in refusals(pair_of('rename-command PSYNC ""'))


def test_another_number_of_databases_is_refused_with_how_many_there_are(pair_of):
    said = refusals(pair_of("databases 20"))
    assert "has 20 databases and the target 16" in said and "databases: 20" in said


def test_protected_mode_is_refused(pair_of):
    assert "protected mode" in refusals(pair_of("protected-mode yes"))


def test_keys_of_the_target_are_refused_as_nothing_of_them_would_stay(pair):
    pair.new.client.set("theirs", "1")
    assert "holds 1 keys already, which are gone" in refusals(pair)
    assert refusals(pair, target_keys="replace") == ""


def test_an_old_one_that_the_target_reaches_nowhere_is_refused(pair, monkeypatch):
    monkeypatch.setattr(f"{MANAGED}.is_loopback", lambda host: True)
    result = pair.run(check_mode=True)
    assert "this host alone" in " ".join(result["refusals"])
