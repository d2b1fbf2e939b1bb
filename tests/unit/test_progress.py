"""Running a module again until it is done."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import run_until_done


class Clock:
    """Time that passes only by sleeping, and by what a run takes."""

    def __init__(self, run_takes: float = 0.0):
        self.now, self.run_takes = 0.0, run_takes

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def play(answers, timeout=60, interval=1, next_args=lambda args, result: args, clock=None):
    """What came of it, the lines that were said, and the arguments of each run."""
    clock = clock or Clock()
    left, lines, calls = list(answers), [], []

    def run(args):
        calls.append(dict(args))
        clock.now += clock.run_takes
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = run_until_done(
        run,
        {"name": "shop"},
        timeout=timeout,
        interval=interval,
        say=lines.append,
        next_args=next_args,
        clock=clock,
        sleep=clock.sleep,
    )
    return result, lines, calls


def waiting(phrase="shop: modifying", **more):
    return {"changed": False, "in_progress": True, "progress": phrase, **more}


DONE = {"changed": False, "in_progress": False, "plan": [], "diff": {"before": {}, "after": {}}, "status": "available"}


def test_a_module_that_is_done_at_once_says_nothing():
    result, lines, calls = play([DONE])
    assert (result, lines, len(calls)) == (DONE, [], 1)


def test_the_result_has_the_change_plan_and_diff_of_the_first_run_and_the_state_of_the_last():
    plan, diff = [{"action": "Create"}], {"before": {}, "after": {"a": 1}}
    result, _, _ = play(
        [
            waiting("shop: creating", changed=True, plan=plan, diff=diff, status="creating"),
            waiting("shop: creating", plan=[], diff={}),
            DONE,
        ]
    )
    assert (result["changed"], result["plan"], result["diff"]) == (True, plan, diff)
    assert (result["status"], result["in_progress"]) == ("available", False)


def test_a_plan_that_comes_only_after_a_wait_is_the_plan():
    plan = [{"action": "Modify"}]
    result, _, _ = play([waiting(plan=[], diff={}), waiting(changed=True, plan=plan, diff={"after": 1}), DONE])
    assert (result["plan"], result["diff"]) == (plan, {"after": 1})


def test_a_line_is_said_when_the_phrase_changes_and_else_every_five_seconds():
    _, lines, _ = play([*[waiting("shop: creating")] * 7, waiting("shop: modifying"), DONE])
    assert lines == ["shop: creating, 0 s", "shop: creating, 5 s", "shop: modifying, 7 s"]


def test_a_wait_is_bounded_and_says_how_to_go_on():
    result, _, calls = play([waiting(changed=True)], timeout=10, interval=3)
    assert result["failed"] and result["changed"]
    assert "shop: modifying; still so after 10 s (wait_timeout)" in result["msg"]
    assert 4 <= len(calls) <= 11


def test_pauses_grow_with_the_wait_up_to_the_interval():
    clock = Clock()
    starts = []

    def next_args(args, result):
        starts.append(clock.now)
        return args

    play([waiting()], timeout=200, interval=15, clock=clock, next_args=next_args)
    pauses = [round(later - earlier, 6) for earlier, later in zip(starts, starts[1:])]
    assert starts[0] == 1
    assert pauses == sorted(pauses)
    assert pauses[-1] == 15


def test_a_run_that_takes_long_counts_towards_the_bound():
    _, _, calls = play([waiting()], timeout=10, interval=1, clock=Clock(run_takes=4))
    assert len(calls) == 3


def test_a_failure_ends_the_wait_and_keeps_what_was_changed_before():
    result, _, _ = play([waiting(changed=True, plan=[1], diff={}), {"failed": True, "msg": "create-failed"}])
    assert (result["failed"], result["changed"], result["plan"], result["msg"]) == (True, True, [1], "create-failed")


@pytest.mark.parametrize("restarted", [True, False])
def test_a_connection_that_is_lost_in_the_middle_keeps_what_was_done_before(restarted):
    before = waiting("shop is not running", restarted=restarted, resume={"began": 1}) | {"changed": restarted}
    after = waiting("shop answered 0 of 5", restarted=restarted, resume={"began": 2})
    result, _, calls = play([before, after, AnsibleConnectionFailure("Shared connection closed.")])
    assert (result["unreachable"], result["changed"], result["restarted"]) == (True, restarted, restarted)
    assert "failed" not in result and len(calls) == 3
    assert "Shared connection closed" in result["msg"] and "shop answered 0 of 5" in result["msg"]
    assert ("Done by then: changed, restarted" in result["msg"]) == restarted


def test_a_connection_that_never_came_about_is_ansibles_to_tell():
    with pytest.raises(AnsibleConnectionFailure):
        play([AnsibleConnectionFailure("no route to host")])


def test_the_arguments_of_the_next_run_follow_from_the_last_result():
    def without_strategy(args, result):
        return {} if result.get("token_changed") else args

    result, _, calls = play(
        [waiting(token_changed=True), waiting(token_changed=False), {**DONE, "token_changed": False}],
        next_args=without_strategy,
    )
    assert calls == [{"name": "shop"}, {}, {}]
    assert result["token_changed"]


@pytest.mark.parametrize("earlier", [["one"], ["one", "two"]])
def test_warnings_are_told_once(earlier):
    result, _, _ = play([waiting(warnings=earlier), {**DONE, "warnings": ["two"]}])
    assert result["warnings"] == ["one", "two"]
