# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether all readers of a file have of an edit what it is meant to be, and nothing else. Pure.

A reader that ends with an error on the file as it is reads nothing of it today, so it is not the app's; but where the
option ``dialect`` names it, it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    REPLACED,
    Reading,
    Unknown,
    Unreadable,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.table import READERS

Changed = Mapping[str, "str | None"]  # the keys that an edit is of, with what they are to be; None: not there


class DialectError(ValueError):
    """Nobody is known by that name; the text says who is."""


@dataclass(frozen=True)
class Dialect:
    """Who reads the file: ``names`` as stated, or everybody where nothing is."""

    names: tuple[str, ...] = ()
    readers: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        strangers = sorted(set(self.names) - set(READERS))
        if strangers:
            raise DialectError(f"dialect names {', '.join(strangers)}: use {', '.join(READERS)}")
        object.__setattr__(self, "readers", self.names or tuple(READERS))


@dataclass(frozen=True)
class Differences:
    """For each reader that has something else of a file than is meant: what, as the rest of a sentence."""

    of: Mapping[str, str]
    agreed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.of)


def differences(before: str, after: str, changed: Changed, dialect: Dialect) -> Differences:
    """``before`` and ``after`` are the file's text; of what is not changed, each reader has what it had."""
    found: dict[str, str] = {}
    agreed = []
    for name in dialect.readers:
        answers = [_difference(read, before, after, changed) for read in READERS[name]]
        told = [answer for answer in answers if answer]
        if any(isinstance(answer, _Fails) for answer in answers):
            if dialect.names:
                found[name] = str(next(answer for answer in answers if isinstance(answer, _Fails)))
        elif told:
            found[name] = str(told[0])
        else:
            agreed.append(name)
    return Differences(found, tuple(agreed))


class _Fails(str):
    """A reader that reads nothing of the file as it is."""


def _difference(read: Callable[[str], Reading], before: str, after: str, changed: Changed) -> str:
    try:
        had = read(before)
    except Unknown as error:
        return f"could not be followed, as {error}"
    except Unreadable as error:
        return _Fails(f"would read nothing of the file, as {error}")
    try:
        has = read(after)
    except Unreadable as error:
        return f"would read nothing of the file any more, as {error}"
    return _of_the_keys(has, changed) or _of_others(had, has, changed)


def _of_the_keys(has: Reading, changed: Changed) -> str:
    for key, value in changed.items():
        if has.get(key) == value:
            continue
        if value is None:
            return f"would still find {key}"
        if key not in has:
            return f"would not find {key}"
        if REPLACED in has[key]:
            return f"would replace a part of {key}, as of a variable or a command"
        return f"would read another value for {key}"
    return ""


def _of_others(had: Reading, has: Reading, changed: Changed) -> str:
    others = [key for key in {**had, **has} if had.get(key) != has.get(key) and key not in changed and _is_asked(key)]
    if any(key.startswith(REPLACED) for key in others):
        return "would lose what stands on the line beside the value"
    return f"would read {_listed(sorted(others))} otherwise than before" if others else ""


def _is_asked(key: str) -> bool:
    """A name with a blank in it (`export A` for python-decouple) is one that no app asks for."""
    return key.startswith(REPLACED) or not any(sign.isspace() for sign in key)


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def sentence(key: str, found: Differences, hints: Sequence[str]) -> str:
    """Which readers differ about a key, why, and what to do."""
    by_what: dict[str, list[str]] = {}
    for name, what in found.of.items():
        by_what.setdefault(what, []).append(name)
    told = "; ".join(f"{_listed(names)} {what}" for what, names in by_what.items())
    why = f" ({'; '.join(hints)})" if hints else ""
    way_out = (
        f"Where it is read by {_listed(found.agreed)} alone, name those in dialect; else write the line by hand so "
        "that all read it, and run again"
        if found.agreed
        else "Write the line by hand so that all read it, and run again"
    )
    return f"{key} would not be the same to all readers of the file{why}. {told}. {way_out}"
