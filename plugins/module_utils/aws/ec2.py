# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The EC2 instance of the old Redis: read, and brought to the state that is wanted, one instance a call.

Its protections are two attributes, which DescribeInstances does not tell and which are read one a call
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html). They are never changed.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import (
    TERMINATED,
    Instance,
    plan_state,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step


@aws_call("describe the instance {instance_id}", none_on=["InvalidInstanceID.NotFound"])
def describe(client: Any, instance_id: str) -> Mapping[str, Any] | None:
    found = client.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return found[0]["Instances"][0] if found else None


@aws_call("read the attribute {attribute} of {instance_id}")
def _is_set(client: Any, instance_id: str, attribute: str) -> bool:
    answer = client.describe_instance_attribute(InstanceId=instance_id, Attribute=attribute)
    return bool((answer.get(attribute[0].upper() + attribute[1:]) or {}).get("Value"))


def read_instance(client: Any, instance_id: str) -> Instance | None:
    """Raises AnsibleAWSError. None where EC2 does not know it, or not any more."""
    found = describe(client, instance_id)
    if found is None:
        return None
    protections: tuple[str, ...] = ()
    if found["State"]["Name"] not in (TERMINATED, "shutting-down"):
        guards = ("disableApiTermination", "disableApiStop")
        protections = tuple(guard for guard in guards if _is_set(client, instance_id, guard))
    return shape(found, protections)


@aws_call("call {step.action}")
def _act(client: Any, step: Step) -> None:
    names = {"StartInstances": "start_instances", "StopInstances": "stop_instances"}
    getattr(client, names.get(step.action, "terminate_instances"))(**step.parameters)


def converge(client: Any, instance_id: str, wanted: str, check_mode: bool) -> dict[str, Any]:
    """Make the one call that leads to ``wanted``, and say what is waited for. Raises PlanRefused, AnsibleAWSError."""
    current = read_instance(client, instance_id)
    plan = plan_state(current, instance_id, wanted)
    if plan.steps and not check_mode:
        _act(client, plan.steps[0])
        current = read_instance(client, instance_id)
    state = current.state if current else TERMINATED
    is_there = check_mode or state == wanted
    return {
        "changed": bool(plan.steps),
        "plan": plan.describe(),
        "diff": plan.diff(),
        "state": state,
        "in_progress": not is_there,
        "progress": "" if is_there else f"{instance_id}: {state}, waiting until it is {wanted}",
    }
