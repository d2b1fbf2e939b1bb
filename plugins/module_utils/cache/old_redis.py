# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The old Redis as an app host that may have left it knows it: by the journal of its values. Standard library only."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import read_clients
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    keyspace,
    parse_info,
    server_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed, not_told
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import read_persistence
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.writes import read_writes
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import Form
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import (
    location,
    urls_in_file,
)

# What a module must be told to know the app's values.
_FILE = {
    "path": {"type": "path", "required": True},
    "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "forms": {"type": "dict", "default": {}},
}
_URL = {
    "name": {"type": "str", "required": True},
    "original": {"type": "str", "default": "", "no_log": True},
    "current": {"type": "str", "default": "", "no_log": True},
}
VALUES: dict[str, Any] = {
    "values": {"type": "list", "elements": "dict", "default": [], "options": _FILE},
    "urls": {"type": "list", "elements": "dict", "default": [], "options": _URL},
    "migration_name": {"type": "str", "required": True},
    "state_dir": {"type": "path", "default": "/var/lib/cache_migration"},
    "target_address": {"type": "str", "default": ""},
}


@dataclass(frozen=True)
class Value:
    """One of the app's values: as it is now, and as it was before this migration; empty where there is none."""

    name: str
    original: str = field(repr=False, default="")
    current: str = field(repr=False, default="")

    def old_url(self, target_address: str) -> str:
        """Where the old Redis is: the original, or the value itself where it does not lead to the target."""
        if self.original:
            return self.original
        if self.current and target_address and parse_url(self.current).host != target_address:
            return self.current
        return ""


def values_in(file: Mapping[str, Any], state_dir: str, migration_name: str) -> list[Value]:
    """From a file and its journal, each that leads somewhere. Raises EndpointError."""
    forms = {str(key): Form.from_dict(form) for key, form in (file.get("forms") or {}).items()}
    found = urls_in_file(file["path"], list(file["keys"]), forms, state_dir, migration_name)
    return [Value(key, original, current) for key, (original, current) in found.items()]


def values_of(params: Mapping[str, Any]) -> list[Value]:
    """From the files and their journal, or else as given. Raises EndpointError."""
    where = (params["state_dir"], params["migration_name"])
    given = [Value(one["name"], one["original"] or "", one["current"] or "") for one in params.get("urls") or ()]
    return [value for file in params.get("values") or () for value in values_in(file, *where)] or given


def old_url(values: Sequence[Value], target_address: str) -> str:
    """Of the first value that knows the old Redis."""
    return next(filter(None, (value.old_url(target_address) for value in values)), "")


def describe(value: Value, target_address: str) -> dict[str, Any]:
    """Where it led, which addresses that has here, and where it leads now."""
    original = place_of(value.old_url(target_address))
    return {
        "name": value.name,
        "original": original,
        "addresses": addresses_of(original) if original else [],
        "current": place_of(value.current),
    }


def place_of(url: str) -> dict[str, Any]:
    return location(parse_url(url)) if url else {}


def addresses_of(place: Mapping[str, Any]) -> list[str]:
    """As this host resolves the name; none where it does not."""
    try:
        found = socket.getaddrinfo(place["host"], int(place["port"]), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({str(sockaddr[0]) for *_kind, sockaddr in found})


def look(url: str, seconds: float) -> dict[str, Any]:
    """What the old Redis says of itself: its keys, its clients but us, and what it was told to write. Reads only."""
    parts = parse_url(url)
    try:
        with session(Question(url, expected_role="any", seconds=seconds, tls_as_app=True)) as connection:
            return _said(connection)
    except ProbeFailed as failed:
        return {"failure": failed.failure.sentence, "kind": failed.failure.kind}
    except CacheError as error:
        failure = not_told(parts, str(error))
        return {"failure": failure.sentence, "kind": failure.kind}


def _said(connection: Connection) -> dict[str, Any]:
    info = parse_info(connection.ask("INFO"))
    return {
        "failure": "",
        "peer": connection.peer,
        "server": asdict(server_of(info)),
        "keyspace": {str(number): counts for number, counts in keyspace(info).items()},
        "clients": [asdict(client) for client in read_clients(connection)],
        "persistence": read_persistence(connection, info),
        "writes": _writes(connection),
    }


def _writes(connection: Connection) -> dict[str, Any]:
    """Empty where the server does not let this user ask: then no backup counts as current."""
    try:
        return read_writes(connection)
    except ServerError:
        return {}
