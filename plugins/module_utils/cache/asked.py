# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Questions about caches, answered in this process all at once, and as JSON for whoever asks from another one.

This is what the app's own interpreter runs, so that the floors core and cache are all it needs.
"""

from __future__ import annotations

import functools
from dataclasses import asdict
from typing import Any, Callable, Mapping, Union

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import (
    cluster_probe,
    cluster_survey,
    failures,
    memcached_probe,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer, Question, probe
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import (
    Surveyed,
    SurveyQuestion,
    survey,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    MEMCACHED,
    REDIS,
    REDIS_CLUSTER,
    parse_url,
    protocol_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import all_in_time

Asked = Union[Question, SurveyQuestion]
Answered = Union[Answer, Surveyed]

# By what the app's client speaks.
_PROBES: Mapping[str, Callable[[Question], Answer]] = {
    REDIS: probe,
    REDIS_CLUSTER: cluster_probe.probe,
    MEMCACHED: memcached_probe.probe,
}

_SURVEYS: Mapping[str, Callable[[SurveyQuestion], Surveyed]] = {
    REDIS: survey,
    REDIS_CLUSTER: cluster_survey.survey,
    MEMCACHED: memcached_probe.survey,
}

_KINDS = {"probe": Question, "survey": SurveyQuestion}
_STAGES = 16  # of a probe, as many as may each take as long as a question allows
_SURVEY_SECONDS = 45.0  # what a survey takes beside these: samples, streams, the list of clients


def limit(questions: Mapping[str, Asked]) -> float:
    """How long answering may take, in seconds."""
    return max(
        asked.seconds * _STAGES + (_SURVEY_SECONDS + asked.watch if isinstance(asked, SurveyQuestion) else 0.0)
        for asked in questions.values()
    )


def answers(questions: Mapping[str, Asked]) -> dict[str, Answered]:
    """One for each question. Raises EndpointError where a URL cannot be read."""
    if not questions:
        return {}
    seconds = limit(questions)
    found = all_in_time({name: functools.partial(_answer, asked) for name, asked in questions.items()}, seconds)
    return {
        name: found[name] if name in found else failed(asked, _late(asked, seconds))
        for name, asked in questions.items()
    }


def _answer(asked: Asked) -> Answered:
    protocol = protocol_of(asked.url, asked.protocol)
    return _PROBES[protocol](asked) if isinstance(asked, Question) else _SURVEYS[protocol](asked)


def failed(asked: Asked, why: failures.Failure) -> Answered:
    """The answer to a question that could not be asked."""
    return Answer(failure=why) if isinstance(asked, Question) else Surveyed(failure=why)


def _late(asked: Asked, seconds: float) -> failures.Failure:
    return failures.endless(parse_url(asked.url), seconds)


# --- from one process to another ---


def as_json(questions: Mapping[str, Asked]) -> dict[str, Any]:
    return {
        name: {"kind": "probe" if isinstance(asked, Question) else "survey", "of": asdict(asked)}
        for name, asked in questions.items()
    }


def answers_as_json(questions: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process runs."""
    known = {name: _KINDS[question["kind"]](**question["of"]) for name, question in questions.items()}
    return {name: asdict(answer) for name, answer in answers(known).items()}
