"""The libraries that read a URL: each gets on with what its reader has written, and verifies whom it speaks with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import READERS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Value

TOKEN = "a-token/of:this@test"
# What an app does with the URL in its environment.
APPS = {
    "redis-py": """
        import redis
        client = redis.from_url(url)
        client.set("k", "v")
        assert client.get("k") == b"v"
        """,
    "django": """
        from django.conf import settings
        kinds = {"default": "django_redis.cache.RedisCache", "own": "django.core.cache.backends.redis.RedisCache"}
        settings.configure(CACHES={name: {"BACKEND": kind, "LOCATION": url} for name, kind in kinds.items()})
        from django.core.cache import caches
        for name in kinds:
            caches[name].set(name, "v")
            assert caches[name].get(name) == "v"
        """,
    "rq": """
        from redis import Redis
        from rq import Queue, SimpleWorker
        connection = Redis.from_url(url)
        queue = Queue(connection=connection)
        job = queue.enqueue("os.getpid")
        assert SimpleWorker([queue], connection=connection).work(burst=True)
        assert job.latest_result().type.name == "SUCCESSFUL", job.latest_result()
        """,
    "celery-broker": """
        from kombu import Connection
        with Connection(url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            queue = connection.SimpleQueue("jobs")
            queue.put({"n": 1})
            message = queue.get(timeout=5)
            assert message.payload == {"n": 1}
            message.ack()
        """,
    "celery-backend": """
        from celery import Celery
        app = Celery(broker="memory://", backend=url)
        app.conf.result_backend_always_retry = False
        app.backend.store_result("job", 42, "SUCCESS")
        assert app.AsyncResult("job").get(timeout=5) == 42
        """,
    "none": """
        import redis
        client = redis.from_url(f"{url}?decode_responses=True&socket_timeout=5")
        client.set("k", "v")
        assert client.get("k") == "v"
        """,
}
VERIFIES = "certificate verify failed"


@pytest.fixture
def endpoint(start_engine, ca) -> Endpoint:
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    return Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True, auth="token")


@pytest.fixture
def run(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(reader: str, url: str, ca_file: str | None) -> subprocess.CompletedProcess[str]:
        lines = [line.removeprefix(" " * 8) for line in APPS[reader].splitlines()]
        script = "\n".join(["import os", 'url = os.environ["URL"]', *lines])
        env = {"PATH": os.environ["PATH"], "URL": url, **({"SSL_CERT_FILE": ca_file} if ca_file else {})}
        return subprocess.run(
            [sys.executable, "-c", script],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def written(reader: str, endpoint: Endpoint) -> str:
    value = Value.from_dict({"store": "dotenv", "path": "/x", "keys": {"URL": {"reader": reader, "database": 1}}})
    return value.held(endpoint.as_dict(), TOKEN, {})["URL"]


def test_there_is_an_app_for_each_reader():
    assert set(APPS) == set(READERS)


@pytest.mark.parametrize("reader", READERS)
def test_each_library_works_with_what_is_written_for_it_and_verifies_the_certificate(reader, endpoint, run, ca_file):
    url = written(reader, endpoint)
    works = run(reader, url, ca_file)
    assert works.returncode == 0, works.stderr
    strangers = run(reader, url, None)
    assert strangers.returncode != 0 and VERIFIES in strangers.stderr.lower(), strangers.stderr


def test_without_its_option_celery_verifies_nothing_and_its_backend_does_not_start(endpoint, run, ca_file):
    """Why these readers are told: where this fails, a newer Celery does without."""
    plain = written("redis-py", endpoint)
    assert run("celery-broker", plain, None).returncode == 0, "kombu takes any certificate"
    refused = run("celery-backend", plain, ca_file)
    assert refused.returncode != 0 and "ssl_cert_reqs" in refused.stderr
