# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which keys lead to a cache: of those beside the ones that are moved, or where none is named, of all. Pure.

An app with several URLs, of which one is moved, is on two caches. What is told holds names alone, and no value.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import asdict, dataclass
from typing import Any, Callable, Collection, Iterable, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import UrlParts, parse_url

Place = tuple[str, int]

URL, MENTION, HANGS, PART = "url", "mention", "hangs", "part"

# Names of settings that are a cache's; what else is on the machine of the old Redis is not.
_CACHE_NAME = re.compile(r"redis|valkey|cache|celery|broker|result_backend|queue|(\A|_)rq(_|\Z)|session|channel", re.I)
_REDIS_NAME = re.compile(r"redis|valkey", re.I)
_VALKEY = re.compile(r"\Avalkey(?=s?://)")
_PORT = 6379
_LEAST_PORT = 1024  # of a Redis that anybody but root starts: redis:7 is an image
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
_MOST_CACHES = 10  # of which it is told what leads there
HOST_AND_PORT = "{host}:{port}"  # as a template

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
    """``how`` is ``url``, ``part`` (with the ``form`` of it), ``mention`` (the address within something else, or with
    the ``form`` of a template the address and the port alone) or ``hangs`` (the value of a key that is moved is put
    into it). ``database`` is of a URL, also of one that hangs (then with ``form``) or of the key for it. ``off`` is the
    word that a key for TLS holds now, where it is one.
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
    hosts = [*(key for key, lead in found.items() if lead.how == PART or lead.form == HOST_AND_PORT), *moved]
    for key, form in _beside(_by_name(values), hosts).items():
        if key not in moved and key not in found:
            found[key] = _part(key, form, values[key])
    yield from (found[key] for key in values if key in found)


def caches(
    files: Mapping[str, Mapping[str, str]], is_same: Callable[[Place, Place], bool] = lambda one, other: one == other
) -> list[dict[str, list[Lead]]]:
    """All that leads to a Redis, by its file, for each Redis; first the one to which most does.

    ``is_same`` tells whether two places are one by other names.
    """
    known: list[list[Place]] = []
    named = dict.fromkeys(place for values in files.values() for place in _places_in(values))
    for place in list(named)[:_MOST_ALIASES]:
        same = next((each for each in known if is_same(each[0], place)), None)
        if same is not None:
            same.append(place)
        elif len(known) < _MOST_CACHES:
            known.append([place])
    found = [
        {path: told for path, values in files.items() if (told := _leading_to(places, values))} for places in known
    ]
    return sorted(filter(None, found), key=lambda of_files: -sum(map(len, of_files.values())))


def elsewhere(
    environments: Mapping[str, Mapping[str, str]], files: Mapping[str, Mapping[str, str]]
) -> list[dict[str, str]]:
    """The keys by which services were started with a Redis, and that are in none of the files."""
    held = {key for values in files.values() for key in values}
    told = {
        (service, lead.key): None
        for service, values in environments.items()
        for of_files in caches({service: values})
        for lead in of_files[service]
        if lead.key not in held
    }
    return [{"service": service, "key": key} for service, key in told]


def _leading_to(places: Collection[Place], values: Mapping[str, str]) -> list[Lead]:
    found = {lead.key: lead for lead in leads(values, (), places)}
    found.update({lead.key: lead for lead in leads(values, list(found), places) if lead.how == HANGS})
    return [found[key] for key in values if key in found]


def _places_in(values: Mapping[str, str]) -> Iterator[Place]:
    """By URLs, and by addresses whose key or port is Redis's own."""
    by_name = _by_name(values)
    for key, value in values.items():
        if len(value) <= _LONGEST:
            url = _url(value)
            if url is None:
                yield from _place_by_parts(key, values, by_name)
            elif url.port and _ADDRESS.fullmatch(url.host.lower()):  # neither a socket, nor the name of another key
                yield url.host, url.port


def _url(value: str) -> UrlParts | None:
    """None of what is no cache's URL: redis:7 is an image."""
    with contextlib.suppress(ValueError):  # also an EndpointError
        return parse_url(_VALKEY.sub("redis", value)) if "://" in value else None
    return None


def _place_by_parts(key: str, values: Mapping[str, str], by_name: Mapping[str, str]) -> Iterator[Place]:
    value, is_redis = values[key].strip(), _REDIS_NAME.search(key)
    if with_port := _WITH_PORT.fullmatch(value):
        address, port = with_port.group(1), int(with_port.group(2))
        if port == _PORT or (is_redis and port >= _LEAST_PORT):
            yield address, port
    elif _HOST.search(key) and _ADDRESS.fullmatch(value.lower()):
        stated = next((values[each] for each, form in _beside(by_name, [key]).items() if form == "port"), "")
        port = int(stated) if re.fullmatch("[0-9]{1,5}", stated) else 0
        if port == _PORT or is_redis:
            yield value, port or _PORT


def _part(key: str, form: str, value: str) -> Lead:
    database = int(value) if form == "database" and re.fullmatch("[0-9]{1,9}", value) else 0
    return Lead(key, PART, database, form, value if form == "tls" and value in WORDS_ON else "")


def _by_name(keys: Iterable[str]) -> dict[str, str]:
    return {key.upper(): key for key in keys}


def _beside(by_name: Mapping[str, str], hosts: Collection[str]) -> dict[str, str]:
    """The keys that have the other parts of the place at these hosts, by their names, with the part that they hold."""
    found: dict[str, str] = {}
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
    url = _url(value)
    if url is None:
        if _is_host(key, value, places, is_alias):
            return Lead(key, PART, form="host")
        form = HOST_AND_PORT if _WITH_PORT.fullmatch(value) else ""
        return Lead(key, MENTION, form=form) if _mentions(key, value, places, is_alias) else None
    is_named = any((url.host.lower(), url.port) == (address.lower(), port) for address, port in places)
    return Lead(key, URL, url.database, _form_of_url(value)) if is_named or is_alias(url.host, url.port) else None


def _form_of_url(value: str) -> str:
    """The form url is written as redis:// or rediss://."""
    return "" if _VALKEY.match(value) else "url"


def _hanging(key: str, value: str) -> Lead:
    url = _url(value)
    return Lead(key, HANGS, url.database, _form_of_url(value)) if url else Lead(key, HANGS)


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
