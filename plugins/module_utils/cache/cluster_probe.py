# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Can an app with a client of the cluster protocol use this cache? The stages of a probe, over all nodes.

Every slot has an owner, and every node that the cluster names takes the login from here, as a client goes to whichever
has a key, by the name that it is told. A replica that is silent is told alone: while a node is replaced, the app goes
on without it.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures, slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.cluster import (
    Cluster,
    OwnClusterClient,
    Place,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure, ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import (
    Answer,
    Question,
    Run,
    answer_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
    code_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    REDIS_CLUSTER,
    Endpoint,
    probe_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import all_in_time

_RIGHTS = " +cluster|slots +cluster|shards"  # by which clients learn where a key is, and which no category has
_LOGIN_STAGES = 4  # each may take as long as a question allows
_MAY_BE_SILENT = (*failures.NOT_REACHED, "connection_lost", "no_answer", "loading")


def probe(question: Question) -> Answer:
    """As probe.probe."""
    return answer_of(_Run(question))


@contextlib.contextmanager
def session(question: Question) -> Iterator[Cluster]:
    """A conversation with all nodes of a cluster whose slots are all covered. Raises ProbeFailed, EndpointError."""
    run = _Run(question)
    with contextlib.closing(run):
        run.reach()
        yield run.cluster()


class _Run(Run):
    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self._cluster: Cluster | None = None
        self._nodes: list[Run] = []

    def reach(self) -> Connection:
        connection = super().reach()
        self._pass("nodes", self._reach_nodes)
        return connection

    def cluster(self) -> Cluster:
        if self._cluster is None:
            raise AssertionError("only for stages that come after role")
        return self._cluster

    def close(self) -> None:
        super().close()
        for node in self._nodes:
            node.close()

    def _refuse_what_is_not_meant(self, found: Server) -> None:
        if found.mode != "cluster":
            raise ProbeFailed(failures.not_a_cluster(self.parts, f"{found.engine} {found.version}, {found.mode}"))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        with super()._explained():
            try:
                yield
            except ServerError as error:
                said = failures.without_secret(str(error), self.parts)
                if code_of(said) in ("CLUSTERDOWN", "TRYAGAIN"):
                    raise ProbeFailed(failures.slots_not_covered(self.parts, said))
                if code_of(said) == "NOPERM":
                    raise ProbeFailed(failures.no_permission(self.parts, said, _RIGHTS))
                if "cluster support disabled" in said:
                    raise ProbeFailed(failures.not_a_cluster(self.parts, said))
                raise

    # --- all nodes ---

    def _log_in(self) -> str:
        try:
            return super()._log_in()
        except ServerError as error:
            if failures.from_server(self.parts, str(error)).kind == "auth_wrong":
                self._refuse_another_word_of_others()
            raise

    def _refuse_another_word_of_others(self) -> None:
        """That a token is wrong is the word of all nodes, or it is not known. Raises ProbeFailed."""
        others = [(str(name), int(port)) for name, port in self.question.nodes]
        failed = self._failures(others)
        if taking := [place for place in others if place not in failed]:
            self._refuse_halves(taking, [(self.parts.host, self.parts.port)])
        for failure in failed.values():
            if failure.kind != "auth_wrong":
                raise ProbeFailed(failure)

    def _refuse_halves(self, taking: Sequence[Place], refusing: Sequence[Place]) -> None:
        named = [[f"{name}:{port}" for name, port in places] for places in (taking, refusing)]
        raise ProbeFailed(failures.auth_differs(self.parts, *named))

    def see_nodes(self) -> list[slots.Node]:
        """Raises CacheError and ProbeFailed, and needs a connection that is logged in."""
        self._cluster = Cluster(self._talk(), self.parts.host, self._connect_node)
        nodes = {node.place: node for shard in self._cluster.look() for node in (shard.primary, *shard.replicas)}
        self.answer.nodes = [
            {"address": name, "port": node.port} for node in nodes.values() for name in (node.address, *node.others)
        ]
        return list(nodes.values())

    def _reach_nodes(self) -> str:
        nodes, shards = self.see_nodes(), self.cluster().shards
        if lost := slots.uncovered(shards):
            raise ProbeFailed(failures.slots_not_covered(self.parts, f"{lost} of {slots.COUNT} slots have no owner"))
        failed = self._failures([node.place for node in nodes])
        if wrong := [place for place, failure in failed.items() if failure.kind == "auth_wrong"]:
            self._refuse_halves([(self.parts.host, self.parts.port)], wrong)
        primaries = {shard.primary.place for shard in shards}
        for place, failure in failed.items():
            if place in primaries or failure.kind not in _MAY_BE_SILENT:
                raise ProbeFailed(failure)
        silent = f"; no answer from the replicas {', '.join(f'{name}:{port}' for name, port in failed)}"
        return f"{len(shards)} shards, {len(nodes)} nodes" + (silent if failed else "")

    def _failures(self, places: list[Place]) -> dict[Place, Failure]:
        """Of those that do not take the login, all asked at once."""
        seconds = self.question.seconds * _LOGIN_STAGES
        named = {f"{name}:{port}": (name, port) for name, port in places}
        asked = all_in_time({key: functools.partial(self._failure, place) for key, place in named.items()}, seconds)
        late = {key for key in named if key not in asked}
        found = {place: asked[key] for key, place in named.items() if key not in late}
        return {
            **{place: failure for place, failure in found.items() if failure},
            **{named[key]: failures.endless(self._run_at(named[key]).parts, seconds) for key in late},
        }

    def _failure(self, place: Place) -> Failure | None:
        run = self._run_at(place)
        with contextlib.closing(run):
            try:
                run.log_in()
            except ProbeFailed as failed:
                return failed.failure
        return None

    def _connect_node(self, place: Place) -> Connection:
        run = self._run_at(place)
        self._nodes.append(run)
        return run.log_in()

    def _run_at(self, place: Place) -> Run:
        return Run(self.at_node(*place))

    # --- what the app does ---

    def _own_client(self) -> Any:
        return OwnClusterClient(self.cluster())

    def _write(self) -> str:
        keys = self._keys()
        for key in keys:
            self._write_key(key)
        return f"SET, GET, DEL of a key of its own in each of {len(keys)} shards"

    def _keys(self) -> list[str]:
        """One of each shard."""
        return slots.keys_of_each(self.cluster().shards, self._own_key())

    def _latency(self) -> str:
        self._asked_keys = self._keys()
        return super()._latency()

    def _ask_client(self, number: int) -> None:
        self._client.get(self._asked_keys[number % len(self._asked_keys)])


def with_nodes(wanted: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The ``endpoint`` in ``wanted`` with the nodes that a cluster tells to this host, beside those in it. It tells
    none where it does not answer, does not take the ``auth_token``, or is no cluster. Raises EndpointError.
    """
    target = Endpoint.from_dict(wanted["endpoint"])
    told = []
    if target.protocol == REDIS_CLUSTER and target.is_known:
        url = probe_url(target, wanted.get("auth_token") or "")
        run = _Run(Question(url, seconds=seconds, protocol=REDIS_CLUSTER))
        with contextlib.closing(run), contextlib.suppress(ProbeFailed, CacheError):
            run.log_in()
            run.see_nodes()
        told = run.answer.nodes
    return {**wanted["endpoint"], "nodes": [*(wanted["endpoint"].get("nodes") or ()), *told]}
