# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a process said to questions about caches, read as what it must be, without what it was told in confidence.

Whoever is the app's user writes the answers of his interpreter, and a server writes much of ours.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Collection, Mapping
from urllib.parse import urlsplit

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures, following
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asked import Answered, Asked
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asking import COMMANDS
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import Client
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import (
    LIVES,
    LONGER,
    KeyGroup,
    LargeKey,
    Stream,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import STAGES, Answer, Check, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import LIBRARIES
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source, Surveyed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.traffic import Traffic
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked, one_line
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.told import NotAsAgreed, Told, parsed


def told(questions: Mapping[str, Asked], said: bytes, in_confidence: Collection[Asked]) -> dict[str, Answered]:
    """The answers to ``questions`` of a process that was asked all of ``in_confidence``. Raises NotAsAgreed."""
    answers = parsed(said)
    if not isinstance(answers, dict):
        raise NotAsAgreed("it is no mapping")
    return {
        name: _answer_of(question, answers.get(name), shown(in_confidence, question.url))
        for name, question in questions.items()
    }


def _answer_of(question: Asked, answer: Any, show: Callable[[str], str]) -> Answered:
    return _probed(Told(answer, show)) if isinstance(question, Question) else _surveyed(Told(answer, show))


def shown(questions: Collection[Asked], url: str) -> Callable[[str], str]:
    """What may be shown of a text: no secret of any question. The place of a cache is none, whatever its port is."""
    secrets = [secret for question in questions for secret in secrets_of(question.url)]
    place = "{0.host}:{0.port}".format(parse_url(url)) if url else ""
    if not place or any(place in secret for secret in secrets):
        return lambda text: one_line(masked(text, secrets))
    told_apart = re.compile(rf"{re.escape(place)}(?![^\s.,:;)])")
    return lambda text: place.join(one_line(masked(part, secrets)) for part in told_apart.split(text))


def secrets_of(url: str) -> list[str]:
    parts = parse_url(url)
    options = [value for name, value in parts.query if "password" in name]
    return [secret for secret in (parts.password, urlsplit(url).password, *options) if secret]


def _probed(told: Told) -> Answer:
    latency = told.part("latency_ms")
    return Answer(
        checks=[
            Check(check.word("name", STAGES), check.truth("ok"), check.text("detail"), check.number("ms"))
            for check in told.parts("checks")
        ],
        server=_server(told.part("server")),
        client_address=told.address("client_address"),
        latency_ms={name: latency.number(name) for name in ("p50", "max") if latency.has(name)},
        through=told.text("through"),
        advice=list(told.texts("advice")),
        compares_names=told.truth("compares_names") if told.has("compares_names") else True,
        nodes=[_place(node) for node in told.parts("nodes")] if told.has("nodes") else [],
        failure=_failure(told),
    )


def _place(told: Told) -> dict[str, Any]:
    return {"address": told.address("address"), "port": told.whole("port")}


def _server(told: Told) -> Server:
    return Server(
        told.word("engine", ("redis", "valkey", "memcached")),
        told.text("version"),
        told.word("role", ("master", "slave")),
        told.word("mode", ("standalone", "cluster", "sentinel")),
    )


def _failure(told: Told) -> Failure | None:
    if not told.has("failure"):
        return None
    failure = told.part("failure")
    return Failure(failure.word("kind", failures.KINDS), failure.text("found"), failure.text("remedy"))


def _surveyed(told: Told) -> Surveyed:
    failure = _failure(told)
    return Surveyed(None if failure else _source_of(told.part("source")), failure)


def _source_of(told: Told) -> Source:
    keyspace, lives = told.part("keyspace"), told.part("lives")
    return Source(
        server=_server(told.part("server")),
        used_memory=told.whole("used_memory"),
        used_memory_peak=told.whole("used_memory_peak"),
        maxmemory=told.whole("maxmemory"),
        maxmemory_policy=told.text("maxmemory_policy"),
        evicted_keys=told.whole("evicted_keys"),
        operations_per_second=told.whole("operations_per_second"),
        databases=told.whole("databases") if told.has("databases") else None,
        keyspace={_number(name): _counts(keyspace.part(name)) for name in keyspace.names()},
        sampled=told.whole("sampled"),
        sample_complete=told.truth("sample_complete"),
        key_groups=tuple(_key_group(group) for group in told.parts("key_groups")),
        streams=tuple(_stream(stream) for stream in told.parts("streams")),
        clients=tuple(_client(client) for client in told.parts("clients")),
        commands=told.texts("commands"),
        modules=told.texts("modules"),
        saves=told.truth("saves"),
        appends=told.truth("appends"),
        not_told=told.words("not_told", COMMANDS),
        run_id=told.text("run_id"),
        streams_complete=told.truth("streams_complete"),
        functions=told.texts("functions"),
        keyspace_events=told.text("keyspace_events"),
        queue_libraries=told.words("queue_libraries", LIBRARIES),
        queue_libraries_complete=told.truth("queue_libraries_complete"),
        uptime=told.whole("uptime"),
        commands_processed=told.whole("commands_processed"),
        net_bytes=told.whole("net_bytes"),
        cpu_seconds=told.number("cpu_seconds"),
        lives={name: lives.whole(name) for name in (*LIVES, LONGER) if lives.has(name)},
        largest=tuple(_large_key(key) for key in told.parts("largest")),
        payload=told.whole("payload") if told.has("payload") else None,
        now=_traffic(told.part("now")) if told.has("now") else None,
        on_average=_traffic(told.part("on_average")) if told.has("on_average") else None,
        subscribed=told.whole("subscribed"),
        subscribed_patterns=told.whole("subscribed_patterns"),
        channels=told.texts("channels"),
        scripts=told.whole("scripts"),
        may_follow=told.word("may_follow", following.WORDS),
    )


def _number(name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", name):
        raise NotAsAgreed("keyspace names a database that is no number")
    return int(name)


def _counts(told: Told) -> dict[str, int]:
    return {"count": told.whole("count"), "expires": told.whole("expires")}


def _key_group(told: Told) -> KeyGroup:
    return KeyGroup(
        told.whole("database"),
        told.text("type"),
        told.text("pattern"),
        told.whole("count"),
        told.whole("without_ttl"),
        told.whole("bytes"),
    )


def _large_key(told: Told) -> LargeKey:
    return LargeKey(told.whole("database"), told.text("type"), told.text("pattern"), told.whole("bytes"))


def _traffic(told: Told) -> Traffic:
    writes = told.number("writes") if told.has("writes") else None
    return Traffic(told.number("seconds"), told.number("hits"), told.number("misses"), writes)


def _stream(told: Told) -> Stream:
    return Stream(
        told.whole("database"),
        told.text("pattern"),
        told.whole("length"),
        told.texts("groups"),
        told.whole("pending"),
    )


def _client(told: Told) -> Client:
    return Client(
        address=told.address("address"),
        name=told.text("name"),
        connections=told.whole("connections"),
        commands=told.texts("commands"),
        databases=told.wholes("databases"),
        blocking=told.truth("blocking"),
        pubsub=told.truth("pubsub"),
        monitor=told.truth("monitor"),
        replica=told.truth("replica"),
    )
