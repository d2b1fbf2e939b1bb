"""A server that gives no snapshot, or one without an end, is left; what it says is not believed."""

from __future__ import annotations

import io
import socket
import threading

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import replication
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Connection, NotRedis


@pytest.fixture
def told():
    """A conversation with a server that says this, whatever it is asked."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)

    def say(text):
        threading.Thread(target=theirs.sendall, args=(text,), daemon=True).start()
        return Connection(ours)

    with ours, theirs:
        yield say


@pytest.mark.parametrize("length", [b"-1", b"+5", b"", b"many"])
def test_a_length_that_is_none_is_refused(length):
    with pytest.raises(NotRedis, match="length of its snapshot"):
        replication._length(length)


def test_nothing_but_empty_lines_is_no_snapshot(told):
    passed = iter(range(0, 10**6, 10))
    with pytest.raises(replication.SnapshotRefused, match="gives no snapshot"):
        replication.begin(told(b"+OK\r\n" * 2 + b"\r\n" * 1000), lambda: next(passed))


def test_a_snapshot_of_a_length_is_taken_to_its_last_byte(told):
    kept = io.BytesIO()
    assert replication._counted(told(b"REDIS" + b"more"), 5, kept.write, 100) == 5
    assert kept.getvalue() == b"REDIS"
