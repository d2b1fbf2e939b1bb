# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Does an app answer? Plain GET requests, each over a connection of its own, without proxies or redirects."""

from __future__ import annotations

import http.client
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Mapping, Sequence
from urllib.parse import urlsplit

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import in_time

REQUEST_SECONDS = 5.0
LARGEST = 65536  # bytes of an answer that are read
AT_ONCE = 4
OWN_HEADERS = {"Connection": "close", "User-Agent": "cache_migration"}


class HealthUrlError(ValueError):
    """The URL cannot be asked; the text says why, and quotes no secret."""


@dataclass(frozen=True)
class HealthAnswer:
    """``error`` is a phrase, empty where the status is 200."""

    error: str
    ms: float

    @property
    def ok(self) -> bool:
        return not self.error


def shown(url: str) -> str:
    """The URL for messages: without its query, which may hold a token. Raises HealthUrlError where it cannot be used.

    Python's own errors quote what they cannot read, so what they would complain about is refused beforehand.
    """
    if not re.fullmatch(r"(?i)https?://[!-~]+", url):
        raise HealthUrlError(
            "health_url must begin with http:// or https://, and hold no space and no sign beyond ASCII that is not "
            "percent-encoded"
        )
    try:
        parts = urlsplit(url)
        checked = urlsplit(url.replace("%i", "1"))  # the instance of a unit
        has_place = bool(checked.hostname) and checked.port != 0
    except ValueError:
        has_place = False
    if "@" in url.partition("?")[0]:
        raise HealthUrlError(
            "health_url holds a user name or a password (before an @), and health is asked without one: leave it out, "
            "and let the app answer this path to the host itself without a login. An @ of the path is written %40"
        )
    if not has_place:
        raise HealthUrlError("health_url has no host, or a port that is no number: write http://HOST:PORT/PATH")
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def refuse_headers(headers: Mapping[str, str]) -> None:
    """Raises HealthUrlError for what would be another request than was meant. The values are quoted nowhere."""
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or re.search(r"[\x00-\x1f\x7f]", value):
            raise HealthUrlError(f"health_headers has {name!r}, whose name or value no HTTP header may have")


def ask_often(urls: Sequence[str], count: int, headers: Mapping[str, str] | None = None) -> list[HealthAnswer]:
    """``count`` answers to as many requests to each, one after the other, as a load balancer asks: of all of them the
    first that is not good.
    """
    rounds = [[ask(url, headers) for url in urls] for _round in range(count)]
    return [next((answer for answer in answers if not answer.ok), answers[0]) for answers in rounds]


def spread(url: str, headers: Mapping[str, str] | None = None) -> None:
    """A few requests at once, so that workers which share a listening socket all get some.

    Their answers say nothing: a health check need not bear being asked by several at once.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(ask, [url] * AT_ONCE, [headers] * AT_ONCE))


def ask(url: str, headers: Mapping[str, str] | None = None) -> HealthAnswer:
    """One request, whole within REQUEST_SECONDS: a socket's own limit begins anew with every byte that comes."""
    start = time.perf_counter()
    error = in_time(lambda: _fault(url, headers or {}), REQUEST_SECONDS)
    if error is None:
        error = f"no answer within {REQUEST_SECONDS:g} s"
    return HealthAnswer(error, round((time.perf_counter() - start) * 1000, 3))


def _fault(url: str, headers: Mapping[str, str]) -> str:
    try:
        return _answered(url, headers)
    except OSError as caught:
        return caught.strerror or str(caught) or type(caught).__name__
    except http.client.HTTPException as caught:
        return f"no HTTP ({type(caught).__name__})"  # its text quotes the app


def _answered(url: str, headers: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "localhost", parts.port, timeout=REQUEST_SECONDS)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={**OWN_HEADERS, **headers})
        response = connection.getresponse()
        response.read(LARGEST)
        return "" if response.status == 200 else f"status {response.status}{_hint(response.status)}"
    finally:
        connection.close()


def _hint(status: int) -> str:
    """What apps answer to a request that does not look as one that came through their load balancer."""
    if status in (301, 302, 307, 308):
        return " (it redirects: to https? health_headers: {X-Forwarded-Proto: https} says that it was)"
    return " (it refuses the host name? health_headers: {Host: …} gives it another)" if status == 400 else ""
