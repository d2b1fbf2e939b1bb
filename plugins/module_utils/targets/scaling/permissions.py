# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever has AWS scale a target by itself. Pure.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html: the describing
calls take no resource, and what is registered has an id that only AWS knows before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    Permission,
    Place,
    each,
)

_UNSEEN = "only with migration_scaling, of which the scenario has none"
_BY_SCALING = f"{_UNSEEN}; Application Auto Scaling makes this call with the caller's permission"

_SCALED = Place(
    "TargetScaled",
    ("application-autoscaling:{region}:{account}:scalable-target/*",),
    (("StringEquals", "application-autoscaling:service-namespace", "elasticache"),),
)
_ALARMS = Place("TargetScaledAlarms", ("cloudwatch:{region}:{account}:alarm:TargetTracking-*{target}*",))


def _unseen(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    return tuple(replace(one, unseen=_UNSEEN) for one in permissions)


LOOK = _unseen(
    each(
        EVERYTHING,
        {
            "application-autoscaling:DescribeScalableTargets": "how AWS scales it by itself (migration_scaling)",
            "application-autoscaling:DescribeScalingPolicies": "the same, by which metric",
        },
    )
)
_TAKE_AWAY = _unseen(
    each(_SCALED, {"application-autoscaling:DeregisterScalableTarget": "to have AWS not scale it any more"})
)
_ALARMS_GO = Permission("cloudwatch:DeleteAlarms", "the alarms of a policy go with it", _ALARMS, unseen=_BY_SCALING)
MAKE = (
    *_unseen(
        each(
            _SCALED,
            {
                "application-autoscaling:RegisterScalableTarget": "to have AWS scale it (migration_scaling)",
                "application-autoscaling:PutScalingPolicy": "the same, by a metric (target_value)",
            },
        )
    ),
    *_TAKE_AWAY,
    Permission("cloudwatch:PutMetricAlarm", "a policy has alarms of its own", _ALARMS, unseen=_BY_SCALING),
    _ALARMS_GO,
    Permission("cloudwatch:DescribeAlarms", "the same", unseen=_BY_SCALING),
    Permission(
        "iam:CreateServiceLinkedRole",
        "the first cache of an account that AWS scales makes the role by which it does",
        Place(
            "FirstScalingOfElastiCache",
            ("iam::{account}:role/aws-service-role/elasticache.application-autoscaling.amazonaws.com/*",),
            (("StringEquals", "iam:AWSServiceName", "elasticache.application-autoscaling.amazonaws.com"),),
        ),
        unseen=_BY_SCALING,
    ),
)
DELETE = (*LOOK, *_TAKE_AWAY, _ALARMS_GO)
