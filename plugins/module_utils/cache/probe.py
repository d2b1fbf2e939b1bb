# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Can an app on this host use this cache? Asked in stages, so that the first thing in the way has a name.

Up to the login the conversation is our own, since only the server's own words tell the causes apart. What an app does
(connect, PING, SET, GET, DEL) is then done by the app's redis-py, where there is one.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Callable, Iterator, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures, tls
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_library import (
    OF_READERS,
    Library,
    OwnClient,
    RedisPy,
    advice,
    checks_names,
    find_redis_py,
    tls_as_app,
    verified,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    Server,
    address_of,
    parse_client,
    parse_info,
    server_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure, ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ConnectionLost,
    NoAnswer,
    NotRedis,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    REDIS,
    UrlParts,
    at_place,
    is_of_each_host,
    parse_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import REDIS_PY
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import in_time

STAGES = ("resolve", "connect", "tls", "auth", "ping", "role", "database", "nodes", "client", "write", "latency")
PINGS = 20
OWN, APP = "own", "app"  # whose word an answer is
# Before Redis 6 there are no users, and redis-py sends the password alone then:
# https://github.com/redis/redis-py/issues/1274
_KNOWS_NO_USERS = "wrong number of arguments for 'auth' command"
KEY_SECONDS = 60  # what a probe that is killed leaves behind is gone after this


@dataclass(frozen=True)
class Question:
    """What is asked. ``expected_role``: primary, replica or any. ``seconds`` bounds each stage.

    ``tls_as_app``: the URL is the app's own. TLS is done as its redis-py does it by the URL's options. Otherwise
    certificate and name are verified whatever they say. ``compares_names``: where the options are silent, names are
    compared as our redis-py would; false where the app's is known not to. ``reader`` is whose library is asked too.
    ``protocol`` is what the app's client speaks, of PROTOCOLS. ``nodes`` are those of a cluster as AWS has them, each
    with address and port: what one of them says of a login need not be what the others do. ``told_at`` is the address
    of who sends us there; empty where that is the URL's own author.
    """

    url: str = field(repr=False)
    expected_role: str = "primary"
    seconds: float = 5.0
    write: bool = True
    ca_certs: str = ""
    tls_as_app: bool = False
    compares_names: bool = True
    reader: str = REDIS_PY
    protocol: str = REDIS
    nodes: Sequence[Sequence[Any]] = ()
    told_at: str = ""


@dataclass(frozen=True)
class Check:
    """One stage: whether it was passed, what was seen, and how long it took."""

    name: str
    ok: bool
    detail: str
    ms: float


@dataclass
class Answer:
    """What was found out, and whose word that is. ``compares_names``: so does the client where the URL is silent.
    ``nodes`` are all places where a client of a cluster may be connected to, ``{address, port}``, by our own client.
    """

    checks: list[Check] = field(default_factory=list)
    server: Server = field(default_factory=Server)
    client_address: str = ""
    latency_ms: dict[str, float] = field(default_factory=dict)
    through: str = ""
    advice: list[str] = field(default_factory=list)
    compares_names: bool = True
    word_of: str = OWN
    nodes: list[dict[str, Any]] = field(default_factory=list)
    failure: Failure | None = None

    def as_dict(self) -> dict[str, Any]:
        told = {name: value for name, value in asdict(self).items() if name != "compares_names"}
        return {"reached": self.failure is None, **told}


def probe(question: Question, clock: Callable[[], float] = time.perf_counter) -> Answer:
    """Go through the stages until one fails. Raises EndpointError where the URL cannot be read."""
    return answer_of(Run(question, clock))


def answer_of(run: Run) -> Answer:
    with contextlib.closing(run), contextlib.suppress(ProbeFailed):
        run.all_stages()
    return run.answer


@contextlib.contextmanager
def session(question: Question) -> Iterator[Connection]:
    """A connection of our own, logged in and at the database of the URL. Raises ProbeFailed, EndpointError."""
    run = Run(question, time.perf_counter)
    with contextlib.closing(run):
        yield run.reach()


class Run:
    """The stages of one probe. Those that a stage needs have been passed before it."""

    def __init__(self, question: Question, clock: Callable[[], float] = time.perf_counter) -> None:
        self.question = question
        self.parts: UrlParts = parse_url(question.url)
        self.answer = Answer()
        self._clock = clock
        self._sockaddrs: list[tuple[int, Any]] = []
        self._socket: socket.socket | None = None
        self._address = ""  # at its other end
        self._server: Connection | None = None
        self._client: Any = None

    def all_stages(self) -> None:
        self.reach()
        self._pass("client", self._take_client)
        if self.question.write:
            self._pass("write", self._write)
        self._pass("latency", self._latency)

    def reach(self) -> Connection:
        """The stages up to a connection on which the app's commands could follow."""
        self.log_in()
        self._pass("role", self._role)
        self._pass("database", self._select)
        return self._talk()

    def log_in(self) -> Connection:
        """The stages up to a connection that is logged in."""
        self._pass("resolve", self._resolve)
        self._pass("connect", self._connect)
        self._pass("tls", self._speak)
        self._pass("auth", self._log_in)
        self._pass("ping", self._ping)
        return self._talk()

    def close(self) -> None:
        for part in (self._client, self._server, self._socket):
            if part is not None:
                part.close()

    def _pass(self, name: str, stage: Callable[[], str]) -> None:
        start = self._clock()
        try:
            with self._explained():
                detail, ok = stage(), True
        except ProbeFailed as failed:
            self.answer.failure, detail, ok = failed.failure, failed.failure.found, False
        self.answer.checks.append(Check(name, ok, detail, _ms(self._clock() - start)))
        if self.answer.failure:
            raise ProbeFailed(self.answer.failure)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever a conversation ends with becomes a failure with a name."""
        try:
            yield
        except ServerError as error:
            failure = failures.from_server(self.parts, str(error))
            raise ProbeFailed(failures.of_the_app(failure) if self.question.tls_as_app else failure)
        except NoAnswer:
            raise ProbeFailed(failures.silent(self.parts, self.question.seconds))
        except ConnectionLost as error:
            raise ProbeFailed(failures.lost(self.parts, str(error)))
        except NotRedis as error:
            raise ProbeFailed(failures.not_redis(self.parts, str(error)))

    def at_node(self, host: str, port: int) -> Question:
        """The question as it is put to a node that the server names."""
        return replace(self.question, url=at_place(self.question.url, host, port), told_at=self._address)

    # --- reaching it ---

    def _resolve(self) -> str:
        found = _resolve_within(self.parts.host, self.parts.port, self.question.seconds)
        if isinstance(found, str):
            raise ProbeFailed(failures.unresolved(self.parts, found))
        self._sockaddrs = found
        self._refuse_to_be_sent_astray()
        return ", ".join(self._addresses())

    def _refuse_to_be_sent_astray(self) -> None:
        """Whoever names a node must not have this host ask itself, with a password, or its instance's metadata."""
        told_at = self.question.told_at
        astray = [address for address in self._addresses() if is_of_each_host(address)]
        if told_at and astray and not is_of_each_host(told_at):
            raise ProbeFailed(failures.sent_astray(self.parts, told_at, astray[0]))

    def _addresses(self) -> list[str]:
        return [str(sockaddr[0]) for _family, sockaddr in self._sockaddrs]

    def _connect(self) -> str:
        try:
            self._socket = self._open()
        except OSError as error:
            raise ProbeFailed(failures.unconnected(self.parts, self._addresses(), error, self.question.seconds))
        self._address, port = self._socket.getpeername()[:2]
        self.answer.client_address = self._socket.getsockname()[0]
        return f"{self._address}:{port}"

    def _open(self) -> socket.socket:
        """A connection to the first address that takes one, as redis-py does; all of them within the time limit."""
        deadline = self._clock() + self.question.seconds
        failed: OSError = OSError("no address")
        for family, sockaddr in self._sockaddrs:
            left = deadline - self._clock()
            if left <= 0:
                break
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(left)
                sock.connect(sockaddr)
                sock.settimeout(self.question.seconds)
                return sock
            except OSError as error:
                sock.close()
                failed = error
        raise failed

    def _speak(self) -> str:
        if self.parts.tls:
            detail = self._handshake()
            self._server = Connection(self._connected())
            return detail
        self._server = Connection(self._connected())
        try:
            # Before the password: it must not go in clear text to a port that wants TLS.
            self._greet(self._server)
        except (ConnectionLost, NotRedis, NoAnswer):
            if self._speaks_tls():
                raise ProbeFailed(failures.tls_wanted(self.parts))
            raise
        return "not used"

    def _handshake(self) -> str:
        try:
            context = self._context()
        except (OSError, ValueError) as error:  # what the URL's options name is not there, or is no certificate
            raise ProbeFailed(failures.tls_failed(self.parts, str(error)))
        try:
            secured = context.wrap_socket(self._connected(), server_hostname=self.parts.host)
        except ssl.SSLCertVerificationError as error:
            raise ProbeFailed(failures.certificate(self.parts, error, self._names(), self._trusted()))
        except (ssl.SSLError, OSError) as error:
            if self._speaks_plainly():
                raise ProbeFailed(failures.tls_not_spoken(self.parts))
            raise ProbeFailed(failures.tls_failed(self.parts, str(error)))
        self._socket = secured
        return f"{secured.version()}, {tls.verified(context)}"

    def _context(self) -> ssl.SSLContext:
        if not self.question.tls_as_app:
            return tls.strict(self.parts, self.question.ca_certs)
        names = self.question.compares_names and checks_names(find_redis_py()[0])
        return tls.as_app(self.parts, self.question.ca_certs, names)

    def _trusted(self) -> str:
        return tls.trusted(self.parts, self.question.ca_certs)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise AssertionError("only for stages that come after connect")
        return self._socket

    @staticmethod
    def _greet(server: Connection) -> None:
        with contextlib.suppress(ServerError):  # NOAUTH, LOADING …: said in the protocol, so it is spoken
            server.execute("PING")

    def _speaks_tls(self) -> bool:
        """Whether another connection, which is told nothing, takes a TLS handshake."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with self._open() as sock, context.wrap_socket(sock, server_hostname=self.parts.host):
                return True
        except OSError:
            return False

    def _speaks_plainly(self) -> bool:
        try:
            with contextlib.closing(Connection(self._open())) as server:
                self._greet(server)
            return True
        except (CacheError, OSError):
            return False

    def _names(self) -> list[str]:
        """The names in a certificate whose CA is trusted."""
        context = self._context()
        context.check_hostname = False
        try:
            with self._open() as sock, context.wrap_socket(sock, server_hostname=self.parts.host) as secured:
                found: Any = (secured.getpeercert() or {}).get("subjectAltName", ())
        except OSError:
            return []
        return [str(name) for _kind, name in found]

    # --- talking to it ---

    def _talk(self) -> Connection:
        if self._server is None:
            raise AssertionError("only for stages that come after tls")
        return self._server

    def _log_in(self) -> str:
        if not self.parts.password:
            return "no token given"
        login = [self.parts.username, self.parts.password] if self.parts.username else [self.parts.password]
        try:
            self._talk().execute("AUTH", *login)
        except ServerError as error:
            if _KNOWS_NO_USERS not in str(error).lower():
                raise
            self._talk().execute("AUTH", self.parts.password)
        return "accepted"

    def _ping(self) -> str:
        self._talk().execute("PING")
        return "answered"

    def _role(self) -> str:
        try:
            info = parse_info(self._talk().ask("INFO"))
        except ServerError as error:
            return f"not told ({failures.without_secret(str(error), self.parts)})"
        self._see_own_address()
        self.answer.server = found = server_of(info)
        self._refuse_what_is_not_meant(found)
        return f"{found.engine} {found.version}, {found.role}"

    def _refuse_what_is_not_meant(self, found: Server) -> None:
        if found.mode == "cluster":
            raise ProbeFailed(failures.cluster(self.parts, "cluster_enabled: 1"))
        expected = self.question.expected_role
        if expected == "primary" and found.role == "slave":
            raise ProbeFailed(failures.replica(self.parts))
        if expected == "replica" and found.role == "master":
            raise ProbeFailed(failures.not_a_replica(self.parts, "primary"))

    def _see_own_address(self) -> None:
        """As the server sees it, which differs behind NAT. CLIENT INFO is there from 6.2."""
        with contextlib.suppress(ServerError):
            seen = parse_client(self._talk().ask("CLIENT", "INFO")).get("addr", "")
            self.answer.client_address = address_of(seen) or self.answer.client_address

    def _select(self) -> str:
        if self.parts.database:
            self._talk().execute("SELECT", self.parts.database)
        return str(self.parts.database)

    def _take_client(self) -> str:
        redis, why = find_redis_py()
        self.answer.compares_names = checks_names(redis)
        self.answer.advice = advice(redis, self.parts) if redis and not self.question.tls_as_app else []
        self._client = self._app_client(redis) if redis else self._own_client()
        self.answer.through = str(self._client.name)
        if redis and self.question.reader in OF_READERS:
            self.answer.through += f" and {self._ask_reader(OF_READERS[self.question.reader])}"
        return self.answer.through + (f" ({why})" if why else "")

    def _ask_reader(self, library: Library) -> str:
        """What reads the URL itself is asked too, as it may take other options than redis-py, or none."""
        try:
            return library.ask(self.question.url, self.question.seconds)
        except CacheError as error:
            why = failures.without_secret(str(error), self.parts)
            raise ProbeFailed(failures.library(self.parts, library.name, why))

    def _own_client(self) -> OwnClient:
        return OwnClient(self._talk())

    def _app_client(self, redis: Any) -> RedisPy:
        try:
            tls_options = tls_as_app if self.question.tls_as_app else verified
            client = RedisPy(
                redis,
                self.question.url,
                self.question.seconds,
                tls_options(redis, self.question.ca_certs),
                self.question.protocol,
            )
            client.ping()
            return client
        except CacheError as error:  # our own connection came this far with the same URL
            why = failures.without_secret(str(error), self.parts)
            raise ProbeFailed(failures.library(self.parts, f"redis-py {redis.__version__}", why))

    def _write(self) -> str:
        self._write_key(self._own_key())
        return "SET, GET, DEL of a key of its own"

    @staticmethod
    def _own_key() -> str:
        return f"cache_migration:probe:{secrets.token_hex(8)}"

    def _write_key(self, key: str) -> None:
        value = secrets.token_hex(8)
        self._client.set(key, value, KEY_SECONDS)
        kept = self._client.get(key)
        self._client.delete(key)
        if kept != value:
            raise ProbeFailed(failures.not_kept(self.parts))

    def _latency(self) -> str:
        times = []
        for number in range(PINGS):
            start = self._clock()
            self._ask_client(number)
            times.append(self._clock() - start)
        times.sort()
        figures = {"p50": _ms(times[PINGS // 2]), "max": _ms(times[-1])}
        self.answer.latency_ms = figures
        return f"p50 {figures['p50']} ms, max {figures['max']} ms"

    def _ask_client(self, _number: int) -> None:
        self._client.ping()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _resolve_within(host: str, port: int, seconds: float) -> list[tuple[int, Any]] | str:
    """The addresses, or why there are none. A resolver's own time limits are far longer, and cannot be set."""

    def ask() -> list[tuple[int, Any]] | str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            return str(getattr(error, "strerror", None) or error)
        return [(family, sockaddr) for family, _type, _proto, _name, sockaddr in found]

    found = in_time(ask, seconds)
    return f"no answer from the name server within {seconds:g} s" if found is None else found
