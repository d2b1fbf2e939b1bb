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

URL, MENTION, HANGS = "url", "mention", "hangs"

# Names of settings that are a cache's; what else is on the machine of the old Redis is not.
_CACHE_NAME = re.compile(r"redis|valkey|cache|celery|broker|result_backend|queue|(\A|_)rq(_|\Z)|session|channel", re.I)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Lead:
    """``how`` is ``url`` (with its ``database``), ``mention`` (the address within something else) or ``hangs`` (the
    value of a key that is moved is put into it).
    """

    key: str
    how: str
    database: int = 0

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
    for key, value in values.items():
        if key not in moved and (lead := _lead(key, value, moved, places, is_alias)):
            yield lead


def _lead(
    key: str, value: str, moved: Collection[str], places: Collection[Place], is_alias: Callable[[str, int], bool]
) -> Lead | None:
    if any(_hangs_on(value, name) for name in moved):
        return Lead(key, HANGS)
    try:
        url = parse_url(value)
    except ValueError:  # also an EndpointError
        is_told = any(_mentions(key, value, address, port) for address, port in places)
        return Lead(key, MENTION) if is_told else None
    is_named = any((url.host.lower(), url.port) == (address.lower(), port) for address, port in places)
    return Lead(key, URL, url.database) if is_named or is_alias(url.host, url.port) else None


def _hangs_on(value: str, name: str) -> bool:
    """With more than the value itself: what follows that alone goes along with it."""
    found = re.search(rf"\$\{{{re.escape(name)}(:?[-=+?][^}}]*)?\}}", value)
    return found is not None and found.group() != value


def _mentions(key: str, value: str, address: str, port: int) -> bool:
    with_port = re.search(rf"(?<![\w.-])\[?{re.escape(address)}\]?:{port}(?!\d)", value, re.I)
    if with_port:
        return True
    is_alone = value.strip().lower() == address.lower() and address.lower() not in _LOOPBACK
    return is_alone and _CACHE_NAME.search(key) is not None
