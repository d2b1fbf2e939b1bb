# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Can an app with a client of Memcached use this cache, and what does it hold? Over all of its nodes.

A key is on one node alone, so that a node that is not reached, or keeps nothing, is a part of all keys that is lost.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Any, Iterator, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures, tls
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server, whole
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.memcached import (
    Conversation,
    NotMemcached,
    OwnClient,
    PyMemcache,
    find_pymemcache,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import (
    KEY_SECONDS,
    Answer,
    Question,
    Run,
    answer_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    ConnectionLost,
    NoAnswer,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import (
    Source,
    Surveyed,
    SurveyQuestion,
    as_probe,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import at_place, parse_url

ENGINE, MODE = "memcached", "standalone"
POLICY = "allkeys-lru"  # in Redis's words: what was used least of late makes room


def probe(question: Question) -> Answer:
    """As probe.probe."""
    return answer_of(_Run(question))


def survey(question: SurveyQuestion) -> Surveyed:
    """How much all nodes hold together; of keys Memcached tells nothing. Raises EndpointError."""
    parts = parse_url(question.url)
    run = _Run(as_probe(question))
    try:
        with contextlib.closing(run):
            run.reach_nodes()
            stats = [node.stats() for node in run.conversations]
    except ProbeFailed as failed:
        return Surveyed(failure=failed.failure)
    except CacheError as error:
        return Surveyed(failure=failures.not_told(parts, str(error)))
    return Surveyed(_source(run.answer.server, stats))


def _source(server: Server, stats: Sequence[dict[str, str]]) -> Source:
    def total(name: str) -> int:
        return sum(whole(told.get(name, "0"), name) for told in stats)

    count = total("curr_items")
    return Source(
        server=server,
        used_memory=total("bytes"),
        used_memory_peak=total("bytes"),
        maxmemory=total("limit_maxbytes"),
        maxmemory_policy=POLICY,
        evicted_keys=total("evictions"),
        databases=1,
        keyspace={0: {"count": count, "expires": 0}} if count else {},
        sample_complete=not count,
    )


class _Run(Run):
    """``conversations`` are with all nodes, once they are reached."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.conversations: list[Conversation] = []
        self._conversation: Conversation | None = None
        self._places: list[tuple[str, int]] = []
        self._nodes: list[_Run] = []

    def all_stages(self) -> None:
        self.reach_nodes()
        self._pass("client", self._take_client)
        if self.question.write:
            self._pass("write", self._write)
        self._pass("latency", self._latency)

    def reach_nodes(self) -> None:
        self.reach_one()
        self._pass("nodes", self._reach_nodes)

    def reach_one(self) -> Conversation:
        """The stages up to an answer of what listens at the URL."""
        self._pass("resolve", self._resolve)
        self._pass("connect", self._connect)
        self._pass("tls", self._speak)
        self._pass("ping", self._ping)
        return self._converse()

    def close(self) -> None:
        super().close()
        for node in self._nodes:
            node.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        with super()._explained():
            try:
                yield
            except NotMemcached as error:
                raise ProbeFailed(failures.not_memcached(self.parts, str(error)))

    def _speak(self) -> str:
        if self.parts.tls:
            detail = self._handshake()
            self._conversation = Conversation(self._connected())
            return detail
        self._conversation = Conversation(self._connected())
        try:
            self._conversation.version()
        except (ConnectionLost, NoAnswer, NotMemcached):
            if self._speaks_tls():
                raise ProbeFailed(failures.tls_wanted(self.parts))
            raise
        return "not used"

    def _context(self) -> ssl.SSLContext:
        """No option of a URL is for it: what the app demands of a certificate is in its code."""
        return tls.strict(self.parts, self.question.ca_certs)

    def _speaks_plainly(self) -> bool:
        try:
            with contextlib.closing(Conversation(self._open())) as plain:
                plain.version()
            return True
        except (CacheError, OSError):
            return False

    def _converse(self) -> Conversation:
        if self._conversation is None:
            raise AssertionError("only for stages that come after tls")
        return self._conversation

    def _ping(self) -> str:
        version = self._converse().version()
        self.answer.server = Server(ENGINE, version, mode=MODE)
        return f"{ENGINE} {version}"

    def _reach_nodes(self) -> str:
        """All of them: there are no replicas that an app could do without. Who may write to the configuration endpoint
        could name others there, so those that AWS has count where they are known.
        """
        told = self._converse().nodes()
        known = [(str(name), int(port)) for name, port in self.question.nodes]
        named = [(node.name, node.port) for node in told]
        if others := [f"{name}:{port}" for name, port in named if known and (name, port) not in known]:
            raise ProbeFailed(failures.other_nodes(self.parts, others))
        self._places = known or named or [(self.parts.host, self.parts.port)]
        names = [(name, node.port) for node in told for name in (node.name, node.address) if name]
        self.answer.nodes = [{"address": name, "port": port} for name, port in names]
        for place in self._places if known or told else ():
            node = _Run(self.at_node(*place))
            self._nodes.append(node)
            self.conversations.append(node.reach_one())
        if not self._nodes:
            self.conversations.append(self._converse())
            return "1 node, which tells of no others (no auto discovery)"
        return f"{len(self._nodes)} nodes, {'by auto discovery' if told else 'as AWS has them (no auto discovery)'}"

    # --- what the app does ---

    def _take_client(self) -> str:
        library, why = find_pymemcache()
        self._client = self._pymemcache(library) if library else OwnClient(self.conversations)
        self.answer.through = str(self._client.name)
        return self.answer.through + (f" ({why})" if why else "")

    def _pymemcache(self, library: Any) -> PyMemcache:
        try:
            context = self._context() if self.parts.tls else None
            client = PyMemcache(library, self._places, self.question.seconds, context)
            client.ping()
            return client
        except CacheError as error:  # our own connections came this far
            raise ProbeFailed(failures.library(self.parts, f"pymemcache {library.__version__}", str(error)))

    def _write(self) -> str:
        for node, (name, port) in zip(self.conversations, self._places):
            key = self._own_key()
            node.set(key, key, KEY_SECONDS)
            kept = node.get(key)
            node.delete(key)
            if kept != key:
                raise ProbeFailed(failures.not_kept(parse_url(at_place(self.question.url, name, port))))
        super()._write()
        return f"set, get, delete of a key of its own on each of {len(self.conversations)} nodes"
