# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What of data may be kept in a record, the run's statistics or the ledger: all of it but secrets. Pure.

What is written is made of masked data already; this holds it to that by its own means. ansible-core does not: up to
2.21 it puts other words into results wherever one equals a secret, a port too, and from 2.22 on it leaves results as
they are, and masks what it prints alone.
https://docs.ansible.com/ansible-core/2.22/porting_guides/porting_guide_core_2.22.html
"""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MASK
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked

# A shorter secret is a word that others have too (a port, a host, a flag), and is one beside a word for secrets alone.
SHORTEST_SECRET = 8

# Names whose value is a secret. `secret` is none: it is the name of one in Secrets Manager.
_SECRET = re.compile(
    r"(?:^|[_.-])(?:pass(?:word|wd|phrase)?|token|credential|(?:secret|private|api)[_-]?(?:access_?)?key|"
    r"secret_?(?:string|value)|authorization)s?$",
    re.IGNORECASE,
)
_BESIDE = r"((?:password|passwd|token|secret|credential|auth)\w*[\s:='\"]{{1,4}}){}(?!\w)"
# Names whose value is a place, however much it may look like somebody's password.
_PLACE = re.compile(r"(?:^|_)(?:host|address|port|region)s?$")
_IS_PLACE = re.compile(r"[A-Za-z0-9.:_-]{1,255}\Z")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class RecordError(TypeError):
    """The data is not what a record is made of; the text says where."""


def kept(data: Any, secrets: Iterable[str] = ()) -> Any:
    """The data as plain JSON values without secrets; whatever is none comes out as it is.

    Data is None, bool, numbers, text, dates, lists, mappings and dataclasses of these. Of a dataclass the fields that
    its repr shows are kept. Masked is

    - in texts and names: the password and the options of a URL, and each of ``secrets`` (the run's known ones), however
      it is written there; one of less than 8 characters only beside a word such as ``password``;
    - text and numbers under a name such as ``password`` or ``AuthToken``.

    Numbers, flags, and what is under ``host``, ``address``, ``port`` or ``region`` are no secrets, whatever they equal.
    Raises RecordError for any other type.
    """
    return _Cleaner(secrets).clean(data, "", "the record")


class _Cleaner:
    def __init__(self, secrets: Iterable[str]) -> None:
        known = {str(secret) for secret in secrets if secret}
        self.long = {secret for secret in known if len(secret) >= SHORTEST_SECRET}
        short = [re.escape(secret) for secret in known - self.long]
        alternatives = "|".join(sorted(short, key=len, reverse=True))
        self.short = re.compile(_BESIDE.format(f"(?:{alternatives})"), re.IGNORECASE) if short else None

    def clean(self, value: Any, name: str, where: str) -> Any:
        """``name`` is the one that the value has, or the list that it is in."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)):
            return MASK if _is_secret(name) else value
        if isinstance(value, (str, date)):
            return self._clean_text(str(value), name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.repr}
        if isinstance(value, Mapping):
            return self._clean_mapping(value, name, where)
        if isinstance(value, (list, tuple)):
            return [self.clean(part, name, f"{where}[{number}]") for number, part in enumerate(value)]
        raise RecordError(f"{where} is a {type(value).__name__}, which no record holds: give text, numbers, lists or "
                          "mappings")  # fmt: skip

    def _clean_mapping(self, value: Mapping[Any, Any], name: str, where: str) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for key, part in value.items():
            if not isinstance(key, (str, int)):
                raise RecordError(f"{where} has a {type(key).__name__} as a name: give text")
            shown = self._clean_text(str(key), name if _PLACE.search(name) else "")
            if shown in cleaned:  # two names that differ in a secret alone
                shown = f"{shown} ({len(cleaned)})"
            cleaned[shown] = self.clean(part, str(key), f"{where}.{shown}")
        return cleaned

    def _clean_text(self, text: str, name: str) -> str:
        if not text or (_PLACE.search(name) and _IS_PLACE.match(text)):
            return text
        if _is_secret(name):
            return MASK
        text = masked(text, self.long)
        return self.short.sub(rf"\g<1>{MASK}", text) if self.short else text


def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(_CAMEL.sub("_", name)))
