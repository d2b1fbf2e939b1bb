"""Application Auto Scaling, of ElastiCache alone: what is registered, and by which policies.

It is kept and told, and refused where AWS refuses it. Nothing is scaled: there are no metrics here to follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.clock import now
from sandbox.aws.wire import Params, Refusal, Result, Service, handlers_of, operation

NODE_GROUPS, REPLICAS = "elasticache:replication-group:NodeGroups", "elasticache:replication-group:Replicas"
NODES = "elasticache:cache-cluster:Nodes"
KINDS = {NODE_GROUPS: "replication-group", REPLICAS: "replication-group", NODES: "cache-cluster"}
SIZES = ("large", "xlarge", "2xlarge")
MOST_REPLICAS = 5
NAMES = ("ServiceNamespace", "ResourceId", "ScalableDimension")
ROLE = (
    "arn:aws:iam::123456789012:role/aws-service-role/elasticache.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ElastiCacheRG"
)


@dataclass
class Target:
    resource: str
    dimension: str
    least: int
    most: int
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    created: Any = field(default_factory=now)


def invalid(text: str) -> Refusal:
    return Refusal("ValidationException", text)


class Scaling:
    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._targets: dict[tuple[str, str], Target] = {}
        self.service = Service("application-autoscaling", handlers_of(self))

    @operation("RegisterScalableTarget", *NAMES, "MinCapacity", "MaxCapacity")
    def register_scalable_target(self, params: Params) -> Result:
        key = self._key(params)
        there = self._targets.get(key)
        if there is None:
            self._refuse_unscalable(*key)
        least = params.get("MinCapacity", there.least if there else None)
        most = params.get("MaxCapacity", there.most if there else None)
        if least is None or most is None:
            raise invalid("MinCapacity and MaxCapacity are required to register a scalable target.")
        if least > most or least < 1 or (key[1] == REPLICAS and most > MOST_REPLICAS):
            raise invalid(f"MinCapacity {least} and MaxCapacity {most} are not valid for {key[1]}.")
        if there is None:
            self._targets[key] = Target(*key, least, most)
        else:
            there.least, there.most = least, most
        return {"ScalableTargetARN": f"arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/{key[0]}"}

    @operation("DeregisterScalableTarget", *NAMES)
    def deregister_scalable_target(self, params: Params) -> Result:
        self._target(params)
        del self._targets[self._key(params)]
        return {}

    @operation("DescribeScalableTargets", "ServiceNamespace", "ResourceIds", "ScalableDimension")
    def describe_scalable_targets(self, params: Params) -> Result:
        found = [
            target
            for target in self._targets.values()
            if target.resource in params.get("ResourceIds", [target.resource])
            and target.dimension == params.get("ScalableDimension", target.dimension)
        ]
        return {"ScalableTargets": [self._shown(target) for target in found]}

    @operation(
        "PutScalingPolicy",
        *(*NAMES, "PolicyName", "TargetTrackingScalingPolicyConfiguration"),
        only={"PolicyType": ("TargetTrackingScaling",)},
    )
    def put_scaling_policy(self, params: Params) -> Result:
        target, name = self._target(params), params["PolicyName"]
        configuration = params.get("TargetTrackingScalingPolicyConfiguration")
        if not configuration:
            raise invalid("TargetTrackingScalingPolicyConfiguration is required for this policy type.")
        metric = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "")
        if not metric.startswith("ElastiCache"):
            raise invalid(f"{metric or 'No metric'} is not a predefined metric of elasticache.")
        same = [
            other
            for other, policy in target.policies.items()
            if other != name
            and policy["PredefinedMetricSpecification"] == configuration["PredefinedMetricSpecification"]
        ]
        if same:
            raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
        target.policies[name] = configuration
        return {"PolicyARN": self._arn(target, name), "Alarms": []}

    @operation("DescribeScalingPolicies", *NAMES, "PolicyNames")
    def describe_scaling_policies(self, params: Params) -> Result:
        found = [
            {
                "PolicyARN": self._arn(target, name),
                "PolicyName": name,
                "ServiceNamespace": "elasticache",
                "ResourceId": target.resource,
                "ScalableDimension": target.dimension,
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": configuration,
                "CreationTime": target.created,
            }
            for target in self._targets.values()
            for name, configuration in target.policies.items()
            if target.resource == params.get("ResourceId", target.resource)
            and target.dimension == params.get("ScalableDimension", target.dimension)
            and name in params.get("PolicyNames", [name])
        ]
        return {"ScalingPolicies": found}

    @operation("DeleteScalingPolicy", *NAMES, "PolicyName")
    def delete_scaling_policy(self, params: Params) -> Result:
        target = self._target(params)
        if target.policies.pop(params["PolicyName"], None) is None:
            raise Refusal("ObjectNotFoundException", f"No scaling policy found for {params['PolicyName']}.")
        return {}

    # ------------------------------------------------------------------------------------------------------------
    def _key(self, params: Params) -> tuple[str, str]:
        resource, dimension = params["ResourceId"], params["ScalableDimension"]
        if params["ServiceNamespace"] != "elasticache" or dimension not in KINDS:
            raise invalid(f"This sandbox scales elasticache alone, not {params['ServiceNamespace']} {dimension}.")
        if resource.partition("/")[0] != KINDS[dimension]:
            raise invalid(f"Unsupported service namespace, resource type or scalable dimension: {resource} {dimension}")
        return resource, dimension

    def _target(self, params: Params) -> Target:
        found = self._targets.get(self._key(params))
        if found is None:
            text = f"No scalable target registered for {params['ResourceId']} and {params['ScalableDimension']}."
            raise Refusal("ObjectNotFoundException", text)
        return found

    def _refuse_unscalable(self, resource: str, dimension: str) -> None:
        name = resource.partition("/")[2]
        try:
            if dimension == NODES:
                found = self._client("elasticache").describe_cache_clusters(CacheClusterId=name)["CacheClusters"][0]
                if found["Engine"] != "memcached":
                    raise invalid(f"{name} is of {found['Engine']}; nodes are scaled of memcached alone.")
                return
            group = self._client("elasticache").describe_replication_groups(ReplicationGroupId=name)
            found = group["ReplicationGroups"][0]
        except ClientError as missing:
            raise invalid(f"ECResource {resource} does not exist: {missing.response['Error']['Message']}")
        if not found["ClusterEnabled"]:
            raise invalid(f"{name} must have cluster mode enabled to be scaled.")
        if found["CacheNodeType"].rpartition(".")[2] not in SIZES:
            raise invalid(f"{name} is of {found['CacheNodeType']}; nodes of {', '.join(SIZES)} are scaled.")

    @staticmethod
    def _arn(target: Target, name: str) -> str:
        where = f"resource/elasticache/{target.resource}:policyName/{name}"
        return f"arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:00000000-0000-0000-0000-000000000000:{where}"

    @staticmethod
    def _shown(target: Target) -> dict[str, Any]:
        suspended = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
        return {
            "ServiceNamespace": "elasticache",
            "ResourceId": target.resource,
            "ScalableDimension": target.dimension,
            "MinCapacity": target.least,
            "MaxCapacity": target.most,
            "RoleARN": ROLE,
            "CreationTime": target.created,
            "SuspendedState": dict.fromkeys(suspended, False),
        }
