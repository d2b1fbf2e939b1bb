# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which cache is meant: a URL, a URL in the app's .env, or an endpoint with its token. Standard library only."""

from __future__ import annotations

import os
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    Endpoint,
    EndpointError,
    UrlParts,
    probe_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import Form, urls
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file, symlinks
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import journal
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import foreign
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import store as dotenv_store
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv


def url_of(params: Mapping[str, Any]) -> str:
    """The URL that the options ``url``, ``env_path`` and ``env_key``, or ``endpoint`` mean. Raises EndpointError.

    With ``migration_name``, what was in ``env_path`` before that migration. Empty where the endpoint is yet to be made.
    """
    if params.get("url"):
        return str(params["url"])
    if params.get("env_path"):
        original = original_of(params) if params.get("migration_name") else None
        return original or url_in_file(params["env_path"], params["env_key"])
    endpoint = Endpoint.from_dict(params["endpoint"])
    if not endpoint.is_known:
        return ""
    return probe_url(endpoint, params.get("auth_token") or "", params.get("database") or 0)


def urls_in_file(
    path: str, keys: Sequence[str], forms: Mapping[str, Form], state_dir: str, migration_name: str
) -> dict[str, tuple[str, str]]:
    """What each key that leads somewhere was before the migration, by the journal on this host, and what it is now:
    URLs, and empty where there is none. Keys of ``forms`` need not be there.
    """
    document = _document(path)
    for key in keys:
        if key not in forms:
            url_in_file(path, key, document)
    try:
        with dotenv_store.Location.of(os.path.abspath(path), state_dir, migration_name) as place:
            known = place.known()
            entries = {key: known.find(dotenv_store.STORE, place.path, key) for key in keys}
    except (atomic_file.FileRefused, journal.JournalError) as error:
        raise EndpointError(str(error))
    current = {key: document.value(key) for key in keys}
    before = {key: entry.original if entry else current[key] for key, entry in entries.items()}
    was, now = urls(forms, before), urls(forms, current)
    groups = {key: forms.get(key, Form()).group_of(key) for key in keys}
    changed = {groups[key] for key, entry in entries.items() if entry}
    heads = [key for key in keys if forms.get(key, Form()).leads]
    return {key: ((was[key] or "") if groups[key] in changed else "", now[key] or "") for key in heads}


def _document(path: str) -> dotenv.Document:
    try:
        with symlinks.followed(path) as place:
            content = atomic_file.read(place)
    except atomic_file.FileRefused as error:
        raise EndpointError(str(error))
    if content is None:
        raise EndpointError(f"{path} does not exist: check env_path (migration_values)")
    document = dotenv.parse(content)
    other = foreign.kind_of(document)
    if other:
        raise EndpointError(f"{path} {other.sentence} (migration_values)")
    return document


def url_in_file(path: str, key: str, document: dotenv.Document | None = None) -> str:
    """The value of ``key`` in a .env file, as the app reads it."""
    document = document or _document(path)
    value = document.value(key)
    if value is None:
        raise EndpointError(
            f"{path} has no {key} ({dotenv.absence(document, key)}): set env_key (migration_values) to the key that "
            "holds the cache's URL"
        )
    if not value:
        raise EndpointError(f"{key} in {path} is empty: it must hold the cache's URL")
    return value


def original_of(params: Mapping[str, Any]) -> str | None:
    """What ``env_key`` in ``env_path`` was before the migration, by the journal on this host; None: not recorded."""
    path = os.path.abspath(params["env_path"])
    try:
        with dotenv_store.Location.of(path, params["state_dir"], params["migration_name"]) as place:
            entry = place.known().find(dotenv_store.STORE, place.path, params["env_key"])
    except (atomic_file.FileRefused, journal.JournalError) as error:
        raise EndpointError(str(error))
    return entry.original if entry else None


def location(parts: UrlParts) -> dict[str, Any]:
    """The place without its secrets."""
    return {"host": parts.host, "port": parts.port, "tls": parts.tls, "database": parts.database}


def refuse_unix_socket(parts: UrlParts) -> None:
    """A cache behind a path lies on this host itself: there is no way to it that a probe could prove."""
    if parts.scheme == "unix":
        raise EndpointError(
            f"the cache is the unix socket {parts.host}, which no other host reaches, and probes go over TCP: let the "
            "old Redis listen on an address too, and write that with redis:// in its place first"
        )
