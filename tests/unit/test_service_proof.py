"""When a service is proven to be on its target, and when it is restarted."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import Links
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.health import HealthAnswer
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.course import (
    GLANCE,
    PATIENCE,
    SLICE,
    advance,
    foresee,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import State
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import (
    Course,
    Jobs,
    Scene,
    Seen,
    Wanted,
    cast,
    cast_units,
    failure,
    how_proven,
    is_given,
    still_open,
    why_restart,
    why_wait,
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


# --- connections that are closed, and none at all ---


def web(*connected, before=(), left=()):
    """A parent that listens and two workers: who is connected to the target, who was, and who to the old place."""
    links = {pid: Links(frozenset("a"), to_target=int(pid in connected)) for pid in (1, 2, 3)}
    processes = cast(links, {1: 0, 2: 1, 3: 1})
    return Scene(
        RUNNING,
        tuple(
            dataclasses.replace(seen, was_on_target=int(seen.pid in before), was_on_left=int(seen.pid in left))
            for seen in processes
        ),
    )


def after(*scenes, **more):
    course = Course(0.0, **more)
    for scene in scenes:
        course = course.having_seen(scene)
    return course


def test_where_a_serving_process_closes_its_connection_one_of_its_tree_is_enough():
    for scenes in ([web(before=[2])] * 3 + [web()], [web(before=[2])] * 3):
        assert still_open(QUIET, after(*scenes[1:]), scenes[-1]).kind == "target", "not seen often enough"
        assert still_open(QUIET, after(*scenes), scenes[-1]) is None
        assert how_proven(QUIET, after(*scenes), scenes[-1]) == "seen"


def test_where_it_keeps_its_connection_the_others_need_theirs():
    scene = web(2, before=[2])
    assert "serving pid 3" in still_open(QUIET, after(*[scene] * 9), scene).found
    assert how_proven(QUIET, after(*[scene] * 9), scene) == ""
    lost = after(*[scene] * 9, web())
    assert "serving pid 2, 3" in still_open(QUIET, lost, web()).found, "one that is lost once is not one that is closed"
    scene = web(2, 3)
    assert still_open(QUIET, after(scene), scene) is None and how_proven(QUIET, after(scene), scene) == "connections"


def test_that_one_tree_closes_its_connections_says_nothing_of_another():
    other = Seen(9, "serving", 0, 0, 9)
    scene = dataclasses.replace(web(before=[2]), processes=(*web(before=[2]).processes, other))
    assert "serving pid 9" in still_open(QUIET, after(*[scene] * 9), scene).found


def test_a_short_connection_to_the_old_place_is_not_forgotten_while_its_process_lives():
    scenes = [web(2, 3, left=[3]), web(2, 3)]
    found = still_open(QUIET, after(*scenes), scenes[-1])
    assert found.kind == "left" and "(pid 3)" in found.found
    assert "connected to old:6379 (pid 3)" in why_restart(QUIET, scenes[0])


def scheduler(*given, left=()):
    """What does not listen and has no connection: a process 1 with two children, and which have the new values."""
    processes = cast({pid: Links(to_left=int(pid in left)) for pid in (1, 2, 3)}, {1: 0, 2: 1, 3: 1})
    return Scene(RUNNING, tuple(dataclasses.replace(seen, is_given=seen.pid in given) for seen in processes))


def test_what_opens_no_connection_is_proven_by_the_environment_of_all_of_its_processes_but_only_after_a_while():
    scene = scheduler(1, 2, 3)
    assert still_open(QUIET, after(scene), scene).kind == "target"
    waited = after(scene, has_waited=True)
    assert still_open(QUIET, waited, scene) is None and how_proven(QUIET, waited, scene) == "environment"
    for scene, kind in ((scheduler(1, 2), "target"), (scheduler(1, 2, 3, left=[2]), "left")):
        waited = after(scene, has_waited=True)
        assert still_open(QUIET, waited, scene).kind == kind and how_proven(QUIET, waited, scene) == ""


def test_what_serves_is_not_proven_by_its_environment():
    scene = Scene(RUNNING, (Seen(1, "serving", 0, 0, 1, is_given=True),))
    assert still_open(QUIET, after(scene, has_waited=True), scene).kind == "target"


FILES = [{"REDIS_HOST": "new", "REDIS_PORT": "6379"}, {"REDIS_URL": "redis://new:6379/0"}]


@pytest.mark.parametrize(
    ("own", "given"),
    [
        ({"REDIS_HOST": "new", "REDIS_PORT": "6379", "HOME": "/"}, True),
        ({"REDIS_URL": "redis://new:6379/0"}, True),
        ({"REDIS_PORT": "6379"}, False),
        ({"REDIS_URL": "redis://new:6379/0", "REDIS_HOST": "old"}, False),
        ({"REDIS_URL": "redis://old:6379/0"}, False),
        ({}, False),
    ],
)
def test_an_environment_has_all_of_one_file_and_nothing_else_of_any(own, given):
    assert is_given(own, FILES) is given
    assert not is_given(own, []) and not is_given(own, [{}])


# --- the course, with a world that is told what to do ---


class World:
    """A service that needs ``restart_seconds`` to come back and is then on its target."""

    def __init__(self, to_target=1, to_left=0, restart_seconds=1.0, comes_back=True, healthy=True, *, busy=0.0):
        self.now = 100.0
        self.generation = 1
        self.seen = Seen(7, "serving", to_target, to_left)
        self.back_at = 0.0
        self.restarts = 0
        self.restart_seconds, self.comes_back, self.healthy = restart_seconds, comes_back, healthy
        self.busy_until = self.now + busy

    def clock(self):
        return self.now

    def watch(self, seconds):
        self.now += seconds

    def look(self):
        if self.now < self.back_at:
            return Scene(State("deactivating", False, False, str(self.generation - 1)))
        if self.restarts and not self.comes_back:
            return Scene(State("failed", False, True, ""))
        return Scene(State("active", True, False, str(self.generation), (frozenset([7]),)), (self.seen,))

    def jobs_left(self):
        return Jobs("2 in celery") if self.now < self.busy_until else Jobs()

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
            report = advance(wanted, course, self, self.clock)
            longest = max(longest, self.now - start)
            if report.failed or report.open is None:
                return report, self.now - began, longest
            course = Course(**dataclasses.asdict(report.course))


class Closing(World):
    """A service that goes to the target for each request, and is seen with that at the second."""

    asked = 0

    def look(self):
        one = Seen(7, "serving", 0, 0, 7, was_on_target=3 if self.asked % 3 == 2 else 0)
        return dataclasses.replace(super().look(), processes=(one,))

    def spread_requests(self):
        super().spread_requests()
        self.asked += 1


class Scheduler(World):
    """What opens no connection for as long as anybody looks, and was started with the new values."""

    def look(self):
        scene = super().look()
        return dataclasses.replace(scene, processes=(Seen(7, "working", 0, 0, 7, is_given=True),))


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


def test_a_service_that_closes_its_connections_is_proven_without_a_restart_and_known_by_a_look():
    world = Closing(to_target=0)
    report, seconds, _longest = world.run(WANTED)
    assert report.open is None and world.restarts == 0 and seconds < 1
    world.asked = 0
    scene, course = foresee(WANTED, world, clock=world.clock)
    assert course.reason == "" and how_proven(WANTED, course, scene) == "seen" and world.restarts == 0


def test_a_look_asks_only_what_has_no_connection_that_says_where_it_is_and_for_a_moment():
    for world in (World(), World(to_left=1)):
        foresee(WANTED, world, clock=world.clock)
        assert world.now == 100
    world = World(to_target=0)
    _scene, course = foresee(WANTED, world, clock=world.clock)
    assert "not on its target" in course.reason and world.restarts == 0 and GLANCE <= world.now - 100 < GLANCE + 0.5
    unasked = World(to_target=0)
    assert foresee(dataclasses.replace(WANTED, restart="always"), unasked, clock=unasked.clock)[1].reason == "asked for"
    assert unasked.now == 100


def test_a_scheduler_with_the_new_values_is_proven_when_patience_ends_and_not_restarted():
    world = Scheduler()
    report, seconds, _longest = world.run(QUIET)
    assert report.open is None and world.restarts == 0 and PATIENCE <= seconds < PATIENCE + 1
    scene, course = foresee(QUIET, world, clock=world.clock)
    assert course.reason == "" and how_proven(QUIET, course, scene) == "environment"


def test_after_a_restart_patience_begins_anew():
    world = Scheduler()
    report, seconds, _longest = world.run(dataclasses.replace(QUIET, restart="always"))
    assert report.open is None and world.restarts == 1 and PATIENCE <= seconds < PATIENCE + 1


def test_a_restart_is_done_once_however_many_runs_it_takes():
    world = World(restart_seconds=10.0)
    report, seconds, longest = world.run(dataclasses.replace(WANTED, restart="always"))
    assert report.open is None and world.restarts == 1
    assert seconds >= 10 and longest <= SLICE + 0.5


def test_a_service_is_restarted_when_the_jobs_in_its_queues_are_done():
    world = World(to_target=0, to_left=1, busy=20.0)
    report, seconds, longest = world.run(WANTED)
    assert report.open is None and world.restarts == 1 and report.course.jobs == ""
    assert world.back_at >= 120 and seconds < 25 and longest <= SLICE + 0.5


def test_jobs_that_do_not_get_done_in_time_keep_it_where_it_is_unless_they_may_be_left():
    world = World(to_target=0, to_left=1, busy=1000.0)
    report, seconds, _longest = world.run(WANTED)
    assert report.failed and world.restarts == 0 and 30 <= seconds < 31
    why = failure(report.open, report.seconds, "")
    assert "holds 2 in celery, after 30 s" in why and "migration_timeout" in why
    back = World(to_target=0, to_left=1, busy=1000.0)
    report, seconds, _longest = back.run(dataclasses.replace(WANTED, may_leave_jobs=True))
    assert report.open is None and back.restarts == 1 and report.course.jobs == "2 in celery" and 30 <= seconds < 35


def test_nobody_waits_for_jobs_that_the_service_does_not_take():
    world = World(to_target=0, busy=1000.0)
    report, seconds, _longest = world.run(dataclasses.replace(WANTED, restart="always"))
    assert report.open is None and world.restarts == 1 and seconds < 5 and report.course.jobs == "2 in celery"


def test_short_connections_take_jobs_too_and_nobody_those_of_a_cache_that_is_not_reached():
    short = Scene(RUNNING, (Seen(1, "working", 0, 0, 1, was_on_left=1),))
    assert why_wait(WANTED, short, Jobs("2 in celery"), 0).kind == "jobs"
    trying = Scene(RUNNING, (Seen(1, "working", 0, 1, 1),))
    assert why_wait(WANTED, trying, Jobs("an unknown number", can_be_taken=False), 0) is None


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
        assert why_restart(wanted, on_old) == would_restart(wanted, Course(0.0), on_old) == ""
        assert "still connected to old:6379" in still_open(wanted, Course(0.0), on_old).found
        assert still_open(wanted, Course(0.0), Scene(state)) is None
    stopped = Scene(dataclasses.replace(state, running=False, word="inactive (dead)"))
    assert "not running" in still_open(QUIET, Course(0.0), stopped).found
