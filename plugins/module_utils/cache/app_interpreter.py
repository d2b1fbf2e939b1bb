# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Asking about caches through the app's own interpreter, which has the app's own redis-py.

It lies in a folder of the app's user, so it runs as that user, whatever the inventory says of become. It is fed the
rooms that it needs and the questions, as it may read no file of ours, and has no secret in its arguments. Whoever is
the app's user writes its answers: they are data, read as what they must be, without what it was told in confidence.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import sys
from dataclasses import dataclass
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import asked, failures
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asked import Answered, Asked
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import STAGES, Answer, Check, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import (
    Client,
    KeyGroup,
    Source,
    Stream,
    Surveyed,
    SurveyQuestion,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked, printable
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.told import NotAsAgreed, Told, parsed
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import demoted

GRACE = 10.0  # seconds for its start and its end, beside what the questions may take
_ROOMS = "ansible_collections.kempian.cache_migration.plugins.module_utils"
_FLOORS = ("core", "cache")

# It is read by whatever Python the app has, so that an old one can say so.
_BOOTSTRAP = """
import sys
if sys.version_info < (3, 8):
    sys.exit("it is Python %d.%d, and 3.8 or newer is needed" % sys.version_info[:2])
import importlib, importlib.abc, importlib.machinery, json, os
given = json.loads(sys.stdin.buffer.read().decode("utf-8"))

class Rooms(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name not in given["rooms"]:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=given["rooms"][name] is None)

    def exec_module(self, module):
        source = given["rooms"][module.__name__]
        if source is not None:
            exec(compile(source, module.__name__, "exec"), module.__dict__)

sys.meta_path.insert(0, Rooms())
answers = importlib.import_module(given["asks"]).answers_as_json(given["questions"])
sys.stdout.flush()
sys.stdout.buffer.write(b"\\n" + json.dumps(answers).encode("utf-8"))
sys.stdout.flush()
os._exit(0)  # nothing is said after the answer
"""


class InterpreterRefused(ValueError):
    """The options do not say how to run the app's interpreter; the text is a sentence for the operator."""


@dataclass(frozen=True)
class Interpreter:
    """The app's interpreter and whom the app runs as. Without ``python``, this process asks by itself."""

    python: str = ""
    user: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Interpreter:
        """Of the options ``python`` and ``user``. Raises InterpreterRefused."""
        python, user = params["python"] or "", params["user"] or ""
        if python and not user and os.geteuid() == 0:
            raise InterpreterRefused(
                "migration_app_python is set and migration_app_user is not, so root would run an interpreter that the "
                "app's user may be able to write. Set migration_app_user (user) to the user that the app runs as, or "
                "leave migration_app_python (python) out"
            )
        if python and not os.path.isabs(python):
            raise InterpreterRefused(
                f"migration_app_python (python) is {python}: give the whole path of the app's interpreter, such as "
                "/opt/shop/venv/bin/python"
            )
        return cls(python, user)


def probe(question: Question, interpreter: Interpreter) -> Answer:
    answer = ask({"probe": question}, interpreter)["probe"]
    if isinstance(answer, Answer):
        return answer
    raise TypeError(f"{type(answer).__name__} answers no probe")


def survey(question: SurveyQuestion, interpreter: Interpreter) -> Surveyed:
    answer = ask({"survey": question}, interpreter)["survey"]
    if isinstance(answer, Surveyed):
        return answer
    raise TypeError(f"{type(answer).__name__} answers no survey")


def ask(questions: Mapping[str, Asked], interpreter: Interpreter) -> dict[str, Answered]:
    """An answer to each question; what is in the way is the failure in it. Raises EndpointError for a bad URL."""
    if not questions:
        return {}
    told = functools.partial(_told, questions)
    if not interpreter.python:
        return told(json.dumps(asked.answers_as_json(asked.as_json(questions))).encode())
    try:
        return told(_said(questions, interpreter))
    except (demoted.CannotRun, NotAsAgreed) as error:
        why = failures.app_interpreter(interpreter.python, interpreter.user, str(error))
        return {name: asked.failed(question, why) for name, question in questions.items()}


def _said(questions: Mapping[str, Asked], interpreter: Interpreter) -> bytes:
    feed = {"rooms": _rooms(), "asks": asked.__name__, "questions": asked.as_json(questions)}
    ended = demoted.run(
        [interpreter.python, "-I", "-B", "-c", _BOOTSTRAP],
        demoted.account_of(interpreter.user),
        json.dumps(feed).encode(),
        asked.limit(questions) + GRACE,
    )
    if ended.why or ended.status:
        raise NotAsAgreed(ended.why or _last_words(questions, ended))
    return ended.output.rpartition(b"\n")[2]  # before it there is what the app's own modules print as they are loaded


def _last_words(questions: Mapping[str, Asked], ended: demoted.Ended) -> str:
    lines = ended.errors.strip().splitlines()
    shown = _shown(questions, "")
    return f"it ended with {ended.status}" + (f" ({shown(lines[-1])[:200].rstrip('.')})" if lines else "")


def _rooms() -> dict[str, str | None]:
    """The sources of the floors that are needed, by the name of their module; None for a package."""
    rooms: dict[str, str | None] = {}
    for floor in _FLOORS:
        for name in [name for name in sys.modules if name.startswith(f"{_ROOMS}.{floor}.")]:
            rooms[name] = _source(name)
    packages = {name.rpartition(".")[0] for name in rooms}
    while packages:
        rooms.update(dict.fromkeys(packages))
        packages = {above for above in (name.rpartition(".")[0] for name in packages) if above}
    return rooms


def _source(name: str) -> str:
    """As its loader has it: a zip file on a host, files elsewhere."""
    spec = importlib.util.find_spec(name)
    source = spec.loader.get_source(name) if spec and spec.loader else None  # type: ignore[attr-defined]
    if source is None:
        raise AssertionError(f"no source of {name}")
    return str(source)


# --- what it said ---


def _told(questions: Mapping[str, Asked], said: bytes) -> dict[str, Answered]:
    """Raises NotAsAgreed."""
    answers = parsed(said)
    if not isinstance(answers, dict):
        raise NotAsAgreed("it is no mapping")
    return {
        name: _answer_of(question, answers.get(name), _shown(questions, question.url))
        for name, question in questions.items()
    }


def _answer_of(question: Asked, answer: Any, shown: Callable[[str], str]) -> Answered:
    told = Told(answer, shown)
    return _probed(told) if isinstance(question, Question) else _surveyed(told)


def _shown(questions: Mapping[str, Asked], url: str) -> Callable[[str], str]:
    """What may be shown of a text: no secret of any question. The place of a cache is none, whatever its port is."""
    secrets = [secret for question in questions.values() for secret in secrets_of(question.url)]
    place = "{0.host}:{0.port}".format(parse_url(url)) if url else ""
    if not place or any(place in secret for secret in secrets):
        return lambda text: str(printable(masked(text, secrets)))
    told_apart = re.compile(rf"{re.escape(place)}(?![^\s.,:;)])")
    return lambda text: place.join(printable(masked(part, secrets)) for part in told_apart.split(text))


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
        failure=_failure(told),
    )


def _server(told: Told) -> Server:
    return Server(
        told.word("engine", ("redis", "valkey")),
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
    keyspace = told.part("keyspace")
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
        not_told=told.texts("not_told"),
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
