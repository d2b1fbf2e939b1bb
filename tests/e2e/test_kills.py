"""ansible-playbook is killed at its tasks, calls and modules in turn: the next run ends well, and no .env is ever half.

Between two tasks that change something the world stays the same: there a run that is killed at one of them is the next
run of the one that was killed at the task before.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import pytest

from sandbox.moments import AtModule, AtWrite, Begun, Module, Moment
from tests.e2e import world
from tests.e2e.watch import watching

HOSTS, CREATING_SECONDS = 2, 1
HOUR = 3600
ROLLBACK, DECOMMISSION = "playbooks/rollback.yml", "playbooks/decommission.yml"
ASKED = {"migration_decommission": True, "migration_decommission_waive": ["other_services"]}
FIRST_OF_THE_CUTOVER = "move | Move batch by batch"
# Killed in their middle: what they do is the most that can be left half done.
WORST_OF_MIGRATE = (
    "move | Make the target and the way to it",
    "move | Hold the lock, and judge what was moved",
    "move | Move the host",
)
WORST_OF_ROLLBACK = ("move | Hold the lock, and judge what was moved", "move | Move the host")
WORST_OF_DECOMMISSION = (
    "decommission | Take a snapshot of the old Redis and send it",
    "decommission | Stop or terminate the instance",
)
FIRST = 2  # of the calls and modules of a run that may change something: a run begins with its lock, and with a look
# Between two modules on a host: it has been looked at, and is changed, if at all, without its controller.
BETWEEN = "app_host_change"


@dataclass
class Course:
    """A playbook, and how it is told that it came to its end.

    `have` makes the world from which a run goes all the way, or with a task a cheaper one from which it comes to that.
    """

    stage: object
    playbook: str
    have: Callable[[Begun | None], None]
    is_done: Callable[[], bool]
    variables: dict = field(default_factory=dict)
    kills: int = 0
    killed_at: list[str] = field(default_factory=list)  # calls, as service.Action
    ends: int = 0  # next runs that came to their end
    worlds: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.have(None)
        first = self.play()
        assert first.code == 0
        assert self.is_done()
        self.tasks: list[Begun] = first.tasks
        self.modules: list[Module] = first.modules
        self.writes: list[str] = first.writes

    def play(self, *moments: Moment | AtWrite | AtModule):
        return self.stage.play(self.playbook, moments=moments, **self.variables)

    def world(self) -> str:
        return json.dumps(world.look(self.stage), sort_keys=True)

    def named(self, name: str) -> Begun:
        """The first task of that name that changed something, else the first."""
        found = [task for task in self.tasks if task.short_name == name]
        assert found, f"{self.playbook} has no task {name!r}"
        return next((task for task in found if task.changed), found[0])

    def stretches(self) -> Iterator[list[Begun]]:
        """The tasks in order, parted after each that changed something."""
        ends = [0, *(number for number, task in enumerate(self.tasks, 1) if task.changed), len(self.tasks)]
        yield from (self.tasks[begin:end] for begin, end in pairwise(ends) if begin < end)

    def kill(self, task: Begun, after: float, is_again: bool = False) -> None:
        """Kill a run at this task. Where it ended before, kill it earlier: the machine may be faster now; or the world
        was half done already, and its way another one."""
        run = self.play(Moment(task.name, task.occurrence, after))
        if run.code == 0:
            assert after or not is_again, f"{task.name} was not reached"
            self.have(task if after else None)
            self.kill(task, after / 2, is_again=True)
            return
        assert run.code == -signal.SIGKILL
        self.kills += 1

    def end_after(self, what: str) -> None:
        run = self.play()
        self.ends += 1
        assert run.code == 0, f"after a kill at {what!r} the next run does not end well"
        assert self.is_done(), f"after a kill at {what!r}: {self.stage.connections()}"

    def kill_in_the_middle(self, task: Begun) -> None:
        """The next run starts at once: what the killed one began may still be under way."""
        self.have(task)
        self.kill(task, after=task.seconds / 2)
        self.end_after(task.name)

    def kill_at_the_begin(self, task: Begun) -> None:
        """A next run is made to its end from each world once: what it finds is all that it knows of the one before."""
        self.kill(task, after=0)
        left = self.world()
        if left not in self.worlds:
            self.worlds.add(left)
            self.end_after(task.name)
            self.have(None)

    def kill_at(self, moment: AtWrite | AtModule) -> None:
        """A run from the whole world is killed there, and the next is made to its end."""
        self.have(None)
        assert self.is_killed(moment), f"{self.playbook} does not come to {moment}"
        self.end_after(f"{moment}")

    def is_killed(self, moment: AtWrite | AtModule) -> bool:
        run = self.play(moment)
        assert run.code in (0, -signal.SIGKILL), f"a run that was to be killed at {moment} failed"
        if run.code == 0:
            self.ends += 1
            assert self.is_done(), f"no run was killed at {moment}: {self.stage.connections()}"
            return False
        self.kills += 1
        if run.killed_at:
            self.killed_at.append(run.killed_at)
        return True

    def kill_one_after_the_other(self, moments: Callable[[int], list[AtWrite | AtModule]]) -> None:
        """A run is killed at its first moments, the next goes on from there and is killed at its own, until one comes
        to its end. Where a kill left a world that there was before, the next run is killed later.
        """
        self.have(None)
        number, seen = 1, {self.world()}
        while all(self.is_killed(moment) for moment in moments(number)):
            left = self.world()
            number = number + 1 if left in seen else FIRST
            seen.add(left)
        self.worlds |= seen

    def kill_at_every_write(self) -> None:
        """Before AWS has done it, and after it was done but before the run is told."""
        self.kill_one_after_the_other(lambda number: [AtWrite(number), AtWrite(number, is_done=True)])
        calls = Counter(self.writes[:-1])  # the last is the keeper's, which is not killed
        missed = calls + calls - Counter(self.killed_at)
        assert not missed, f"{self.playbook} was not killed at {missed}"

    def kill_between_all_modules(self) -> None:
        for host in sorted({module.host for module in self.modules}):
            self.kill_one_after_the_other(lambda number, host=host: [AtModule(host, number)])

    def kill_at_every_task(self) -> None:
        """Where a kill changed nothing, the next run is the one that is killed at the task after it."""
        for stretch in self.stretches():
            self.have(None)
            for task in stretch:
                self.kill_at_the_begin(task)

    def show(self) -> None:
        print(
            f"{self.playbook}: {len(self.tasks)} tasks, {len(self.writes)} writing calls, {len(self.modules)} modules "
            f"on hosts: {self.kills} kills, {self.ends} next runs to the end, {len(self.worlds)} different worlds"
        )


class Kills:
    """The sandbox, and the courses that are killed in it."""

    def __init__(self, stage) -> None:
        self.stage = stage
        self.migrate = Course(stage, "migrate.yml", self.have_what_it_changes, self.is_migrated)
        self.new = stage.environment_files()

    @cached_property
    def rollback(self) -> Course:
        return Course(self.stage, ROLLBACK, self.have_migrated, self.is_back)

    @cached_property
    def decommission(self) -> Course:
        return Course(self.stage, DECOMMISSION, self.have_soaked, self.is_retired, ASKED)

    def have_what_it_changes(self, task: Begun | None) -> None:
        """Nothing, as the first run of all finds it. The cutover needs no fresh target."""
        self.have_old_redis()
        if task and task.number >= self.migrate.named(FIRST_OF_THE_CUTOVER).number:
            world.put_back(self.stage)
        else:
            world.reset(self.stage)

    def have_migrated(self, _task: Begun | None = None) -> None:
        self.have_old_redis()
        if not (self.is_migrated() and self.stage.environment_files() == self.new):
            assert self.stage.play("playbooks/cutover.yml").code == 0

    def have_soaked(self, _task: Begun | None = None) -> None:
        """As two days after the cutover; the clock of AWS only goes on."""
        self.have_migrated()
        self.stage.sandbox.advance_clock(49 * HOUR)

    def have_old_redis(self) -> None:
        world.settle(self.stage)
        is_noted = any(world.ledger_of(self.stage, entry) for entry in ("backup", "decommission"))
        if is_noted or world.old_instance(self.stage.sandbox)["State"]["Name"] != "running":
            world.bring_old_redis_back(self.stage)

    def is_migrated(self) -> bool:
        stage = self.stage
        return stage.on_new() and stage.all_healthy() and stage.primary_address() in stage.parameter()

    def is_back(self) -> bool:
        stage = self.stage
        is_restored = stage.environment_files() == stage.originals and stage.parameter() == stage.original_parameter
        return is_restored and stage.on_old() and stage.all_healthy()

    def is_retired(self) -> bool:
        is_noted = world.ledger_of(self.stage, "decommission").get("step") == "stopped"
        is_backed_up = "sha256" in world.ledger_of(self.stage, "backup")
        is_stopped = world.old_instance(self.stage.sandbox)["State"]["Name"] == "stopped"
        return is_noted and is_backed_up and is_stopped and self.is_migrated()

    def hold(self, watch, figures: dict, *courses: Course) -> None:
        for course in courses:
            course.show()
        print(
            f"{watch.changes()} changes of .env files, all whole; {figures['requests_total']} requests, "
            f"{figures['failed']} failed"
        )
        files = (self.stage.originals, self.new)
        allowed = {host: {world.digest(each[host]) for each in files} for host in self.stage.hosts}
        assert watch.changes() > 0 or courses == (self.decommission,), "the watch saw nothing"
        assert watch.odd(allowed) == []
        assert figures["failed"] == 0, figures["failures"]


@pytest.fixture(scope="module")
def kills(stage):
    return Kills(stage)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "name, worst",
    [("decommission", WORST_OF_DECOMMISSION), ("rollback", WORST_OF_ROLLBACK), ("migrate", WORST_OF_MIGRATE)],
)
def test_after_a_kill_in_the_middle_of_what_changes_most_the_next_run_ends_well(stage, kills, name, worst):
    with watching(stage.sandbox, stage.folder) as watch, stage.load() as stop:
        course = getattr(kills, name)
        for task in worst:
            course.kill_in_the_middle(course.named(task))
        if name != "decommission":
            course.kill_at(next(AtModule(each.host, each.number) for each in course.modules if BETWEEN in each.name))
        if name == "migrate":
            course.kill_at(AtWrite(len(course.writes) // 2, is_done=True))
        kills.hold(watch, stop(), course)


@pytest.mark.long
@pytest.mark.timeout(18_000)
@pytest.mark.parametrize("moments", ["every_task", "every_write", "all_modules"])
def test_after_a_kill_at_any_moment_the_next_run_ends_well(stage, kills, moments):
    """At each task, at each call to AWS that writes, and between the modules that run on a host."""
    with watching(stage.sandbox, stage.folder) as watch, stage.load(17_000) as stop:
        courses = (kills.migrate, kills.rollback, kills.decommission)
        for course in courses:
            if moments == "every_task":
                course.kill_at_every_task()
            elif moments == "every_write":
                course.kill_at_every_write()
            else:
                course.kill_between_all_modules()
        kills.hold(watch, stop(), *courses)


TERMINATE, NOTED = "decommission | Stop or terminate the instance", "decommission | Note that it is done"


@pytest.mark.long
def test_after_a_kill_where_the_instance_is_terminated_the_next_run_ends_well(stage, kills):
    """Last, as there is no way back from it."""
    kills.have_soaked()
    kills.decommission.end_after(kills.decommission.tasks[0].name)
    stage.sandbox.advance_clock(73 * HOUR)
    ask = {**ASKED, "migration_decommission_terminate": True}
    for moment in (Moment(TERMINATE), Moment(TERMINATE, after=0.3), Moment(NOTED)):
        run = stage.play(DECOMMISSION, moments=[moment], **ask)
        assert run.code in (-signal.SIGKILL, 0)
    assert run.code == -signal.SIGKILL
    assert stage.play(DECOMMISSION, **ask).code == 0
    assert world.ledger_of(stage, "decommission")["step"] == "terminated"
    assert world.old_instance(stage.sandbox)["State"]["Name"] == "terminated"
    assert kills.is_migrated()
