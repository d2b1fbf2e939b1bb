"""ansible-playbook is killed at its tasks in turn: the next run ends well, and no .env is ever half."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, field

import pytest

from sandbox.moments import Begun, Moment
from tests.e2e import world
from tests.e2e.watch import watching

HOSTS, CREATING_SECONDS = 2, 1
ROLLBACK = "playbooks/rollback.yml"
FIRST_OF_THE_CUTOVER = "cutover | Begin"
# Killed in their middle: what they do is the most that can be left half done.
WORST_OF_MIGRATE = (
    "provision | Replication group: make or converge",
    "ingress | Rules of the security group: let the app in",
    "cutover | Change the value",
    "cutover | Change the shared value",
    "cutover | Restart where needed and prove the connections",
)
WORST_OF_ROLLBACK = (
    "rollback | Put the shared store back",
    "rollback | Restore the value",
    "rollback | Restart where needed and prove the connections",
)


@dataclass
class Tally:
    tasks: int = 0
    kills: int = 0
    reruns: int = 0
    proven: set[str] = field(default_factory=set)

    def show(self, what: str, figures: dict, watch) -> None:
        print(
            f"{what}: {self.tasks} tasks, {self.kills} kills, {self.reruns} next runs to the end, from "
            f"{len(self.proven)} different worlds; {watch.changes()} changes of .env files, all whole; "
            f"{figures['requests_total']} requests, {figures['failed']} failed"
        )


class Course:
    """A playbook as it goes from the world that `have` makes, and how it is told that it came to its end."""

    def __init__(self, stage, playbook: str, have, is_done) -> None:
        self.stage, self.playbook, self.have, self.is_done = stage, playbook, have, is_done
        self.tally = Tally()
        self.have()
        first = stage.play(playbook)
        assert first.code == 0
        self.tasks: list[Begun] = first.tasks
        self.tally.tasks = len(self.tasks)
        assert is_done()

    def named(self, name: str) -> Begun:
        """The first task of that name that changed something, else the first."""
        found = [task for task in self.tasks if task.short_name == name]
        assert found, f"{self.playbook} has no task {name!r}"
        return next((task for task in found if task.changed), found[0])

    def kill(self, task: Begun, after: float) -> None:
        """Kill a run at this task. Where it ended before, as on a machine that is now faster, kill it earlier."""
        run = self.stage.play(self.playbook, moments=[Moment(task.name, task.occurrence, after)])
        if run.code == 0 and after:
            self.have()
            self.kill(task, after / 2)
            return
        assert run.code == -signal.SIGKILL, f"{task.name} was not reached"
        self.tally.kills += 1

    def end_after(self, task: Begun) -> None:
        run = self.stage.play(self.playbook)
        self.tally.reruns += 1
        assert run.code == 0, f"after a kill at {task.name!r} the next run does not end well"
        assert self.is_done(), f"after a kill at {task.name!r}: {self.stage.connections()}"

    def kill_in_the_middle(self, task: Begun) -> None:
        """The next run starts at once: what the killed one began may still be under way."""
        self.have()
        self.kill(task, after=task.seconds / 2)
        self.end_after(task)

    def kill_at_the_begin(self, task: Begun) -> None:
        """A next run is made from each world once: what it finds is all that a run knows of the one before."""
        self.have()
        self.kill(task, after=0)
        left = json.dumps(world.look(self.stage), sort_keys=True)
        if left not in self.tally.proven:
            self.tally.proven.add(left)
            self.end_after(task)


def migrated(stage) -> bool:
    return stage.on_new() and stage.all_healthy() and stage.primary_address() in stage.parameter()


def back(stage) -> bool:
    is_restored = stage.environment_files() == stage.originals and stage.parameter() == stage.original_parameter
    return is_restored and stage.on_old() and stage.all_healthy()


class Kills:
    """The sandbox under load and watch, and the courses that are killed in it."""

    def __init__(self, stage) -> None:
        self.stage = stage
        self.migrate = Course(stage, "migrate.yml", self.have_nothing, lambda: migrated(stage))
        self.new = stage.environment_files()
        self.rollback = Course(stage, ROLLBACK, self.have_migrated, lambda: back(stage))

    def have_nothing(self) -> None:
        world.reset(self.stage)

    def have_target(self) -> None:
        world.put_back(self.stage)

    def have_migrated(self) -> None:
        world.settle(self.stage)
        if not (migrated(self.stage) and self.stage.environment_files() == self.new):
            assert self.stage.play("playbooks/cutover.yml").code == 0

    def is_of_the_cutover(self, task: Begun) -> bool:
        return task.number >= self.migrate.named(FIRST_OF_THE_CUTOVER).number

    def at_hand(self, task: Begun):
        """What a run must find for this task to come: the cutover needs no fresh target."""
        return self.have_target if self.is_of_the_cutover(task) else self.have_nothing

    @property
    def allowed(self) -> dict[str, set[str]]:
        files = (self.stage.originals, self.new)
        return {host: {world.digest(each[host]) for each in files} for host in self.stage.hosts}


@pytest.fixture(scope="module")
def kills(stage):
    return Kills(stage)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_after_a_kill_in_the_middle_of_what_changes_most_the_next_run_ends_well(stage, kills):
    with watching(stage.sandbox, stage.folder) as watch, stage.load() as stop:
        for name in WORST_OF_ROLLBACK:
            kills.rollback.kill_in_the_middle(kills.rollback.named(name))
        for name in WORST_OF_MIGRATE:
            task = kills.migrate.named(name)
            kills.migrate.have = kills.at_hand(task)
            kills.migrate.kill_in_the_middle(task)
        figures = stop()
        hold(kills, watch, figures)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_after_a_kill_at_any_task_the_next_run_ends_well(stage, kills):
    with watching(stage.sandbox, stage.folder) as watch, stage.load(3500) as stop:
        for course in (kills.migrate, kills.rollback):
            for task in course.tasks:
                if course is kills.migrate:
                    course.have = kills.at_hand(task)
                course.kill_at_the_begin(task)
                if task.changed:
                    course.kill_in_the_middle(task)
        figures = stop()
        hold(kills, watch, figures)


def hold(kills, watch, figures) -> None:
    for course in (kills.migrate, kills.rollback):
        course.tally.show(course.playbook, figures, watch)
    assert watch.changes() > 0, "the watch saw nothing"
    assert watch.odd(kills.allowed) == []
    assert figures["failed"] == 0, figures["failures"]
