"""Calls that fail on their way: nothing is made twice, what is throttled is tried again, and that has an end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.component.local_aws import Aws
from tests.component.peers.basics import BASICS, made
from tests.component.peers.services.table import SERVICES
from tests.component.peers.story import Story

QUICK = "elasticache_subnet_group"
EACH = [pytest.param(name, marks=() if name == QUICK else pytest.mark.long) for name in BASICS]
Faults = Callable[..., Any]


@pytest.fixture
def faults(aws: Aws) -> Iterator[Faults]:
    yield lambda *orders: aws.ask("faults", data=json.dumps(list(orders)).encode())
    aws.ask("faults", data=b"[]")


@pytest.fixture
def story(aws: Aws, run: Any, settings: Any, service: str) -> Iterator[Story]:
    settings(creating_seconds=0, modifying_seconds=0)
    told = Story(aws, run, SERVICES[service], made(service))
    yield told
    told.clean_up()


@pytest.mark.parametrize("how", ["cut-after", "cut-before", "throttle", "500"])
@pytest.mark.parametrize("service", EACH)
def test_a_creation_that_failed_on_its_way_is_found_or_made_and_never_twice(
    story: Story, aws: Aws, faults: Faults, how: str
) -> None:
    creation = story.planned()[0]
    faults({"action": creation, "how": how})
    mark = aws.mark
    story.make()
    creations = [call for call in aws.calls_since(mark) if call["action"] == creation]
    assert len([call for call in creations if call["status"] == 200]) <= 1  # one that was cut off has no status
    assert len(creations) <= 2


@pytest.mark.parametrize("service", EACH)
def test_a_call_that_is_throttled_for_good_is_given_up_after_a_bounded_number_of_tries(
    story: Story, aws: Aws, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    creation = story.planned()[0]
    faults({"action": creation, "how": "throttle", "times": 10_000})
    pauses: list[float] = []
    mark = aws.mark
    sleep = time.sleep

    def pause(seconds: float) -> None:
        """Of this thread; others wait for something of their own."""
        if threading.current_thread() is threading.main_thread():
            pauses.append(seconds)
        else:
            sleep(seconds)

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", pause)
        refused = story.run_once()
    assert refused["failed"] and creation in refused["msg"] and "Rate exceeded" in refused["msg"]
    assert 10 < len(aws.calls_since(mark)) < 100
    assert 60 < sum(pauses) < 1200  # seconds
    faults()
    story.make()


@pytest.mark.parametrize("service", EACH)
def test_a_read_that_is_throttled_or_fails_is_tried_again(story: Story, aws: Aws, faults: Faults) -> None:
    reads = story.reads()
    faults(*({"action": action, "how": how} for action, how in zip(reads, ("throttle", "500") * len(reads))))
    story.make()
