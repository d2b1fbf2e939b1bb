# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a cache is reached by, and the only place that makes, parses and masks its URLs.

Runs on app hosts too: standard library only.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Mapping
from urllib.parse import SplitResult, parse_qs, quote, unquote, unquote_plus, urlsplit

KNOWN = "known"
AFTER_APPLY = "after_apply"
AFTER_APPLY_ADDRESS = "after-apply.invalid"  # RFC 2606: .invalid never resolves

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]{2,45}")
# Where an EC2 instance reaches its metadata and the like by IPv6:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
_OF_AN_INSTANCE = ipaddress.ip_network("fd00:ec2::/32")
_LOOPBACK_NAMES = frozenset(("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"))  # as in /etc/hosts

REDIS, REDIS_CLUSTER, MEMCACHED = "redis", "redis-cluster", "memcached"


@dataclass(frozen=True)
class Protocol:
    """What clients must speak, and what a cache that speaks it has where nobody says otherwise."""

    port: int
    databases: int


PROTOCOLS: Mapping[str, Protocol] = {
    REDIS: Protocol(6379, 16),
    REDIS_CLUSTER: Protocol(6379, 1),
    MEMCACHED: Protocol(11211, 1),
}
AUTHS = ("none", "token", "rbac", "iam")
STATES = (KNOWN, AFTER_APPLY)

MASK = "***"
_DATABASE = re.compile(r"[0-9]{1,9}")

# Options of redis-py in a URL's query that hold no secret; the value of any other is masked.
HARMLESS_OPTIONS = frozenset(
    (
        *("db", "socket_timeout", "socket_connect_timeout", "timeout", "max_connections", "health_check_interval"),
        *("retry_on_timeout", "ssl_cert_reqs", "ssl_check_hostname", "decode_responses", "protocol"),
    )
)

# Options that say where, who and how TLS is done (as all do that begin with ssl), which a new URL says for itself.
_OWN_OPTIONS = frozenset(("db", "host", "port", "path", "username", "password"))


_OF_SENTINEL = (
    "asks Sentinel for the primary, which a managed cache does not have: its endpoint follows a failover itself. Let "
    "the app connect by a redis:// URL of today's primary first, without Sentinel, and move that"
)
_OF_VALKEY = "is a URL of valkey-py alone: write it with redis:// (with TLS rediss://), which valkey-py reads as well"

# By scheme the port where a URL names none. memcached:// is what several libraries read; none has a word for TLS, which
# is said here as redis:// says it.
_SCHEMES = {"redis": 6379, "rediss": 6379, "unix": 6379, "memcached": 11211, "memcacheds": 11211}
_OF_MEMCACHED = ("memcached", "memcacheds")

# What other clients read, and the way out.
_OTHER_SCHEMES = {
    "sentinel": _OF_SENTINEL,
    "redis+sentinel": _OF_SENTINEL,
    "rediss+sentinel": _OF_SENTINEL,
    "valkey": _OF_VALKEY,
    "valkeys": _OF_VALKEY,
    "redis+socket": (
        "is a socket on the host itself, which no other host reaches: let the old Redis listen on an address too, and "
        "write that with redis:// first"
    ),
}


class EndpointError(ValueError):
    """No URL can be made or read; the text says why and what to change."""


@dataclass(frozen=True)
class Node:
    """One node: for Memcached and for metrics. Never what an app is pointed at, as it does not follow a failover."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class Endpoint:
    """How clients reach a target. ``address`` is the primary or configuration endpoint, ``protocol`` of PROTOCOLS."""

    service: str
    name: str
    protocol: str = REDIS
    address: str = AFTER_APPLY_ADDRESS
    port: int = 6379
    reader_address: str = ""
    reader_port: int = 0
    nodes: tuple[Node, ...] = ()
    tls: bool = False
    auth: str = "none"
    username: str = ""
    databases: int = 16
    engine: str = "redis"
    engine_version: str = ""
    state: str = KNOWN

    @property
    def is_known(self) -> bool:
        return self.state == KNOWN

    def as_dict(self) -> dict[str, Any]:
        """The mapping of the contract: plain JSON values."""
        return {**asdict(self), "nodes": [asdict(node) for node in self.nodes]}

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Endpoint:
        """Read the mapping back, also after Ansible made strings of its numbers. Raises EndpointError."""
        if not isinstance(mapping, Mapping):
            raise EndpointError(f"an endpoint is a mapping as the module of a target returns it, not {mapping!r}")
        missing = [name for name in ("service", "name", "address", "port") if not mapping.get(name)]
        if missing:
            raise EndpointError(
                f"the endpoint lacks {', '.join(missing)}: give the whole mapping that the module of the target returns"
            )
        values = {item.name: mapping[item.name] for item in fields(cls) if mapping.get(item.name) is not None}
        for name in ("port", "reader_port", "databases"):
            if name in values:
                values[name] = _whole_number(name, values[name])
        values["tls"] = _truth("tls", values.get("tls", False))
        values["nodes"] = tuple(_node(node) for node in values.get("nodes") or ())
        _one_of("protocol", values.get("protocol", REDIS), tuple(PROTOCOLS))
        _one_of("auth", values.get("auth", "none"), AUTHS)
        _one_of("state", values.get("state", KNOWN), STATES)
        return cls(**values)


def after_apply(service: str, name: str, **known: Any) -> Endpoint:
    """The placeholder of a target that a check-mode run could not make; it goes through every stage.

    ``known`` holds what is known beforehand (port, tls, auth, engine, engine_version, databases, protocol). Port and
    databases are those of the protocol where they are left out.
    """
    usual = asdict(PROTOCOLS[known.get("protocol", REDIS)])
    return Endpoint(service=service, name=name, address=AFTER_APPLY_ADDRESS, state=AFTER_APPLY, **{**usual, **known})


def places_of(endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where clients of an endpoint, as a mapping, may be connected to, as ``[{address, port}]``: at its address, and
    where clients choose among its nodes by themselves, at any of these.
    """
    own = {"address": endpoint["address"], "port": int(endpoint["port"])}
    nodes = (endpoint.get("nodes") or ()) if endpoint.get("protocol", REDIS) != REDIS else ()
    found = [own, *({"address": str(node["address"]), "port": int(node["port"])} for node in nodes)]
    return [place for number, place in enumerate(found) if place not in found[:number]]


def is_loopback(host: str) -> bool:
    """Whether a name or an address leads each host to itself. Another name may do so too, where it is resolved."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() in _LOOPBACK_NAMES


def is_of_each_host(address: str) -> bool:
    """Whether it is an IP address that each host has for itself, so that it leads nowhere else: of loopback, of a link,
    as the metadata of an EC2 instance has, and where none or no host at all is meant.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    is_one = plain.is_loopback or plain.is_link_local or plain.is_unspecified or plain.is_multicast
    return bool(is_one or (plain.version == 6 and plain in _OF_AN_INSTANCE))


def names_a_host(text: str) -> bool:
    """Whether it is an IP address or a name, and nothing that a URL would read otherwise."""
    return bool(_NAME.fullmatch(text) or _IPV6.fullmatch(text))


def _node(node: Any) -> Node:
    if isinstance(node, Node):
        return node
    if not isinstance(node, Mapping) or not node.get("address"):
        raise EndpointError(f"a node of an endpoint is a mapping with name, address and port, not {node!r}")
    return Node(str(node.get("name", "")), str(node["address"]), _whole_number("nodes.port", node.get("port")))


def _whole_number(name: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise EndpointError(f"the endpoint's {name} is {value!r}, which is no whole number")


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in ("true", "yes", "1"):
        return True
    if word in ("false", "no", "0"):
        return False
    raise EndpointError(f"the endpoint's {name} is {value!r}: it is true or false")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise EndpointError(f"the endpoint's {name} is {value!r}: it is one of {', '.join(allowed)}")


# --- URLs ---


@dataclass(frozen=True)
class UrlParts:
    """A cache URL as redis-py reads it. ``database`` is 0 where none is named; for ``unix`` the host is the path."""

    scheme: str
    host: str
    port: int
    tls: bool
    username: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def build_url(endpoint: Endpoint, token: str = "", database: int = 0) -> str:
    """The URL for ``redis.from_url``: ``rediss://`` exactly where TLS is on, user and token percent-encoded once. Of
    Memcached it is ``memcached://host:port``, with TLS ``memcacheds://``, for an app that chooses its client by it.

    Raises EndpointError where the endpoint is reached by no such URL, and as check_use.
    """
    _refuse_iam(endpoint)
    check_use(endpoint, token, database)
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    if endpoint.protocol == MEMCACHED:
        return f"{'memcacheds' if endpoint.tls else 'memcached'}://{host}:{endpoint.port}"
    scheme = "rediss" if endpoint.tls else "redis"
    login = f"{quote(endpoint.username, safe='')}:{quote(token, safe='')}@" if token else ""
    # A cluster-aware client refuses any path but none or /0, so a cluster gets one only where it is meant.
    path = "" if endpoint.protocol == REDIS_CLUSTER and database == 0 else f"/{database}"
    return f"{scheme}://{login}{host}:{endpoint.port}{path}"


def probe_url(endpoint: Endpoint, token: str = "", database: int = 0) -> str:
    """The URL by which a probe asks: as build_url, but with a token of IAM in the password's place, which is good for
    as long as a probe lasts, and is to stand nowhere else.
    """
    return build_url(replace(endpoint, auth="rbac") if endpoint.auth == "iam" else endpoint, token, database)


def check_use(endpoint: Endpoint, token: str = "", database: int = 0) -> None:
    """Raises EndpointError where token and authentication do not match, and where it cannot serve the database."""
    _check_token(endpoint, token)
    _check_database(endpoint, database)


def _refuse_iam(endpoint: Endpoint) -> None:
    if endpoint.auth == "iam":
        raise EndpointError(
            f"{endpoint.name} takes IAM tokens, which last 15 minutes and cannot stand in a URL: the app must ask for "
            "them itself, and reads parts ({form: host}, {form: port} and {form: username} in migration_values), or "
            "use a user with a password"
        )


def _check_token(endpoint: Endpoint, token: str) -> None:
    if endpoint.auth == "iam":
        if token:
            raise EndpointError(
                f"{endpoint.name} takes IAM tokens, which last 15 minutes, and no password that stays: leave "
                "migration_auth_token_secret out, and no key of migration_values has the form password"
            )
        return
    if not endpoint.is_known:
        return  # how it will be is known to the plan alone
    if endpoint.auth == "none" and token:
        raise EndpointError(
            f"{endpoint.name} has no authentication, and a client that sends a token to it is refused: "
            "leave the token out (migration_auth_token_secret), or give the cache a token or users first"
        )
    if endpoint.auth != "none" and not token:
        raise EndpointError(
            f"{endpoint.name} wants a token or password (auth: {endpoint.auth}) and none was given: name the secret "
            "that holds it in migration_auth_token_secret"
        )


def _check_database(endpoint: Endpoint, database: int) -> None:
    if 0 <= database < endpoint.databases:
        return
    served = "database 0 only" if endpoint.databases <= 1 else f"the databases 0 to {endpoint.databases - 1}"
    raise EndpointError(
        f"database {database} is asked for, but {endpoint.name} serves {served}: use a database that it serves, or "
        "raise the parameter 'databases' in its parameter group (where cluster mode is disabled)"
    )


def parse_url(url: str) -> UrlParts:
    """Read a cache URL, of Redis as redis-py's parse_url does. Raises EndpointError, which never quotes a secret."""
    if not url:
        raise EndpointError("the cache URL is empty")
    scheme = _scheme_of(url)
    if scheme not in _SCHEMES:
        why = _OTHER_SCHEMES.get(
            scheme, "is no cache URL: it must start with redis://, rediss://, unix:// or memcached://"
        )
        raise EndpointError(f"{mask_url(url)!r} {why}")
    try:
        parts = urlsplit(url)
        port = parts.port or _SCHEMES[scheme]
    except ValueError:  # its text quotes the login
        raise EndpointError(
            f"{mask_url(url)} cannot be read: its port is no number, or one of # / ? @ : [ ] in the password, or a "
            "character that Unicode holds for one of them, must be percent-encoded"
        ) from None
    if parts.fragment or "@" in parts.path:
        raise EndpointError(f"{mask_url(url)} cannot be read: one of # / ? in the password must be percent-encoded")
    options = {name: unquote(values[0]) for name, values in parse_qs(parts.query).items()}
    is_socket = parts.scheme == "unix"
    return UrlParts(
        scheme=parts.scheme,
        host=unquote(parts.path) if is_socket else unquote(parts.hostname or "localhost"),
        port=0 if is_socket else port,
        tls=parts.scheme in ("rediss", "memcacheds"),
        username=unquote(parts.username or "") or options.get("username", ""),
        password=unquote(parts.password or "") or options.get("password", ""),
        database=0 if scheme in _OF_MEMCACHED else _database(url, "" if is_socket else parts.path, options),
        query=tuple(sorted(options.items())),
    )


def at_place(url: str, host: str, port: int) -> str:
    """The same URL of another place, as of one node of a cluster, with login and options. Of a URL that can be read."""
    login, at, _where = urlsplit(url).netloc.rpartition("@")
    place = f"[{host}]" if ":" in host else host
    return urlsplit(url)._replace(netloc=f"{login}{at}{place}:{port}").geturl()


def protocol_of(url: str, of_redis: str = REDIS) -> str:
    """What is spoken where it leads; ``of_redis`` where that is Redis, of which the URL does not say whether it is a
    cluster.
    """
    return MEMCACHED if _scheme_of(url) in _OF_MEMCACHED else of_redis


def names_a_cache(text: str) -> bool:
    """Whether it is meant as the URL of a cache, be it one that can be read or not."""
    return _scheme_of(text) in (*_SCHEMES, *_OTHER_SCHEMES)


def _scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def _database(url: str, path: str, options: Mapping[str, str]) -> int:
    """redis-py: ``?db=`` wins over the path, and a path that is no number counts as none."""
    if "db" in options:
        if not _DATABASE.fullmatch(options["db"]):
            raise EndpointError(f"{mask_url(url)} names a database that is no number: change db")
        return int(options["db"])
    number = unquote(path).replace("/", "")
    return int(number) if _DATABASE.fullmatch(number) else 0


def with_options_of(url: str, old: str) -> str:
    """``url`` with the options in the query of ``old``, but for those that say where, who and how TLS is done.

    They keep their order and spelling, after those of ``url``, which says what it names for itself. ``url`` stays as it
    is where one of the two is no cache URL. Raises EndpointError where ``old`` is one that other clients read, or it
    cannot be told what in it is an option.
    """
    if _scheme_of(old) in _OTHER_SCHEMES:
        parse_url(old)  # says the way out
    try:
        parse_url(url)
        parse_url(old)
    except ValueError:
        return url
    if (_scheme_of(url) in _OF_MEMCACHED) != (_scheme_of(old) in _OF_MEMCACHED):
        return url  # another client reads it, which has options of its own
    parts, own = _split_for_certain(old), urlsplit(url).query
    if parts is None:
        raise EndpointError(
            f"which options of {mask_url(old)} are to come along cannot be told: an @ in its query must be "
            "percent-encoded as %40"
        )
    # Before Python 3.9.2 a semicolon separates options too.
    options = re.findall(r"([&;]?)([^&;]+)", parts.query)
    said = {_name_of(option) for _separator, option in re.findall(r"([&;]?)([^&;]+)", own)}
    kept = [(separator, option) for separator, option in options if not _is_own(_name_of(option), said)]
    query = "".join(separator + option for separator, option in kept).lstrip("&;")
    return f"{url}{'&' if own else '' if url.endswith('?') else '?'}{query}" if query else url


def _is_own(name: str, said: set[str]) -> bool:
    return name in _OWN_OPTIONS or name.startswith("ssl") or name in said


def _name_of(option: str) -> str:
    return unquote_plus(option.partition("=")[0])


def mask_url(url: str) -> str:
    """The URL with every secret as ``***``: ``rediss://:***@host:6379/0``.

    Of the query only the values of HARMLESS_OPTIONS are shown. Where it cannot be told for certain what is the login,
    nothing but the scheme is, and what is no URL is masked as a whole.
    """
    if not url:
        return ""
    scheme, separator, _rest = url.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return MASK
    parts = _split_for_certain(url)
    if parts is None:
        return f"{scheme}://{MASK}"
    login, at, where = parts.netloc.rpartition("@")
    user, colon, _password = login.partition(":")
    shown = f"{user}:{MASK}@" if colon else f"{MASK}@" if at else ""
    query = f"?{_masked_query(parts.query)}" if parts.query else ""
    return f"{scheme}://{shown}{where}{parts.path}{query}"


def _split_for_certain(url: str) -> SplitResult | None:
    """The parts of a URL, or None where a raw ``#``, ``/`` or ``?`` in the password may have ended its login early."""
    try:
        parts = urlsplit(url)
        _readable = parts.port
    except ValueError:
        return None
    # An @ in the query belongs to the value of an option only where a whole place stands before it, and an empty
    # password before that place may be the begin of one that has an @ in it.
    is_place = parts.hostname and re.fullmatch(r"/[0-9]*", parts.path) and not _has_empty_password(parts.netloc)
    if parts.fragment or "@" in parts.path or ("@" in parts.query and not is_place):
        return None
    return parts


def _has_empty_password(netloc: str) -> bool:
    login, at, _where = netloc.rpartition("@")
    return bool(at) and not login.rpartition(":")[2]


def _masked_query(query: str) -> str:
    return "&".join(_masked_option(option) for option in query.split("&"))


def _masked_option(option: str) -> str:
    quoted, equals, value = option.partition("=")
    name = unquote_plus(quoted)
    if not equals or not re.fullmatch(r"[A-Za-z0-9_]+", name):
        return MASK
    # Before Python 3.9.2 a semicolon separates options too, so only a plain value is shown.
    is_plain = name in HARMLESS_OPTIONS and re.fullmatch(r"[A-Za-z0-9_.]*", value)
    return f"{name}={value if is_plain else MASK}"
