# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Asking about caches: through the app's own interpreter what only its redis-py can prove, and by ourselves the rest.

The app's interpreter lies in a folder of the app's user, so it runs as that user, whatever the inventory says of
become. It is fed the rooms that it needs and the questions, as it may read no file of ours, and has no secret in its
arguments. What it answers is the word of the app's user, on whether his app gets on with a cache. What counts for other
hosts, above all what the old Redis holds and who uses it, this process sees for itself.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import dataclass, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import answers, asked, failures
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asked import Answered, Asked
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import APP, Answer, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Surveyed, SurveyQuestion
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.told import NotAsAgreed
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import demoted

GRACE = 10.0  # seconds for its start and its end, beside what the questions may take
MOST_SAID = 1 << 20  # bytes, with what its modules print as they are loaded
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


def survey(question: SurveyQuestion) -> Surveyed:
    answer = _asked_by_us({"survey": question})["survey"]
    if isinstance(answer, Surveyed):
        return answer
    raise TypeError(f"{type(answer).__name__} answers no survey")


def ask(questions: Mapping[str, Asked], interpreter: Interpreter, *, addresses: bool = True) -> dict[str, Answered]:
    """An answer to each question; what is in the way is the failure in it. Raises EndpointError for a bad URL.

    The app's interpreter is asked for probes alone. Without ``addresses`` they do not tell by which this host is known
    there, as we would have to ask ourselves. The nodes of a cluster we ask for whatever it says.
    """
    if not interpreter.python:
        return _asked_by_us(questions)
    probes = {name: question for name, question in questions.items() if isinstance(question, Question)}
    proven = _asked_by_app(probes, interpreter, addresses)
    # The app lives with what its redis-py compares or not, and what it reaches is what is to be read.
    lenient = {probes[name].url for name, answer in proven.items() if not answer.compares_names}
    own = {
        name: replace(question, compares_names=question.url not in lenient)
        for name, question in questions.items()
        if isinstance(question, SurveyQuestion)
    }
    return {**proven, **_asked_by_us(own)}


def _asked_by_us(questions: Mapping[str, Asked]) -> dict[str, Answered]:
    """A server writes much of what we then say, so that it is read as carefully as what others say."""
    found: dict[str, Answered] = {}
    said = asked.answers_as_json(asked.as_json(questions))
    for name, question in questions.items():
        try:
            found.update(answers.told({name: question}, json.dumps({name: said[name]}).encode(), questions.values()))
        except NotAsAgreed as error:
            found[name] = asked.failed(question, failures.not_redis(parse_url(question.url), str(error)))
    return found


def _asked_by_app(questions: Mapping[str, Question], interpreter: Interpreter, is_addressed: bool) -> dict[str, Answer]:
    if not questions:
        return {}
    try:
        found = answers.told(questions, _said(questions, interpreter), questions.values())
    except (demoted.CannotRun, NotAsAgreed) as error:
        why = failures.app_interpreter(interpreter.python, interpreter.user, str(error))
        return {name: Answer(failure=why) for name in questions}
    told = {name: answer for name, answer in found.items() if isinstance(answer, Answer)}
    seen = _seen_by_us(questions, told, is_addressed)
    return {
        name: replace(
            answer,
            word_of=APP,
            client_address=seen[name].client_address if is_addressed and name in seen else "",
            nodes=seen[name].nodes if name in seen else [],
        )
        for name, answer in told.items()
    }


def _seen_by_us(questions: Mapping[str, Question], told: Mapping[str, Answer], is_addressed: bool) -> dict[str, Answer]:
    """Our own look at what the app reaches: by this host's address there a client of the old Redis is known as a host
    of ours, and by the nodes of a cluster a process as one that uses it.
    """
    reached = {
        name: replace(questions[name], write=False, compares_names=answer.compares_names)
        for name, answer in told.items()
        if not answer.failure and (is_addressed or questions[name].protocol != REDIS)
    }
    return {name: answer for name, answer in _asked_by_us(reached).items() if isinstance(answer, Answer)}


def _said(questions: Mapping[str, Asked], interpreter: Interpreter) -> bytes:
    feed = {"rooms": _rooms(), "asks": asked.__name__, "questions": asked.as_json(questions)}
    ended = demoted.run(
        [interpreter.python, "-I", "-B", "-c", _BOOTSTRAP],
        demoted.account_of(interpreter.user),
        json.dumps(feed).encode(),
        asked.limit(questions) + GRACE,
        MOST_SAID,
    )
    if ended.why or ended.status:
        raise NotAsAgreed(ended.why or _last_words(questions, ended))
    return ended.output.rpartition(b"\n")[2]  # before it there is what the app's own modules print as they are loaded


def _last_words(questions: Mapping[str, Asked], ended: demoted.Ended) -> str:
    lines = ended.errors.strip().splitlines()
    shown = answers.shown(questions.values(), "")
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
