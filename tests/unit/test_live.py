"""What a transfer that follows keeps on disk, and how it takes the stream of writes apart, without any engine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import encode
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import rdb
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.crc64 import crc64
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.again import Found
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.checksum import Check
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.commands import Script
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.follow import Following
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.spool import (
    About,
    Restarted,
    Spool,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.stream import Place

KEYS = b"REDIS0011\xfa\x0brepl-offset\x03100\xfe\x00\x00\x01a\x01x\x00\x01b\x01y"


def whole(keys: bytes = KEYS) -> bytes:
    return keys + b"\xff" + crc64(keys + b"\xff").to_bytes(8, "little")


# --- the snapshot ---


def test_who_goes_on_at_the_end_of_a_snapshot_comes_to_its_end_again() -> None:
    content = whole()
    entries, at = rdb.Snapshot().parse(content, 0, len(content))
    assert [entry.key for entry in entries] == [b"a", b"b"]
    again = rdb.Snapshot(version=11)
    assert again.parse(content, at, len(content)) == ([], at)
    assert again.is_ended


def verdict(folder: Path, content: bytes) -> bool:
    path = folder / "snapshot"
    path.write_bytes(content)
    check = Check(os.open(path, os.O_RDONLY), len(content))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = check.verdict()
        if found is not None:
            return found
        time.sleep(0.005)
    raise AssertionError("it came to no end")


def test_a_snapshot_is_held_against_the_checksum_with_which_it_ends(tmp_path: Path) -> None:
    large = whole(KEYS + b"\x00\x01c\x80\x00\x20\x00\x00" + os.urandom(1 << 21))
    assert verdict(tmp_path, large)
    at = len(large) // 2
    assert not verdict(tmp_path, large[:at] + bytes([large[at] ^ 1]) + large[at + 1 :])
    assert not verdict(tmp_path, large[:-9])
    assert verdict(tmp_path, KEYS + b"\xff" + bytes(8)), "a source that computes none ends with zeros"
    assert not verdict(tmp_path, KEYS + bytes(9))


# --- what lies on disk ---


def filled(folder: Path) -> Spool:
    spool = Spool(str(folder), segment=10)
    spool.begin("first", "replication", 100)
    spool.add_to_snapshot(b"snapshot")
    spool.end_snapshot()
    for part in (b"0123456789", b"abcdefghij", b"ABC"):
        spool.add(part)
    return spool


def read(spool: Spool, position: int) -> bytes:
    found, data = b"", b"-"
    while data:
        data = spool.read(spool.about.history, position + len(found), 7)
        found += data
    return found


def test_what_was_received_is_found_again_by_its_position(tmp_path: Path) -> None:
    filled(tmp_path)
    again = Spool(str(tmp_path), segment=10)
    assert (again.about.history, again.start, again.end) == ("first", 100, 123)
    assert again.snapshot("first", 0, 100) == b"snapshot"
    assert read(again, 105) == b"56789abcdefghijABC"
    again.add(b"DEF")
    assert read(again, 119) == b"jABCDEF"


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(12))
def test_whoever_is_killed_while_a_new_snapshot_begins_leaves_one_of_both_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    spool = filled(tmp_path)
    done = 0

    def dying(act: Any) -> Any:
        def at_moment(*given: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done > moment:
                raise Killed
            return act(*given, **named)

        return at_moment

    with monkeypatch.context() as patched, pytest.raises(Killed):
        for name in ("open", "replace", "unlink"):
            patched.setattr(os, name, dying(getattr(os, name)))
        spool.begin("second", "replication", 500)
        raise Killed
    again = Spool(str(tmp_path), segment=10)
    if again.about.history:
        assert again.about.history == "first" and read(again, 100) == b"0123456789abcdefghijABC"
        assert again.snapshot("first", 0, 100) == b"snapshot"
    else:
        assert not [name for name in os.listdir(tmp_path) if name.startswith(("stream", "snapshot"))]


@pytest.mark.parametrize("lacking", ["stream.first.00000000000000000110", "snapshot.first"])
def test_a_stream_with_a_gap_and_a_snapshot_without_its_end_are_not_read(tmp_path: Path, lacking: str) -> None:
    filled(tmp_path)
    os.truncate(tmp_path / lacking, 4)
    assert Spool(str(tmp_path)).about.history == ""


def test_what_a_new_snapshot_took_the_place_of_cannot_be_read_or_taken_away(tmp_path: Path) -> None:
    spool = filled(tmp_path)
    spool.begin("second", "replication", 500)
    spool.add_to_snapshot(b"other")
    for ask in (
        lambda: spool.snapshot("first", 0, 3),
        lambda: spool.read("first", 100, 3),
        lambda: spool.forget_snapshot("first"),
    ):
        with pytest.raises(Restarted):
            ask()
    spool.begin_anew("first")
    assert spool.snapshot("second", 0, 100) == b"other"


def test_one_may_want_a_new_snapshot_while_the_other_receives(tmp_path: Path) -> None:
    spool = filled(tmp_path)
    spool.begin_anew("first")
    spool.add(b"what still comes")
    spool.begin("second", "replication", 500)
    spool.end_snapshot()
    spool.add(b"next")
    assert read(spool, 500) == b"next"
    assert not [name for name in os.listdir(tmp_path) if "second" not in name and name != "spool.json"]


def test_a_position_of_another_snapshot_says_nothing_of_how_far_this_one_is() -> None:
    """After a restart of the source, what it counts may be lower than what was applied before."""
    following = Following.__new__(Following)
    following._history, following.place = "first", Place(900, 0)
    following._source = SimpleNamespace(ask=lambda ask: Found("replication", 500, []))
    following._spool = SimpleNamespace(about=About("second", "replication", 400))
    assert not following.has_all()
    following._spool.about = About("first", "replication", 400)
    assert following.has_all()
    following.place = Place(499, 0)
    assert not following.has_all()


# --- the stream ---

AT = 1_900_000_000


@pytest.mark.parametrize(
    ("told", "applied"),
    [
        (("PEXPIREAT", "k", 5000), ("PEXPIREAT", "k", 6000)),
        (("EXPIREAT", "k", AT), ("PEXPIREAT", "k", AT * 1000 + 1000)),
        (("EXPIRE", "k", 3), ("PEXPIRE", "k", 4000)),
        (("pexpire", "k", 3), ("pexpire", "k", 1003)),
        (("SETEX", "k", 3, "ex"), ("PSETEX", "k", 4000, "ex")),
        (("PSETEX", "k", 3, "v"), ("PSETEX", "k", 1003, "v")),
        (("SET", "k", "EX", "ex", 3), ("SET", "k", "EX", "PX", 4000)),
        (("SET", "k", "v", "NX", "PX", 3), ("SET", "k", "v", "NX", "PX", 1003)),
        (("SET", "k", "v", "PXAT", 3), ("SET", "k", "v", "PXAT", 1003)),
        (("SET", "k", "v", "EXAT", AT), ("SET", "k", "v", "PXAT", AT * 1000 + 1000)),
        (("GETEX", "k", "PXAT", 3), ("GETEX", "k", "PXAT", 1003)),
        (("RESTORE", "k", 3, "payload", "REPLACE"), ("RESTORE", "k", 1003, "payload", "REPLACE")),
        (("RESTORE", "k", 3, "payload", "ABSTTL"), ("RESTORE", "k", 1003, "payload", "ABSTTL")),
        (("HPEXPIREAT", "k", 3, "FIELDS", 1, "f"), ("HPEXPIREAT", "k", 1003, "FIELDS", 1, "f")),
        (("RESTORE", "k", 0, "payload"), ("RESTORE", "k", 0, "payload")),
        (("EXPIRE", "k", -1), ("EXPIRE", "k", -1)),
        (("SET", "EX", "PX"), ("SET", "EX", "PX")),
        (("APPEND", "PX", 3), ("APPEND", "PX", 3)),
    ],
)
def test_a_key_that_expires_does_so_a_second_later(told: tuple[Any, ...], applied: tuple[Any, ...]) -> None:
    [unit] = Script(0).units(encode(told))
    assert unit.commands[0].raw == encode(applied)
