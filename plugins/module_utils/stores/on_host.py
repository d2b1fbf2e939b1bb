# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The stores on a host, by the word that the option ``store`` has for each.

A migration changes their values by app_host_change; env_update is the door for people.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import Any, Callable, ContextManager, Iterable, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import Form, urls
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import store as dotenv

MODULE = "env_update"


@dataclass(frozen=True)
class HostStore:
    """``locate`` takes the path of it, the state directory and the migration's name, and gives what ``plan`` and
    ``carry_out`` take after the request, with its ``path`` behind all symbolic links. These two take the time as text
    last, and return what has ``decisions``, ``changes`` and ``is_journaled(location, key)``. ``values`` takes the path,
    and gives all that are there, by their keys.
    """

    locate: Callable[[str, str, str], ContextManager[Any]]
    plan: Callable[[Request, Any, str], Any]
    carry_out: Callable[[Request, Any, str], Any]
    values: Callable[[str], Mapping[str, str]]


STORES: Mapping[str, HostStore] = {
    dotenv.STORE: HostStore(dotenv.Location.of, dotenv.plan, dotenv.carry_out, dotenv.values),
}


# The option ``values`` of the modules that look at a host as a whole, or change it.
VALUES: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "no_log": True,
    "options": {
        "store": {"type": "str", "choices": list(STORES), "default": dotenv.STORE},
        "path": {"type": "path", "required": True},
        "keys": {"type": "dict", "required": True, "no_log": True},
        "dialect": {"type": "list", "elements": "str", "default": []},
        "forms": {"type": "dict", "default": {}},
    },
}


def change_value(params: Mapping[str, Any], value: Mapping[str, Any], is_look: bool) -> dict[str, Any]:
    """The same for one of VALUES, as an entry of a result. ``params`` have all else that env_update takes."""
    where = {"store": value["store"], "path": value["path"]}
    wanted = {
        **params,
        **where,
        "values": value["keys"],
        "dialect": value["dialect"],
        "forms": value["forms"],
        "create": False,
    }
    return {**where, **change(Request.from_params(wanted), wanted, is_look)}


def change(request: Request, params: Mapping[str, Any], is_look: bool) -> dict[str, Any]:
    """Change the values that ``store`` and ``path`` of the options hold, or see what would change, as a result has it.

    Raises ChangeRefused, FileRefused and JournalError.
    """
    store = STORES[params["store"]]
    act = store.plan if is_look else store.carry_out
    with store.locate(os.path.abspath(params["path"]), params["state_dir"], request.migration_name) as location:
        planned = act(request, location, contract.now())
    journaled = {key: planned.is_journaled(location, key) for key in request.values}
    return {"changed": planned.changes, **contract.shown(location.path, planned.decisions, journaled, request.forms)}


def written(value: Mapping[str, Any]) -> str:
    """When the file of one of VALUES was changed last, and how large it is: its version. Empty where there is none.

    By the time that the kernel keeps of it, as whoever owns a file sets the other (mtime) to what it was before.
    """
    with contextlib.suppress(OSError):
        status = os.stat(os.path.abspath(value["path"]))
        seconds, rest = divmod(status.st_ctime_ns, 10**9)
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return f"{when}.{rest:09d}Z, {status.st_size} bytes"
    return ""


def values_of(value: Mapping[str, Any]) -> Mapping[str, str]:
    """All that is where one of VALUES is, by key. Raises FileRefused."""
    return STORES[value["store"]].values(os.path.abspath(value["path"]))


def leading_to(values: Iterable[Mapping[str, Any]], place: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What the keys of each of VALUES hold, where all of these lead to that ``address`` and ``port``. Secrets."""
    for value in values if place else ():
        with contextlib.suppress(FileRefused):
            there = values_of(value)
            held = {key: there[key] for key in value["keys"] if key in there}
            forms = {key: Form.from_dict(form) for key, form in value["forms"].items()}
            led = [contract.location(url) for url in urls(forms, held).values() if url is not None]
            if led and all(one and _is_at(one, place) for one in led):
                yield held


def _is_at(location: Mapping[str, Any], place: Mapping[str, Any]) -> bool:
    return (location["host"], int(location["port"])) == (place["address"], int(place["port"]))
