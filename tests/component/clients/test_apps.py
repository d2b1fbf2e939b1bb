"""Files of the shapes that public apps have: planned, moved, read by their libraries, and brought back exactly."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import django.conf
import pytest
import redis
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Key, Value
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_host
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.leads import leads
from celery import Celery
from dotenv import dotenv_values
from kombu import Connection
from redis import Redis
from rq import Queue

ROOT = Path(__file__).resolve().parents[3]
APPS = {app["app"]: app for app in yaml.safe_load((ROOT / "docs/apps.yml").read_text())}
TOKEN = "a-token-of/this:test"
OLD = {("old.internal", 6379)}


@pytest.fixture
def target(start_engine, ca, ca_file, monkeypatch) -> Endpoint:
    """With TLS, signed by whom only its clients here trust."""
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    return Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True, auth="token")


@pytest.fixture
def app_of(tmp_path) -> Callable[[dict[str, Any]], App]:
    return lambda stated: App(stated, tmp_path)


def django_redis(url: str) -> None:
    if not django.conf.settings.configured:
        django.conf.settings.configure()
    from django_redis.cache import RedisCache

    cache = RedisCache(url, {})
    cache.set("k", 1)
    assert cache.get("k") == 1


def kombu(url: str) -> None:
    with Connection(url, connect_timeout=3) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)


def celery(url: str) -> None:
    app = Celery(broker="memory://", backend=url)
    app.backend.store_result("job", 42, "SUCCESS")
    assert app.AsyncResult("job").get(timeout=5) == 42


# How the library of each reader takes a URL.
CLIENTS: dict[str, Callable[[str], Any]] = {
    "redis-py": lambda url: redis.from_url(url).ping(),
    "django": django_redis,
    "rq": lambda url: Queue(connection=Redis.from_url(url)).enqueue("os.getpid"),
    "celery-broker": kombu,
    "celery-backend": celery,
}


@dataclass
class App:
    stated: dict[str, Any]
    folder: Path

    def __post_init__(self) -> None:
        self.path = self.folder / ".env"
        self.path.write_text("".join(f"{line}\n" for line in self.stated["file"]))
        keys, dialect = self.stated["keys"], self.stated.get("dialect", [])
        self.value = Value.from_dict({"store": "dotenv", "path": str(self.path), "keys": keys, "dialect": dialect})

    def change(self, keys: dict[str, str | None], state: str, is_look: bool = False) -> dict[str, Any]:
        forms = {name: form.as_dict() for name, form in self.value.forms.items()}
        one = {"store": "dotenv", "path": str(self.path), "keys": keys, "forms": forms}
        params = {"state_dir": str(self.folder / "state"), "migration_name": "prod", "keep_options": True}
        return on_host.change_value(
            {**params, "state": state}, {**one, "dialect": list(self.value.dialect)}, is_look=is_look
        )

    def read(self) -> dict[str, str]:
        return {key: value or "" for key, value in dotenv_values(self.path).items()}

    def connect(self, port: int) -> int:
        """As it does itself, with what its file says; ``port`` is the one that it has where no key says another."""
        said, times = self.read(), 0
        for name, key in self.value.keys.items():
            if key.is_url:
                CLIENTS[key.reader]((key.read(said[name]) or {})["url"])
                times += 1
        for keys in self.groups():
            own = [key.read(said[name]) or {} for name, key in keys.items()]
            whole = {part: text for parts in own for part, text in parts.items()}
            for database in [parts["database"] for parts in own if "database" in parts] or ["0"]:
                times += bool(client({"port": str(port), **whole, "database": database}).ping())
        return times

    def groups(self) -> list[dict[str, Key]]:
        found: dict[str, dict[str, Key]] = {}
        for name, key in self.value.keys.items():
            if not key.is_url:
                found.setdefault(key.group, {})[name] = key
        return list(found.values())


def client(parts: dict[str, str]) -> Redis:
    return Redis(
        host=parts["host"],
        port=int(parts["port"]),
        username=parts.get("username") or None,
        password=parts.get("password"),
        db=int(parts["database"]),
        ssl=bool(parts.get("tls")) or parts.get("scheme") == "rediss",
    )


MOVED = [name for name, app in APPS.items() if "no_tls" not in app]


@pytest.mark.parametrize("name", MOVED)
def test_an_app_is_planned_moved_connected_by_its_library_and_brought_back(name, app_of, target):
    app = app_of(APPS[name])
    before = app.path.read_bytes()
    wanted = app.value.held(target.as_dict(), TOKEN, {})
    planned = app.change(wanted, "present", is_look=True)
    assert app.path.read_bytes() == before
    done = app.change(wanted, "present")
    assert done["changes"] == planned["changes"] and done["changed"]
    others = {line.partition("=")[0] for line in APPS[name]["file"]} - set(wanted)
    assert not [lead.key for lead in leads(app.read(), wanted, OLD) if lead.key in others and lead.how != "part"]
    if not is_told_elsewhere(app):
        assert app.connect(target.port) >= len(app.groups())
    app.change(dict.fromkeys(wanted), "reverted")
    assert app.path.read_bytes() == before


def is_told_elsewhere(app: App) -> bool:
    """Its parts have no TLS, and a URL goes before them."""
    return any(key.is_url and (key.added or key.group) for key in app.value.keys.values())


@pytest.mark.parametrize("name", [name for name in APPS if name not in MOVED])
def test_an_app_without_a_way_for_tls_is_refused_before_anything_is_touched(name, app_of, target):
    app = app_of(APPS[name])
    before = app.path.read_bytes()
    with pytest.raises(EndpointError, match=r"wants TLS.*no key says so to the app"):
        app.value.held(target.as_dict(), TOKEN, {})
    plain = replace(target, tls=False)
    if any("password" in key.parts for key in app.value.keys.values()):
        wanted = app.value.held(plain.as_dict(), TOKEN, {})
        app.change(wanted, "present")
        app.change(dict.fromkeys(wanted), "reverted")
    assert app.path.read_bytes() == before


def test_the_table_is_that_of_the_data():
    check = [sys.executable, str(ROOT / "scripts/app_docs.py"), "--check"]
    assert subprocess.run(check, check=False).returncode == 0
    assert len(APPS) >= 30
