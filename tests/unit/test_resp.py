"""A server that says without end is left before it has filled the memory."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import resp
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Connection, NotRedis


@pytest.fixture
def told():
    """A conversation with a server that says this, whatever it is asked."""
    ours, theirs = socket.socketpair()
    ours.settimeout(1)

    def send(text):
        with contextlib.suppress(OSError):  # the other end may have gone
            theirs.sendall(text)

    def say(text):
        threading.Thread(target=send, args=(text,), daemon=True).start()
        return Connection(ours)

    with ours, theirs:
        yield say


@pytest.mark.parametrize("announced", [b"$900000000000\r\n", b"*1\r\n$900000000000\r\n", b"$134217729\r\n"])
def test_no_room_is_made_for_a_value_larger_than_any_redis_has(told, announced):
    with pytest.raises(NotRedis, match="more than 128 MiB"):
        told(announced).ask("INFO")


@pytest.mark.parametrize("item", [b":1\r\n", b"*0\r\n", b"$-1\r\n", b"-\r\n"])
def test_a_list_without_an_end_is_left_however_small_its_items_are(told, monkeypatch, item):
    monkeypatch.setattr(resp, "_MOST_BYTES", 1024**2)
    with pytest.raises(NotRedis, match="more than 1 MiB"):
        told(b"*900000000000\r\n" + item * 20_000).execute("COMMAND", "INFO")


def test_answers_to_commands_sent_together_count_together_and_others_do_not(told, monkeypatch):
    monkeypatch.setattr(resp, "_MOST_BYTES", 1024**2)
    connection = told(b"$400000\r\n%s\r\n" % bytes(400_000) * 6)
    assert [len(connection.ask("INFO")) for _time in range(3)] == [400_000] * 3
    with pytest.raises(NotRedis, match="more than 1 MiB"):
        connection.execute_many([["INFO"]] * 3)


def test_lists_in_lists_without_an_end_are_no_redis(told):
    with pytest.raises(NotRedis, match="nests more than 16 lists"):
        told(b"*1\r\n" * 5000).execute("COMMAND", "INFO")


def test_lists_as_deep_as_a_redis_nests_them_are_read(told):
    assert told(b"*1\r\n" * 8 + b":7\r\n").execute("COMMAND", "INFO", "xgroup") == [[[[[[[[7]]]]]]]]


def test_a_snapshot_may_be_larger_than_what_a_server_says_of_itself(told, monkeypatch):
    monkeypatch.setattr(resp, "_MOST_BYTES", 1000)
    connection = told(bytes(5000))
    read = 0
    while read < 5000:
        read += len(connection.read_some(1000))
