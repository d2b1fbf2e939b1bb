# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy managed: AWS has the target follow the old Redis, and a host watches. Standard library only.

Whoever speaks to AWS begins it and completes it (elasticache_migration). What AWS asks of the old Redis is looked at
here before, and whether the target follows is told by the engines themselves, as AWS tells a status alone.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/OnlineMigration.html
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import Iterator
from urllib.parse import urlsplit

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import following
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Info, keyspace, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import (
    before,
    payload,
    sides,
    users,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.sides import Held
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    REDIS_CLUSTER,
    is_loopback,
    parse_url,
)

BEGUN, FINISH = "begun.json", "finish.json"
PRIMARY, REPLICA = "master", "slave"  # as INFO names them
_STEP_SECONDS = 0.2
_TELL_SECONDS = 0.5
_AWAY_SECONDS = 600.0  # for an engine that fails over
_BEGIN_SECONDS = 600.0  # for AWS to have the target follow once it was asked to
_MOST_DATABASES = 1 << 16

_OF_LOGIN = frozenset(("auth_wanted", "auth_wrong", "no_permission"))  # kinds of failures
_INSTEAD = "choose migration_transfer: live or copy"


# --- before ---


def check(job: Job) -> list[str]:
    if jobs.read(job.folder, BEGUN):
        return []
    if REDIS_CLUSTER in (job.source.protocol, job.target.protocol):
        return [
            "With migration_transfer: managed one engine follows one, and one of both is a cluster: choose "
            "migration_transfer: copy."
        ]
    reasons = [*_not_reached_by_aws(job), *_asks_for_a_password(job)]
    if reasons:
        return reasons
    with session(job.source.question()) as source, session(job.target.question("primary")) as target:
        info = parse_info(source.ask("INFO"))
        reasons = [*_not_followed(source, info), *_protected(source), *_other_databases(source, target)]
    here, there = sides.look(job.source), sides.look(job.target)
    reasons += [*_keys_there(job, there), *_no_room(here, there)]
    return reasons or list(_not_loaded(job))


def _not_reached_by_aws(job: Job) -> Iterator[str]:
    if is_loopback(parse_url(job.source.url).host):
        yield (
            f"AWS is to reach the old Redis, and the app's value leads to {job.source.place}, which is this host "
            "alone: have it listen at the host's private address (bind), and the app's value lead there, or "
            f"{_INSTEAD}."
        )
    if urlsplit(job.source.url).scheme == "rediss":
        yield f"The old Redis speaks TLS, and AWS's online migration follows without it: {_INSTEAD}."


def _asks_for_a_password(job: Job) -> Iterator[str]:
    """AWS knows none."""
    parts = urlsplit(job.source.url)
    nobody = replace(job.source, url=parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    try:
        with session(nobody.question()) as connection:
            connection.ask("INFO")
    except (ProbeFailed, CacheError) as error:
        if isinstance(error, ProbeFailed) and error.failure.kind not in _OF_LOGIN:
            raise
        yield (
            f"The old Redis at {job.source.place} asks for a password, and AWS's online migration knows none: let the "
            "default user in without one for as long as it takes (CONFIG SET requirepass '', and see that its "
            f"security group lets nobody else in), or {_INSTEAD}."
        )


def _not_followed(source: Connection, info: Info) -> Iterator[str]:
    major = int(str(info.get("redis_version", "0")).split(".", maxsplit=1)[0])
    if following.may_follow(source, major) == following.NO:
        yield (
            "The old Redis lets nobody follow it: undo a rename-command of PSYNC, SYNC or REPLCONF, and let the "
            f"default user call them (ACL SETUSER default +psync +sync +replconf), or {_INSTEAD}."
        )


def _protected(source: Connection) -> Iterator[str]:
    """Where it does not tell its settings, AWS's own test does."""
    with contextlib.suppress(ServerError):
        told = source.execute("CONFIG", "GET", "protected-mode")
        if isinstance(told, list) and told[1:] == [b"yes"]:
            yield (
                "The old Redis is in protected mode, in which it lets in no other machine without a password: CONFIG "
                f"SET protected-mode no for as long as it takes, or {_INSTEAD}."
            )


def _other_databases(source: Connection, target: Connection) -> Iterator[str]:
    here, there = databases_of(source), databases_of(target)
    if here != there:
        yield (
            f"The old Redis has {here} databases and the target {there}, and AWS asks for as many on both sides: state "
            f"migration_parameters: {{databases: {here}}}, or {_INSTEAD}."
        )


def databases_of(connection: Connection) -> int:
    """How many it serves, found out by selecting them, as a managed cache tells no settings. Raises CacheError."""
    known, beyond = 0, 1
    while beyond < _MOST_DATABASES and sides.serves(connection, beyond):
        known, beyond = beyond, beyond * 2
    while beyond - known > 1:
        middle = (known + beyond) // 2
        known, beyond = (middle, beyond) if sides.serves(connection, middle) else (known, middle)
    connection.execute("SELECT", 0)
    return beyond


def _keys_there(job: Job, target: Held) -> Iterator[str]:
    if not target.keys or job.target_keys == jobs.REPLACE:
        return
    yield (
        f"The target at {job.target.place} holds {target.keys:,} keys already, which are gone once it follows: empty "
        "it, or say that they may go (migration_transfer_target_keys: replace)."
    )


def _no_room(source: Held, target: Held) -> Iterator[str]:
    most = sum(node.most_bytes for node in target.nodes)
    if most and source.used_bytes > most * before.ROOM:
        yield (
            f"The old Redis's data takes {source.used_bytes >> 20:,} MiB, and the target has {most >> 20:,}: give it "
            "more memory (migration_cache_node_type)."
        )


def _not_loaded(job: Job) -> Iterator[str]:
    """A replica loads what its primary writes, and an older engine or another refuses it."""
    with session(job.source.question()) as source, reached(job.target) as target:
        version = payload.version_at(source)
        if version is not None and not payload.is_taken(version, target):
            yield (
                f"The old Redis writes values in a format (version {version}) that the target does not load: raise "
                f"migration_engine_version, or {_INSTEAD}."
            )


# --- while it goes on ---


def run(job: Job, tell: Tell) -> None:
    if not jobs.read(job.folder, BEGUN):
        jobs.write(job.folder, BEGUN, {"was_empty": not sides.look(job.target).keys})
    _Watch(job, tell).watch()


def finish(job: Job) -> None:
    """From now on it is well that the target follows no longer."""
    jobs.write(job.folder, FINISH, {"asked": time.time()})


def abort(job: Job) -> list[str]:
    begun = jobs.read(job.folder, BEGUN)
    if not begun:
        return []
    with session(job.target.question()) as target:
        if parse_info(target.ask("INFO")).get("role") != PRIMARY:
            raise TransferRefused(
                f"the target at {job.target.place} follows the old Redis still: have AWS end that first "
                "(elasticache_migration with state: absent)."
            )
        if not begun["was_empty"]:
            return [f"What came to {job.target.place} stays there; what it held before was replaced."]
        users.refuse(job, [target])
        target.execute("FLUSHALL", "ASYNC")
        with contextlib.suppress(ServerError):  # one that has no functions
            target.execute("FUNCTION", "FLUSH", "ASYNC")
    return [f"The target at {job.target.place}, which was empty before, is empty again."]


class _Watch:
    """What the engines say of the link between them, until the target is a primary again."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        known = jobs.progress_of(job.folder) or Progress()
        phase = known.phase if known.phase in (jobs.COPYING, jobs.FOLLOWING) else jobs.CHECKING
        self._progress = replace(known, phase=phase, began=known.began or time.time(), why="", notes=())
        self._since = time.monotonic()
        self._told = 0.0
        self._ahead: list[tuple[float, int]] = []  # when the source was where the target is not yet

    def watch(self) -> None:
        away = 0.0
        self._say(notes=("It waits until AWS has the target follow.",))
        while True:
            try:
                with session(self._job.source.question()) as source, session(self._job.target.question()) as target:
                    away = 0.0
                    while self._look(source, target):
                        time.sleep(_STEP_SECONDS)
                    return
            except (ProbeFailed, CacheError) as error:
                away = away or time.monotonic()
                self._wait_for(error, away)

    def _wait_for(self, error: Exception, since: float) -> None:
        kind = error.failure.kind if isinstance(error, ProbeFailed) else ""
        if kind != "loading" and time.monotonic() - since > _AWAY_SECONDS:
            raise error
        why = error.failure.sentence if isinstance(error, ProbeFailed) else str(error)
        self._say(phase=self._progress.phase, notes=(f"One side is away: {why}",))
        time.sleep(_STEP_SECONDS)

    def _look(self, source: Connection, target: Connection) -> bool:
        """Whether there is more to wait for."""
        there = parse_info(target.ask("INFO"))
        here = parse_info(source.ask("INFO"))
        if there.get("role") == PRIMARY:
            return self._is_yet_to_follow(there)
        if there.get("master_link_status") != "up":
            self._say_now_and_then(phase=jobs.COPYING, **_synced(here, there))
            return True
        if there.get("master_replid") != here.get("master_replid"):
            raise TransferRefused(
                f"the target at {self._job.target.place} follows another Redis than {self._job.source.place}: end that "
                "first (elasticache_migration with state: absent)."
            )
        position = int(str(here.get("master_repl_offset", 0)))
        applied = int(str(there.get("slave_repl_offset", 0)))
        behind = max(0, position - applied)
        now = time.monotonic()
        self._ahead = [(at, where) for at, where in [*self._ahead, (now, position)] if where > applied]
        late = (now - self._ahead[0][0]) * 1000 if self._ahead else 0.0
        self._say_now_and_then(phase=jobs.FOLLOWING, **_synced(here, there), lag_bytes=behind, lag_ms=round(late, 1))
        return True

    def _is_yet_to_follow(self, there: Info) -> bool:
        if self._progress.phase == jobs.CHECKING:
            if time.monotonic() - self._since > _BEGIN_SECONDS:
                raise TransferRefused(
                    f"AWS did not have the target at {self._job.target.place} follow within "
                    f"{_BEGIN_SECONDS:.0f} s: see the events of the replication group, and run it again."
                )
            self._say_now_and_then(phase=jobs.CHECKING)
            return True
        if self._progress.phase == jobs.FOLLOWING and jobs.read(self._job.folder, FINISH):
            self._say(phase=jobs.DONE, keys_done=_keys(there), lag_bytes=0, lag_ms=0.0, notes=())
            return False
        raise TransferRefused(
            f"the target at {self._job.target.place} follows the old Redis no longer, and nobody said that it is to "
            "end: see the events of the replication group, end what is left of it (migration_transfer_abort), and "
            "begin again."
        )

    def _say_now_and_then(self, **changed: object) -> None:
        if time.monotonic() - self._told > _TELL_SECONDS or changed.get("phase") != self._progress.phase:
            self._say(**{"notes": (), **changed})

    def _say(self, **changed: object) -> None:
        self._progress = replace(self._progress, **changed)  # type: ignore[arg-type]
        self._tell(self._progress)
        self._told = time.monotonic()


def _synced(here: Info, there: Info) -> dict[str, int]:
    return {"keys_done": _keys(there), "keys_total": _keys(here), "bytes": int(str(there.get("used_memory", 0)))}


def _keys(info: Info) -> int:
    return sum(database["count"] for database in keyspace(info).values())
