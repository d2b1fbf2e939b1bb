# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What no system remembers of a migration: when the cutover was, which token was set, what was backed up.

One entry is one parameter of type String under ``/cache_migration/<migration_name>/``, and holds a JSON object without
secrets. Beside the entries are the lock, and the journal of values in AWS stores, whose originals are SecureStrings.

Time is AWS's: every answer tells it in its Date header, so that two controllers whose clocks differ agree on it.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.record import kept
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import check_migration_name

_ENTRY = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_JOURNAL = "journal/"


class LedgerError(ValueError):
    """The ledger cannot be used; the text is a sentence for the operator."""


@dataclass(frozen=True)
class Entry:
    """What is under a name: ``value`` is None where there is none. ``now`` is AWS's time of this look."""

    value: dict[str, Any] | None
    version: int
    now: datetime


@dataclass(frozen=True)
class Contents:
    """The whole ledger of a migration; ``journaled`` are the parameters of AWS stores whose originals it keeps.

    ``written`` is when AWS itself says that the parameter of each entry was written.
    """

    entries: dict[str, dict[str, Any]]
    journaled: list[str]
    now: datetime
    written: dict[str, datetime] = field(default_factory=dict)

    def dated(self, migration_name: str, entry: str) -> dict[str, Any]:
        """An entry with a ``time`` to count from, empty where there is none.

        Whoever may write the parameter can state an older time, but not make AWS say that it was written earlier.
        """
        value = self.entries.get(entry)
        if not value:
            return {}
        try:
            time = as_time(str(value.get("time", "")))
        except LedgerError as error:
            raise _broken(parameter(migration_name, entry), f" ({error})")
        return {**value, "time": as_text(max(time, self.written.get(entry, time)))}


def folder(migration_name: str) -> str:
    check_migration_name(migration_name)
    return f"/cache_migration/{migration_name}"


def parameter(migration_name: str, entry: str) -> str:
    if not _ENTRY.match(entry):
        raise LedgerError(f"{entry!r} is no name of an entry: use lower-case letters, digits and '_'")
    return f"{folder(migration_name)}/{entry}"


def read(client: Any, migration_name: str, entry: str) -> Entry:
    name = parameter(migration_name, entry)
    try:
        answer = client.get_parameter(Name=name)
    except client.exceptions.ParameterNotFound as missing:
        return Entry(None, 0, aws_time(missing.response))
    found = answer["Parameter"]
    return Entry(_parse(name, found["Value"]), int(found["Version"]), aws_time(answer))


def read_version(client: Any, migration_name: str, entry: str, version: int) -> dict[str, Any] | None:
    """An earlier version of an entry; None where it is not kept any more."""
    name = parameter(migration_name, entry)
    try:
        found = client.get_parameter(Name=f"{name}:{version}")["Parameter"]
    except (client.exceptions.ParameterVersionNotFound, client.exceptions.ParameterNotFound):
        return None
    return _parse(name, found["Value"])


def read_all(client: Any, migration_name: str) -> Contents:
    prefix = f"{folder(migration_name)}/"
    entries: dict[str, dict[str, Any]] = {}
    written: dict[str, datetime] = {}
    journaled: list[str] = []
    now = datetime.min.replace(tzinfo=timezone.utc)  # until the first page: there is one at least
    for page in client.get_paginator("get_parameters_by_path").paginate(Path=folder(migration_name), Recursive=True):
        now = aws_time(page)
        for found in page["Parameters"]:
            name = found["Name"][len(prefix) :]
            if name.startswith(_JOURNAL):
                journaled.append(_decoded(name[len(_JOURNAL) :]))
            else:
                entries[name] = _parse(found["Name"], found["Value"])
                written[name] = found["LastModifiedDate"].astimezone(timezone.utc)
    return Contents(entries, sorted(journaled), now, written)


def write(client: Any, migration_name: str, entry: str, value: Mapping[str, Any], overwrite: bool = True) -> int:
    """Returns the version. Raises ParameterAlreadyExists where there is one and ``overwrite`` is false.

    Who may read a parameter of type String may not be one who may know a secret: ``kept`` holds the value to that.
    """
    name = parameter(migration_name, entry)
    text = json.dumps(kept(value), sort_keys=True)
    return int(client.put_parameter(Name=name, Value=text, Type="String", Overwrite=overwrite)["Version"])


def remove(client: Any, migration_name: str, entry: str) -> None:
    with suppress(client.exceptions.ParameterNotFound):
        client.delete_parameter(Name=parameter(migration_name, entry))


def aws_time(answer: Mapping[str, Any]) -> datetime:
    """When AWS gave this answer (or error), to the second."""
    told = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
    return parsedate_to_datetime(told).astimezone(timezone.utc)


def as_text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise LedgerError(f"{text!r} is no time such as 2026-11-25T19:42:11Z")


def _parse(name: str, text: str) -> dict[str, Any]:
    with suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, dict):
            return value
    raise _broken(name)


def _broken(name: str, why: str = "") -> LedgerError:
    return LedgerError(
        f"the parameter {name} does not hold what this collection writes there{why}: look at its history "
        "(aws ssm get-parameter-history), and put back the version before, or delete it"
    )


def _decoded(name: str) -> str:
    """The parameter's name that ssm_store.journal_name encoded."""
    return re.sub(r"_([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), name)
