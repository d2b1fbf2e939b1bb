"""Which keys beside those that are moved lead to the same cache."""

from __future__ import annotations

import time

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.leads import caches, elsewhere, leads

PLACES = {("old.internal", 6379)}
MOVED = ["REDIS_URL"]


def found(key, value, places=PLACES, **more):
    told = list(leads({"REDIS_URL": "redis://old.internal:6379/0", key: value}, MOVED, places, **more))
    return [(lead.how, lead.database) for lead in told]


@pytest.mark.parametrize(
    ("key", "value", "how", "database"),
    [
        ("CELERY_BROKER_URL", "redis://:secret@old.internal:6379/1", "url", 1),
        ("CACHE", "redis://OLD.internal/2", "url", 2),
        ("REDIS_HOST", "old.internal", "part", 0),
        ("CELERY_BROKER_HOST", " old.internal ", "part", 0),
        ("CHANNELS", '{"hosts": ["old.internal:6379"]}', "mention", 0),
        ("SENTINELS", "sentinel://old.internal:6379/mymaster", "mention", 0),
        ("BROKER", "${REDIS_URL}/1", "hangs", 1),
        ("BROKER", "${REDIS_URL:-redis://x}?db=1", "hangs", 1),
    ],
)
def test_what_leads_there_or_hangs_on_what_moves_is_found(key, value, how, database):
    assert found(key, value) == [(how, database)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OTHER_URL", "redis://other.internal:6379/0"),
        ("QUEUE", "redis://old.internal:6380/0"),
        ("DATABASE_HOST", "old.internal"),
        ("DATABASE_URL", "postgres://old.internal:5432/shop"),
        ("LOG", "see very-old.internal:6379 or old.internal:63790"),
        ("BROKER", "${REDIS_URL}"),
        ("EMPTY", ""),
        ("TORN", "redis://[old.internal"),
        ("LONG", "redis://other/0?" + "a=1&" * 200000),
    ],
)
def test_what_leads_elsewhere_and_what_follows_by_itself_is_not(key, value):
    assert found(key, value) == []


def test_another_name_of_the_same_machine_is_the_same_place():
    aliases = {"10.0.0.5", "old.internal"}
    assert found("CACHE", "redis://10.0.0.5/3") == []

    def is_alias(address, port):
        return address in aliases and port == 6379

    assert found("CACHE", "redis://10.0.0.5/3", is_alias=is_alias) == [("url", 3)]
    assert found("CACHE_HOST", "10.0.0.5", is_alias=is_alias) == [("part", 0)]
    assert found("CHANNELS_CACHE", "[10.0.0.5:6379]", is_alias=is_alias) == [("mention", 0)]
    assert found("DATABASE_HOST", "10.0.0.5", is_alias=is_alias) == [], "what else is on that machine"
    assert found("CACHE_PEER", "10.0.0.5:11211", is_alias=is_alias) == []


def test_a_bare_loopback_address_says_nothing_and_with_the_port_it_does():
    here = {("127.0.0.1", 6379)}
    assert found("CACHE_BIND", "127.0.0.1", here) == [] and found("X", "127.0.0.1:6379", here) == [("mention", 0)]
    assert found("REDIS_HOST", "127.0.0.1", here) == [("part", 0)]
    assert found("REDIS_IMAGE", "redis:7", {("localhost", 6379)}) == [], "an image of containers"


def test_the_keys_beside_a_host_have_the_other_parts_by_their_names():
    values = {
        "REDIS_PORT": "6379",
        "REDIS_HOST": "old.internal",
        "REDIS_PASSWORD": "hunter2",
        "redis_db": "3",
        "REDIS_USE_SSL": "False",
        "REDIS_TIMEOUT": "5",
        "DB_PORT": "5432",
    }
    told = list(leads(values, MOVED, PLACES))
    assert [(lead.key, lead.form) for lead in told] == [
        ("REDIS_PORT", "port"),
        ("REDIS_HOST", "host"),
        ("REDIS_PASSWORD", "password"),
        ("redis_db", "database"),
        ("REDIS_USE_SSL", "tls"),
    ]
    assert [lead.off for lead in told if lead.off] == ["False"] and "hunter2" not in str(told)
    assert list(leads(values, list(values), PLACES)) == []


def test_a_url_that_is_made_of_what_moves_is_told_with_its_database():
    values = {"REDIS_HOST": "old.internal", "BROKER": "redis://:x@${REDIS_HOST}:${REDIS_PORT:-6379}/4"}
    assert [(lead.key, lead.how, lead.form, lead.database) for lead in leads(values, ["REDIS_HOST"], PLACES)] == [
        ("BROKER", "hangs", "url", 4)
    ]


def test_the_parts_beside_a_host_that_is_named_are_found_with_or_without_a_joint():
    values = {"REDISHOST": "old.internal", "REDISPORT": "7000", "REDISUSER": "shop", "REDISDB": "3", "OTHER": "x"}
    told = list(leads(values, ["REDISHOST"], PLACES))
    assert [(lead.key, lead.form, lead.database) for lead in told] == [
        ("REDISPORT", "port", 0),
        ("REDISUSER", "username", 0),
        ("REDISDB", "database", 3),
    ]


def test_what_a_key_for_tls_holds_is_told_only_where_it_is_a_word_of_apps():
    values = {"REDIS_HOST": "old.internal", "REDIS_TLS": "rediss://:hunter2@tls.other:6380/0", "REDIS_SSL": "no"}
    told = list(leads(values, MOVED, PLACES))
    assert [lead.off for lead in told if lead.form == "tls"] == ["", "no"] and "hunter2" not in str(told)


def test_a_name_is_resolved_once_and_not_for_ever():
    asked = []
    values = {f"URL_{number}": f"redis://host{number % 200}/0" for number in range(400)}
    list(leads(values, MOVED, PLACES, is_alias=lambda address, port: asked.append(address) or False))
    assert len(asked) == len(set(asked)) == 100


def test_a_value_that_is_made_to_take_time_takes_none():
    hostile = {"X": "${REDIS_URL:-" * 600, "Y": "${" * 4000, "Z": "${REDIS_URL:-" * 20000}
    began = time.monotonic()
    list(leads(hostile, MOVED, PLACES))
    assert time.monotonic() - began < 1


# --- where nothing is named ---


def keys_of(files, **more):
    return [{path: [lead.key for lead in told] for path, told in one.items()} for one in caches(files, **more)]


def test_all_that_leads_to_one_redis_is_told_together_by_its_files_and_that_of_another_apart():
    shop = {
        "SESSION_URL": "redis://other.internal/0",
        "REDIS_URL": "redis://:hunter2@old.internal:6379/0",
        "RESULTS": "${REDIS_URL}/2",
        "DEBUG": "1",
    }
    jobs = {"QUEUE_HOST": "old.internal", "QUEUE_PORT": "6379", "QUEUE_PASSWORD": "hunter2", "QUEUE_ADDR": "x:5672"}
    told = caches({"/shop": shop, "/jobs": jobs})
    assert [{path: [lead.key for lead in each] for path, each in one.items()} for one in told] == [
        {"/shop": ["REDIS_URL", "RESULTS"], "/jobs": ["QUEUE_HOST", "QUEUE_PORT", "QUEUE_PASSWORD"]},
        {"/shop": ["SESSION_URL"]},
    ]
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(
    ("values", "how"),
    [
        ({"CACHE_URL": "rediss://old:6380/3"}, [("url", "url", 3)]),
        ({"X": "valkey://:pw@old/1"}, [("url", "", 1)]),
        ({"REDIS_ADDR": "old:7000", "REDIS_PASSWORD": "x"}, [("mention", "{host}:{port}", 0), ("part", "password", 0)]),
        ({"REDIS_HOST": "old"}, [("part", "host", 0)]),
        ({"CACHE_HOST": "old", "CACHE_PORT": "6379"}, [("part", "host", 0), ("part", "port", 0)]),
        (
            {"BROKER": "redis://:x@${REDIS_HOST}:6379/4", "REDIS_HOST": "old"},
            [("hangs", "url", 4), ("part", "host", 0)],
        ),
    ],
)
def test_a_redis_is_known_by_its_scheme_its_port_or_the_name_of_the_key(values, how):
    [[told]] = [list(one.values()) for one in caches({"/f": values})]
    assert [(lead.how, lead.form, lead.database) for lead in told] == how


@pytest.mark.parametrize(
    "values",
    [
        {"DATABASE_URL": "postgres://db:5432/x"},
        {"CACHE_HOST": "memcached", "CACHE_PORT": "11211"},
        {"REDIS_IMAGE": "redis:7"},
        {"VALKEY_IMAGE": "valkey:8"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"REDIS_URL": ""},
        {"MAIL_HOST": "mail"},
    ],
)
def test_what_is_no_redis_by_any_of_these_is_left_alone(values):
    assert caches({"/f": values}) == []


def test_two_names_of_one_redis_are_one():
    values = {"A": "redis://old/0", "B": "redis://10.0.0.5/1"}
    assert keys_of({"/f": values}) == [{"/f": ["A"]}, {"/f": ["B"]}]
    assert keys_of({"/f": values}, is_same=lambda one, other: one[1] == other[1]) == [{"/f": ["A", "B"]}]


def test_what_a_process_was_started_with_and_no_file_has_is_told_by_its_name():
    environments = {"web": {"REDIS_URL": "redis://:hunter2@old/0", "HOME": "/"}, "worker": {"JOBS": "redis://old/1"}}
    assert elsewhere(environments, {"/f": {"REDIS_URL": "x"}}) == [{"service": "worker", "key": "JOBS"}]
    assert elsewhere(environments, {})[0] == {"service": "web", "key": "REDIS_URL"}
