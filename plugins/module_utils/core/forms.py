# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which part of a cache's place a key holds: all of it as a URL, its host, a template of several. Pure.

A form is written and read: what a key held before says where the app was by the same template that says where it goes.
Runs on app hosts too: standard library only.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from dataclasses import dataclass, fields
from typing import Any, Callable, Mapping
from urllib.parse import quote, unquote

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    MASK,
    MEMCACHED,
    Endpoint,
    check_use,
    mask_url,
)

URL = "url"

# Who reads a URL, by the options that it needs in it where TLS is on, beside what redis-py does by itself. Without its
# own, Celery's result backend does not start, and its broker (kombu) verifies no certificate; `required` is the word
# that both and redis-py take: https://github.com/celery/celery/pull/5703 and the settings of the Redis backend in
# https://docs.celeryq.dev/en/stable/userguide/configuration.html
REDIS_PY, CELERY_BROKER, CELERY_BACKEND = "redis-py", "celery-broker", "celery-backend"
DJANGO, RQ = "django", "rq"
NO_READER = "none"  # the app makes a query of its own, so that none may stand in its URL
READERS: Mapping[str, str] = {
    REDIS_PY: "",
    DJANGO: "",
    RQ: "",
    CELERY_BROKER: "ssl_cert_reqs=required",
    CELERY_BACKEND: "ssl_cert_reqs=required",
    NO_READER: "",
}

# Those whose own client asks one node alone. Django's is django.core.cache.backends.redis.RedisCache.
OF_ONE_NODE = frozenset((DJANGO, RQ, CELERY_BROKER, CELERY_BACKEND))

# What each of them may be in a value that is read; `tls` is what the key has for on and off.
_PATTERNS = {
    URL: ".+",
    "scheme": "rediss?|memcacheds?",
    "host": r"[^/@:\s]+|\[[^][/@\s]+\]",
    "port": "[0-9]+",
    "username": r"[^:@/\s]*",
    "password": "(?s:.*)",
    "database": "[0-9]+",
}
_BARE_ADDRESS = r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"  # of version 6, which has no brackets where it stands alone
TLS = "tls"
PARTS = (*_PATTERNS, TLS)
_SECRET = ("password",)
LOGIN = {"username", "password", "scheme", "tls"}  # what a place asks of a client, beside its address
_LONGEST = 8192  # signs of a value that is read, as matching takes time
_FIELD = re.compile(r"\{([^{}]*)\}")
ON = "1"


def as_read(url: str, reader: str) -> str:
    """With what its reader needs in it."""
    options = READERS[reader] if url.startswith("rediss://") else ""
    return f"{url}?{options}" if options else url


class FormError(ValueError):
    """A template cannot be used; the text is a phrase for the operator."""


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("no base64") from error


# Each with what takes it back, which raises ValueError.
_FILTERS: Mapping[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "percent": (lambda text: quote(text, safe=""), unquote),
    "base64": (lambda text: base64.b64encode(text.encode()).decode(), _unbase64),
}


@dataclass(frozen=True)
class Form:
    """``template`` has parts in braces, as ``{host}:{port}``, each with filters, as ``{password|percent}``, or is a
    fixed text.

    ``on`` and ``off`` are the words of the app for TLS. Keys of one ``group`` say together where it leads. One that is
    ``added`` need not be there before. ``reader`` is who reads a URL.
    """

    template: str = "{url}"
    on: str = "true"
    off: str = "false"
    group: str = ""
    added: bool = False
    reader: str = REDIS_PY

    @property
    def takes_options(self) -> bool:
        """Whether a query may stand in its URL."""
        return self.reader != NO_READER

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> Form:
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stated.items() if name in known and value is not None})

    def as_dict(self) -> dict[str, Any]:
        """For another process."""
        return {each.name: getattr(self, each.name) for each in fields(Form)}

    @property
    def placeholders(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each part of the template with its filters. Raises FormError."""
        return [_field(found.group(1)) for found in _FIELD.finditer(self.template)]

    @property
    def parts(self) -> set[str]:
        return {part for part, _filters in self.placeholders}

    @property
    def is_url(self) -> bool:
        """It leads somewhere by itself."""
        return URL in self.parts

    @property
    def leads(self) -> bool:
        """It says where, by itself or with the others of its group."""
        return bool(self.parts & {URL, "host", "database"})

    def group_of(self, key: str) -> str:
        """By what name it and the other keys are known that lead somewhere with it."""
        return f"of {key}" if self.is_url or not self.parts else self.group

    def check(self) -> None:
        """Raises FormError."""
        if not self.parts:
            raise FormError(
                f"has no part in braces: use {', '.join(f'{{{part}}}' for part in PARTS)}; a text that TLS alone asks "
                "for is {form: tls, on: required, off: none}"
            )
        if re.search("[{}]", _FIELD.sub("", self.template)):
            raise FormError("has a brace that is not of a part")
        if TLS in self.parts and self.on == self.off:
            raise FormError("has the same word for TLS on and off")

    def rendered(self, parts: Mapping[str, str]) -> str:
        def filled(found: re.Match[str]) -> str:
            part, filters = _field(found.group(1))
            text = (self.on if parts[part] else self.off) if part == TLS else parts[part]
            for name in filters:
                text = _FILTERS[name][0](text)
            return text

        return _FIELD.sub(filled, self.template)

    def read(self, value: str | None) -> dict[str, str] | None:
        """The parts that a value has; None where it is none of this form."""
        found = re.fullmatch(self._pattern(), value) if value is not None and len(value) <= _LONGEST else None
        if found is None:
            return None
        parts: dict[str, str] = {}
        for (part, filters), text in zip(self.placeholders, found.groups()):
            try:
                plain = functools.reduce(lambda so_far, name: _FILTERS[name][1](so_far), reversed(filters), text)
            except ValueError:
                return None
            parts.setdefault(part, (ON if plain == self.on else "") if part == TLS else plain)
        return parts

    def shown(self, value: str | None) -> str | None:
        """A value without its secrets; nothing of it where it is none of this form, or would be more than a word."""
        if value is None:
            return None
        parts = self.read(value)
        if parts is None:
            return MASK
        masked = {**parts, **{part: MASK for part in _SECRET if parts.get(part)}}
        if URL in parts:
            masked[URL] = mask_url(parts[URL])
        shown = Form(re.sub(r"\|[^{}]*\}", "}", self.template), self.on, self.off).rendered(masked)
        if not re.fullmatch("[ -~]*", shown):
            return MASK
        return mask_url(shown) if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", shown) else shown

    def _pattern(self) -> str:
        pattern, at = "", 0
        for found in _FIELD.finditer(self.template):
            part, filters = _field(found.group(1))
            words = f"{re.escape(self.on)}|{re.escape(self.off)}"
            wanted = "(?s:.*)" if filters else words if part == TLS else _PATTERNS[part]
            if part == "host" and self.template == "{host}":
                wanted = f"{wanted}|{_BARE_ADDRESS}"
            pattern += f"{re.escape(self.template[at : found.start()])}({wanted})"
            at = found.end()
        return pattern + re.escape(self.template[at:])


def _field(text: str) -> tuple[str, tuple[str, ...]]:
    part, *filters = text.split("|")
    if part not in PARTS:
        raise FormError(f"names the part {part!r}: use {', '.join(PARTS)}")
    unknown = [name for name in filters if name not in _FILTERS]
    if unknown:
        raise FormError(f"names the filter {unknown[0]!r}: use {', '.join(_FILTERS)}")
    return part, tuple(filters)


def parts_of(endpoint: Endpoint, token: str, database: int) -> dict[str, str]:
    """Of the target, but for its URL, which not every target has. Raises EndpointError where it cannot be used so."""
    check_use(endpoint, token, database)
    return {
        "scheme": scheme_of(endpoint),
        "host": endpoint.address,
        "port": str(endpoint.port),
        "username": endpoint.username,
        "password": token,
        "database": str(database),
        TLS: ON if endpoint.tls else "",
    }


def scheme_of(endpoint: Endpoint) -> str:
    """Of a URL that leads there."""
    plain = "memcached" if endpoint.protocol == MEMCACHED else "redis"
    return f"{plain}s" if endpoint.tls else plain


def url_of(parts: Mapping[str, str]) -> str:
    """Where parts lead together, by redis-py's defaults for those that are not there; empty where none is a host."""
    if parts.get(URL):
        return parts[URL]
    host = parts.get("host")
    if not host:
        return ""
    # What is not UTF-8 in a file is read as surrogates, and is the byte that it was.
    user, password = (
        quote(parts.get(name) or "", safe="", errors="surrogateescape") for name in ("username", "password")
    )
    scheme = parts.get("scheme") or ("rediss" if parts.get(TLS) else "redis")
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    place = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if scheme.startswith(MEMCACHED):
        return f"{scheme}://{place}:{parts.get('port') or 11211}"
    return f"{scheme}://{login}{place}:{parts.get('port') or 6379}/{parts.get('database') or 0}"


def urls(forms: Mapping[str, Form], values: Mapping[str, str | None]) -> dict[str, str | None]:
    """Where each key leads: by itself, or with the others of its group where it has a host or a database of its own.
    None where it says nothing.
    """
    read = {key: form.read(values[key]) or {} for key, form in forms.items() if key in values}
    of_groups: dict[str, dict[str, str]] = {}
    for key, parts in read.items():
        group = of_groups.setdefault(forms[key].group_of(key), {})
        for part, text in parts.items():
            group.setdefault(part, text)
    found = dict(values)
    for key, own in read.items():
        whole = {**of_groups[forms[key].group_of(key)], **own}
        found[key] = (url_of(whole) or None) if forms[key].leads else None
    return found
