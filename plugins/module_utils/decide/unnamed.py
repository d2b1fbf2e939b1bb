# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys beside those that are moved by which the app would go on with the old Redis. Pure."""

from __future__ import annotations

from typing import Any, Collection, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import leads

OPTION = "migration_unmoved_keys"

# Of Celery's own names, which reader a URL has: https://docs.celeryq.dev/en/stable/userguide/configuration.html
_READERS = (("BROKER", "celery-broker"), ("RESULT_BACKEND", "celery-backend"), ("CELERY_RESULT", "celery-backend"))

_WHY = {
    leads.URL: "leads there",
    leads.MENTION: "has its address within",
    leads.HANGS: "is made of a value that changes",
}


def refusal(looks: Mapping[str, Look], waived: Collection[str]) -> str:
    """Names every key with the hosts that have it, and the lines to paste; empty where there is none."""
    hosts: dict[tuple[str, str, str, int], list[str]] = {}
    for host, look in looks.items():
        for path, lead in _leads(look):
            if lead["key"] not in waived:
                hosts.setdefault((path, lead["key"], lead["how"], int(lead["database"])), []).append(host)
    if not hosts:
        return ""
    told = [
        f"{', '.join(each)}: {path} {key} {_WHY[how]}{f' (database {database})' if how == leads.URL else ''}."
        for (path, key, how, database), each in hosts.items()
    ]
    keys = sorted({key for _path, key, _how, _database in hosts})
    lines = {_pasted(key, database): None for (_path, key, how, database) in hosts if how == leads.URL}
    paste = ["Under the keys of that file in migration_values:", *lines] if lines else []
    return "\n".join(
        [
            "migration_values does not name every key that leads to the old Redis, and the app would be on two caches.",
            *told,
            f"Name them there, or say that they may stay as they are: {OPTION}: [{', '.join(keys)}]",
            *paste,
        ]
    )


def _leads(look: Look) -> list[tuple[str, Mapping[str, Any]]]:
    return [(str(value.get("path")), lead) for value in look.values for lead in value.get("unnamed") or ()]


def _pasted(key: str, database: int) -> str:
    reader = next((reader for part, reader in _READERS if part in key.upper()), "")
    told = f", reader: {reader}" if reader else ""
    return f"  {key}: {{form: url, database: {database}{told}}}"
