# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The digest of a plan, by which it is approved, and what has changed since. Pure.

A run is given the digest and nothing else, as where it was planned may be gone by then (a container of AWX). So a
digest is ``<goal>-<SHA-256 of all, its first 32 digits>-<marks>``: the marks are two letters for each part that the
plan was made of, and by them the run names the part that is another one now. They are too short to prove anything:
only the whole digest tells that all is as it was. Where the plan itself is at hand, what has changed is told exactly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import one_line

# Parts by name, those of hosts last: {name: plain data without a secret}.
Parts = Mapping[str, Any]

HOST = "host "
SHARED = "what all hosts share"
# What follows from all else: it is named only where nothing else has changed.
DERIVED = "what is to be made in AWS"
UNTOUCHED = "Nothing was touched."
# What comes before the hosts can be looked at, where it was retired.
BROUGHT_BACK = "The old Redis, which was retired, runs again by now; no host was touched."
MOST_HOSTS = 32  # that have marks of their own; more of them share

_DIGEST = re.compile(r"([a-z]+)-([0-9a-f]{32})-([a-z2-7]+)")
# The line of a page. What a host has named begins no line.
_LINE = re.compile(rf"^Digest: `({_DIGEST.pattern})`$", re.MULTILINE)
MOST_LINES = 8  # of one part
_LENGTH = 2


class ApprovalRefused(Exception):
    """What is approved is not this plan; the text is for the operator."""


def fingerprints(parts: Parts) -> dict[str, str]:
    """SHA-256 of each part."""
    return {name: _sha256(data).hexdigest() for name, data in parts.items()}


def digest(goal: str, made_of: Mapping[str, str], done: Any) -> str:
    """``made_of`` are the fingerprints of the parts; ``done`` is all that will be done, as plain data."""
    whole = _sha256({"goal": goal, "made_of": dict(made_of), "done": done}).hexdigest()[:32]
    return f"{goal}-{whole}-{''.join(_marks(made_of).values())}"


def is_digest(text: str) -> bool:
    return bool(_DIGEST.fullmatch(text))


def found_in(page: str) -> str:
    """The digest that a page of a plan has; empty where it has none, or several that differ."""
    found = {match[1] for match in _LINE.finditer(page)}
    return found.pop() if len(found) == 1 else ""


def refuse_another(approved: str, now: str, made_of: Mapping[str, str], before: Parts, parts: Parts) -> None:
    """Raises ApprovalRefused, unless the digest ``approved`` is ``now``'s.

    ``before`` are the parts of the plan that was approved, empty where only its digest is known; ``parts`` are these.
    """
    if approved == now:
        return
    refuse_no_digest(approved, now.partition("-")[0])
    _raise(changed(approved, made_of, before, parts) or ["what follows from them, as the lines above have it"])


def refuse_drift(approved: str, goal: str, made_of: Mapping[str, str], before: Parts, parts: Parts) -> None:
    """The same as far as these parts tell it, before the others can be looked at."""
    refuse_no_digest(approved, goal)
    told = changed(approved, made_of, before, parts)
    if told:
        _raise(told)


def drifted_while_made(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What the app reads, and was to be as it was, by the fingerprints of the parts."""
    return [name for name in now if (name == SHARED or name.startswith(HOST)) and now[name] != before.get(name)]


def refuse_no_digest(approved: str, goal: str) -> None:
    match = _DIGEST.fullmatch(approved)
    if not match:
        raise ApprovalRefused(
            f"migration_approve is {approved[:100]!r}, which is no digest of a plan: it is what the last line of the "
            f"plan has, or the file that migration_plan_out named. {UNTOUCHED}"
        )
    if match[1] != goal:
        raise ApprovalRefused(
            f"migration_approve approves a plan of {match[1]}, and this is {goal}. {UNTOUCHED} Give the "
            "digest of this one's plan, or leave it out."
        )


def _raise(told: Sequence[str]) -> None:
    raise ApprovalRefused(
        "\n".join(
            [
                "This is not the plan that was approved. Another one since then:",
                *(f"- {one_line(line)}" for line in told),
                f"{UNTOUCHED} Make a new plan with migration_plan_out, and have that approved. Where a run of the one "
                "that was approved ended on its way, this is what it did: the new plan has what is left of it.",
            ]
        )
    )


def changed(approved: str, made_of: Mapping[str, str], before: Parts, parts: Parts) -> list[str]:
    """Each part that is another one by now, in words; of a plan at hand what of it, before and now."""
    if before:
        names = (*before, *(name for name in parts if name not in before))
        told = [line for name in names for line in _first(list(_differences(before, parts, name)), name)]
        return [line for line in told if not line.startswith(DERIVED)] or told
    given, now = approved.rpartition("-")[2], _marks(made_of)
    is_whole = any(name.startswith(HOST) for name in made_of)  # else the hosts are not looked at yet
    if is_whole and len(given) != sum(map(len, now.values())):
        return ["the hosts of this run, or the version of this collection"]
    told = [name for name, mark in zip(now, _pairs(given)) if mark != now[name]]
    return [name for name in told if name != DERIVED] or told


def _first(lines: Sequence[str], name: str) -> list[str]:
    """Of a part that is another one as a whole nobody reads all that differs."""
    more = len(lines) - MOST_LINES
    return list(lines) if more <= 0 else [*lines[:MOST_LINES], f"{name}: {more} more"]


def _differences(before: Parts, now: Parts, name: str) -> Iterable[str]:
    if name not in before:
        yield f"{name}: it was not there"
    elif name not in now:
        yield f"{name}: it is not there any more"
    else:
        yield from _of_data(name, before[name], now[name])


def _of_data(where: str, before: Any, now: Any) -> Iterable[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*before, *now)):
            yield from _of_data(f"{where}: {key}", before.get(key), now.get(key))
    elif isinstance(before, (list, tuple)) and isinstance(now, (list, tuple)) and len(before) == len(now):
        for number, (one, other) in enumerate(zip(before, now), 1):
            yield from _of_data(f"{where} {number}" if len(before) > 1 else where, one, other)
    elif before != now and (before or now):  # else it is nothing to a person
        yield f"{where}: {_shown(before)} -> {_shown(now)}"


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 200 else f"{text[:200]} …"


def _marks(made_of: Mapping[str, str]) -> dict[str, str]:
    """By what they stand for, in order. Hosts beyond MOST_HOSTS share."""
    fixed = [name for name in made_of if not name.startswith(HOST)]
    hosts = sorted(name for name in made_of if name.startswith(HOST))  # their order is told by "the hosts" alone
    shared = [hosts[first::MOST_HOSTS] for first in range(min(MOST_HOSTS, len(hosts)))]
    marks = {name: _mark([made_of[name]]) for name in fixed}
    return {**marks, **{_of_several(names): _mark([made_of[name] for name in names]) for names in shared}}


def _of_several(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(name[len(HOST) :] for name in names)}"


def _mark(fingerprints: Sequence[str]) -> str:
    return base64.b32encode(_sha256(list(fingerprints)).digest()).decode()[:_LENGTH].lower()


def _pairs(marks: str) -> list[str]:
    return [marks[at : at + _LENGTH] for at in range(0, len(marks), _LENGTH)]


def _sha256(data: Any) -> Any:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode())
