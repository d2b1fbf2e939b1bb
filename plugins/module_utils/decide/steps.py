# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The steps of moving what reads values, whichever way: each key of its values, then each of its services. Pure."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look, Seen
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import RESTART, SHARED, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import NOT_RUNNING

# The step of a consumer's key, by what it is called and what a look says of it; None where nothing is done.
OfKey = Callable[[str, str, Mapping[str, Any]], "Step | None"]


def of_shared(known: Known, of_key: OfKey) -> list[Step]:
    return [step for one in known.shared for step in _of_value(SHARED, str(one["words"]), one, of_key)]


def of_consumer(look: Look, is_changed: bool, of_key: OfKey) -> Iterable[Step]:
    for value in look.values:
        yield from _of_value(look.consumer, str(value.get("path")), value, of_key)
    for service in look.services:
        if is_changed or service.get("restarted"):
            why = str(service.get("reason") or "")
            told = f", as {why}" if why.startswith(NOT_RUNNING) else ""
            yield Step(look.consumer, f"restart {service['name']}{told}", disruptive=True, kind=RESTART)


def _of_value(consumer: str, place: str, value: Seen, of_key: OfKey) -> Iterable[Step]:
    steps = (of_key(consumer, f"{place} {key}", change) for key, change in (value.get("changes") or {}).items())
    return (step for step in steps if step)
