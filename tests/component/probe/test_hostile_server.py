"""What a server says is data: whatever that is, a look ends in an answer, and nobody is led elsewhere by it."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import (
    answers,
    app_interpreter,
    cluster,
    probe,
    queues,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_interpreter import Interpreter
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import NotRedis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Surveyed, SurveyQuestion

INFO = "redis_version:7.0.1\r\nrole:master\r\ncluster_enabled:{}\r\ndb0:keys=5,expires=1\r\n"
LONG = "9" * 5000  # more digits than Python makes a number of
Say = Mapping[str, bytes]


def bulk(text: str) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text.encode()), text.encode())


def nodes(place: tuple[str, int]) -> bytes:
    """CLUSTER SLOTS of a cluster of one."""
    name, port = place
    return b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n%s:%d\r\n" % (bulk(name), port)


class Teller(socketserver.StreamRequestHandler):
    """Answers each command of Redis by its first word, else with OK."""

    says: Say
    heard: list[list[bytes]]

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                words = [self._word() for _word in range(int(line[1:]))]
                self.heard.append(words)
                said = self.says.get(words[0].decode().upper(), b"+OK\r\n")
                self.wfile.write(self._map(said) if words[0] == b"CLUSTER" else said)

    def _map(self, said: bytes) -> bytes:
        """Port 1 in it is this server's own."""
        return said.replace(b":1\r\n", b":%d\r\n" % self.server.server_address[1])  # type: ignore[index]

    def _word(self) -> bytes:
        return self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2]


class OfMemcached(socketserver.StreamRequestHandler):
    says: Say

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                said = self.says.get(line.split()[0].decode(), b"ERROR\r\n")
                self.wfile.write(said)
                while said.startswith(b"STAT"):  # without an end
                    self.wfile.write(said)


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@pytest.fixture
def listen() -> Iterator[Callable[..., int]]:
    """Start a server that says this, and return its port."""
    with contextlib.ExitStack() as stack:

        def start(
            says: Say,
            kind: type[Teller | OfMemcached] = Teller,
            address: str = "127.0.0.1",
            heard: list[Any] | None = None,
        ) -> int:
            told = {"says": says, "heard": heard if heard is not None else []}
            server = stack.enter_context(Listener((address, 0), type("One", (kind,), told)))
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            stack.callback(server.shutdown)
            return int(server.server_address[1])

        yield start


def ask(question: Any) -> Any:
    return app_interpreter.ask({"one": question}, Interpreter())["one"]


def surveyed(port: int) -> Surveyed:
    found = ask(SurveyQuestion(f"redis://:a-secret@127.0.0.1:{port}/0", seconds=2))
    assert isinstance(found, Surveyed)
    return found


def probed(port: int, protocol: str = "redis-cluster", address: str = "127.0.0.1", **more: Any) -> Answer:
    scheme = "memcached" if protocol == "memcached" else "redis"
    found = ask(Question(f"{scheme}://{address}:{port}", seconds=2, protocol=protocol, **more))
    assert isinstance(found, Answer)
    return found


ONE_KEY = b"*2\r\n%s*1\r\n%s" % (bulk("0"), bulk("a"))


@pytest.mark.parametrize(
    "says",
    [
        {"INFO": bulk(INFO.format(0) + f"db1:keys={LONG},expires=0")},
        {"INFO": bulk(INFO.format(0) + "db1:keys=many,expires=0")},
        {"INFO": bulk(INFO.format(0) + f"used_memory:{LONG}")},
        {"INFO": bulk(INFO.format(0) + f"used_cpu_sys:{LONG}.5")},
        {"INFO": bulk(INFO.format(0).replace("7.0.1", "\u00b2.0"))},
        {"SCAN": b"*2\r\n:0\r\n:5\r\n"},
        {"SCAN": b":5\r\n"},
        {"SCAN": b"*2\r\n:0\r\n*1\r\n:7\r\n"},
        {"SCAN": ONE_KEY, "TYPE": b"+stream\r\n", "XLEN": b":1\r\n", "XINFO": b"*1\r\n:4\r\n"},
        {"SCAN": ONE_KEY, "TYPE": b"+stream\r\n", "XLEN": b":1\r\n", "XINFO": b"*1\r\n*1\r\n:4\r\n"},
        {"MODULE": b"*1\r\n:4\r\n"},
        {"MODULE": b"*1\r\n*2\r\n%s:1\r\n" % bulk("ver")},
        {"CLIENT": bulk(f"id=4 addr=10.0.0.9:7 db={LONG}\n")},
        {"CONFIG": b"*2\r\n%s%s" % (bulk("databases"), bulk("\u00b2"))},
        {"XLEN": b":%s\r\n" % LONG.encode(), "SCAN": ONE_KEY, "TYPE": b"+stream\r\n"},
    ],
)
def test_a_survey_ends_in_an_answer_whatever_a_server_says(listen: Any, says: Say) -> None:
    usual = {
        "INFO": bulk(INFO.format(0)),
        "SCAN": b"*2\r\n%s*0\r\n" % bulk("0"),
        "CLIENT": bulk(""),
        "MODULE": b"*0\r\n",
    }
    found = surveyed(listen({**usual, **says}))
    assert found.source or (found.failure and found.failure.kind in ("not_told", "not_redis")), found


@pytest.mark.parametrize(
    "said", [f"used_memory:{LONG}", f"used_cpu_sys:{LONG}.5", "uptime_in_seconds:long", "maxmemory:"]
)
def test_a_figure_that_is_no_number_is_not_taken_for_none(listen: Any, said: str) -> None:
    info = bulk(INFO.format(0) + said)
    found = surveyed(listen({"INFO": info, "SCAN": b"*2\r\n%s*0\r\n" % bulk("0"), "CLIENT": bulk("")}))
    assert found.failure and f"{said.partition(':')[0]} is '" in found.failure.found, found


def test_who_answers_forges_no_line_of_ours() -> None:
    question = Question("redis://:a-secret@127.0.0.1:6379")
    forged = Answer(through="redis-py 5\nok: [app2] => moved", server=Server("redis", "7\u2028Done: a-secret"))
    said = json.dumps({"one": asdict(forged)}).encode()
    found = answers.told({"one": question}, said, [question])["one"]
    assert isinstance(found, Answer)
    assert found.through == "redis-py 5 ok: [app2] => moved" and found.server.version == "7 Done: ***"


def test_nor_acts_it_on_a_terminal_by_what_it_says_of_a_queue(listen: Any) -> None:
    info = bulk(INFO.format(0).replace("7.0.1", "7\x1b[2J a-secret"))
    url = f"redis://:a-secret@127.0.0.1:{listen({'INFO': info})}"
    held = queues.jobs([{"url": url, "names": ["celery"], "protocol": "redis-cluster"}], {}).held
    assert "is no node of a cluster (redis 7?[2J ***" in held, held


# --- a cluster that names others ---


def test_a_range_of_slots_without_an_end_fills_no_memory(listen: Any) -> None:
    endless = b"*1\r\n*3\r\n:0\r\n:4611686018427387904\r\n*2\r\n%s:6379\r\n" % bulk("127.0.0.1")
    failure = probed(listen({"INFO": bulk(INFO.format(1)), "CLUSTER": endless})).failure
    assert failure and failure.kind == "not_redis" and "more slots than 16384" in failure.found


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.8 is an address as others are, and 127.0.0.9 is what each host has for itself."""
    monkeypatch.setattr(probe, "is_of_each_host", "127.0.0.9".__eq__)


ENTRY, EACH = "127.0.0.8", "127.0.0.9"


@pytest.mark.usefixtures("loopback")
def test_a_node_that_is_another_one_for_each_host_is_asked_nothing(listen: Any) -> None:
    heard: list[Any] = []
    here = listen({}, address=EACH, heard=heard)
    entry = listen({"INFO": bulk(INFO.format(1)), "CLUSTER": nodes((EACH, here))}, address=ENTRY)
    failure = probed(entry, address=ENTRY).failure
    assert failure and failure.kind == "sent_astray", failure
    assert f"{ENTRY} names {EACH}:{here} as a node" in failure.found and "cluster-announce-ip" in failure.remedy
    assert heard == []


@pytest.mark.usefixtures("loopback")
def test_nor_is_one_that_a_key_is_said_to_have_moved_to(listen: Any) -> None:
    heard: list[Any] = []
    here = listen({}, address=EACH, heard=heard)
    says = {"INFO": bulk(INFO.format(1)), "TYPE": f"-MOVED 1 {EACH}:{here}\r\n".encode()}
    entry = listen({**says, "CLUSTER": nodes((ENTRY, 1))}, address=ENTRY)
    url = f"redis://:a-secret@{ENTRY}:{entry}"
    left = queues.jobs([{"url": url, "names": ["celery"], "protocol": "redis-cluster"}], {})
    assert f"{ENTRY} names {EACH}:{here} as a node" in left.held, left
    assert heard == []


@pytest.mark.usefixtures("loopback")
def test_nor_is_a_node_of_memcached(listen: Any) -> None:
    says = {"version": b"VERSION 1.6.22\r\n", "config": config(f"{EACH}||1")}
    failure = probed(listen(says, OfMemcached, ENTRY), "memcached", ENTRY).failure
    assert failure and failure.kind == "sent_astray", failure


@pytest.mark.parametrize("told", ["x:99999", "x:0", "x:\u00b2", "x", "a/b?ssl_cert_reqs=none:6379", f"x:{LONG}", ""])
def test_a_place_that_a_key_cannot_have_moved_to_is_no_redis(told: str) -> None:
    with pytest.raises(NotRedis, match="it sends us to"):
        cluster._place(told, "entry")


# --- Memcached ---


def config(told: str) -> bytes:
    data = f"1\n{told}\n"
    return f"CONFIG cluster 0 {len(data)}\r\n{data}\r\nEND\r\n".encode()


def test_figures_without_an_end_fill_no_memory(listen: Any) -> None:
    says = {"version": b"VERSION 1.6.22\r\n", "stats": b"STAT x%s 1\r\n" % (b"y" * 400)}
    port = listen(says, OfMemcached)
    failure = ask(SurveyQuestion(f"memcached://127.0.0.1:{port}", seconds=2, protocol="memcached")).failure
    assert failure and "its answer has no end" in failure.found, failure


@pytest.mark.parametrize(
    "told",
    ["a/b?ssl_ca_certs=/tmp/x|1.2.3.4|11211", "a|1.2.3.4|99999", "a|-|11211", " ".join(["a|1.2.3.4|11211"] * 1001)],
)
def test_nodes_that_no_cluster_has_are_none(listen: Any, told: str) -> None:
    says = {"version": b"VERSION 1.6.22\r\n", "config": config(told)}
    failure = probed(listen(says, OfMemcached), "memcached").failure
    assert failure and failure.kind == "not_memcached", failure


def test_what_is_no_list_of_nodes_is_not_taken_for_none(listen: Any) -> None:
    says = {"version": b"VERSION 1.6.22\r\n", "config": b"CONFIG cluster\r\n"}
    failure = probed(listen(says, OfMemcached), "memcached").failure
    assert failure and failure.kind == "not_memcached", failure


def test_a_list_of_nodes_that_somebody_wrote_there_is_refused(listen: Any) -> None:
    says = {"version": b"VERSION 1.6.22\r\n", "config": config("10.9.9.9|10.9.9.9|11211")}
    failure = probed(listen(says, OfMemcached), "memcached", nodes=[["127.0.0.1", 11211]]).failure
    assert failure and failure.kind == "other_nodes" and "10.9.9.9:11211" in failure.found, failure


def test_nodes_that_aws_has_are_proven_where_the_endpoint_tells_of_none(listen: Any) -> None:
    port = listen({"version": b"VERSION 1.6.22\r\n"}, OfMemcached)
    failure = probed(port, "memcached", nodes=[["127.0.0.1", port], ["127.0.0.1", 1]]).failure
    assert failure and failure.kind == "refused", failure
