"""A scenario played step by step through a module, and held against what AWS has then and what calls it got."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import run_until_done

from tests.component.local_aws import Aws
from tests.component.peers.expecting import differences
from tests.component.peers.scenarios import Scenario, Step
from tests.component.peers.services.contract import OURS, Service
from tests.component.peers.surroundings import Surroundings, fresh

Result = dict[str, Any]
Run = Callable[..., Result]
DELETED_OUTSIDE = "the resource is deleted outside the tool"
AS_DESIRED = "as desired, zones included"
# What a refusal offers in place of a replacement: another one beside it, or an order that AWS would take.
WAYS = re.compile(r"beside|another|new |anew|migrat|state ", re.IGNORECASE)
PATIENCE, PAUSE = 120, 0.05  # seconds


class Story:
    def __init__(self, aws: Aws, run: Run, service: Service, scenario: Scenario) -> None:
        self._aws, self._run, self._service, self._scenario = aws, run, service, scenario
        first = scenario.steps[0].desired or {}
        self.name = str(first.get(service.name_option) or fresh(f"{service.prefix}-"))
        own = {"id": self.name, "name": self.name}
        self._around = Surroundings(aws, dict(service.makers), own)
        self._stated: Result = {}  # the last state, and what is read of it
        self._result: Result = {}
        self.plans: list[list[Result]] = []  # what was planned of each step, and is what was called
        self._special = {text: partial(judge, aws) for text, judge in service.special.items()}

    def play(self) -> None:
        for number, step in enumerate(self._scenario.steps, 1):
            try:
                self._play(step)
            except AssertionError as wrong:
                raise AssertionError(f"step {number} of {self._scenario.id}: {wrong}") from wrong
        if self._scenario.reread and self._service.info:
            self._is_told_by_its_name()
        self._is_deleted()

    def planned(self) -> list[str]:
        """The calls that would make it."""
        return [call["action"] for call in self._checked(self._first())["plan"]]

    def reads(self) -> list[str]:
        """The calls by which it is looked at while there is none."""
        params, mark = self._first(), self._aws.mark
        self._checked(params)
        return sorted({call["action"] for call in self._aws.calls_since(mark)})

    def run_once(self) -> Result:
        return self._run(self._service.main, **self._first())

    def make(self) -> None:
        """The first step alone, whatever calls it takes; and a second run, which changes nothing."""
        stated = self._scenario.steps[0].stated({})
        assert self._until_done(self._created(stated))["changed"]
        self._there()
        self._is_unchanged_by(self._service.again(self._params(stated)))

    def clean_up(self) -> None:
        if self._service.read(self._aws, self.name) is not None:
            self._service.delete(self._aws, self.name)

    def _play(self, step: Step) -> None:
        if step.given == DELETED_OUTSIDE:
            self._service.delete(self._aws, self.name)
        elif step.given:
            self._service.outside[step.given](self._aws, self.name)
        stated = step.stated(self._stated)
        stated.update({name: self._service.omitted[name] for name in step.omit if name in self._service.omitted})
        if step.plan_only:
            self._is_only_planned(step, stated)
            return
        played = {
            "created": self._is_created,
            "updated_in_place": self._is_updated,
            "unchanged": self._is_unchanged,
            "recreated": self._is_refused_and_made_beside,
            "error": self._is_an_error,
        }[step.expected]
        played(step, stated)
        if step.expected == "error":
            return
        self._stated, self._result = stated, dict(step.result)
        self._has(step)
        self._is_unchanged_by(self._service.again(self._params(stated)))

    # --- what is expected of a step ---

    def _is_created(self, step: Step, stated: Mapping[str, Any]) -> None:
        assert self._read() is None, "there is one already"
        self._do_as_planned(self._created(stated))
        assert self._read() is not None, "nothing was made"

    def _is_updated(self, step: Step, stated: Mapping[str, Any]) -> None:
        before = self._there()["identity"]
        writes = self._do_as_planned(self._params(stated))
        assert self._there()["identity"] == before, "it is another one now"
        assert not [call for call in writes if call.startswith(("Create", "Delete"))], writes

    def _is_unchanged(self, step: Step, stated: Mapping[str, Any]) -> None:
        self._is_unchanged_by(self._params(stated))

    def _is_refused_and_made_beside(self, step: Step, stated: Mapping[str, Any]) -> None:
        """Refused, and nothing touched. Then what the refusal says: the user makes a new one of what is stated."""
        self._is_refused_by_an_option_of(step, stated)
        self._delete()
        self.name = fresh(f"{self._service.prefix}-")
        self._do_as_planned(self._created(stated))

    def _is_refused_by_an_option_of(self, step: Step, stated: Mapping[str, Any]) -> None:
        before = self._there()
        refused = self._refused(self._params(stated))
        changed = {*step.change, *step.omit, self._service.name_option} if not step.given else {*stated}
        assert refused.get("option") in changed, refused
        assert WAYS.search(refused["msg"]), f"it names no way: {refused['msg']}"
        assert self._there() == before

    def _is_an_error(self, step: Step, stated: Mapping[str, Any]) -> None:
        before, params = self._read(), self._params(stated)
        mark = self._aws.mark
        refused = self._run(self._service.main, **params)
        assert refused.get("failed"), f"it is not refused: {refused}"
        named = (
            {name for name in stated if re.search(rf"\b{name}\b", step.error)}
            or set(step.change)
            or {step.error, *stated}
        )
        said = refused["msg"] + str(refused.get("option", ""))
        assert named, f"the scenario names none of its options: {step.error}"
        assert any(name in said for name in named), f"none of {sorted(named)} in: {said}"
        if not step.error.startswith("AWS"):
            calls = self._aws.calls_since(mark) if step.desired is not None else self._aws.writes_since(mark)
            assert not calls, f"it was not refused before any call: {calls}"
        assert self._read() == before

    def _is_only_planned(self, step: Step, stated: Mapping[str, Any]) -> None:
        if step.expected == "recreated":
            self._is_refused_by_an_option_of(step, stated)
            return
        planned = self._checked(self._params(stated) if self._read() else self._created(stated))
        assert planned["changed"], "no difference is reported"
        actions = [call["action"] for call in planned["plan"]]
        assert any(action.startswith("Create") for action in actions) == (step.expected == "created"), actions

    # --- runs ---

    def _params(self, stated: Mapping[str, Any]) -> Result:
        options = self._service.options(self._around.resolve(dict(stated)))
        return {**self._service.always, **options, self._service.name_option: self.name}

    def _first(self) -> Result:
        return self._created(self._scenario.steps[0].stated({}))

    def _created(self, stated: Mapping[str, Any]) -> Result:
        return self._service.creation(self._params(stated))

    def _checked(self, params: Mapping[str, Any]) -> Result:
        """Check mode, which makes no call that writes."""
        mark = self._aws.mark
        planned = self._run(self._service.main, check_mode=True, **params)
        assert not planned.get("failed"), planned.get("msg")
        assert self._aws.writes_since(mark) == []
        return planned

    def _do_as_planned(self, params: Mapping[str, Any]) -> list[str]:
        """Run until it is done: what check mode has planned is what was done. The calls that wrote."""
        planned = self._checked(params)
        mark = self._aws.mark
        done = self._until_done(params)
        writes = self._aws.writes_since(mark)
        assert planned["changed"] and done["changed"], "nothing is changed"
        assert done["plan"] == planned["plan"]
        assert writes == [call["action"] for call in planned["plan"]]
        self.plans.append(planned["plan"])
        return writes

    def _until_done(self, params: Mapping[str, Any]) -> Result:
        def following(args: Mapping[str, Any], result: Result) -> Mapping[str, Any]:
            return self._service.again(dict(args)) if result.get("token_changed") else args

        done = run_until_done(
            lambda args: self._run(self._service.main, **args),
            params,
            timeout=PATIENCE,
            interval=PAUSE,
            say=lambda line: None,
            next_args=following,
        )
        assert not done.get("failed"), done.get("msg")
        return done

    def _is_unchanged_by(self, params: Mapping[str, Any]) -> None:
        mark = self._aws.mark
        again = self._run(self._service.main, **params)
        assert not again.get("failed"), again.get("msg")
        assert not again["changed"] and not again.get("in_progress"), again["plan"] or again
        assert self._aws.writes_since(mark) == []
        assert not self._checked(params)["changed"]

    def _refused(self, params: Mapping[str, Any]) -> Result:
        mark = self._aws.mark
        refused = self._run(self._service.main, **params)
        assert refused.get("failed"), f"it is not refused: {refused['plan']}"
        assert self._aws.writes_since(mark) == []
        return refused

    # --- what AWS has ---

    def _read(self) -> Result | None:
        return self._service.read(self._aws, self.name)

    def _there(self) -> Result:
        there = self._read()
        assert there is not None, "there is none"
        return there

    def _has(self, step: Step) -> None:
        there = self._there()
        running = str(there.get("engine_version", "")).split(".")[:2]
        self._around.made["engine_version"] = re.escape(".".join(running))
        expected = {name: self._stated[name] if value == AS_DESIRED else value for name, value in step.result.items()}
        wrong = differences(self._around.resolve(expected), there, self._special)
        assert not wrong, f"expected and found: {wrong}"

    def _is_told_by_its_name(self) -> None:
        """The info module finds it by its name alone, and tells each option that was stated."""
        assert self._service.info is not None
        told = self._run(self._service.info, **{self._service.name_option: self.name})
        (facts,) = told[self._service.told]
        facts = {
            **self._service.told_as(facts),
            "tags": {k: v for k, v in (facts.get("tags") or {}).items() if not k.startswith(OURS)},
        }
        left_out = {self._service.name_option, *self._service.unread, *self._scenario.not_read_again}
        read = {n: v for n, v in self._result.items() if not isinstance(self._stated.get(n, []), list)}
        expected = {**self._stated, **read}
        stated = {name: value for name, value in self._around.resolve(expected).items() if name not in left_out}
        missing = sorted(set(stated) - set(facts))
        assert not missing, f"the info module does not tell {missing}"
        wrong = differences(stated, facts, self._special)
        assert not wrong, f"stated, and told by the info module: {wrong}"

    # --- the end ---

    def _is_deleted(self) -> None:
        if self._read() is None:
            return
        self._delete()

    def _delete(self) -> None:
        params = {self._service.name_option: self.name, "state": "absent"}
        params.update(self._service.deletion(self._around.resolve(self._stated)))
        assert self._until_done(params)["changed"]
        assert self._read() is None, "it is still there"
        assert not self._run(self._service.main, **params)["changed"]
