"""When a service is proven to be on its target, and when it is restarted."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import Links
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.health import HealthAnswer
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.course import (
    PATIENCE,
    SLICE,
    advance,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import State
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import (
    Course,
    Scene,
    Seen,
    Wanted,
    cast,
    cast_units,
    failure,
    still_open,
    why_restart,
    would_restart,
)

WANTED = Wanted("shop", target="new:6379", left="old:6379", health_url="http://x/", health_requests=3, timeout=30)


def roles(links, parents, helpers=()):
    return {seen.pid: seen.role for seen in cast(links, parents, helpers)}


def test_a_parent_whose_children_hold_its_socket_does_not_serve():
    shared = Links(frozenset(["socket"]))
    assert roles({1: shared, 2: shared, 3: shared}, {1: 0, 2: 1, 3: 1}) == {1: "parent", 2: "serving", 3: "serving"}


def test_workers_with_sockets_of_their_own_serve_beside_a_parent_without():
    links = {1: Links(), 2: Links(frozenset("a")), 3: Links(frozenset("b"))}
    assert roles(links, {1: 0, 2: 1, 3: 1}) == {1: "parent", 2: "serving", 3: "serving"}


def test_a_single_process_that_listens_serves_and_its_silent_child_does_not():
    assert roles({1: Links(frozenset("a")), 2: Links()}, {1: 0, 2: 1}) == {1: "serving", 2: "other"}


def test_where_nobody_listens_all_work_but_not_pythons_own_helper():
    links = {1: Links(), 2: Links(), 3: Links()}
    assert roles(links, {1: 0, 2: 1, 3: 1}, helpers=[3]) == {1: "working", 2: "working", 3: "other"}


def test_a_process_alone_that_does_not_listen_works():
    assert roles({1: Links()}, {1: 0}) == {1: "working"}


RUNNING = State("active", True, False, "1", (frozenset([1, 2, 3]),))
QUIET = dataclasses.replace(WANTED, health_url="")


def worker(*connected, parents=None):
    """What does not listen: a process 1 with two children, of which these have a connection to the target."""
    links = {pid: Links(to_target=int(pid in connected)) for pid in (1, 2, 3)}
    return Scene(RUNNING, cast(links, parents or {1: 0, 2: 1, 3: 1}))


def test_of_a_worker_that_does_not_listen_one_process_of_its_tree_is_enough():
    """As with Celery, whose parent speaks with the broker, and whose children run what it hands them."""
    for connected in (1, 3):
        scene = worker(connected)
        assert still_open(QUIET, Course(0.0).having_seen(scene), scene) is None
    found = still_open(QUIET, Course(0.0).having_seen(worker()), worker())
    assert found.kind == "target" and "pid 1, nor a child" in found.found


def test_of_several_programs_in_one_service_each_is_to_be_seen():
    scene = worker(1, parents={1: 0, 2: 0, 3: 0})
    found = still_open(QUIET, Course(0.0).having_seen(scene), scene)
    assert "pid 2, 3, nor" in found.found


def test_a_worker_that_closes_its_connection_was_seen_with_one_since_its_restart_alone():
    seen = Course(0.0).having_seen(worker(2))
    assert still_open(QUIET, seen, worker()) is None
    world = Timer()
    report, _seconds, _longest = world.run(dataclasses.replace(QUIET, restart="always"))
    assert report.open is None and world.restarts == 1 and world.now > 105


def test_a_worker_that_is_still_connected_to_the_old_place_is_not_proven_by_its_connection_to_the_new():
    scene = Scene(RUNNING, (Seen(1, "working", 1, 0, 1), Seen(2, "working", 0, 1, 1)))
    assert still_open(QUIET, Course(0.0).having_seen(scene), scene).kind == "left"


# --- the course, with a world that is told what to do ---


class World:
    """A service that needs ``restart_seconds`` to come back and is then on its target."""

    def __init__(self, to_target=1, to_left=0, restart_seconds=1.0, comes_back=True, healthy=True):
        self.now = 100.0
        self.generation = 1
        self.seen = Seen(7, "serving", to_target, to_left)
        self.back_at = 0.0
        self.restarts = 0
        self.restart_seconds, self.comes_back, self.healthy = restart_seconds, comes_back, healthy

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def look(self):
        if self.now < self.back_at:
            return Scene(State("deactivating", False, False, str(self.generation - 1)))
        if self.restarts and not self.comes_back:
            return Scene(State("failed", False, True, ""))
        return Scene(State("active", True, False, str(self.generation), (frozenset([7]),)), (self.seen,))

    def restart(self):
        self.restarts += 1
        self.generation += 1
        self.back_at = self.now + self.restart_seconds
        self.seen = Seen(8, "serving", 1, 0)

    def ask(self, count):
        self.now += 0.01 * count
        return [HealthAnswer("" if self.healthy else "status 500", 5.0)] * count

    def spread_requests(self):
        self.now += 0.02

    def run(self, wanted):
        """All runs, as the action plugin makes them, with the course handed on as plain data."""
        course, began, longest = None, self.now, 0.0
        while True:
            start = self.now
            report = advance(wanted, course, self, self.clock, self.sleep)
            longest = max(longest, self.now - start)
            if report.failed or report.open is None:
                return report, self.now - began, longest
            course = Course(**dataclasses.asdict(report.course))


class Timer(World):
    """A worker that is connected for a moment now and then: before its restart all the time, after it from 5 s on."""

    def look(self):
        scene = super().look()
        is_connected = not self.restarts or int(self.now - self.back_at) == 5
        return dataclasses.replace(scene, processes=(Seen(7, "working", int(is_connected), 0, 7),))


def test_a_service_on_its_target_is_proven_without_a_restart():
    world = World()
    report, _seconds, _longest = world.run(WANTED)
    assert report.open is None and world.restarts == 0 and report.course.requests == 3


def test_a_restart_is_done_once_however_many_runs_it_takes():
    world = World(restart_seconds=10.0)
    report, seconds, longest = world.run(dataclasses.replace(WANTED, restart="always"))
    assert report.open is None and world.restarts == 1
    assert seconds >= 10 and longest <= SLICE + 0.5


def test_a_service_at_the_old_address_is_restarted_at_once():
    world = World(to_target=0, to_left=1)
    report, seconds, _longest = world.run(WANTED)
    assert report.open is None and world.restarts == 1 and seconds < PATIENCE
    assert "connected to old:6379 (pid 7)" in report.course.reason


def test_a_service_that_never_goes_to_the_target_is_restarted_when_patience_ends():
    world = World(to_target=0)
    report, seconds, _longest = world.run(WANTED)
    assert report.open is None and world.restarts == 1 and seconds >= PATIENCE
    assert "no connection to new:6379" in report.course.reason


def test_restart_never_leaves_it_and_fails_in_time():
    world = World(to_target=0, to_left=1)
    report, seconds, _longest = world.run(dataclasses.replace(WANTED, restart="never"))
    assert report.failed and world.restarts == 0
    assert 30 <= seconds < 33


def test_the_time_limit_begins_with_the_restart():
    world = World(to_target=0, healthy=False)
    report, seconds, _longest = world.run(WANTED)
    assert report.failed and world.restarts == 1
    assert 30 + PATIENCE <= seconds < 33 + PATIENCE and report.seconds == pytest.approx(30, abs=3)


def test_a_service_that_its_manager_has_given_up_fails_long_before_the_time_limit():
    world = World(to_left=1, comes_back=False)
    report, seconds, _longest = world.run(WANTED)
    assert report.failed and report.open.kind == "restart" and seconds < 6
    assert "journalctl" in failure(report.open, report.seconds, "journalctl -u shop")


def test_health_must_be_good_in_a_row():
    world = World()
    answers = iter(
        [HealthAnswer("", 1), HealthAnswer("status 500", 1), HealthAnswer("", 1)] + [HealthAnswer("", 1)] * 9
    )
    world.ask = lambda count: [next(answers) for _ in range(count)]
    report, _seconds, _longest = world.run(WANTED)
    assert report.open is None and (report.course.requests, report.course.failed) == (6, 1)


def test_without_target_and_health_it_is_enough_that_the_service_runs():
    world = World(to_target=0)
    report, _seconds, _longest = world.run(Wanted("shop", restart="always"))
    assert report.open is None and world.restarts == 1 and report.course.requests == 0


def test_each_program_of_a_group_is_proven_by_what_it_is():
    """That the web program of it listens says nothing of the worker, and the other way round."""
    web, worker = Links(frozenset("a"), to_target=1), Links(to_target=0)
    units = (frozenset([1]), frozenset([2]))
    state = dataclasses.replace(RUNNING, units=units)
    processes = cast_units(units, {1: web, 2: worker}, {1: 0, 2: 0})
    assert [(seen.role, seen.unit) for seen in processes] == [("serving", 0), ("working", 1)]
    found = still_open(QUIET, Course(0.0), Scene(state, processes))
    assert found and "no connection to new:6379 (pid 2" in found.found
    proven = cast_units(units, {1: web, 2: Links(to_target=1)}, {1: 0, 2: 0})
    assert still_open(QUIET, Course(0.0).having_seen(Scene(state, proven)), Scene(state, proven)) is None
    alone = Scene(state, cast_units(units, {1: web}, {1: 0}))
    assert "no process yet" in still_open(QUIET, Course(0.0), alone).found


def test_what_starts_anew_by_itself_is_proven_when_nothing_of_it_is_on_the_old_place():
    state = dataclasses.replace(RUNNING, starts_anew=True, generation="")
    on_old = Scene(state, (Seen(1, "working", 0, 1, 1),))
    for restart in ("auto", "always"):
        wanted = dataclasses.replace(QUIET, restart=restart)
        assert why_restart(wanted, on_old) == would_restart(wanted, on_old) == ""
        assert "still connected to old:6379" in still_open(wanted, Course(0.0), on_old).found
        assert still_open(wanted, Course(0.0), Scene(state)) is None
    stopped = Scene(dataclasses.replace(state, running=False, word="inactive (dead)"))
    assert "not running" in still_open(QUIET, Course(0.0), stopped).found
