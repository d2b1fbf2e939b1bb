"""The module: where it finds the two, what it tells, and how it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.modules import cache_verify


@pytest.fixture
def pair(start_engine: Callable[..., Any]) -> tuple[Any, Any]:
    engines = start_engine(password="old-secret-0123"), start_engine(password="new-secret-0123")
    for engine in engines:
        redis.Redis.from_url(engine.url()).mset({f"key:{number}": number for number in range(100)})
    return engines


@pytest.fixture
def run(
    run_module: Callable[..., dict[str, Any]], pair: tuple[Any, Any], tmp_path: Path
) -> Callable[..., dict[str, Any]]:
    urls = {"source_url": pair[0].url(), "target_url": pair[1].url()}
    common = {"state_dir": str(tmp_path / "state"), "settle": 0.2}
    return lambda **params: run_module(cache_verify.main, **{**urls, **common, **params})


def test_after_any_tool_two_urls_are_enough(run: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    result = run()

    assert (result["equal"], result["complete"], result["in_progress"]) == (True, True, False)
    assert (result["compared"], result["source_keys"], result["target_keys"]) == (100, 100, 100)
    assert result["progress"] == "compared 100 keys: all equal"
    assert not result["changed"]
    assert "secret-0123" not in json.dumps(result)
    assert [path.name for path in (tmp_path / "state").rglob("*") if path.is_file()] == ["lock"]


def test_what_differs_is_named(run: Callable[..., dict[str, Any]], pair: tuple[Any, Any]) -> None:
    client = redis.Redis.from_url(pair[1].url())
    client.set("key:7", "other")
    client.delete("key:8")

    result = run(wait=20, show_keys=True)

    assert not result["equal"]
    assert (result["different"], result["missing"], result["extra"]) == (1, 1, 0)
    assert result["names"]["different"] == [
        {"database": 0, "key": "key:7", "why": "its value is another from byte 0 on"}
    ]
    assert result["progress"] == "compared 99 keys: 1 missing, 1 different"


def test_names_are_told_as_patterns_unless_they_are_asked_for(
    run: Callable[..., dict[str, Any]], pair: tuple[Any, Any]
) -> None:
    redis.Redis.from_url(pair[0].url()).set("session:8f3a91:cart", "x")

    result = run(wait=20)

    assert result["names"]["missing"] == [{"database": 0, "key": "session:*:cart", "why": ""}]
    assert "8f3a91" not in json.dumps(result)


def test_by_the_apps_values_and_the_endpoint(
    run_module: Callable[..., dict[str, Any]], pair: tuple[Any, Any], tmp_path: Path
) -> None:
    redis.Redis.from_url(pair[1].url()).set("more", "x")
    endpoint = {"service": "x", "name": "shop", "address": "127.0.0.1", "port": pair[1].port, "auth": "token"}
    values = {
        "urls": [{"name": "REDIS_URL", "original": pair[0].url(), "current": ""}],
        "endpoint": endpoint,
        "token": "new-secret-0123",
        "migration_name": "shop-prod",
        "state_dir": str(tmp_path),
        "settle": 0.2,
        "wait": 20,
    }

    there = run_module(cache_verify.main, **values)
    back = run_module(cache_verify.main, **values, direction="back")

    assert (there["missing"], there["extra"]) == (0, 1)
    assert (back["missing"], back["extra"]) == (1, 0)


def test_it_goes_on_where_its_time_was_over(run: Callable[..., dict[str, Any]], pair: tuple[Any, Any]) -> None:
    for engine in pair:
        redis.Redis.from_url(engine.url()).mset({f"more:{number}": number for number in range(5000)})

    results = [run(wait=0.02, processes=1)]
    while results[-1]["in_progress"]:
        assert not results[-1]["equal"]
        results.append(run(wait=0.02, processes=1))

    assert len(results) > 1
    assert results[-1]["equal"]
    assert results[-1]["compared"] == 5100
    assert {result["began"] for result in results} == {results[0]["began"]}


def test_a_key_of_another_run_counts_for_nothing_once_it_is_done(
    run: Callable[..., dict[str, Any]], pair: tuple[Any, Any]
) -> None:
    assert run()["equal"]
    redis.Redis.from_url(pair[1].url()).set("key:7", "other")
    assert not run(wait=20)["equal"]


def test_a_wrong_password_is_said_and_never_shown(run: Callable[..., dict[str, Any]], pair: tuple[Any, Any]) -> None:
    result = run(target_url=pair[1].url(password="wrong-secret-0123"))

    assert result["failed"]
    assert "The two caches are not compared" in result["msg"]
    assert "secret-0123" not in json.dumps(result)


def test_where_nothing_says_where_the_source_is_the_option_is_named(run: Callable[..., dict[str, Any]]) -> None:
    assert "source_url" in run(source_url="")["msg"]
