from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # each scenario rests on it

IP_MINTTL = 21  # linux/in.h; the socket module does not name it


def test_a_cold_cache_makes_an_answer_slower_and_changes_nothing_in_it(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    _, cold, _ = shop.get("/products/7")
    _, warm, _ = shop.get("/products/7")
    assert (cold["from_cache"], warm["from_cache"]) == (False, True)
    assert cold["product"] == warm["product"]
    cache.client.flushall()
    _, again, _ = shop.get("/products/7")
    assert again["product"] == warm["product"] and again["from_cache"] is False


def test_what_is_cached_has_a_ttl_and_what_is_counted_adds_up(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    for product in (3, 3, 9):
        shop.get(f"/products/{product}?user=ann")
    assert 0 < cache.client.ttl("product:3") <= 300
    assert shop.get("/popular")[1]["popular"] == [{"id": 3, "views": 2}, {"id": 9, "views": 1}]
    assert shop.get("/sessions/ann")[1]["session"] == {"last_product": "9", "seen": "3"}


def test_every_answer_says_which_host_served_it_failed_ones_too(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    assert shop.get("/products/1")[2] == "app1"
    cache.stop()
    status, body, served_by = shop.get("/products/1")
    assert (status, served_by) == (503, "app1") and "ConnectionError" in body["error"]


def test_healthz_fails_with_its_reason_when_the_cache_is_gone_and_never_names_the_password(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    assert shop.get("/healthz")[0] == 200
    cache.stop()
    status, body, _ = shop.get("/healthz")
    assert status == 503 and "Connection refused" in body["reason"]
    assert "component-test" not in json.dumps(body)


def test_healthz_fails_when_the_password_is_wrong(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url(password="another")).start()
    status, body, _ = shop.get("/healthz")
    assert status == 503 and body["reason"].startswith("AuthenticationError")


def test_two_workers_serve_and_a_worker_that_dies_ends_the_whole_app(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    served: set[object] = set()
    deadline = time.monotonic() + 10  # the second worker may start serving after the first
    while len(served) < 2 and time.monotonic() < deadline:
        served.add(shop.get("/healthz")[1]["process"])
    assert served == set(shop.workers())
    os.kill(shop.workers()[0], signal.SIGKILL)
    assert shop.process.wait(10) == 1
    assert "ended by itself" in shop.log


def test_a_second_app_on_the_same_port_is_refused(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    second = subprocess.run(
        [sys.executable, "-m", "app.serve"],
        cwd=shop.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "sandbox")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0 and "Address already in use" in second.stderr


def test_a_stop_finishes_the_request_in_flight_and_ends_with_0(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    cache.client.execute_command("CLIENT", "PAUSE", "1500", "ALL")  # the request hangs in the cache
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(shop.get("/products/5")[0]))
    asking.start()
    time.sleep(0.3)
    assert shop.stop() == 0
    asking.join(5)
    assert answers == [200]


def test_a_stop_waits_for_a_connection_that_is_just_being_made(cache, make_shop):
    shop = make_shop("app1", REDIS_URL=cache.url()).start()
    with socket.socket() as client:
        client.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 255)  # the app's answer to the first packet is not heard
        client.setblocking(False)
        assert client.connect_ex(("127.0.0.1", shop.port)) == errno.EINPROGRESS
        shop.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 0)  # the kernel gives it again after a second
        client.settimeout(5)
        select.select([], [client], [], 5)  # connected, or refused: then sending fails
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
    assert shop.process.wait(10) == 0


def test_restarts_under_load_lose_no_request_when_two_hosts_stand_behind_it(cache, make_shop, tmp_path):
    shops = [make_shop(name, REDIS_URL=cache.url()).start() for name in ("app1", "app2")]
    out = tmp_path / "load.json"
    command = [sys.executable, "-m", "sandbox.load", "--out", str(out), "--rate", "150", "--seconds", "60"]
    load = subprocess.Popen([*command, *(shop.url for shop in shops)])
    try:
        time.sleep(1)
        for _ in range(2):
            for shop in shops:
                assert shop.stop() == 0
                time.sleep(0.3)  # refused meanwhile
                shop.start()
    finally:
        load.terminate()
        load.wait(10)
    result = json.loads(out.read_text())
    assert result["failed"] == 0, result["failures"]
    assert result["retried"] > 20 and result["requests_total"] > 300
    assert set(result["served_by"]) == {"app1", "app2"}
