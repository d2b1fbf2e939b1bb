"""What a host is told to do for the data, by what it tells of a job that is there."""

from __future__ import annotations

import time

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import brought
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.bringing import OLDEST_COPY, Bearer


class Told(Bearer):
    def __init__(self, strategy, phase, age):
        self.seen = {"strategy": strategy, "transfer": {"phase": phase, "now": time.time() - age}}

    def look(self):
        return self.seen


@pytest.mark.parametrize(
    ("strategy", "phase", "age", "is_old"),
    [
        ("copy", "done", OLDEST_COPY + 60, True),
        ("copy", "done", OLDEST_COPY - 60, False),
        ("copy", "copying", OLDEST_COPY + 60, False),
        ("copy", "failed", OLDEST_COPY + 60, False),
        ("live", "following", OLDEST_COPY + 60, False),
    ],
)
def test_a_copy_that_ended_long_ago_is_not_taken_as_done(strategy, phase, age, is_old):
    assert Told(strategy, phase, age).is_old() == is_old


def test_how_much_was_copied_is_told():
    assert brought.copied({"keys_done": 1234, "began": 1.0, "now": 6.0}) == ["Copied 1,234 keys in 5 s."]


class Carrying(Bearer):
    """On its way back, which no turn of data has begun: what it runs is kept."""

    goes_back = True

    def __init__(self):
        self.action = type("Action", (), {"turn": {}, "module": lambda _self, *run: self.ran.append(run) or {}})()
        self.settings, self.ran = {"hold_limit": 10}, []

    def order(self):
        return {"strategy": "carry", "direction": "back"}


def test_what_carries_back_forgets_an_earlier_one_and_moves_no_job_while_services_run():
    bearer = Carrying()
    bearer.hold({"name": "run", "hosts": ["app1"], "by": "app1"})
    assert [(module, order["state"]) for module, order in bearer.ran] == [
        ("cache_transfer", "absent"),
        ("cache_transfer", "present"),
    ]
