"""What a playbook makes of the Redis that the app has: it is moved, or refused before anything is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.playbooks.conftest import HERE, Play

STATED = {
    "migration_endpoint": {"address": "target.internal", "port": 6379, "tls": False, "auth": "none"},
    "migration_services": [],
}
PASSWORD = "a-password-of-this-test"

AppHost = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def app_host(tmp_path: Path) -> AppHost:
    """An app host of the inventory, with a file of its own that holds the URL."""

    def make(name: str, url: str) -> dict[str, Any]:
        (tmp_path / f"{name}.env").write_text(f"REDIS_URL={url}\n")
        return {**HERE, "migration_values": [{"store": "dotenv", "path": str(tmp_path / f"{name}.env")}]}

    return make


@pytest.mark.long
def test_the_redis_of_each_host_is_assessed_for_itself(
    play: Play, app_host: AppHost, start_engine: Callable[..., Any]
) -> None:
    first, second = start_engine(), start_engine()
    first.client.set("session:1", "x", ex=100)
    second.client.mset({"session:1": "x", "session:2": "x"})
    urls = {"app1": first.url(host="localhost"), "app2": second.url(), "app3": first.url()}
    run = play("playbooks/assess.yml", hosts={name: app_host(name, url) for name, url in urls.items()}, **STATED)
    assert run.code == 0, run.text
    places = f"localhost:{first.port} on app1 (1 keys), 127.0.0.1:{second.port} on app2 (2 keys)"
    assert f"warn: several: The hosts have 2 old Redises: {places}." in run.said, run.text
    assert "The 2 old Redises together hold 3 keys, 2 of them without TTL" in run.said
    assert f"127.0.0.1:{second.port} on app2: 2 of 2 keys looked at never expire" in run.said


@pytest.mark.long
def test_another_user_reads_the_old_redis_and_is_never_shown(
    play: Play, app_host: AppHost, start_engine: Callable[..., Any], tmp_path: Path
) -> None:
    old = start_engine(f"user app on >{PASSWORD} ~* +get +set +ping", "user admin on >hush-4711-hush ~* +@all")
    old.client.set("page:1", "x")
    hosts = {"app1": app_host("app1", f"redis://app:{PASSWORD}@127.0.0.1:{old.port}/0")}
    run = play("playbooks/assess.yml", hosts=hosts, **STATED)
    assert run.code != 0
    assert "no permissions to run the 'info' command" in run.said and "migration_assess_url" in run.said, run.text
    assert "as where INFO is renamed (rename-command), weigh it by hand: playbooks/provision.yml" in run.said
    assert "0 keys" not in run.said

    admin = {"vaulted": f"redis://admin:hush-4711-hush@127.0.0.1:{old.port}/0", "migration_assess_url": "{{ vaulted }}"}
    run = play("playbooks/assess.yml", "-vvvv", "--diff", hosts=hosts, **STATED, **admin)
    assert run.code == 0, run.text
    assert "The old Redis holds 1 keys" in run.said and "not seen" not in run.said
    for shown in (run.text, *(path.read_text() for path in (tmp_path / "report").glob("*"))):
        assert "hush-4711" not in shown and PASSWORD not in shown


@pytest.mark.parametrize("playbook", ["assess", pytest.param("cutover", marks=pytest.mark.long)])
def test_urls_that_other_clients_read_are_refused_before_a_value_is_touched(
    play: Play, app_host: AppHost, start_engine: Callable[..., Any], tmp_path: Path, playbook: str
) -> None:
    urls = {
        "app1": start_engine().url(),
        "app2": f"sentinel://:{PASSWORD}@s1:26379/mymaster",
        "app3": "unix:///run/redis.sock",
        "app4": f"valkey://:{PASSWORD}@old:6379/0",
    }
    hosts = {name: app_host(name, url) for name, url in urls.items()}
    services = [{"name": "shop", "manager": "supervisor", "supervisorctl": ["true"]}] if playbook == "cutover" else []
    run = play(f"playbooks/{playbook}.yml", hosts=hosts, **{**STATED, "migration_services": services})
    assert run.code != 0
    for host, way_out in {
        "app2": "today's primary first",
        "app3": "listen on an address too",
        "app4": "redis://",
    }.items():
        [line] = [line for line in run.text.splitlines() if line.strip().startswith(host) and way_out in line]
        assert PASSWORD not in line
    assert {name: (tmp_path / f"{name}.env").read_text() for name in urls} == {
        name: f"REDIS_URL={url}\n" for name, url in urls.items()
    }
