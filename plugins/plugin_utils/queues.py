# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The queues whose jobs services do, as modules are told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration, Service
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import BRINGING

ByKey = Mapping[str, Sequence[Mapping[str, Any]]]  # where the queues are, by the key that leads there

BRING = "bring"  # of migration_queues_left


def come_along(settings: Mapping[str, Any]) -> bool:
    """Moved for themselves, so that nothing has to be waited for that is due later."""
    return settings.get("transfer") in BRINGING


def may_be_left(settings: Mapping[str, Any]) -> bool:
    """By the last workers, where the time for them is over."""
    return come_along(settings) and settings.get("queues_left") == BRING


def by_key(places: Iterable[tuple[str, Mapping[str, Any]]]) -> ByKey:
    """Several files may have a key of one name."""
    queues: dict[str, list[Mapping[str, Any]]] = {}
    for key, place in places:
        queues.setdefault(key, []).append(place)
    return queues


def of_service(service: Service, queues: ByKey) -> list[dict[str, Any]]:
    """Those that are waited for before it is restarted."""
    return [{"names": list(names), **one} for key, names in service.queues.items() for one in queues.get(key, ())]


def named(migration: Migration, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of all services, by the numbers of their databases."""
    databases: dict[str, set[int]] = {}
    for value in migration.own:
        for name, number in value.databases(settings).items():
            databases.setdefault(name, set()).add(number)
    names: dict[int, list[str]] = {}
    for service in migration.services:
        for key, of_key in service.queues.items():
            for number in sorted(databases.get(key, ())):
                names.setdefault(number, []).extend(of_key)
    return [{"database": number, "names": list(dict.fromkeys(of_it))} for number, of_it in sorted(names.items())]
