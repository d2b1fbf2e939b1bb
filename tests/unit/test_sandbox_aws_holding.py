"""Which call is held, and until when."""

from __future__ import annotations

import threading

import pytest

from sandbox.aws.calls import Call
from sandbox.aws.faults import Cut
from sandbox.aws.holding import Holding
from sandbox.aws.wire import Reply

DONE = Reply(200, [], b"")


def call(action: str, internal: bool = False) -> Call:
    return Call("ssm", action, "json", b"{}", "127.0.0.1", "key", internal)


@pytest.fixture
def holding() -> Holding:
    return Holding()


def test_reads_and_the_sandboxs_own_calls_are_neither_counted_nor_held(holding: Holding) -> None:
    holding.order({"number": 2, "is_done": False})
    for each in (call("PutParameter"), call("GetParameter"), call("PutParameter", internal=True)):
        assert holding.answer(each, lambda: DONE, lambda: True) is DONE
    with pytest.raises(Cut):
        holding.answer(call("PutParameter"), lambda: DONE, lambda: True)
    assert holding.answer(call("PutParameter"), lambda: DONE, lambda: True) is DONE


@pytest.mark.parametrize(("is_done", "times"), [(False, 0), (True, 1)])
def test_a_held_call_is_done_or_not_and_cut_when_its_caller_is_gone(
    holding: Holding, is_done: bool, times: int
) -> None:
    done: list[Reply] = []
    seen = iter((False, False, True))
    holding.order({"number": 1, "is_done": is_done})
    with pytest.raises(Cut):
        holding.answer(call("PutParameter"), lambda: done.append(DONE) or DONE, lambda: next(seen))
    assert len(done) == times
    assert next(seen, "asked until it was gone") == "asked until it was gone"
    assert holding.held() == "ssm.PutParameter"


@pytest.mark.parametrize("is_done", [False, True])
def test_an_order_that_is_taken_back_lets_the_held_call_be_done_once_and_answered(
    holding: Holding, is_done: bool
) -> None:
    holding.order({"number": 1, "is_done": is_done})
    done: list[Reply] = []
    ended = threading.Event()

    def ask() -> None:
        reply = holding.answer(call("PutParameter"), lambda: done.append(DONE) or DONE, lambda: False)
        if reply is DONE and done == [DONE]:
            ended.set()

    threading.Thread(target=ask, daemon=True).start()
    assert holding.held()
    assert not ended.is_set()
    holding.order(None)
    assert ended.wait(5)
    assert not holding.held()
