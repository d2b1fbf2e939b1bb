# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The app's own redis-py, whatever its version, so that a probe proves what the app will do, and who else reads a URL.

Where it cannot be imported, our own connection takes its place. Both answer to the same few verbs and raise the same
errors.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import threading
from dataclasses import dataclass
from typing import Any, Callable, Mapping, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ConnectionLost,
    NoAnswer,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    REDIS,
    REDIS_CLUSTER,
    UrlParts,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import CELERY_BACKEND, CELERY_BROKER

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
    """The verbs over ``redis.from_url(url, decode_responses=True)``, as apps make their client, or over the same of
    RedisCluster where that is the protocol.
    """

    def __init__(
        self, redis: Any, url: str, seconds: float, tls_options: Mapping[str, Any], protocol: str = REDIS
    ) -> None:
        self.name = f"redis-py {redis.__version__}"
        self._redis = redis
        options: dict[str, Any] = {"socket_connect_timeout": seconds, "socket_timeout": seconds}
        options.update(_no_retries(redis))
        if url.startswith("rediss://"):
            options.update(tls_options)
        client = _cluster_of(redis) if protocol == REDIS_CLUSTER else redis.Redis
        self._client = self._call(lambda: client.from_url(url, decode_responses=True, **options))

    def ping(self) -> None:
        self._call(self._client.ping)

    def set(self, key: str, value: str, seconds: int) -> None:
        self._call(lambda: self._client.set(key, value, ex=seconds))

    def get(self, key: str) -> str:
        return self._call(lambda: str(self._client.get(key)))

    def delete(self, key: str) -> None:
        self._call(lambda: self._client.delete(key))

    def close(self) -> None:
        pool = getattr(self._client, "connection_pool", None)
        if pool:
            pool.disconnect()
        else:
            self._client.close()

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
        except getattr(errors, "RedisClusterException", ()) as error:  # which is no RedisError
            raise CacheError(str(error))


def _cluster_of(redis: Any) -> Any:
    """Raises CacheError where this redis-py is of before 4.1, which knows no cluster."""
    try:
        return importlib.import_module("redis.cluster").RedisCluster
    except ImportError:
        raise CacheError(f"it has no RedisCluster, which came with redis-py 4.1 (this is {redis.__version__})")


def _ask_kombu(kombu: Any, url: str, seconds: float) -> None:
    with kombu.Connection(url, connect_timeout=seconds) as connection:
        connection.connect()
        connection.default_channel.client.ping()


def _ask_backend(celery: Any, url: str, seconds: float) -> None:
    app = celery.Celery(broker="memory://", backend=url, set_as_current=False)
    app.conf.redis_socket_connect_timeout = app.conf.redis_socket_timeout = seconds
    app.backend.client.ping()


# They import each other, and parts of themselves when they are first used, which two threads must not do at once.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Library:
    """What reads URLs in a way of its own: ``asks`` gets an answer of the cache by it, as an app would."""

    name: str
    asks: Callable[[Any, str, float], None]

    def ask(self, url: str, seconds: float) -> str:
        """By which version; or that there is none, so that the app has another way, too. Raises CacheError."""
        with _ONE_AT_A_TIME:
            return self._asked(url, seconds)

    def _asked(self, url: str, seconds: float) -> str:
        try:
            module = importlib.import_module(self.name)
        except ImportError as error:
            return f"no {self.name} ({error})"
        try:
            self.asks(module, url, seconds)
        except Exception as error:  # of three libraries, which raise what they like
            raise CacheError(f"{type(error).__name__}: {error}") from error
        return f"{self.name} {module.__version__}"


OF_READERS = {CELERY_BROKER: Library("kombu", _ask_kombu), CELERY_BACKEND: Library("celery", _ask_backend)}


def find_redis_py() -> tuple[Any, str]:
    """The redis module of this interpreter; or None, and why there is none."""
    try:
        return importlib.import_module("redis"), ""
    except ImportError as error:  # not there, or too old for this Python
        return None, f"{sys.executable} cannot import redis-py: {error}"


def advice(redis: Any, url: UrlParts) -> list[str]:
    """What the app's redis-py does otherwise than this probe, although it can reach the cache."""
    if not url.tls or "ssl_check_hostname" in dict(url.query) or checks_names(redis):
        return []
    remedy = "upgrade redis-py to 6.0 or newer"
    if _knows_names(redis):
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


def checks_names(redis: Any) -> bool:
    """Whether this redis-py compares the host's name with the certificate by itself, as it does from 6.0 on."""
    chosen = _tls_options_of(redis).get("ssl_check_hostname") if redis else None
    return not redis or bool(chosen and chosen.default is True)


def _knows_names(redis: Any) -> bool:
    return "ssl_check_hostname" in _tls_options_of(redis)


def _tls_options_of(redis: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(redis.SSLConnection.__init__).parameters


def verified(redis: Any, ca_certs: str) -> dict[str, Any]:
    """Options with which redis-py verifies certificate and name, also before 6.0."""
    options: dict[str, Any] = {"ssl_cert_reqs": "required", **tls_as_app(redis, ca_certs)}
    if _knows_names(redis):
        options["ssl_check_hostname"] = True
    return options


def tls_as_app(redis: Any, ca_certs: str) -> dict[str, Any]:
    """Nothing but the CAs: the rest is as the app has it."""
    return {"ssl_ca_certs": ca_certs} if ca_certs else {}
