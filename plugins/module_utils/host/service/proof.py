# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Is a service proven to be on its new cache, must it be restarted, and what is still open? Pure.

Proven is: it runs, it answers, all its serving processes have a connection to the target, and none of its processes has
one to the place that it was to leave. Of what does not listen, as a worker of Celery or a timer, one process of each
tree was seen with a connection: which of them speaks with the cache, and whether all the time, is its own affair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Collection, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import Links
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import State

SERVING, WORKING, PARENT, OTHER = "serving", "working", "parent", "other"

RESTART, HEALTH, LEFT, TARGET = "restart", "health", "left", "target"


@dataclass(frozen=True)
class Seen:
    """A process of the service. Each ``serving`` one must have a connection to the target, and one ``working`` one of
    each ``tree``, which is named by the process that it begins with. ``unit`` is the number of its unit.
    """

    pid: int
    role: str
    to_target: int
    to_left: int
    tree: int = 0
    unit: int = 0


@dataclass(frozen=True)
class Scene:
    """The service at one moment."""

    state: State
    processes: tuple[Seen, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """``target`` names the place for messages, and is empty where none is to be proven.

    ``health_url`` is for messages too, without its query.
    """

    name: str
    restart: str = "auto"
    target: str = ""
    left: str = ""
    health_url: str = ""
    health_requests: int = 5
    timeout: float = 60.0


@dataclass(frozen=True)
class Course:
    """What happened so far; it is handed from one run of the module to the next. Times are of the monotonic clock."""

    began: float
    restarted_at: float = 0.0
    reason: str = ""
    generation_before: str = ""
    requests: int = 0
    failed: int = 0
    in_a_row: int = 0
    last_error: str = ""
    ms: float = 0.0
    connected: tuple[int, ...] = ()  # trees that were seen with a connection to the target since then

    def having_seen(self, scene: Scene) -> Course:
        trees = {seen.tree for seen in scene.processes if seen.role == WORKING and seen.to_target}
        return replace(self, connected=tuple(sorted({*self.connected, *trees})))

    @property
    def restarted(self) -> bool:
        return self.restarted_at > 0


@dataclass(frozen=True)
class Open:
    """What is not proven yet: ``kind`` for programs, ``found`` for people."""

    kind: str
    found: str


def cast_units(
    units: Sequence[Collection[int]],
    links: Mapping[int, Links],
    parents: Mapping[int, int],
    helpers: Collection[int] = (),
) -> tuple[Seen, ...]:
    """Give each process its role in its unit: that one program of a group listens says nothing of another."""
    return tuple(
        replace(seen, unit=number)
        for number, pids in enumerate(units)
        for seen in cast({pid: links[pid] for pid in pids if pid in links}, parents, helpers)
    )


def cast(links: Mapping[int, Links], parents: Mapping[int, int], helpers: Collection[int] = ()) -> tuple[Seen, ...]:
    """Give each process of one unit its role.

    A process serves if it listens, unless a child of it in the service holds the same socket: then that is its parent,
    as with uvicorn or gunicorn, which need not speak with the cache. Where none listens, all work.
    """
    listeners = {pid for pid, link in links.items() if link.listening}
    serving = {
        pid
        for pid in listeners
        if not any(parents.get(child) == pid and links[child].listening & links[pid].listening for child in listeners)
    }

    def role(pid: int) -> str:
        if pid in serving:
            return SERVING
        if not listeners:
            return OTHER if pid in helpers else WORKING
        return PARENT if pid in listeners or pid in parents.values() else OTHER

    def tree(pid: int) -> int:
        while parents.get(pid) in links:
            pid = parents[pid]
        return pid

    return tuple(Seen(pid, role(pid), links[pid].to_target, links[pid].to_left, tree(pid)) for pid in sorted(links))


def why_restart(wanted: Wanted, scene: Scene) -> str:
    """Why a restart is needed, as far as looking can tell; empty where it is not."""
    if wanted.restart == "never" or scene.state.starts_anew:
        return ""
    if wanted.restart == "always":
        return "asked for"
    if not scene.state.running:
        return f"it is not running: {scene.state.word}"
    still = _pids(scene, lambda seen: seen.to_left > 0)
    return f"it is connected to {wanted.left} (pid {still})" if still else ""


def would_restart(wanted: Wanted, scene: Scene) -> str:
    """What a run would do, told without asking the app: a serving process without a connection counts against it."""
    reason = why_restart(wanted, scene)
    if reason or wanted.restart != "auto" or scene.state.starts_anew:
        return reason
    found = _not_connected(wanted, Course(0.0).having_seen(scene), scene)
    return f"not on its target: {found.found}" if found else ""


def still_open(wanted: Wanted, course: Course, scene: Scene) -> Open | None:
    """The first thing that is not proven."""
    return _not_back(wanted, course, scene) or _unhealthy(wanted, course) or _not_connected(wanted, course, scene)


def _not_back(wanted: Wanted, course: Course, scene: Scene) -> Open | None:
    state = scene.state
    if course.restarted and state.running and state.is_as_before(course.generation_before):
        return Open(RESTART, f"{wanted.name} has not been restarted yet ({state.word})")
    if not state.running:
        return Open(RESTART, f"{wanted.name} is not running ({state.word})")
    return None


def _unhealthy(wanted: Wanted, course: Course) -> Open | None:
    if not wanted.health_url or course.in_a_row >= wanted.health_requests:
        return None
    last = f", last: {course.last_error}" if course.last_error else ""
    return Open(
        HEALTH,
        f"{wanted.name} answered {course.in_a_row} of {wanted.health_requests} requests in a row to "
        f"{wanted.health_url}{last}",
    )


def _not_connected(wanted: Wanted, course: Course, scene: Scene) -> Open | None:
    still = _pids(scene, lambda seen: seen.to_left > 0)
    if still:
        return Open(LEFT, f"{wanted.name} is still connected to {wanted.left} (pid {still})")
    if not wanted.target or scene.state.starts_anew:
        return None
    at_work = {seen.unit for seen in scene.processes if seen.role in (SERVING, WORKING)}
    if len(at_work) < max(1, len(scene.state.units)):
        return Open(TARGET, f"{wanted.name} has no process yet that serves")
    without = _pids(scene, lambda seen: seen.role == SERVING and seen.to_target == 0)
    if without:
        return Open(TARGET, f"{wanted.name} has no connection to {wanted.target} (serving pid {without})")
    unseen = {seen.tree for seen in scene.processes if seen.role == WORKING} - set(course.connected)
    if not unseen:
        return None
    trees = ", ".join(map(str, sorted(unseen)))
    return Open(TARGET, f"{wanted.name} has no connection to {wanted.target} (pid {trees}, nor a child of it)")


def failure(found: Open, seconds: float, see_why: str) -> str:
    """The sentence that a service which cannot be proven fails with. ``see_why`` is the command that shows its log."""
    remedies = {
        RESTART: f"Its log says why: {see_why}. If it only needs longer, raise timeout (migration_timeout).",
        HEALTH: f"Its log says why: {see_why}. Check that health_url (migration_services) is right, and raise "
        "timeout (migration_timeout) if the app only needs longer.",
        LEFT: "Check that the app has no second place that holds the old URL, such as another key, file or unit.",
        TARGET: "Check that the app reads the changed value (migration_values), that a request to "
        "health_url (migration_services) goes through the cache, and that no proxy stands between.",
    }
    return f"{found.found}, after {seconds:.0f} s. {remedies[found.kind]}"


def _pids(scene: Scene, chosen: Callable[[Seen], bool]) -> str:
    return ", ".join(str(seen.pid) for seen in scene.processes if chosen(seen))
