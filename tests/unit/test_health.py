"""Which health URLs are asked, how they are shown, and what an app can do to who asks."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.health import HealthUrlError, shown


@pytest.mark.parametrize(
    ("url", "as_shown"),
    [
        ("http://127.0.0.1:8000/healthz", "http://127.0.0.1:8000/healthz"),
        ("https://localhost/healthz?token=hunter2&deep=1#there", "https://localhost/healthz"),
        ("http://[::1]:8000?token=a@b", "http://[::1]:8000"),
    ],
)
def test_a_health_url_is_shown_without_its_query(url, as_shown):
    assert shown(url) == as_shown


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://ops:hunter2@127.0.0.1/healthz", "user name or a password"),
        ("http://hunter2@127.0.0.1/", "user name or a password"),
        ("http://ops:hunter2/x@127.0.0.1/", "user name or a password"),
        ("http://127.0.0.1:hunter2/", "port that is no number"),
        ("http://[hunter2/", "no host"),
        ("http:///healthz?hunter2", "no host"),
        ("http://127.0.0.1/healthz?token=hunter2 hunter2", "space"),
        ("http://127.0.0.1/h\u00e9?hunter2", "ASCII"),
        ("ftp://127.0.0.1/hunter2", "must begin with http"),
    ],
)
def test_a_url_that_cannot_be_asked_is_refused_without_being_quoted(url, named):
    with pytest.raises(HealthUrlError, match=named) as refused:
        shown(url)
    assert "health_url" in str(refused.value) and "hunter2" not in str(refused.value)


@pytest.fixture
def app():
    """One answer, sent part by part a tenth of a second apart, as long as somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(parts):
            connection, _address = listener.accept()
            with connection:
                connection.recv(4096)
                for part in parts:
                    try:
                        connection.sendall(part)
                    except OSError:
                        return
                    time.sleep(0.1)

        def answers(*parts):
            threading.Thread(target=serve, args=(parts,), daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}/"

        yield answers


def test_what_an_app_says_in_place_of_http_is_not_repeated(app):
    told = health.ask(app(b"\x1b[2Jhunter2\r\n")).error
    assert told == "no HTTP (BadStatusLine)"


def test_an_answer_that_comes_byte_by_byte_is_none_when_the_time_is_up(app, monkeypatch):
    monkeypatch.setattr(health, "REQUEST_SECONDS", 0.5)
    slow = health.ask(app(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 30))
    assert slow.error == "no answer within 0.5 s"
    assert slow.ms < 1500


def test_an_endless_answer_is_read_to_a_bound(app):
    assert health.ask(app(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (health.LARGEST + 1), *[b"x"] * 30)).ok
