"""Memcached as a target: a probe over all nodes, real memcached processes, by auto discovery, with TLS and without."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pymemcache
import pytest
import trustme
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_interpreter, memcached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_interpreter import Interpreter
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import SurveyQuestion

from sandbox.aws.memcached import Front, MemcachedNode, NodeSettings, Told
from sandbox.aws.pki import Certificate
from tests.component.conftest import free_port

USER, PYTHON = "nobody", "/usr/bin/python3"
ADDRESSES = itertools.count(20)


class Cluster:
    """Nodes and their configuration endpoint, on addresses of their own."""

    def __init__(self, folder: Path, nodes: int, certificate: Certificate | None) -> None:
        self.port, self.tls = free_port(), certificate is not None
        program = Path(shutil.which("memcached") or "")
        self.nodes = [
            MemcachedNode(NodeSettings(program, folder / at, at, self.port, 64, (), certificate))
            for at in (f"127.0.0.{next(ADDRESSES)}" for _ in range(nodes))
        ]
        for node in self.nodes:
            node.start()
        self.front = Front(f"127.0.0.{next(ADDRESSES)}", self.port, certificate, self.told)

    def told(self) -> list[Told]:
        return [Told(node.address, node.address, self.port) for node in self.nodes]

    @property
    def url(self) -> str:
        return f"memcached{'s' if self.tls else ''}://{self.front.address}:{self.port}"

    def keys(self) -> int:
        found = 0
        for node in self.nodes:
            with socket.create_connection((node.address, self.port), 5) as connection:
                found += int(memcached.Conversation(connection).stats()["curr_items"])
        return found

    def stop(self) -> None:
        self.front.stop()
        for node in self.nodes:
            node.forget()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    with contextlib.ExitStack() as stack:

        def make(nodes: int = 2, certificate: Certificate | None = None) -> Cluster:
            cluster = Cluster(tmp_path, nodes, certificate)
            stack.callback(cluster.stop)
            return cluster

        yield make


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """For every address of these tests."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    issued = authority.issue_cert(*(f"127.0.0.{number}" for number in range(20, 120)))
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "own.pem"))
    return Certificate(tmp_path / "own.pem", tmp_path / "ca.pem")


def asked(url: str, python: str = "", **more: Any) -> Answer:
    question = Question(url, seconds=2, protocol="memcached", **more)
    return app_interpreter.probe(question, Interpreter(python, USER if python else ""))


@pytest.fixture
def virtual_environment() -> Iterator[Callable[..., str]]:
    """Makes an interpreter that another user than root can run, with these packages of ours."""
    if os.geteuid() != 0 or not Path(PYTHON).exists():
        pytest.skip(f"only root can run a program as another user, and that one needs {PYTHON}")
    folder = Path(tempfile.mkdtemp(prefix="cm-app-"))
    folder.chmod(0o755)

    def make(*packages: ModuleType) -> str:
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        (place,) = (folder / "venv" / "lib").glob("python3*/site-packages")
        for package in packages:
            source = Path(package.__file__ or "").parent
            shutil.copytree(source, place / source.name, ignore=shutil.ignore_patterns("__pycache__", "test"))
        return str(folder / "venv" / "bin" / "python")

    yield make
    shutil.rmtree(folder)


def stages(answer: Answer) -> list[str]:
    return [check.name for check in answer.checks]


def test_an_app_that_has_pymemcache_is_proven_by_it_on_every_node(start: Any) -> None:
    cluster = start(nodes=3)
    answer = asked(cluster.url)
    assert answer.failure is None, answer.failure
    assert stages(answer) == ["resolve", "connect", "tls", "ping", "nodes", "client", "write", "latency"]
    assert answer.through.startswith("pymemcache 4.")
    assert (answer.server.engine, answer.word_of) == ("memcached", "own")
    places = {(node["address"], node["port"]) for node in answer.nodes}
    assert places == {(node.address, cluster.port) for node in cluster.nodes}
    assert cluster.keys() == 0, "what it wrote is gone again"


def test_the_apps_own_interpreter_is_asked_through(start: Any, virtual_environment: Any) -> None:
    answer = asked(start().url, python=virtual_environment(pymemcache))
    assert answer.failure is None, answer.failure
    assert (answer.word_of, answer.through[:10]) == ("app", "pymemcache")


@pytest.mark.long
def test_an_interpreter_without_pymemcache_says_so_and_our_own_client_proves(
    start: Any, virtual_environment: Any
) -> None:
    answer = asked(start().url, python=virtual_environment())
    assert answer.failure is None, answer.failure
    assert answer.through.startswith("own client")
    (client,) = [check for check in answer.checks if check.name == "client"]
    assert "cannot import pymemcache" in client.detail


def test_with_tls_certificate_and_name_are_verified_on_every_node(start: Any, certificate: Certificate) -> None:
    cluster = start(certificate=certificate)
    answer = asked(cluster.url, ca_certs=str(certificate.authority))
    assert answer.failure is None, answer.failure
    untrusted = asked(cluster.url)
    assert untrusted.failure is not None
    assert untrusted.failure.kind == "certificate"


@pytest.mark.parametrize(
    ("spoken", "scheme", "kind"), [(True, "memcached", "tls_wanted"), (False, "memcacheds", "tls_not_spoken")]
)
def test_the_other_way_of_speaking_is_named(
    start: Any, certificate: Certificate, spoken: bool, scheme: str, kind: str
) -> None:
    cluster = start(certificate=certificate if spoken else None)
    url = f"{scheme}://{cluster.front.address}:{cluster.port}"
    failure = asked(url, ca_certs=str(certificate.authority)).failure
    assert failure is not None
    assert failure.kind == kind
    assert "memcached" in failure.sentence


def test_a_node_that_is_gone_is_a_failure_as_no_other_has_its_keys(start: Any) -> None:
    cluster = start()
    cluster.nodes[1].kill()
    failure = asked(cluster.url).failure
    assert failure is not None
    assert failure.kind == "refused"
    assert cluster.nodes[1].address in failure.found


def test_a_node_that_keeps_nothing_is_a_failure(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = start().url
    monkeypatch.setattr(memcached.Conversation, "set", lambda *_given: None)
    failure = asked(url).failure
    assert failure is not None
    assert failure.kind == "not_kept"


@pytest.mark.long
def test_without_auto_discovery_the_one_that_answers_is_all_there_is(start: Any) -> None:
    cluster = start(nodes=1)
    answer = asked(f"memcached://{cluster.nodes[0].address}:{cluster.port}")
    assert answer.failure is None, answer.failure
    assert "no auto discovery" in next(check.detail for check in answer.checks if check.name == "nodes")


def test_a_redis_that_listens_there_is_not_taken_for_it(start_engine: Any) -> None:
    failure = asked(f"memcached://127.0.0.1:{start_engine().port}").failure
    assert failure is not None
    assert failure.kind in ("server_error", "not_memcached", "connection_lost")


@pytest.mark.long
def test_what_never_answers_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=silent.accept, daemon=True).start()
        failure = asked(f"memcached://127.0.0.1:{silent.getsockname()[1]}").failure
    assert failure is not None
    assert failure.kind in ("no_answer", "connection_lost")


def test_in_check_mode_nothing_is_written(start: Any) -> None:
    answer = asked(start().url, write=False)
    assert answer.failure is None
    assert "write" not in stages(answer)


def test_how_much_it_holds_is_read_over_all_nodes(start: Any) -> None:
    cluster = start()
    for number, node in enumerate(cluster.nodes, 1):
        with socket.create_connection((node.address, cluster.port), 5) as connection:
            for key in range(number):
                memcached.Conversation(connection).set(f"key:{key}", "value", 60)
    found = app_interpreter.survey(SurveyQuestion(cluster.url, protocol="memcached"))
    assert found.failure is None, found.failure
    assert found.source is not None
    assert found.source.total_keys == 3
    assert not found.source.sample_complete, "which keys they are nobody tells"
