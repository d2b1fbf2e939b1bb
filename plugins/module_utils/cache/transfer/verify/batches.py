# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The keys of two sides in batches, each compared by one of several processes.

Who is to read next is told by a baton, which holds the cursor: whoever takes it asks for the keys there, hands the next
cursor on, and compares what it got. So cursors are used as SCAN gives them, and no key goes from process to process.
"""

from __future__ import annotations

import itertools
import os
import struct
import time
from dataclasses import dataclass, field
from typing import Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    NotRedis,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import columns, guard
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import MARK, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach, reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import (
    EXTRA,
    GONE,
    MISSING,
    Tally,
    Verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import compare
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.seen import Seen
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import (
    Link,
    command,
    inside,
    raw,
)

_MARK = MARK.encode()
_LONGEST_CURSOR = 32
START = b"0"  # a cursor, and the one at which SCAN ends


@dataclass(frozen=True)
class Stretch:
    """The keys of one engine in one database. ``is_back``: of the target, looked for at the source. ``sample``: so
    many, drawn by lot; 0 for all.
    """

    is_back: bool
    database: int
    link: int
    sample: int = 0


@dataclass(frozen=True)
class Place:
    """Before a batch: its number, its stretch, and the cursor there, which counts where keys are drawn by lot."""

    number: int = 0
    stretch: int = 0
    cursor: bytes = START


class Baton:
    _FORM = struct.Struct(f"<QQ{_LONGEST_CURSOR}s")

    def __init__(self) -> None:
        self._taken, self._given = os.pipe()

    def give(self, place: Place) -> None:
        if len(place.cursor) > _LONGEST_CURSOR:
            raise NotRedis(f"its answer to SCAN has a cursor of {len(place.cursor)} digits")
        os.write(self._given, self._FORM.pack(place.number, place.stretch, place.cursor))

    def take(self) -> Place:
        """Waits for it."""
        number, stretch, cursor = self._FORM.unpack(os.read(self._taken, self._FORM.size))
        return Place(number, stretch, cursor.rstrip(b"\0"))

    def close(self) -> None:
        os.close(self._taken)
        os.close(self._given)


@dataclass(frozen=True)
class Order:
    """What a process works by. ``rate`` is its own share."""

    source: Side
    target: Side
    stretches: tuple[Stretch, ...]
    stop: int  # the first of them that is not for now
    ttl_tolerance_ms: int
    rate: float
    latency_limit_ms: float
    until: float  # by time.monotonic
    identity: tuple[list[str], list[str]]  # of the engines that the stretches are of
    queues: Mapping[int, JobKeys] = field(default_factory=dict)  # what is left out, by the number of its database


class OtherEngines(CacheError):
    """An engine was started anew or replaced, or slots have moved: cursors mean nothing any more."""


Report = Callable[[int, Place, Tally], None]  # the number of the batch, what comes after it, what it came to


def work(order: Order, baton: Baton, seen: Seen, report: Report) -> None:
    """Batch after batch, one at least, until all are done or the time is over. Raises ProbeFailed, CacheError."""
    with reached(order.source) as source, reached(order.target) as target:
        if (source.identity(), target.identity()) != order.identity:
            raise OtherEngines("an engine was started anew or replaced, or slots of a cluster have moved")
        worker = _Worker(order, source, target, seen)
        for done in itertools.count():
            place = baton.take()
            if place.stretch == order.stop or (done and time.monotonic() > order.until):
                baton.give(place)  # for the others
                return
            worker.rest()
            keys, after = worker.read(place)
            baton.give(after)
            report(place.number, after, worker.compare(order.stretches[place.stretch], keys))


class _Worker:
    def __init__(self, order: Order, source: Reach, target: Reach, seen: Seen) -> None:
        self._order, self._seen = order, seen
        self._source, self._target = source, target
        self._rules = compare.rules_for(source, target, order.ttl_tolerance_ms)
        self._guard = guard.Guard(order.latency_limit_ms)
        self._pace = guard.Pace(order.rate, time.monotonic())
        self._count = guard.most_keys(order.latency_limit_ms)
        self._database = -1
        self._refused = ("", "")  # why the source, and the target, do not serve the database

    def rest(self) -> None:
        """As the rate and the source's latency have it, which is asked for where nothing of ours is on its way."""
        began = time.monotonic()
        self._source.links[0].execute("PING")
        now = time.monotonic()
        time.sleep(max(self._guard.measured((now - began) * 1000), self._pace.rest(self._count, now)))

    def read(self, place: Place) -> tuple[list[bytes], Place]:
        """The keys of the batch, raw, and the place after it."""
        stretch = self._order.stretches[place.stretch]
        self._go_to(stretch.database)
        if self._refused[stretch.is_back]:
            return [], Place(place.number + 1, place.stretch + 1)
        link = (self._target if stretch.is_back else self._source).links[stretch.link]
        if stretch.sample:
            keys, cursor = self._drawn(link, stretch.sample, int(place.cursor))
        else:
            keys, cursor = self._scanned(link, place.cursor)
        next_stretch = place.stretch + (cursor == START)
        return list(dict.fromkeys(keys)), Place(place.number + 1, next_stretch, cursor)

    def _scanned(self, link: Link, cursor: bytes) -> tuple[list[bytes], bytes]:
        link.ask(command(raw(b"SCAN"), raw(cursor), raw(b"COUNT"), raw(b"%d" % self._count)))
        after, keys = columns.scanned(link.told()[0])
        return list(map(columns.written, keys)), b"%d" % after

    def _drawn(self, link: Link, sample: int, drawn: int) -> tuple[list[bytes], bytes]:
        count = min(self._count, sample - drawn)
        link.send(command(raw(b"RANDOMKEY")) * count)
        found = link.bulks(count)
        for answer in found:
            if isinstance(answer, ServerError):
                raise answer
        drawn += count
        return [key for key in found if isinstance(key, bytes)], START if drawn >= sample else b"%d" % drawn

    def _go_to(self, database: int) -> None:
        if database != self._database:
            self._refused = (_why_not_served(self._source, database), _why_not_served(self._target, database))
            self._database = database

    def compare(self, stretch: Stretch, raws: list[bytes]) -> Tally:
        self._go_to(stretch.database)
        tally = Tally()
        if stretch.is_back:
            tally.looked_back = len(raws)
            self._look_back(stretch, self._wanted(stretch, raws), tally)
        else:
            tally.scanned = len(raws)
            self._look_there(stretch, self._wanted(stretch, raws), tally)
        return tally

    def _wanted(self, stretch: Stretch, raws: list[bytes]) -> list[bytes]:
        jobs = self._order.queues.get(stretch.database)
        return [key for key in raws if not jobs.has(inside(key))] if jobs else raws

    def _look_there(self, stretch: Stretch, raws: list[bytes], tally: Tally) -> None:
        if self._refused[1]:
            for key in raws:
                tally.judge(stretch.database, inside(key), Verdict(MISSING, self._refused[1]))
            return
        raws = _without_marks(raws)
        self._judge(stretch.database, raws, tally)
        if not stretch.sample:
            self._seen.add(stretch.database, raws)

    def _look_back(self, stretch: Stretch, raws: list[bytes], tally: Tally) -> None:
        """Those that the source lacks, and those that it has got since its keys were compared."""
        if self._refused[0]:
            for key in raws:
                tally.judge(stretch.database, inside(key), Verdict(EXTRA, self._refused[0]))
            return
        raws = _without_marks(raws)
        lacking = set(compare.lacking(raws, self._source))
        for key in lacking:
            tally.suspect(stretch.database, inside(key), Verdict(EXTRA))
        if not stretch.sample:
            new = [key for key in self._seen.without(stretch.database, raws) if key not in lacking]
            self._judge(stretch.database, new, tally)

    def _judge(self, database: int, raws: list[bytes], tally: Tally) -> None:
        compared = compare.compare(raws, self._source, self._target, self._rules)
        tally.compared += compared.equal
        for key, verdict in compared.others:
            if verdict.word == GONE:
                tally.gone += 1
            else:
                tally.suspect(database, key, verdict)


def _without_marks(raws: list[bytes]) -> list[bytes]:
    """What a transfer keeps in a cache for itself is none of the app's."""
    return [key for key in raws if not inside(key).startswith(_MARK)]


def _why_not_served(side: Reach, database: int) -> str:
    try:
        side.select(database)
    except ServerError as error:
        return f"database {database} is not served there ({error})"
    return ""
