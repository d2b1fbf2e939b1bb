# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Is a service proven to be on its new cache, must it be restarted, and what is still open? Pure.

Proven is: it runs, it answers, all its serving processes have a connection to the target, and none of its processes has
one to the place that it was to leave. Of what does not listen, as a worker of Celery or a timer, one process of each
tree was seen with a connection: which of them speaks with the cache, and whether all the time, is its own affair. So it
is with a tree that serves and closes its connections, as one of its processes was seen to do. What does not listen and
has opened none for a while, as a scheduler, is proven where all of it was started with what the files hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Collection, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import Links
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import State

SERVING, WORKING, PARENT, OTHER = "serving", "working", "parent", "other"

JOBS, RESTART, HEALTH, LEFT, TARGET = "jobs", "restart", "health", "left", "target"

NOT_RUNNING = "it is not running"

# By what a service is proven to be on its target: connections that it has, that it had, or its environment.
CONNECTIONS, SEEN, ENVIRONMENT = "connections", "seen", "environment"

# How often what closes its connections must have been seen with one: others to the old place are seen by then, too.
OFTEN = 3


@dataclass(frozen=True)
class Seen:
    """A process of the service. Each ``serving`` one must have a connection to the target, and one ``working`` one of
    each ``tree``, which is named by the process that it begins with. ``unit`` is the number of its unit.

    ``was_on_target`` and ``was_on_left``: such connections that it was seen with since the look before, the latter only
    where it had none at that look. ``is_given``: it was started with what the files hold that lead to the target.
    """

    pid: int
    role: str
    to_target: int
    to_left: int
    tree: int = 0
    unit: int = 0
    was_on_target: int = 0
    was_on_left: int = 0
    is_given: bool = False


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
    may_leave_jobs: bool = False  # it is restarted in the end, whatever its queues hold
    queues_timeout: float | None = None  # that their jobs have; as long as the proof where that is left out

    def seconds_for(self, kind: str) -> float:
        """That what is open may take."""
        return self.queues_timeout if kind == JOBS and self.queues_timeout is not None else self.timeout


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
    jobs: str = ""  # that its queues held when it was restarted all the same
    # Since then:
    connected: tuple[int, ...] = ()  # processes that were seen with a connection to the target
    trees: tuple[int, ...] = ()  # of these
    often: int = 0  # connections that what serves was seen with, and had closed by the next look
    visitors: tuple[int, ...] = ()  # processes that opened and closed a connection to the place to leave
    has_waited: bool = False  # for long enough that what has no connection by now opens none by itself

    def having_seen(self, scene: Scene) -> Course:
        connected = {*self.connected, *(seen.pid for seen in scene.processes if seen.to_target or seen.was_on_target)}
        trees = {seen.tree for seen in scene.processes if seen.pid in connected and seen.role in (SERVING, WORKING)}
        visitors = {seen.pid for seen in scene.processes if seen.was_on_left}
        often = sum(seen.was_on_target for seen in scene.processes if seen.role == SERVING and not seen.to_target)
        return replace(
            self,
            connected=tuple(sorted(connected)),
            trees=tuple(sorted({*self.trees, *trees})),
            often=self.often + often,
            visitors=tuple(sorted({*self.visitors, *visitors})),
        )

    @property
    def restarted(self) -> bool:
        return self.restarted_at > 0

    @property
    def is_to_restart(self) -> bool:
        return bool(self.reason) and not self.restarted


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
        return f"{NOT_RUNNING}: {scene.state.word}"
    still = _pids(scene, lambda seen: seen.to_left + seen.was_on_left > 0)
    return f"it is connected to {wanted.left} (pid {still})" if still else ""


def would_restart(wanted: Wanted, course: Course, scene: Scene) -> str:
    """What a run would do by what was seen: that it is not on its target counts against it."""
    reason = why_restart(wanted, scene)
    if reason or wanted.restart != "auto" or scene.state.starts_anew:
        return reason
    found = not_connected(wanted, course, scene)
    return f"not on its target: {found.found}" if found else ""


@dataclass(frozen=True)
class Jobs:
    """What queues hold, as a phrase; empty where that is nothing. ``can_be_taken``: their cache is reached."""

    held: str = ""
    can_be_taken: bool = True


def why_wait(wanted: Wanted, scene: Scene, jobs: Jobs, seconds: float) -> Open | None:
    """What it is to do before its restart: ``jobs`` in the queues of the cache that it leaves, while it is there."""
    takes_them = jobs.can_be_taken and any(seen.to_left or seen.was_on_left for seen in scene.processes)
    if not jobs.held or not takes_them or (wanted.may_leave_jobs and seconds >= wanted.seconds_for(JOBS)):
        return None
    return Open(JOBS, f"{wanted.name} is not restarted yet, as the cache that it leaves holds {jobs.held}")


def still_open(wanted: Wanted, course: Course, scene: Scene) -> Open | None:
    """The first thing that is not proven."""
    return _not_back(wanted, course, scene) or _unhealthy(wanted, course) or not_connected(wanted, course, scene)


def how_proven(wanted: Wanted, course: Course, scene: Scene) -> str:
    """By what it is proven to be on its target; empty where it is not, or where that is not demanded."""
    is_demanded = wanted.target and scene.state.running and not scene.state.starts_anew
    if not is_demanded or not_connected(wanted, course, scene):
        return ""
    if _unseen(course, scene):
        return ENVIRONMENT
    connected = {seen.tree for seen in scene.processes if seen.to_target}
    at_work = [seen for seen in scene.processes if seen.role in (SERVING, WORKING)]
    is_now = all(seen.to_target if seen.role == SERVING else seen.tree in connected for seen in at_work)
    return CONNECTIONS if is_now else SEEN


def is_given(own: Mapping[str, str], files: Sequence[Mapping[str, str]]) -> bool:
    """Whether the environment of a process has all keys of one of the files, and none of them otherwise."""
    held = [(name, value) for file in files for name, value in file.items()]
    is_other = any(name in own and (name, own[name]) not in held for name, _value in held)
    return not is_other and any(file and all(own.get(name) == file[name] for name in file) for file in files)


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


def not_connected(wanted: Wanted, course: Course, scene: Scene) -> Open | None:
    """What is not proven of its connections."""
    still = _pids(scene, lambda seen: seen.to_left > 0 or seen.pid in course.visitors)
    if still:
        return Open(LEFT, f"{wanted.name} is still connected to {wanted.left} (pid {still})")
    if not wanted.target or scene.state.starts_anew:
        return None
    at_work = {seen.unit for seen in scene.processes if seen.role in (SERVING, WORKING)}
    if len(at_work) < max(1, len(scene.state.units)):
        return Open(TARGET, f"{wanted.name} has no process yet that serves")
    serving = [seen for seen in scene.processes if seen.role == SERVING and seen.to_target == 0]
    closing = {seen.tree for seen in serving if seen.pid in course.connected and course.often >= OFTEN}
    without = ", ".join(str(seen.pid) for seen in serving if seen.tree not in closing)
    if without:
        return Open(TARGET, f"{wanted.name} has no connection to {wanted.target} (serving pid {without})")
    unseen = _unseen(course, scene)
    if course.has_waited:
        unseen = {seen.tree for seen in scene.processes if seen.tree in unseen and not seen.is_given}
    if not unseen:
        return None
    trees = ", ".join(map(str, sorted(unseen)))
    return Open(TARGET, f"{wanted.name} has no connection to {wanted.target} (pid {trees}, nor a child of it)")


def _unseen(course: Course, scene: Scene) -> set[int]:
    """The trees that do not listen and were never seen with a connection to the target."""
    return {seen.tree for seen in scene.processes if seen.role == WORKING} - set(course.trees)


def failure(found: Open, seconds: float, see_why: str) -> str:
    """The sentence that a service which cannot be proven fails with. ``see_why`` is the command that shows its log."""
    remedies = {
        JOBS: "See that who places jobs stands before it in migration_services, and raise queues_timeout "
        "(migration_queues_timeout, or migration_timeout) if it only needs longer, or have what is left moved after it "
        "(migration_queues_left: bring, with migration_transfer: copy); else what holds jobs that are due later does "
        "not belong into its queues (migration_services). What stays the same in unacked was taken by workers of "
        "Celery that have ended, and is given back after its visibility_timeout.",
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
