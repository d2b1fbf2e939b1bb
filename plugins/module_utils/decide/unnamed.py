# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys by which the app would go on with the old Redis, and what is to be named where nothing is. Pure."""

from __future__ import annotations

import re
from typing import Any, Collection, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import SettingError, Value
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import leads

OPTION = "migration_unmoved_keys"
NOTHING = "migration_values is empty, so there is nothing to move"
EXAMPLE = "say what the app reads, as [{store: dotenv, path: /opt/shop/.env, keys: {REDIS_URL: url}}]"

# Of Celery's own names, which reader a URL has: https://docs.celeryq.dev/en/stable/userguide/configuration.html
_READERS = (("BROKER", "celery-broker"), ("RESULT_BACKEND", "celery-backend"), ("CELERY_RESULT", "celery-backend"))

# A key may be any text, and what is shown is to be pasted.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./@+-]*")
_NO_TEXT = re.compile(r"(?i)y|yes|n|no|on|off|true|false|null")  # to YAML 1.1

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
    key = f"'{lead.key}'" if _NO_TEXT.fullmatch(lead.key) else lead.key
    told = (f"{name}: '{value}'" if name in _QUOTED else f"{name}: {value}" for name, value in _stated(lead).items())
    return f"  {key}: {{{', '.join(told)}}}"


_QUOTED = ("on", "off", "template")


def _stated(lead: leads.Lead) -> dict[str, Any]:
    """What migration_values is to say of a key."""
    if lead.form == "url":
        reader = next((reader for part, reader in _READERS if part in lead.key.upper()), "")
        return {"form": "url", "database": lead.database, **({"reader": reader} if reader else {})}
    if lead.form == "tls" and lead.off in leads.WORDS_ON:
        return {"form": "tls", "on": leads.WORDS_ON[lead.off], "off": lead.off}
    if lead.form == "database":
        return {"form": "database", "database": lead.database}
    return {"template": lead.form} if lead.form == leads.HOST_AND_PORT else {"form": lead.form}


# --- where nothing is named ---


def proposal(looks: Mapping[str, Look]) -> str:
    """What is to be named, as YAML that passes the check of the option; empty where nobody looked for it."""
    looked = {host: look for host, look in looks.items() if look.found}
    if not looked:
        return ""
    is_nothing_named = not any(look.values for look in looks.values())
    entries = _entries(looked)
    lines = [line for path, keys in entries.items() for line in _entry(path, keys)]
    intro = NOTHING if is_nothing_named else "None of the keys that migration_values names is in that file"
    if lines and is_nothing_named:
        intro += ". By what the services read it would be:"
    elif lines:
        intro += ". By what leads to a Redis there, it would be, beside the entries of other places:"
    else:
        intro += f", and no .env file was found by migration_services that leads to a Redis: {EXAMPLE}."
    return "\n".join([intro, *(["migration_values:", *lines] if lines else []), *_not_proposed(looked, entries)])


def _entries(looks: Mapping[str, Look]) -> dict[str, dict[str, leads.Lead]]:
    """By path, the keys that lead to the Redis to which most does. A migration moves one."""
    found: dict[str, dict[str, leads.Lead]] = {}
    for look in looks.values():
        for of_files in (look.found.get("caches") or ())[:1]:
            for path, told in of_files.items():
                for lead in (leads.Lead(**one) for one in told):
                    if lead.form and _PLAIN.fullmatch(lead.key):
                        found.setdefault(path, {}).setdefault(lead.key, lead)
    return {path: keys for path, keys in found.items() if _PLAIN_PATH.fullmatch(path) and _passes(path, keys)}


def _passes(path: str, keys: Mapping[str, leads.Lead]) -> bool:
    """Parts without their host, as that has no plain name, do not."""
    try:
        Value.from_dict({"store": "dotenv", "path": path, "keys": {key: _stated(lead) for key, lead in keys.items()}})
    except SettingError:
        return False
    return True


def _entry(path: str, keys: Mapping[str, leads.Lead]) -> Iterator[str]:
    yield "  - store: dotenv"
    yield f"    path: {_path(path)}"
    yield "    keys:"
    yield from (f"    {_pasted(lead)}" for lead in keys.values())


def _not_proposed(looks: Mapping[str, Look], entries: Mapping[str, Mapping[str, leads.Lead]]) -> Iterator[str]:
    """What leads to a Redis all the same, and what there is to do about it."""
    for host, look in looks.items():
        for number, of_files in enumerate(look.found.get("caches") or ()):
            for path, told in of_files.items():
                rest = [lead for lead in (leads.Lead(**one) for one in told) if lead.key not in entries.get(path, {})]
                yield from (f"{host}: {_path(path)} {_shown(lead.key)} {_why(lead, number > 0)}." for lead in rest)
        for one in look.found.get("elsewhere") or ():
            key = one["key"] if _PLAIN.fullmatch(one["key"]) else "a key that is no plain name"
            yield (
                f"{host}: {one['service']} has {key} in its environment, and in no .env file that was found: move it "
                "into one that the service reads (EnvironmentFile=, env_file:), and name that in migration_values."
            )


def _why(lead: leads.Lead, is_another: bool) -> str:
    if is_another:
        return "leads to another Redis, which a migration of its own moves (migration_name)"
    return f"{_WHY[lead.how]}: give it a template in migration_values, or another value"


def _path(path: str) -> str:
    """What is shown may be pasted, and is Jinja then as well as YAML; whoever has the app's user names its folders."""
    return path if _PLAIN_PATH.fullmatch(path) else "a path that is no plain name"
