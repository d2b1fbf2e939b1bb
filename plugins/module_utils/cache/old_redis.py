# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The old Redis as an app host that may have left it knows it: from the journal of its value. Standard library only."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    keyspace,
    parse_info,
    server_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed, without_secret
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import read_clients, read_persistence
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.writes import read_writes
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import (
    location,
    original_of,
    url_in_file,
)


@dataclass(frozen=True)
class Values:
    """The app's value now, and the one before this migration; empty where there is none."""

    original: str = field(repr=False, default="")
    current: str = field(repr=False, default="")


def values_of(params: Mapping[str, Any]) -> Values:
    """From the file and its journal, or as given. Raises EndpointError."""
    if not params.get("env_path"):
        return Values(params.get("original_url") or "", params.get("current_url") or "")
    return Values(original_of(params) or "", url_in_file(params["env_path"], params["env_key"]))


def old_url(values: Values, target_address: str) -> str:
    """Where the old Redis is: the original, or the value itself where it does not lead to the target."""
    if values.original:
        return values.original
    if values.current and target_address and parse_url(values.current).host != target_address:
        return values.current
    return ""


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
        with session(Question(url, expected_role="any", seconds=seconds)) as connection:
            return _said(connection)
    except ProbeFailed as failed:
        return {"failure": failed.failure.sentence, "kind": failed.failure.kind}
    except CacheError as error:
        return {"failure": without_secret(str(error), parts), "kind": "server_error"}


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
