# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A parameter group of caches: as it is, as it is wanted, and the steps between them. Pure.

Services differ in names, which are ``Words``.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter import Parameter
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_words import (
    ELASTICACHE,
    Words,
    name_values,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    ENGINES,
    same_version,
    version_numbers,
)

PARAMETERS_A_CALL = 20  # AWS takes no more

# AWS refuses to reset these: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/redis-memory-management.html
NEVER_RESET = ("reserved-memory",)


@dataclass(frozen=True)
class ParameterGroup:
    name: str
    family: str
    description: str
    parameters: Mapping[str, Parameter]
    tags: Mapping[str, str]
    arn: str = ""
    words: Words = ELASTICACHE

    @property
    def values_set(self) -> dict[str, str]:
        return {name: item.value for name, item in sorted(self.parameters.items()) if item.is_set}

    def as_options(self) -> dict[str, Any]:
        return {
            self.words.name_option: self.name,
            self.words.family_option: self.family,
            "description": self.description,
            "parameters": self.values_set,
            "tags": dict(self.tags),
        }

    def facts(self) -> dict[str, Any]:
        return {**self.as_options(), "arn": self.arn}


def shape(
    group: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
    tags: Mapping[str, str],
    words: Words = ELASTICACHE,
) -> ParameterGroup:
    """Of what describes the group; its parameters by ``shape_parameters`` or ``shape_beside_default``."""
    return ParameterGroup(
        name=group[words.answered_name],
        family=group.get(words.answered_family, ""),
        description=group.get("Description", ""),
        parameters=parameters,
        tags=tags,
        arn=group.get("ARN", ""),
        words=words,
    )


@dataclass(frozen=True)
class Desired:
    """None means that the option was left out, and then what is stays."""

    name: str
    migration_name: str
    family: str | None = None
    engine: str = ""  # with its version in place of a family
    engine_version: str = ""
    description: str | None = None
    parameters: Mapping[str, str] | None = None
    purge_parameters: bool = False
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False
    words: Words = ELASTICACHE

    @classmethod
    def from_params(cls, params: Mapping[str, Any], words: Words = ELASTICACHE) -> Desired:
        """Raises PlanRefused."""
        name = str(params[words.name_option]).lower()
        _check_name(name, words)
        migration_name = ownership.check_migration_name(params["migration_name"])
        engine, version = params.get("engine") or "", params.get("engine_version") or ""
        _check_engine(engine, version, params.get(words.family_option), words)
        return cls(
            name=name,
            migration_name=migration_name,
            family=params.get(words.family_option) or None,
            engine=engine,
            engine_version=version,
            description=params.get("description") or None,
            parameters=_read_parameters(params.get("parameters")),
            purge_parameters=bool(params.get("purge_parameters")),
            tags=ownership.read_tags(params.get("tags"), migration_name),
            purge_tags=bool(params.get("purge_tags")),
            adopt=bool(params.get("adopt")),
            words=words,
        )


def _check_name(name: str, words: Words) -> None:
    if name.startswith("default."):
        raise PlanRefused(
            f"{words.name_option} is {name!r}, one of AWS's own, which cannot be changed or deleted: choose another "
            f"name, or use it as it is by {words.used_by}'s {words.name_option}",
            words.name_option,
        )
    if len(name) > 255 or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name):
        raise PlanRefused(
            f"{words.name_option} is {name!r}: use letters, digits and hyphens, the first a letter, without a "
            "double hyphen or one at the end",
            words.name_option,
        )


def _check_engine(engine: str, version: str, family: str | None, words: Words) -> None:
    if (version or engine) and family:
        raise PlanRefused(
            f"engine and engine_version stand in place of {words.family_option}: leave it out, or the two",
            words.family_option,
        )
    if version and not engine:
        raise PlanRefused(f"engine_version is {version}: state engine with it, redis or valkey", "engine")


def _read_parameters(values: Mapping[str, Any] | None) -> dict[str, str] | None:
    """As strings, as AWS compares them; YAML's booleans as the yes and no that they stand for."""
    if values is None:
        return None
    empty = [name for name, value in values.items() if value is None]
    if empty:
        raise PlanRefused(f"parameters states no value for {', '.join(empty)}: give one, or leave it out", "parameters")
    words = {True: "yes", False: "no"}
    return {str(name): words[value] if isinstance(value, bool) else str(value) for name, value in values.items()}


def family_among(
    versions: Sequence[Mapping[str, Any]], engine: str, version: str, family: str = "CacheParameterGroupFamily"
) -> str:
    """The family of an engine's version by what describes them; of no version, that of the newest.

    ``family`` is the service's name for it there. Raises PlanRefused.
    """
    listed = sorted(versions, key=lambda item: version_numbers(item["EngineVersion"]))
    for item in reversed(listed):
        if same_version(version, item["EngineVersion"]) or same_version(item["EngineVersion"], version):
            return str(item[family])
    raise PlanRefused(
        f"engine_version is {version!r}, which AWS does not have of {ENGINES.get(engine, engine)} here; it has "
        f"{', '.join(item['EngineVersion'] for item in listed)}: state one of these",
        "engine_version",
    )


# --- state present ---


def plan_present(current: ParameterGroup | None, desired: Desired, known: Mapping[str, Parameter]) -> Plan:
    """Raises PlanRefused. ``known`` are the parameters of the group, or of its family where it is yet to be made."""
    if current is None:
        return _plan_creation(desired, known)
    _refuse_fixed(current, desired)
    _check_parameters(desired, known, current.family)
    sets, resets = _changes(current, desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        what = f"The parameter group {current.name}"
        ownership.refuse_foreign(what, current.tags, desired.migration_name, desired.adopt)
        is_now = {name: current.parameters[name].value for name in sets}
        told = {name: value for name, value in sets.items() if is_now[name] != value}
        before = {"parameters": {name: is_now[name] for name in told}}
        return ownership.plan_adopted(what, {"parameters": told} if told else {}, before)
    after = predict(current, desired, known)
    before_options, after_options = current.as_options(), after.as_options()
    shown = [name for name in ("parameters", "tags") if before_options[name] != after_options[name]]
    return Plan(
        (
            *ownership.tag_steps(current.arn, current.tags, after.tags, current.words.tags),
            *_reset_steps(current, resets),
            *_set_steps(current, sets, current.parameters),
        ),
        {name: before_options[name] for name in shown},
        {name: after_options[name] for name in shown},
    )


def predict(current: ParameterGroup | None, desired: Desired, known: Mapping[str, Parameter]) -> ParameterGroup:
    """What the plan leads to."""
    if current is None:
        blank = {name: replace(item, is_set=False) for name, item in known.items()}
        current = ParameterGroup(
            desired.name, desired.family or "", _description(desired), blank, {}, words=desired.words
        )
        desired = replace(desired, tags=desired.tags or {})
    elif not ownership.is_ours(current.tags, desired.migration_name):
        return current
    sets, resets = _changes(current, desired)
    parameters = {
        **current.parameters,
        **{name: replace(current.parameters[name], is_set=False) for name in resets},
        **{name: replace(current.parameters[name], value=value, is_set=True) for name, value in sets.items()},
    }
    tags = ownership.tags_after(current.tags, desired.tags, desired.migration_name, desired.purge_tags)
    return replace(current, parameters=parameters, tags=tags)


def _changes(current: ParameterGroup, desired: Desired) -> tuple[dict[str, str], dict[str, str]]:
    """What to set, and what to reset with the values that it has."""
    wanted = desired.parameters or {}
    sets = {
        name: value for name, value in sorted(wanted.items()) if _is_to_be_set(current.parameters[name], value, current)
    }
    purges = desired.purge_parameters and desired.parameters is not None
    resets = {name: value for name, value in current.values_set.items() if purges and name not in wanted}
    return sets, {name: value for name, value in resets.items() if name not in NEVER_RESET}


def _is_to_be_set(parameter: Parameter, value: str, group: ParameterGroup) -> bool:
    """Also a value that is there by the family's default, where AWS records that it is wanted: defaults may change."""
    is_recorded = parameter.is_set or not group.words.records_defaults or not parameter.is_modifiable
    return parameter.value != value or not is_recorded


def kept(current: ParameterGroup | None, desired: Desired) -> list[str]:
    """Sentences on what purge_parameters would reset, and AWS does not."""
    if current is None or not desired.purge_parameters or desired.parameters is None:
        return []
    left = [name for name in NEVER_RESET if name in current.values_set and name not in desired.parameters]
    return [
        f"{name} of the parameter group {current.name} stays {current.values_set[name]!r}: AWS does not reset it. "
        "State the value that it is to have in parameters"
        for name in left
    ]


def _check_parameters(desired: Desired, known: Mapping[str, Parameter], family: str) -> None:
    for name, value in (desired.parameters or {}).items():
        parameter = known.get(name)
        if parameter is None:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f", or state what is meant: near to it are {', '.join(near)}" if near else ""
            raise PlanRefused(
                f"parameters states {name!r}, which the family {family} does not have: leave it out{hint}", "parameters"
            )
        if parameter.value == value:
            continue
        if not parameter.is_modifiable:
            raise PlanRefused(
                f"parameters states {name}, which AWS fixes at {parameter.value!r} in the family {family}: "
                "leave it out",
                "parameters",
            )
        if not parameter.takes(value):
            kind = "whole numbers" if parameter.data_type == "integer" else "values"
            allowed = f" of {parameter.allowed}" if parameter.allowed else ""
            raise PlanRefused(f"parameters states {name}: {value!r}, and AWS takes {kind}{allowed}", "parameters")


def _plan_creation(desired: Desired, known: Mapping[str, Parameter]) -> Plan:
    if not desired.family:
        raise PlanRefused(
            f"There is no parameter group {desired.name}, and to make one its family must be stated: set "
            f"{desired.words.family_option}, as {desired.words.example_families}, or engine and engine_version",
            desired.words.family_option,
        )
    if not known:
        raise PlanRefused(
            f"{desired.words.family_option} is {desired.family!r}, and AWS has no such family here: families look like "
            f"{desired.words.example_families}",
            desired.words.family_option,
        )
    _check_parameters(desired, known, desired.family)
    made = predict(None, desired, known)
    creation = Step(
        made.words.create,
        {
            made.words.name: made.name,
            made.words.family: made.family,
            "Description": made.description,
            "Tags": ownership.as_tag_list(made.tags),
        },
        f"there is no parameter group {made.name}",
    )
    return Plan((creation, *_set_steps(made, made.values_set, known)), {}, made.as_options())


def _description(desired: Desired) -> str:
    return desired.description or f"Parameters of {desired.migration_name}"


def _set_steps(group: ParameterGroup, values: Mapping[str, str], parameters: Mapping[str, Parameter]) -> list[Step]:
    return [
        Step(
            group.words.modify,
            {
                group.words.name: group.name,
                "ParameterNameValues": name_values({name: values[name] for name in names}),
            },
            "; ".join(_why_set(parameters[name], values[name]) for name in names),
        )
        for names in _by_call(values)
    ]


def _why_set(parameter: Parameter, value: str) -> str:
    if parameter.value == value:
        return f"{parameter.name}: {value or 'none'}, as the family has it by now, and recorded as set"
    reboot = " (nodes that run already have it after a reboot)" if parameter.needs_reboot else ""
    return f"{parameter.name}: {parameter.value or 'none'} -> {value}{reboot}"


def _reset_steps(group: ParameterGroup, values: Mapping[str, str]) -> list[Step]:
    return [
        Step(
            group.words.reset,
            {
                group.words.name: group.name,
                **group.words.what_to_reset({name: values[name] for name in names}),
            },
            f"purge_parameters: not stated any more: {', '.join(names)}",
        )
        for names in _by_call(values)
    ]


def _by_call(values: Mapping[str, str]) -> list[list[str]]:
    names = list(values)
    return [names[start : start + PARAMETERS_A_CALL] for start in range(0, len(names), PARAMETERS_A_CALL)]


def _refuse_fixed(current: ParameterGroup, desired: Desired) -> None:
    what = f"of the parameter group {current.name} is"
    if desired.family is not None and desired.family != current.family:
        raise PlanRefused(
            f"The family {what} {current.family!r}, and AWS cannot change it to {desired.family!r}: state another "
            f"{current.words.name_option}, so that one is made beside it",
            current.words.name_option,
        )
    if desired.description is not None and desired.description != current.description and not desired.adopt:
        raise PlanRefused(
            f"description {what} {current.description!r}, and AWS cannot change it to {desired.description!r}: make "
            f"another under another {current.words.name_option}, or state {current.description!r}",
            "description",
        )


# --- state absent ---


def plan_absent(current: ParameterGroup | None, desired: Desired) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None:
        return Plan()
    if not ownership.is_ours(current.tags, desired.migration_name):
        ownership.refuse_deletion(f"The parameter group {current.name}", current.tags, desired.migration_name)
    step = Step(current.words.delete, {current.words.name: current.name}, "state: absent")
    return Plan((step,), current.as_options(), {})
