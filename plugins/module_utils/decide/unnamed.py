# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys beside those that are moved by which the app would go on with the old Redis. Pure."""

from __future__ import annotations

import re
from typing import Collection, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import leads

OPTION = "migration_unmoved_keys"

# Of Celery's own names, which reader a URL has: https://docs.celeryq.dev/en/stable/userguide/configuration.html
_READERS = (("BROKER", "celery-broker"), ("RESULT_BACKEND", "celery-backend"), ("CELERY_RESULT", "celery-backend"))

# A key may be any text, and what is shown is to be pasted.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

_WHY = {
    leads.URL: "leads there",
    leads.PART: "leads there with others",
    leads.MENTION: "has its address within",
    leads.HANGS: "is made of a value that changes",
}


def refusal(looks: Mapping[str, Look], waived: Collection[str]) -> str:
    """Names every key with the hosts that have it, and the lines to paste; empty where there is none."""
    hosts: dict[tuple[str, leads.Lead], list[str]] = {}
    for host, look in looks.items():
        for path, lead in _leads(look):
            if lead.key not in waived:
                hosts.setdefault((path, lead), []).append(host)
    if not hosts:
        return ""
    told = [
        f"{', '.join(each)}: {path} {_shown(lead.key)} {_WHY[lead.how]}{_which(lead)}."
        for (path, lead), each in hosts.items()
    ]
    keys = sorted({lead.key for _path, lead in hosts if _PLAIN.fullmatch(lead.key)})
    lines = {_pasted(lead): None for _path, lead in hosts if lead.form and lead.key in keys}
    paste = ["Under the keys of that file in migration_values:", *lines] if lines else []
    return "\n".join(
        [
            "migration_values does not name every key that leads to the old Redis, and the app would be on two caches.",
            *told,
            f"Name them there, or say that they may stay as they are: {OPTION}: [{', '.join(keys)}]",
            *paste,
        ]
    )


def _leads(look: Look) -> list[tuple[str, leads.Lead]]:
    return [
        (str(value.get("path")), leads.Lead(**lead)) for value in look.values for lead in value.get("unnamed") or ()
    ]


def _shown(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else "has a key that is no plain name, which"


def _which(lead: leads.Lead) -> str:
    return (
        f" (database {lead.database})" if lead.how == leads.URL else f" ({lead.form})" if lead.how == leads.PART else ""
    )


def _pasted(lead: leads.Lead) -> str:
    if lead.form == "url":
        reader = next((reader for part, reader in _READERS if part in lead.key.upper()), "")
        told = f", reader: {reader}" if reader else ""
        return f"  {lead.key}: {{form: url, database: {lead.database}{told}}}"
    if lead.form == "tls" and lead.off in leads.WORDS_ON:
        return f"  {lead.key}: {{form: tls, on: '{leads.WORDS_ON[lead.off]}', off: '{lead.off}'}}"
    if lead.form == "database":
        return f"  {lead.key}: {{form: database, database: {lead.database}}}"
    return f"  {lead.key}: {{form: {lead.form}}}"
