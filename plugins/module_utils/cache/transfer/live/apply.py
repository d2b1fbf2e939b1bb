# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Writing into the target, so that it is always known up to where it has the source's writes.

A mark, a key of its own, says so. It is written in one transaction with what it speaks of, so that no kill and no
failover of the target can have one without the other: whoever goes on reads it, and applies nothing twice.
"""

from __future__ import annotations

import contextlib
import time
from typing import Iterator, NamedTuple, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import parse_client, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ConnectionLost,
    NotRedis,
    ServerError,
    encode,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import rdb, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import MARK, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.commands import Command, Names
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.mark import Mark
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import functions
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

NAME = "cache_migration:transfer"  # of the connection that writes, in CLIENT LIST
_LEFTOVER_SECONDS = 2.0
_ANSWER_SECONDS = 30.0  # for some hundreds of commands as one
# The target is not what it was, or not yet: whoever is connected anew may find it in order.
_PASSING = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY ", "UNBLOCKED")


class Passing(CacheError):
    """The target does not take it now."""


class Refusal(NamedTuple):
    """A command that the target did not carry out, and what it said."""

    command: Command
    why: str


class Target:
    """One engine. Raises CacheError where it is to be connected to anew, TransferRefused where it is full."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known_databases = {0}

    @property
    def connection(self) -> Connection:
        return self._connection

    def mark(self) -> Mark | None:
        self._connection.execute("SELECT", 0)
        found = self._connection.execute("GET", MARK)
        return Mark.parse(found.decode()) if isinstance(found, bytes) else None

    def remove_mark(self) -> None:
        """Also where databases were swapped since it was written."""
        for database in sorted({0, *sides.databases_of(self._connection)}):
            self._connection.execute("SELECT", database)
            self._connection.execute("DEL", MARK)

    def evicted(self) -> int:
        """Keys, since it was started."""
        told = parse_info(self._connection.ask("INFO", "stats")).get("evicted_keys", 0)
        return told if isinstance(told, int) else 0

    def libraries(self) -> list[str]:
        """The names of functions' ones."""
        return [name.decode("utf-8", "replace") for name in functions.look(Link(self._connection))]

    def payload_version(self) -> int:
        """Of what it makes itself, and so takes. It has a key of its own for a moment."""
        key = f"{MARK}:version"
        with _explained():
            self._connection.execute("SET", key, "x", "EX", 60)
        dumped = self._connection.execute("DUMP", key)
        self._connection.execute("DEL", key)
        return rdb.version_of(dumped) if isinstance(dumped, bytes) else 0

    def sets_expiry(self) -> bool:
        """Whether its SET takes PXAT, which came with 6.2."""
        version = str(parse_info(self._connection.ask("INFO", "server")).get("redis_version", "0"))
        return [int(part) for part in version.split(".")[:2] if part.isdigit()] >= [6, 2]

    def names(self) -> Names:
        told = self._connection.execute("COMMAND")
        return Names(told if isinstance(told, list) else [])

    def all_keys(self) -> Iterator[list[tuple[int, bytes]]]:
        """In parts, but for those of a transfer."""
        for database in sorted(sides.databases_of(self._connection)):
            cursor = b"0"
            while True:
                self._connection.execute("SELECT", database)
                told = self._connection.execute("SCAN", cursor, "COUNT", 512)
                if not isinstance(told, list):
                    raise NotRedis("its answer to SCAN is no list")
                cursor, keys = told
                found = [(database, key) for key in keys if not key.startswith(MARK.encode())]
                if found:
                    yield found
                if cursor == b"0":
                    break

    def apply(self, commands: Sequence[Command], mark: Mark) -> list[Refusal]:
        """All of them in order, with the mark, or none. What it refuses is left out, and returned."""
        self._refuse_lacking_databases(commands)
        left = list(commands)
        refusals: list[Refusal] = []
        while True:
            refused = self._transaction(left, mark)
            if isinstance(refused, dict):
                return refusals + [Refusal(left[place], why) for place, why in refused.items()]
            refusals += [Refusal(left[place], why) for place, why in refused]
            unfit = {place for place, _why in refused}
            left = [one for place, one in enumerate(left) if place not in unfit]

    def _transaction(self, commands: Sequence[Command], mark: Mark) -> dict[int, str] | list[tuple[int, str]]:
        """What it refused while it did the others; or a list of what it would not begin, so that nothing is done."""
        parts, owners, database = [encode(["MULTI"])], [-1], -1
        for place, one in enumerate(commands):
            if one.database != database:
                database = one.database
                parts.append(encode(["SELECT", database]))
                owners.append(-1)
            parts.append(one.raw)
            owners.append(place)
        parts += [encode(["SELECT", 0]), encode(["SET", MARK, str(mark)]), encode(["EXEC"])]
        owners += [-1, -1]
        self._send(b"".join(parts))
        queued = [self._answer() for _owner in owners]
        done = self._answer()
        errors = [(owner, str(said)) for owner, said in zip(owners, queued) if isinstance(said, ServerError)]
        if errors:
            for _owner, why in errors:
                raise_if_it_is_not_about_the_command(why)
            own = [why for owner, why in errors if owner < 0]
            if own:
                raise TransferRefused(f"the target refuses the mark of the transfer ({own[0]})")
            return errors
        if isinstance(done, ServerError) or not isinstance(done, list):
            raise_if_it_is_not_about_the_command(str(done))
            raise Passing(f"the target did not carry out a transaction ({done})")
        answers = zip(owners[1:], done)
        failed = {owner: str(said) for owner, said in answers if isinstance(said, ServerError)}
        if -1 in failed:
            raise TransferRefused(f"the target refuses what a transfer needs ({failed[-1]})")
        return failed

    def _refuse_lacking_databases(self, commands: Sequence[Command]) -> None:
        """Before anything is sent: a SELECT that fails within a transaction does not end it."""
        for database in {one.database for one in commands} - self._known_databases:
            try:
                self._connection.execute("SELECT", database)
            except ServerError as error:
                raise TransferRefused(
                    f"the app writes into database {database}, which the target does not have ({error}): raise the "
                    "parameter 'databases' in its parameter group, or choose a target without cluster mode."
                )
            self._known_databases.add(database)

    def _send(self, data: bytes) -> None:
        try:
            self._connection.socket.sendall(data)
        except OSError as error:
            raise ConnectionLost(str(error))

    def _answer(self) -> object:
        try:
            return self._connection.read()
        except ServerError as error:
            return error.with_traceback(None)


def raise_if_it_is_not_about_the_command(why: str) -> None:
    if why.startswith("OOM"):
        raise full(why)
    if why.startswith(_PASSING):
        raise Passing(f"the target does not take it now ({why})")


def full(why: str) -> TransferRefused:
    return TransferRefused(
        f"the target is full ({why}): give it a larger node (migration_cache_node_type) or more shards, and run this "
        "again. It goes on where it stopped, for as long as this host's disk and the old Redis keep what is written."
    )


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ServerError as error:
        raise_if_it_is_not_about_the_command(str(error))
        raise


@contextlib.contextmanager
def connected(side: Side) -> Iterator[Target]:
    with session(side.question("primary")) as connection:
        connection.socket.settimeout(max(side.seconds, _ANSWER_SECONDS))
        _end_others(connection)
        yield Target(connection)


def _end_others(connection: Connection) -> None:
    """A worker that was killed may have sent what the target has yet to read. It would be applied after the mark was
    read, and so twice: its connection is ended, and all that with it. Where the target lets nobody, it is waited for.
    """
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    try:
        connection.execute("CLIENT", "SETNAME", NAME)
        own = connection.ask("CLIENT", "ID")
        while time.monotonic() < deadline:
            listed = map(parse_client, connection.ask("CLIENT", "LIST").splitlines())
            others = [one["id"] for one in listed if one.get("name") == NAME and one["id"] != own]
            if not others:
                return
            for each in others:
                with contextlib.suppress(ServerError):
                    connection.execute("CLIENT", "KILL", "ID", each)
            time.sleep(0.01)
    except ServerError:  # CLIENT is not allowed there
        time.sleep(_LEFTOVER_SECONDS)
        return
    raise Passing("a worker that was killed is connected to the target still")
