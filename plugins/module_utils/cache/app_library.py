# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The app's own redis-py, whatever its version, so that a probe proves what the app will do.

Where it cannot be imported, our own connection takes its place. Both answer to the same few verbs and raise the same
errors.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any, Callable, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ConnectionLost,
    NoAnswer,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import UrlParts

Answer = TypeVar("Answer")

# redis-py turns these codes of the server into classes, and drops them from the text.
_CODES = {
    "AuthenticationError": "NOAUTH",
    "AuthorizationError": "NOPERM",
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "ClusterDownError": "CLUSTERDOWN",
    "MovedError": "MOVED",
    "AskError": "ASK",
}


class OwnClient:
    """The verbs over our own connection."""

    name = "own client"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ping(self) -> None:
        self._connection.execute("PING")

    def set(self, key: str, value: str, seconds: int) -> None:
        self._connection.execute("SET", key, value, "EX", seconds)

    def get(self, key: str) -> str:
        return self._connection.ask("GET", key)

    def delete(self, key: str) -> None:
        self._connection.execute("DEL", key)

    def close(self) -> None:
        """The connection belongs to the caller."""


class RedisPy:
    """The verbs over ``redis.from_url(url, decode_responses=True)``, as apps make their client."""

    def __init__(self, redis: Any, url: str, seconds: float, ca_certs: str = "") -> None:
        self.name = f"redis-py {redis.__version__}"
        self._redis = redis
        options: dict[str, Any] = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
        options.update(_no_retries(redis))
        if url.startswith("rediss://"):
            options.update(_verified(redis, ca_certs))
        self._client = self._call(lambda: redis.Redis.from_url(url, decode_responses=True, **options))

    def ping(self) -> None:
        self._call(self._client.ping)

    def set(self, key: str, value: str, seconds: int) -> None:
        self._call(lambda: self._client.set(key, value, ex=seconds))

    def get(self, key: str) -> str:
        return self._call(lambda: str(self._client.get(key)))

    def delete(self, key: str) -> None:
        self._call(lambda: self._client.delete(key))

    def close(self) -> None:
        self._client.connection_pool.disconnect()

    def _call(self, act: Callable[[], Answer]) -> Answer:
        errors = self._redis.exceptions
        try:
            return act()
        except errors.TimeoutError as error:
            raise NoAnswer(str(error))
        except errors.RedisError as error:
            text = f"{_CODES.get(type(error).__name__, '')} {error}".strip()
            # AuthenticationError and BusyLoadingError are ConnectionErrors too: an answer, not a lost connection.
            is_answer = isinstance(error, errors.ResponseError) or type(error).__name__ in _CODES
            raise ServerError(text) if is_answer else ConnectionLost(str(error))
        except (TypeError, ValueError) as error:  # an option in the URL that this version does not know
            raise CacheError(str(error))


def find_redis_py() -> tuple[Any, str]:
    """The redis module of this interpreter; or None, and why there is none."""
    try:
        return importlib.import_module("redis"), ""
    except ImportError as error:  # not there, or too old for this Python
        return None, f"{sys.executable} cannot import redis-py: {error}"


def advice(redis: Any, url: UrlParts) -> list[str]:
    """What the app's redis-py does otherwise than this probe, although it can reach the cache."""
    chosen = inspect.signature(redis.SSLConnection.__init__).parameters.get("ssl_check_hostname")
    if not url.tls or "ssl_check_hostname" in dict(url.query) or (chosen and chosen.default is True):
        return []
    remedy = "upgrade redis-py to 6.0 or newer"
    if chosen:
        remedy += ", or add ssl_check_hostname=true to the query of the URL"
    return [
        f"The app's redis-py {redis.__version__} does not compare the cache's name with its certificate by default, as "
        "this probe did, so the app would take any server with a certificate of a trusted CA for its cache: "
        f"{remedy}."
    ]


def _no_retries(redis: Any) -> dict[str, Any]:
    """From 6.0 redis-py tries again by itself, which would hide a failure and exceed the time limit."""
    try:
        retry = importlib.import_module("redis.retry")
        backoff = importlib.import_module("redis.backoff")
    except ImportError:
        return {}
    return {"retry": retry.Retry(backoff.NoBackoff(), 0)}


def _verified(redis: Any, ca_certs: str) -> dict[str, Any]:
    """Before 6.0 redis-py does not compare the host's name with the certificate unless it is told to."""
    known = inspect.signature(redis.SSLConnection.__init__).parameters
    options: dict[str, Any] = {"ssl_cert_reqs": "required"}
    if "ssl_check_hostname" in known:
        options["ssl_check_hostname"] = True
    if ca_certs:
        options["ssl_ca_certs"] = ca_certs
    return options
