# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The auto scaling of a cache: as it is, as it is wanted, and the steps between them. Pure.

Whose it is goes by the cache: that of somebody else's cache is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import (
    DIMENSIONS,
    Cache,
    Dimension,
    refuse_unscalable,
)

NAMESPACE, TARGET_TRACKING = "elasticache", "TargetTrackingScaling"


@dataclass(frozen=True)
class Policy:
    """A policy that follows a metric. None means AWS's own default."""

    name: str
    metric: str
    target_value: float
    scale_in_cooldown: int | None = None
    scale_out_cooldown: int | None = None
    disable_scale_in: bool = False

    @classmethod
    def shape(cls, told: Mapping[str, Any]) -> Policy | None:
        """None for one of another kind, which is left alone."""
        of = told.get("TargetTrackingScalingPolicyConfiguration") or {}
        metric = (of.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
        if not metric:
            return None
        return cls(
            told["PolicyName"],
            metric,
            float(of["TargetValue"]),
            of.get("ScaleInCooldown"),
            of.get("ScaleOutCooldown"),
            bool(of.get("DisableScaleIn")),
        )

    def configuration(self) -> dict[str, Any]:
        cooldowns = {"ScaleInCooldown": self.scale_in_cooldown, "ScaleOutCooldown": self.scale_out_cooldown}
        return {
            "TargetValue": self.target_value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": self.metric},
            **{name: seconds for name, seconds in cooldowns.items() if seconds is not None},
            "DisableScaleIn": self.disable_scale_in,
        }

    def facts(self) -> dict[str, Any]:
        return {
            "policy_name": self.name,
            "predefined_metric_type": self.metric,
            "target_value": self.target_value,
            "scale_in_cooldown": self.scale_in_cooldown,
            "scale_out_cooldown": self.scale_out_cooldown,
            "disable_scale_in": self.disable_scale_in,
        }


@dataclass(frozen=True)
class Scaling:
    min_capacity: int
    max_capacity: int
    policies: tuple[Policy, ...] = ()

    def policy(self, name: str) -> Policy | None:
        return next((policy for policy in self.policies if policy.name == name), None)

    def facts(self) -> dict[str, Any]:
        return {
            "min_capacity": self.min_capacity,
            "max_capacity": self.max_capacity,
            "policies": [policy.facts() for policy in self.policies],
        }


def shape(targets: Sequence[Mapping[str, Any]], policies: Sequence[Mapping[str, Any]]) -> Scaling | None:
    """Of DescribeScalableTargets and DescribeScalingPolicies of one resource and dimension."""
    if not targets:
        return None
    shaped = [policy for policy in (Policy.shape(told) for told in policies) if policy]
    ordered = tuple(sorted(shaped, key=lambda policy: policy.name))
    return Scaling(int(targets[0]["MinCapacity"]), int(targets[0]["MaxCapacity"]), ordered)


@dataclass(frozen=True)
class Desired:
    """None means that the option was left out, and then what is stays."""

    cache: str
    word: str
    migration_name: str
    policy_name: str
    min_capacity: int | None = None
    max_capacity: int | None = None
    metric: str | None = None
    target_value: float | None = None
    scale_in_cooldown: int | None = None
    scale_out_cooldown: int | None = None
    disable_scale_in: bool | None = None
    will_be: Mapping[str, Any] | None = None  # what the same run makes of the cache, where it is only planned

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Desired:
        """Raises PlanRefused."""
        word = params["scalable_dimension"]
        option = DIMENSIONS[word].option
        if not params.get(option):
            raise PlanRefused(f"scalable_dimension is {word}, which is of {option}: state that", "scalable_dimension")
        migration_name = ownership.check_migration_name(params["migration_name"])
        wanted = cls(
            cache=str(params[option]).lower(),
            word=word,
            migration_name=migration_name,
            policy_name=params.get("policy_name") or f"cache_migration-{migration_name}-{word}",
            min_capacity=params.get("min_capacity"),
            max_capacity=params.get("max_capacity"),
            metric=params.get("predefined_metric_type") or None,
            target_value=params.get("target_value"),
            scale_in_cooldown=params.get("scale_in_cooldown"),
            scale_out_cooldown=params.get("scale_out_cooldown"),
            disable_scale_in=params.get("disable_scale_in"),
            will_be=params.get("will_be"),
        )
        _check_numbers(wanted)
        return wanted

    @property
    def dimension(self) -> Dimension:
        return DIMENSIONS[self.word]

    @property
    def names(self) -> dict[str, str]:
        """What every call says."""
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": f"{self.dimension.resource}/{self.cache}",
            "ScalableDimension": self.dimension.api,
        }

    @property
    def says_something_of_a_policy(self) -> bool:
        return any(
            value is not None
            for value in (self.metric, self.target_value, self.scale_in_cooldown, self.scale_out_cooldown)
        ) or bool(self.disable_scale_in is not None)


def _check_numbers(wanted: Desired) -> None:
    least, most = wanted.dimension.least, wanted.dimension.most
    for option, value in (("min_capacity", wanted.min_capacity), ("max_capacity", wanted.max_capacity)):
        if value is not None and (value < least or (most is not None and value > most)):
            bound = f"{least} to {most}" if most else f"{least} or more"
            raise PlanRefused(f"{option} is {value}: AWS takes {bound} for {wanted.word}", option)
    for option, seconds in (
        ("scale_in_cooldown", wanted.scale_in_cooldown),
        ("scale_out_cooldown", wanted.scale_out_cooldown),
    ):
        if seconds is not None and seconds < 0:
            raise PlanRefused(f"{option} is {seconds}: it is a number of seconds", option)
    if wanted.target_value is not None and wanted.target_value <= 0:
        raise PlanRefused(f"target_value is {wanted.target_value}: it is above 0, as 60 for 60 %", "target_value")


def plan_present(current: Scaling | None, cache: Cache | None, desired: Desired) -> Plan:
    """``cache`` is None where it is yet to be made, and then nothing is known of it. Raises PlanRefused."""
    if cache is not None:
        refuse_unscalable(cache, desired.word)
        _refuse_foreign(cache, desired)
    after = predict(current, desired)
    if after.min_capacity > after.max_capacity:
        raise PlanRefused(
            f"min_capacity is {after.min_capacity}, above max_capacity, which is {after.max_capacity}", "min_capacity"
        )
    _refuse_second_of_a_metric(after, desired)
    steps, before_shown, shown = [], {}, {}
    for name in ("min_capacity", "max_capacity"):
        was = getattr(current, name) if current else None
        if was != getattr(after, name):
            before_shown[name], shown[name] = was, getattr(after, name)
    if shown:
        steps.append(_registration(desired, after, shown, before_shown))
    policy, was_policy = after.policy(desired.policy_name), current.policy(desired.policy_name) if current else None
    if policy is not None and policy != was_policy:
        steps.append(_putting(desired, policy, was_policy))
        before_shown["policy"], shown["policy"] = was_policy.facts() if was_policy else None, policy.facts()
    return Plan(tuple(steps), before_shown if current else {}, shown)


def predict(current: Scaling | None, desired: Desired) -> Scaling:
    """What the plan leads to. Raises PlanRefused where something that it takes is not stated."""
    least, most = desired.min_capacity, desired.max_capacity
    if current is None:
        for option, value in (("min_capacity", least), ("max_capacity", most)):
            if value is None:
                raise PlanRefused(
                    f"{desired.cache} is not scaled yet, and to have AWS do it {option} must be stated", option
                )
        current = Scaling(least or 0, most or 0)
    after = replace(
        current,
        min_capacity=current.min_capacity if least is None else least,
        max_capacity=current.max_capacity if most is None else most,
    )
    if not desired.says_something_of_a_policy:
        return after
    others = tuple(policy for policy in current.policies if policy.name != desired.policy_name)
    changed = _policy_after(current.policy(desired.policy_name), desired)
    return replace(after, policies=tuple(sorted((*others, changed), key=lambda policy: policy.name)))


def _policy_after(current: Policy | None, desired: Desired) -> Policy:
    metric = desired.metric or (current.metric if current else desired.dimension.metric)
    value = desired.target_value
    if value is None and current is not None:
        value = current.target_value
    if not metric:
        raise PlanRefused(
            f"There is no policy {desired.policy_name}, and to make one for {desired.word} predefined_metric_type must "
            "be stated",
            "predefined_metric_type",
        )
    if value is None:
        raise PlanRefused(
            f"There is no policy {desired.policy_name}, and to make one target_value must be stated, as 60 for 60 %",
            "target_value",
        )
    base = current or Policy(desired.policy_name, metric, value)
    return replace(
        base,
        metric=metric,
        target_value=float(value),
        scale_in_cooldown=_stated(desired.scale_in_cooldown, base.scale_in_cooldown),
        scale_out_cooldown=_stated(desired.scale_out_cooldown, base.scale_out_cooldown),
        disable_scale_in=base.disable_scale_in if desired.disable_scale_in is None else desired.disable_scale_in,
    )


def _stated(wanted: int | None, current: int | None) -> int | None:
    return current if wanted is None else wanted


# --- steps ---


def _registration(desired: Desired, after: Scaling, shown: Mapping[str, Any], before: Mapping[str, Any]) -> Step:
    parameters = {**desired.names, "MinCapacity": after.min_capacity, "MaxCapacity": after.max_capacity}
    told = "; ".join(f"{name}: {before.get(name)} -> {value}" for name, value in shown.items())
    return Step("RegisterScalableTarget", parameters, told)


def _putting(desired: Desired, policy: Policy, was: Policy | None) -> Step:
    parameters = {
        **desired.names,
        "PolicyName": policy.name,
        "PolicyType": TARGET_TRACKING,
        "TargetTrackingScalingPolicyConfiguration": policy.configuration(),
    }
    told = f"there is no policy {policy.name}"
    if was is not None:
        changed = {name: value for name, value in policy.facts().items() if was.facts()[name] != value}
        told = "; ".join(f"{name}: {was.facts()[name]} -> {value}" for name, value in changed.items())
    return Step("PutScalingPolicy", parameters, told)


def plan_absent(current: Scaling | None, cache: Cache | None, desired: Desired) -> Plan:
    """AWS takes the policies away with it; the cache stays as large as it is. Raises PlanRefused."""
    if current is None:
        return Plan()
    if cache is not None and not ownership.is_ours(cache.tags, desired.migration_name):
        raise PlanRefused(f"{_foreign(cache, desired)}: take it away where the cache is managed", "state")
    step = Step("DeregisterScalableTarget", desired.names, "state: absent")
    return Plan((step,), current.facts(), {})


# --- refusals ---


def _refuse_foreign(cache: Cache, desired: Desired) -> None:
    if not ownership.is_ours(cache.tags, desired.migration_name):
        raise PlanRefused(f"{_foreign(cache, desired)}: change it where the cache is managed", desired.dimension.option)


def _foreign(cache: Cache, desired: Desired) -> str:
    return (
        f"{desired.dimension.option} is {cache.name}, which is not this migration's, and how others' caches scale is "
        "never changed"
    )


def _refuse_second_of_a_metric(after: Scaling, desired: Desired) -> None:
    ours = after.policy(desired.policy_name)
    same = [policy.name for policy in after.policies if ours and policy is not ours and policy.metric == ours.metric]
    if ours and same and desired.says_something_of_a_policy:
        raise PlanRefused(
            f"policy_name is {ours.name}, and the policy {same[0]} follows {ours.metric} already: AWS takes one policy "
            f"for a metric, so state policy_name: {same[0]}, or another predefined_metric_type",
            "policy_name",
        )
