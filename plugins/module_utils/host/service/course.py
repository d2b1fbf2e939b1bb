# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Restart a service where needed and prove that it is on its new cache, a slice of time at a run.

What must be remembered between two runs, above all that the restart was done, is the Course; nothing lies on the host.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Protocol, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.health import HealthAnswer
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import order as orders
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import Run
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.order import CountJobs, Order
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import (
    HEALTH,
    LEFT,
    TARGET,
    Course,
    Jobs,
    Open,
    Scene,
    Wanted,
    failure,
    not_connected,
    still_open,
    why_restart,
    why_wait,
    would_restart,
)

SLICE = 4.0  # how long one run works before it says how far it is: each costs the start of a Python, on two machines
PAUSE = 0.1
SETTLE = 3.0  # how long a manager may still show the state from before a restart
PATIENCE = 10.0  # how long a running service has to prove itself before restart: auto restarts it
GLANCE = 3.0  # how long it is asked and watched by what only looks, where its connections do not say it at once
GLANCES = 5  # at the least


class World(Protocol):
    """The service on its host."""

    def look(self) -> Scene: ...

    def jobs_left(self) -> Jobs: ...

    def restart(self) -> None: ...

    def ask(self, count: int) -> Sequence[HealthAnswer]: ...

    def spread_requests(self) -> None: ...

    def watch(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Report:
    """How far it came: proven where nothing is open, to be continued unless ``failed``.

    ``seconds`` are counted from the restart, or from the beginning where there was none.
    """

    course: Course
    scene: Scene
    open: Open | None
    seconds: float = 0.0
    failed: bool = False


def advance(
    wanted: Wanted,
    course: Course | None,
    world: World,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Work for a slice of time. ``course`` is None at the first run."""
    ends = clock() + SLICE
    scene = world.look()
    course = course or Course(began=clock(), reason=why_restart(wanted, scene))
    while True:
        found = None
        if course.is_to_restart:
            jobs = world.jobs_left()
            found = why_wait(wanted, scene, jobs, clock() - course.began)
            if not found:
                course = _restart(replace(course, jobs=jobs.held), scene, world, clock)
                scene = world.look()
        if not found:
            course = replace(course, has_waited=_has_waited(wanted, course, clock()))
            course, scene, found = _examined(wanted, course, scene, world)
        if found is None:
            return Report(course, scene, None)
        since = clock() - (course.restarted_at or course.began)
        if since >= wanted.seconds_for(found.kind) or (scene.state.given_up and since >= SETTLE):
            return Report(course, scene, found, since, failed=True)
        if _is_due(wanted, course, scene):
            course = replace(course, reason=f"not on its target by itself: {found.found}")
        if clock() >= ends:
            return Report(course, scene, found, since)
        world.watch(PAUSE)
        scene = world.look()


def _examined(wanted: Wanted, course: Course, scene: Scene, world: World) -> tuple[Course, Scene, Open | None]:
    """What is not proven, also when it was asked for that."""
    course, found = _judged(wanted, course, scene)
    if found and found.kind == HEALTH:
        course = _count(course, world.ask(wanted.health_requests))
        scene = world.look()
        course, found = _judged(wanted, course, scene)
    if found and found.kind in (LEFT, TARGET) and wanted.health_url:
        world.spread_requests()
        scene = world.look()
        course, found = _judged(wanted, course, scene)
    return course, scene, found


def foresee(
    wanted: Wanted, world: World, seconds: float = GLANCE, clock: Callable[[], float] = time.monotonic
) -> tuple[Scene, Course]:
    """What would be done, as the reason of a course. A service that runs, but has no connection that says where, is
    asked and watched for a moment: one that closes its connections shows them only then.
    """
    course, scene = Course(began=clock(), has_waited=True), world.look()
    for turn in itertools.count():
        course = course.having_seen(scene)
        found = not_connected(wanted, course, scene)
        is_open = found and found.kind == TARGET and scene.state.running and not why_restart(wanted, scene)
        if not is_open or not seconds or (turn >= GLANCES and clock() - course.began >= seconds):
            break
        if wanted.health_url:
            world.spread_requests()
        world.watch(PAUSE)
        scene = world.look()
    return scene, replace(course, reason=would_restart(wanted, course, scene))


def predicted(order: Order, run: Run) -> dict[str, Any]:
    """What a run would do, told as a module's result. Raises ServiceError."""
    scene, course = foresee(order.wanted, order.on_host(run), GLANCE if order.target else 0.0)
    return {
        **orders.told(order.wanted, scene, course),
        "changed": bool(course.reason),
        "restarted": bool(course.reason),
    }


def advanced(order: Order, course: Course | None, run: Run, jobs: CountJobs = Jobs) -> dict[str, Any]:
    """A slice of time, told as a module's result: ``msg`` where it failed, ``in_progress`` where it is to go on.

    ``jobs`` says what the queues of ``order`` hold. Raises ServiceError.
    """
    service = order.on_host(run, jobs)
    report = advance(order.wanted, course, service)
    told = {
        **orders.told(order.wanted, report.scene, report.course),
        "in_progress": report.open is not None and not report.failed,
        "progress": report.open.found if report.open else "",
        "resume": asdict(report.course),
    }
    if report.open and report.failed:
        told["msg"] = failure(report.open, report.seconds, service.how_to_see_why())
    return told


def _judged(wanted: Wanted, course: Course, scene: Scene) -> tuple[Course, Open | None]:
    """What is not proven by this scene, which is remembered, and those before it."""
    course = course.having_seen(scene)
    return course, still_open(wanted, course, scene)


def _restart(course: Course, scene: Scene, world: World, clock: Callable[[], float]) -> Course:
    world.restart()
    return replace(
        course,
        restarted_at=clock(),
        generation_before=scene.state.generation,
        in_a_row=0,
        last_error="",
        connected=(),
        trees=(),
        often=0,
        visitors=(),
    )


def _count(course: Course, answers: Sequence[HealthAnswer]) -> Course:
    for answer in answers:
        course = replace(
            course,
            requests=course.requests + 1,
            failed=course.failed + (not answer.ok),
            in_a_row=course.in_a_row + 1 if answer.ok else 0,
            last_error=answer.error,
        )
    good = sorted(answer.ms for answer in answers if answer.ok)
    return replace(course, ms=good[len(good) // 2]) if good else course


def _has_waited(wanted: Wanted, course: Course, now: float) -> bool:
    return now - (course.restarted_at or course.began) >= min(PATIENCE, wanted.timeout / 2)


def _is_due(wanted: Wanted, course: Course, scene: Scene) -> bool:
    """Whether a service that looked right, but cannot be proven, is to be restarted after all."""
    is_tried = course.reason or scene.state.starts_anew
    return wanted.restart == "auto" and not is_tried and course.has_waited
