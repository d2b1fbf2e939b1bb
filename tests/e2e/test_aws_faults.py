"""Each call to AWS fails in four ways: the run ends done, or a rerun goes on; nothing is made twice."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.e2e import world

HOSTS, CREATING_SECONDS = 2, 1
# How a call fails, and how often before it is let through.
FAULTS = {"throttled twice": ("throttle", 2), "500 once": ("500", 1), "cut before": ("cut-before", 1)}
CUT_AFTER = {"cut after": ("cut-after", 1)}
MOST_DANGEROUS = (
    "ec2.CreateSecurityGroup",
    "ec2.AuthorizeSecurityGroupIngress",
    "elasticache.CreateReplicationGroup",
    "ssm.PutParameter",
)
MOST_OF_A_READ = 3  # calls of one action that fail; a wait makes any number
MOST_RUNS = 12
FAULTED = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalFailure", "InternalServerError"}
NO_SENTENCE = re.compile(r"Traceback|MODULE FAILURE|non-zero return code|Unexpected failure")


@dataclass
class Weather:
    """What came of a migration in which calls fail in one way."""

    fired: Counter = field(default_factory=Counter)
    stops: list[str] = field(default_factory=list)  # the last call that had failed before each
    runs: int = 0

    def cell(self, call: str) -> str:
        if not self.fired[call]:
            return "not met"
        return f"stopped {self.stops.count(call)}x, rerun done" if call in self.stops else "done"


@pytest.fixture(scope="module")
def clean(stage):
    """The run without faults: which calls it makes, and the world that it ends in."""
    run = stage.migrate()
    assert run.code == 0
    made = Counter(f"{call['service']}.{call['action']}" for call in run.calls)
    seen = world.look(stage)
    world.reset(stage)
    return made, seen, set(run.writes)


def orders(made: Counter, writes: set[str], how: str, times: int) -> list[dict]:
    """Each call fails `times` times before it is let through; its repetitions count as calls too."""
    return [
        {"service": service, "action": action, "how": how, "nth": 1 + number * (times + 1), "times": times}
        for (service, _, action), call, count in ((call.partition("."), call, count) for call, count in made.items())
        for number in range(count if call in writes else min(count, MOST_OF_A_READ))
    ]


def migrate_in(stage, clean, calls: set[str], how: str, times: int) -> Weather:
    """Run until done, the same faults still ordered: each fires once. The world must be as after a clean run."""
    made, expected, writes = clean
    weather = Weather()
    stage.fault(*orders(Counter({call: made[call] for call in calls}), writes, how, times))
    while weather.runs < MOST_RUNS:
        run = stage.migrate()
        weather.runs += 1
        fired = [f"{call['service']}.{call['action']}" for call in run.calls if has_failed(call)]
        weather.fired.update(fired)
        if run.code == 0:
            break
        assert not NO_SENTENCE.search(run.text), "the stop is not told in a sentence"
        weather.stops.append(fired[-1])
    stage.fault()
    assert run.code == 0, f"still not done after {MOST_RUNS} runs: {weather}"
    assert world.look(stage) == expected, "something is made twice, or missing"
    world.reset(stage)
    return weather


def has_failed(call: dict) -> bool:
    return call["status"] == 0 or call.get("error") in FAULTED


def show(found: dict[str, Weather], calls: list[str]) -> None:
    width = max(map(len, calls))
    print("\n" + " | ".join([f"{'call':<{width}}", *(f"{how:<24}" for how in found)]))
    for call in calls:
        print(" | ".join([f"{call:<{width}}", *(f"{weather.cell(call):<24}" for weather in found.values())]))
    cells = [weather.cell(call) for weather in found.values() for call in calls]
    stopped = sum(cell.startswith("stopped") for cell in cells)
    print(
        f"{len(calls)} calls x {len(found)} faults = {len(cells)}: {cells.count('done')} done, {stopped} stopped and "
        f"done by a rerun, {cells.count('not met')} not met; {sum(sum(w.fired.values()) for w in found.values())} "
        f"faults in {sum(weather.runs for weather in found.values())} runs"
    )


@pytest.mark.timeout(900)
@pytest.mark.long
def test_what_is_made_although_no_answer_came_is_not_made_again(stage, clean):
    with stage.load() as stop:
        found = {how: migrate_in(stage, clean, set(MOST_DANGEROUS), *fault) for how, fault in CUT_AFTER.items()}
        figures = stop()
    show(found, sorted(MOST_DANGEROUS))
    assert all(weather.fired[call] for weather in found.values() for call in MOST_DANGEROUS)
    assert figures["failed"] == 0, figures["failures"]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_call_may_fail_in_every_way(stage, clean):
    made = clean[0]
    with stage.load(1700) as stop:
        found = {how: migrate_in(stage, clean, set(made), *fault) for how, fault in {**FAULTS, **CUT_AFTER}.items()}
        figures = stop()
    show(found, sorted(made))
    assert all(weather.fired[call] for weather in found.values() for call in made)
    assert figures["failed"] == 0, figures["failures"]
