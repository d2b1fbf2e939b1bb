# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Application Auto Scaling's API, as far as it scales caches: reads, and one invocation. All raise AnsibleAWSError."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import acting, at_once
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import scaling
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import (
    DIMENSIONS,
    NODES,
    Cache,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.scaling import (
    NAMESPACE,
    Desired,
    Scaling,
)

SERVICE = "application-autoscaling"
_CODES = acting.Codes(
    busy=("ConcurrentUpdateException",), already_so={"DeregisterScalableTarget": ("ObjectNotFoundException",)}
)
Client = Callable[[str], Any]  # makes one of a service


@aws_call("describe the scalable target {resource}")
def _targets(client: Any, resource: str, dimension: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace=NAMESPACE, ResourceIds=[resource], ScalableDimension=dimension
    )
    return [target for page in pages for target in page["ScalableTargets"]]


@aws_call("describe the scaling policies of {resource}")
def _policies(client: Any, resource: str, dimension: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_scaling_policies").paginate(
        ServiceNamespace=NAMESPACE, ResourceId=resource, ScalableDimension=dimension
    )
    return [policy for page in pages for policy in page["ScalingPolicies"]]


def read_scaling(client: Any, word: str, cache: str) -> Scaling | None:
    """None where AWS does not scale that dimension of it."""
    dimension = DIMENSIONS[word]
    resource = f"{dimension.resource}/{cache}"
    targets = _targets(client, resource, dimension.api)
    return scaling.shape(targets, _policies(client, resource, dimension.api)) if targets else None


def read_cache(client: Any, word: str, name: str) -> Cache | None:
    if word == NODES:
        cluster = calls.read_cache_cluster(client, name)
        if cluster is None:
            return None
        return Cache(name, cluster.engine, cluster.engine_version, cluster.cache_node_type, False, cluster.tags)
    group = calls.read_replication_group(client, name)
    if group is None:
        return None
    return Cache(name, group.engine, group.engine_version, group.cache_node_type, group.cluster_enabled, group.tags)


def make_present(client: Client, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused too."""
    cache = read_cache(client("elasticache"), desired.word, desired.cache)
    if check_mode and desired.will_be:
        cache = Cache.that_will_be(desired.cache, desired.will_be, cache.tags if cache else _ours(desired))
    if cache is None and not check_mode:
        raise PlanRefused(
            f"{desired.dimension.option} is {desired.cache}, and there is no such cache: make it first",
            desired.dimension.option,
        )
    plan, after = _converge(client(SERVICE), desired, check_mode, lambda now: scaling.plan_present(now, cache, desired))
    shown = scaling.predict(after, desired) if check_mode else after
    warnings = [] if cache else [f"There is no {desired.cache} yet: whether AWS scales it is seen once it is there"]
    return {**_result(plan), "scaling": shown.facts() if shown else None, "warnings": warnings}


def _ours(desired: Desired) -> Mapping[str, str]:
    """The tags of a cache that is yet to be made."""
    return ownership.with_owner({}, desired.migration_name)


def make_absent(client: Client, desired: Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused too."""
    cache = read_cache(client("elasticache"), desired.word, desired.cache)
    plan, _gone = _converge(client(SERVICE), desired, check_mode, lambda now: scaling.plan_absent(now, cache, desired))
    return _result(plan)


def _converge(
    client: Any, desired: Desired, check_mode: bool, plan_for: Callable[[Scaling | None], Plan]
) -> tuple[Plan, Scaling | None]:
    def act(step: Step) -> acting.Outcome:
        return acting.act(client, step, _CODES)

    return at_once.converge(lambda: read_scaling(client, desired.word, desired.cache), plan_for, act, check_mode)


def _result(plan: Plan) -> dict[str, Any]:
    return {"changed": bool(plan.steps), "diff": plan.diff(), "plan": plan.describe()}
