# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which of the keys beside those that are moved lead to the same cache, or hang on one that is moved. Pure.

An app with several URLs, of which one is moved, is on two caches. What is told holds names alone, and no value.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Callable, Collection, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url

Place = tuple[str, int]

URL, MENTION, HANGS, PART = "url", "mention", "hangs", "part"

# Names of settings that are a cache's; what else is on the machine of the old Redis is not.
_CACHE_NAME = re.compile(r"redis|valkey|cache|celery|broker|result_backend|queue|(\A|_)rq(_|\Z)|session|channel", re.I)
_REDIS_NAME = re.compile(r"redis|valkey", re.I)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

# How the keys beside that of a host end, by the part that they hold: with these the app builds its place.
_HOST = re.compile(r"_?(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)\Z", re.I)
_BESIDE = {
    "port": ("PORT",),
    "username": ("USER", "USERNAME"),
    "password": ("PASSWORD", "PASS", "AUTH"),
    "database": ("DB", "DATABASE"),
    "tls": ("SSL", "TLS", "USE_SSL", "USE_TLS"),
}
_ADDRESS = re.compile(r"[a-z0-9_.:-]+")
_WITH_PORT = re.compile(r"(?<![\w.-])([A-Za-z0-9][\w.-]*):([0-9]{1,5})(?![\w.])")
_VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^${}]*))?\}")
_LONGEST = 8192  # signs of a value that is looked at
_MOST_ALIASES = 100  # places that are resolved

# What apps have for TLS on, by what they have for off.
WORDS_ON = {
    "false": "true",
    "False": "True",
    "FALSE": "TRUE",
    "0": "1",
    "no": "yes",
    "No": "Yes",
    "off": "on",
    "n": "y",
}


@dataclass(frozen=True)
class Lead:
    """``how`` is ``url``, ``part`` (with the ``form`` of it), ``mention`` (the address within something else) or
    ``hangs`` (the value of a key that is moved is put into it). ``database`` is of a URL, also of one that hangs
    (then with ``form``) or of the key for it. ``off`` is the word that a key for TLS holds now, where it is one.
    """

    key: str
    how: str
    database: int = 0
    form: str = ""
    off: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def leads(
    values: Mapping[str, str],
    moved: Collection[str],
    places: Collection[Place],
    is_alias: Callable[[str, int], bool] = lambda _address, _port: False,
) -> Iterator[Lead]:
    """Of all values of a place but the ``moved`` ones. ``places`` are addresses and ports that the app is to leave, and
    ``is_alias`` tells whether others are one of these by another name.
    """
    known: dict[Place, bool] = {}

    def is_known(address: str, port: int) -> bool:
        if (address, port) not in known:
            known[address, port] = len(known) < _MOST_ALIASES and is_alias(address, port)
        return known[address, port]

    found = {
        key: lead
        for key, value in values.items()
        if key not in moved and len(value) <= _LONGEST and (lead := _lead(key, values, moved, places, is_known))
    }
    hosts = [*(key for key, lead in found.items() if lead.how == PART), *moved]
    for key, form in _beside(values, hosts).items():
        if key not in moved and key not in found:
            found[key] = _part(key, form, values[key])
    yield from (found[key] for key in values if key in found)


def _part(key: str, form: str, value: str) -> Lead:
    database = int(value) if form == "database" and re.fullmatch("[0-9]{1,9}", value) else 0
    return Lead(key, PART, database, form, value if form == "tls" and value in WORDS_ON else "")


def _beside(values: Mapping[str, str], hosts: Collection[str]) -> dict[str, str]:
    """The keys that have the other parts of the place at these hosts, by their names, with the part that they hold."""
    found: dict[str, str] = {}
    by_name = {key.upper(): key for key in values}
    for stem in {_HOST.sub("", host).upper() for host in hosts if _HOST.search(host)} - {""}:
        for form, ends in _BESIDE.items():
            names = [f"{stem}{joint}{end}" for end in ends for joint in ("_", "")]
            found.update({by_name[name]: form for name in names if name in by_name})
    return found


def _lead(
    key: str,
    values: Mapping[str, str],
    moved: Collection[str],
    places: Collection[Place],
    is_alias: Callable[[str, int], bool],
) -> Lead | None:
    value = values[key]
    if any(_hangs_on(value, name) for name in moved):
        return _hanging(key, _filled(value, values))
    try:
        url = parse_url(value)
    except ValueError:  # also an EndpointError
        if _is_host(key, value, places, is_alias):
            return Lead(key, PART, form="host")
        return Lead(key, MENTION) if _mentions(key, value, places, is_alias) else None
    is_named = any((url.host.lower(), url.port) == (address.lower(), port) for address, port in places)
    return Lead(key, URL, url.database, "url") if is_named or is_alias(url.host, url.port) else None


def _hanging(key: str, value: str) -> Lead:
    try:
        return Lead(key, HANGS, parse_url(value).database, "url")
    except ValueError:
        return Lead(key, HANGS)


def _filled(value: str, values: Mapping[str, str]) -> str:
    """With the variables that it names put in, as python-dotenv and a shell do."""
    return _VARIABLE.sub(lambda found: values.get(found.group(1)) or found.group(2) or "", value)


def _hangs_on(value: str, name: str) -> bool:
    """With more than the value itself: what follows that alone goes along with it."""
    found = re.search(rf"\$\{{{re.escape(name)}(:?[-=+?][^${{}}]*)?\}}", value)
    return found is not None and found.group() != value


def _is_host(key: str, value: str, places: Collection[Place], is_alias: Callable[[str, int], bool]) -> bool:
    """The address alone. That this very host is meant says something only where the name of the key does."""
    name = value.strip().lower()
    if not (_REDIS_NAME if name in _LOOPBACK else _CACHE_NAME).search(key) or not _ADDRESS.fullmatch(name):
        return False
    return any(name == address.lower() or (name not in _LOOPBACK and is_alias(name, port)) for address, port in places)


def _mentions(key: str, value: str, places: Collection[Place], is_alias: Callable[[str, int], bool]) -> bool:
    """An address with its port within something else; another name of it where the key's name is a cache's."""
    if any(re.search(rf"(?<![\w.-])\[?{re.escape(at)}\]?:{port}(?!\d)", value, re.I) for at, port in places):
        return True
    ports = {port for _address, port in places}
    found = _WITH_PORT.findall(value) if _CACHE_NAME.search(key) else []
    return any(int(port) in ports and is_alias(address, int(port)) for address, port in found)
