"""A snapshot taken apart: what is made of it is what the engine's own DUMP gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import rdb

from tests.component.transfer import data
from tests.component.transfer.programs import PROGRAMS


def binary(engine: object) -> redis.Redis:
    return redis.Redis.from_url(engine.url())


@pytest.fixture(params=PROGRAMS)
def source(request: pytest.FixtureRequest, start_engine: Callable[..., object]) -> object:
    engine = start_engine(program=PROGRAMS[request.param]())
    data.fill(binary(engine))
    return engine


def saved(engine: object) -> bytes:
    binary(engine).save()
    return (Path(engine.folder) / "dump.rdb").read_bytes()


def parsed(content: bytes) -> tuple[rdb.Snapshot, list[rdb.Entry]]:
    snapshot = rdb.Snapshot()
    entries, at = snapshot.parse(content, 0, len(content))
    assert snapshot.is_ended and len(content) - at == 1 + 8  # its end, and the checksum of all
    return snapshot, entries


def dumped(engine: object, entries: list[rdb.Entry]) -> list[bytes]:
    client = binary(engine)
    found = []
    for entry in entries:
        client.execute_command("SELECT", entry.database)
        found.append(client.dump(entry.key))
    return found


def test_a_payload_made_of_a_snapshot_is_the_one_that_dump_gives(source: object) -> None:
    content = saved(source)
    snapshot, entries = parsed(content)
    bodies = [bytes([entry.type]) + content[entry.start : entry.end] for entry in entries]
    expected = dumped(source, entries)
    made = list(rdb.payloads(bodies, rdb.version_of(expected[0])))
    different = [entry.key[:40] for entry, ours, theirs in zip(entries, made, expected) if ours != theirs]
    assert different == []
    assert len(entries) == sum(binary_size(source))
    assert snapshot.sizes == len(entries)


def binary_size(engine: object) -> list[int]:
    return [keys["keys"] for keys in binary(engine).info("keyspace").values()]


def test_databases_and_expiries_are_those_of_the_keys(source: object) -> None:
    _snapshot, entries = parsed(saved(source))
    found = {(entry.database, entry.key): entry for entry in entries}
    assert found[0, b"until"].expires_ms == data.EVER + 123
    assert found[0, b"plain"].expires_ms == rdb.NEVER
    assert {number for number, _key in found} == {0, 1, 9}


def test_a_string_is_told_as_it_is_where_it_is_not_compressed(source: object) -> None:
    content = saved(source)
    client = binary(source)
    _snapshot, entries = parsed(content)
    strings = [entry for entry in entries if entry.type == rdb.STRING and entry.database == 0]
    told = {entry.key: rdb.text(content, entry) for entry in strings}
    assert told[b"alike:16384"] is None
    assert {key: value for key, value in told.items() if value is not None and value != client.get(key)} == {}
    assert len([value for value in told.values() if value is not None]) > 15


def test_functions_are_found(source: object) -> None:
    snapshot, _entries = parsed(saved(source))
    if binary(source).info("server")["redis_version"].startswith("6."):
        assert snapshot.libraries == []
    else:
        assert [code.splitlines()[0] for code in snapshot.libraries] == [b"#!lua name=ours"]


def test_it_may_come_in_pieces_of_any_size(source: object) -> None:
    content = saved(source)
    expected = parsed(content)[1]
    for size in (1000, 70001):
        snapshot, found, at, end = rdb.Snapshot(), [], 0, 0
        while not snapshot.is_ended:
            end = min(len(content), end + size)
            entries, at = snapshot.parse(content[:end], at, end)
            found += entries
        assert found == expected


def test_a_value_need_not_be_held_to_be_measured(source: object) -> None:
    content = saved(source)
    snapshot = rdb.Snapshot()
    pages = rdb.Pages(lambda start, size: content[start : start + size])
    entries, _at = snapshot.parse(pages, 0, len(content))
    assert entries == parsed(content)[1]


def test_what_is_no_snapshot_is_said(start_engine: Callable[..., object]) -> None:
    with pytest.raises(rdb.NotASnapshot, match="it begins with b'-ERR"):
        rdb.Snapshot().parse(b"-ERR no such", 0, 12)
    with pytest.raises(rdb.NotASnapshot, match="a part of kind 246"):
        rdb.Snapshot().parse(b"REDIS0011\xf6", 0, 10)
    with pytest.raises(rdb.NotASnapshot, match="a value of type 99"):
        rdb.Snapshot().parse(b"REDIS0011\x63\x01a", 0, 12)
