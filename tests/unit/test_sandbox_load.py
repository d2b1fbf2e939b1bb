from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.load import Answer, Host, Load, RequestFailed, Tally, ask_to_stop, mark, percentile, read_answer, requests

OK = b"HTTP/1.1 200 OK\r\nX-Served-By: app1\r\nContent-Length: 2\r\n\r\n{}"
BROKEN = b"HTTP/1.1 503 Service Unavailable\r\nX-Served-By: app1\r\nContent-Length: 2\r\n\r\n{}"


def refusing() -> str:
    """An address where nobody listens: bound, so that no one else takes it, and closed again."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def under_load(
    tmp_path: Path,
    hosts: list[bytes | None],
    seconds: float = 0.3,
    rate: float = 100,
    while_running: Callable[[], Awaitable[None]] | None = None,
) -> dict:
    """Run the load on hosts that give this answer each (b"": hang up after reading; None: refuse)."""

    async def scenario() -> dict:
        servers, urls = [], []
        for answer in hosts:
            if answer is None:
                urls.append(refusing())
                continue

            async def serve(reader, writer, answer=answer):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            servers.append(server)
            urls.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        out = tmp_path / "load.json"
        load = Load([Host.from_url(url) for url in urls], out, rate=rate, connections=8, timeout=0.2)
        await asyncio.gather(load.run(seconds), while_running() if while_running else asyncio.sleep(0))
        for server in servers:
            server.close()
        result = json.loads(out.read_text())
        result["per_host"] = [result["hosts"].get(url, {}) for url in urls]
        return result

    return asyncio.run(scenario())


def test_hosts_are_asked_in_turn(tmp_path):
    first, second = under_load(tmp_path, [OK, OK])["per_host"]
    assert abs(first["answered"] - second["answered"]) <= 1 and first["refused"] == 0


def test_a_refused_connection_goes_to_the_next_host_and_is_counted_as_retried(tmp_path):
    result = under_load(tmp_path, [OK, None])
    assert result["failed"] == 0
    assert result["retried"] == result["per_host"][1]["refused"] == pytest.approx(result["requests_total"] / 2, abs=1)
    assert result["per_host"][0]["answered"] == result["requests_total"]


def test_a_request_that_every_host_refuses_is_failed_and_not_retried(tmp_path):
    result = under_load(tmp_path, [None, None])
    assert result["failed"] == result["requests_total"] > 0 and result["retried"] == 0
    assert result["failures"][0]["reason"] == "every host refused the connection"


def test_a_connection_that_ends_after_the_request_was_sent_is_failed_and_goes_nowhere_else(tmp_path):
    result = under_load(tmp_path, [b"", OK])
    assert result["failed"] == pytest.approx(result["requests_total"] / 2, abs=1)
    assert result["retried"] == 0
    assert "without an answer" in result["failures"][0]["reason"]


def test_a_server_error_is_failed_and_says_its_status(tmp_path):
    result = under_load(tmp_path, [BROKEN])
    assert result["failed"] == result["requests_total"] and result["statuses"] == {"503": result["failed"]}
    assert result["failures"][0]["reason"] == "status 503"


def test_an_answer_that_does_not_come_in_time_is_failed(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = Host.from_url(f"http://127.0.0.1:{silent.getsockname()[1]}")
        load = Load([host], tmp_path / "load.json", rate=10, connections=1, timeout=0.1)
        asyncio.run(load.run(0.15))
    result = json.loads((tmp_path / "load.json").read_text())
    assert result["failed"] == result["requests_total"] > 0
    assert result["failures"][0]["reason"] == "no answer within 0.1 s"


def test_the_rate_is_bounded(tmp_path):
    assert under_load(tmp_path, [OK], seconds=0.5, rate=40)["requests_total"] == pytest.approx(20, abs=2)


def test_requests_belong_to_the_phase_that_was_marked_when_they_began(tmp_path):
    async def change() -> None:
        await asyncio.sleep(0.25)
        mark(tmp_path / "load.json", "during")

    mark(tmp_path / "load.json", "before")
    phases = under_load(tmp_path, [OK], seconds=0.6, while_running=change)["phases"]
    assert list(phases) == ["before", "during"]
    assert all(phase["requests"] > 10 and phase["latency_ms"]["p50"] > 0 for phase in phases.values())


def test_an_answer_that_is_cut_short_is_none():
    with pytest.raises(RequestFailed, match="cut short: 1 of 2 bytes"):
        read_answer(OK[:-1])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(share, expected):
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_a_percentile_of_nothing_is_none():
    assert percentile([], 0.5) is None and Tally().as_dict()["requests_total"] == 0


def test_the_requests_are_the_same_at_every_run():
    assert list(itertools.islice(requests(), 50)) == list(itertools.islice(requests(), 50))


def test_each_order_is_another_one_and_only_what_was_taken_counts(tmp_path):
    orders = [wanted for wanted in itertools.islice(requests(orders=True), 100) if wanted.startswith("POST")]
    assert len(set(orders)) == len(orders) == 20
    host = Host.from_url("http://127.0.0.1:8000")
    load = Load([host], tmp_path / "load.json", rate=10, connections=1, timeout=0.1)
    for wanted, status in zip(["POST /orders/o0", "POST /orders/o5", "GET /orders/o0"], [202, 503, 202], strict=True):
        load.judge(host, wanted, Answer(status, "app1"))
    assert load.tally.as_dict()["orders"] == ["o0"]


def test_a_url_that_is_no_app_host_is_refused():
    with pytest.raises(ValueError, match="http://ADDRESS:PORT"):
        Host.from_url("127.0.0.1:8000")


@pytest.mark.parametrize("way", ["signal", "file"])
def test_asked_to_end_it_finishes_what_is_under_way_and_writes_the_result(tmp_path, way):
    out = tmp_path / "load.json"
    with socket.create_server(("127.0.0.1", 0)) as slow:
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"
        command = [sys.executable, "-m", "sandbox.load", "--out", str(out), "--connections", "1", url]
        process = subprocess.Popen(command)
        accepted, _ = slow.accept()
        while not out.exists():
            time.sleep(0.02)
        assert json.loads(out.read_text())["finished"] is False
        if way == "signal":
            os.kill(process.pid, signal.SIGTERM)
        else:
            ask_to_stop(out)
        time.sleep(0.3)
        accepted.recv(1000)
        accepted.sendall(OK)
        accepted.close()
        assert process.wait(5) == 0
    result = json.loads(out.read_text())
    assert result["finished"] is True and result["statuses"] == {"200": 1}
