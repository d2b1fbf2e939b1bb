"""The module: what it looks at, begins, goes on with, ends and takes back, and that no secret is anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, after_apply
from ansible_collections.kempian.cache_migration.plugins.modules import cache_transfer

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def pair(start_engine: Callable[..., Any]) -> tuple[Any, Any]:
    old, new = start_engine(password="old-secret-0123"), start_engine(password="new-secret-0123")
    redis.Redis.from_url(old.url()).mset({f"key:{number}": number for number in range(100)})
    return old, new


@pytest.fixture
def run(run_module: Run, pair: tuple[Any, Any], tmp_path: Path) -> Run:
    old, new = pair
    endpoint = Endpoint("elasticache", "shop", address="127.0.0.1", port=new.port, auth="token")
    common = {
        "urls": [{"name": "REDIS_URL", "original": old.url()}],
        "migration_name": "shop",
        "state_dir": str(tmp_path / "state"),
        "endpoint": endpoint.as_dict(),
        "token": "new-secret-0123",
        "latency_limit_ms": 0,
    }

    def once(**params: Any) -> dict[str, Any]:
        result = run_module(cache_transfer.main, **{**common, **params})
        assert "secret-0123" not in json.dumps(result)
        for path in filter(Path.is_file, (tmp_path / "state").rglob("*")):
            assert "secret-0123" not in path.read_text()
            assert path.stat().st_mode & 0o077 == 0
        return result

    return once


def until_done(run: Run, **params: Any) -> dict[str, Any]:
    changed = False
    for _time in range(60):
        result = run(**params)
        changed = changed or result["changed"]
        if result.get("failed") or not result["in_progress"]:
            return {**result, "changed": changed}
    raise AssertionError(result)


def test_a_look_tells_both_sides_and_begins_nothing(run, pair, tmp_path):
    result = run(check_mode=True)
    assert (result["changed"], result["refusals"], result["transfer"], result["strategy"]) == (True, [], {}, "")
    assert result["source"]["place"] == f"127.0.0.1:{pair[0].port}"
    assert (result["source"]["keys"], result["source"]["databases"]) == (100, {"0": 100})
    assert result["target"]["keys"] == 0
    assert not (tmp_path / "state").exists()
    assert redis.Redis.from_url(pair[1].url()).dbsize() == 0


def test_a_target_that_is_yet_to_be_made_is_for_a_look_alone(run):
    endpoint = after_apply("elasticache", "shop").as_dict()
    look = run(check_mode=True, endpoint=endpoint)
    assert (look["source"]["keys"], look["target"], look["refusals"]) == (100, {}, [])
    refused = run(endpoint=endpoint)
    assert "provision first" in refused["msg"]


def test_it_copies_and_says_how_far_it_is_and_a_second_run_changes_nothing(run, pair):
    result = until_done(run)
    assert result["changed"]
    assert result["transfer"]["phase"] == "done" and result["transfer"]["keys_done"] == 100
    assert result["progress"].startswith("copied 100 keys in ")
    assert redis.Redis.from_url(pair[1].url()).get("key:7") == b"7"
    again = run()
    assert (again["changed"], again["in_progress"], again["strategy"]) == (False, False, "copy")


def test_what_is_against_it_is_listed_by_a_look_and_fails_a_run(run, pair):
    redis.Redis.from_url(pair[1].url()).set("a", "b")
    look = run(check_mode=True)
    assert not look.get("failed") and "migration_transfer_target_keys" in look["refusals"][0]
    refused = run()
    assert refused["failed"] and refused["msg"].startswith("Nothing is transferred: The target at 127.0.0.1:")
    assert redis.Redis.from_url(pair[1].url()).dbsize() == 1


def test_taken_away_it_can_begin_again(run, pair):
    until_done(run)
    away = run(state="absent")
    assert away["changed"] and "100 keys were taken away" in away["done"][0]
    assert redis.Redis.from_url(pair[1].url()).dbsize() == 0
    assert not run(state="absent")["changed"]
    assert run(check_mode=True)["transfer"] == {}
    assert until_done(run)["transfer"]["keys_done"] == 100


def test_a_long_one_is_left_after_a_while_and_ended_with_all_its_processes(run, pair):
    redis.Redis.from_url(pair[0].url()).mset({f"more:{number}": number for number in range(1900)})
    first = run(rate=200, wait=0.5)
    assert first["in_progress"] and first["changed"]
    look = run(check_mode=True)
    assert look["in_progress"] and look["transfer"]["keys_total"] == 2000
    run(state="absent")
    assert not run(check_mode=True)["in_progress"]


def test_a_wrong_token_is_a_sentence(run):
    assert "Nothing is transferred: " in run(token="wrong")["msg"]


def test_what_fails_says_why_and_the_next_run_goes_on(run, pair):
    new = redis.Redis.from_url(pair[1].url())
    redis.Redis.from_url(pair[0].url()).set("large", "x" * 3_000_000)
    new.config_set("maxmemory-policy", "noeviction")
    new.execute_command("ACL", "SETUSER", "default", "-restore")
    refused = run()
    assert refused["failed"] and "restore" in refused["msg"].lower()
    new.execute_command("ACL", "SETUSER", "default", "+restore")
    assert until_done(run)["transfer"]["keys_done"] == 101


def test_it_goes_the_other_way_too(run, pair):
    redis.Redis.from_url(pair[1].url()).set("since", "x")
    result = until_done(run, direction="back", target_keys="replace")
    assert result["transfer"]["keys_done"] == 1
    assert redis.Redis.from_url(pair[0].url()).get("since") == b"x"


def test_a_target_that_was_made_from_a_dump_is_there_at_once_and_an_empty_one_is_refused(run, pair):
    empty = run(strategy="seed")
    assert empty["failed"] and "holds no key: it was not made from a dump" in empty["msg"]
    redis.Redis.from_url(pair[1].url()).set("key:1", "1")
    done = until_done(run, strategy="seed", wait=1)
    assert done["transfer"]["phase"] == "done" and done["transfer"]["keys_done"] == 1
    assert "stays in it" in run(state="absent")["done"][0]
    assert redis.Redis.from_url(pair[1].url()).dbsize() == 1
