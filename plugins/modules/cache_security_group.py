#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_security_group
short_description: Take away what a migration has added to the security group of its target
version_added: 0.2.0
description:
  - Removes the rules that a migration has added to a security group, or the group itself.
    M(amazon.aws.ec2_security_group) makes both; it can remove rules only by stating all that are to stay.
  - A rule is the migration's if its description is C(cache_migration) and the migration's name, a group if its tag
    C(cache_migration:name) is. Rules of others, and groups with rules of others, stay as they are.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  name:
    description: The name of the security group.
    type: str
    required: true
  vpc_id:
    description: Its VPC. Left out, the group of that name must be the only one.
    type: str
  migration_name:
    description: The name of the migration.
    type: str
    required: true
  state:
    description:
      - V(closed) removes the ingress rules that the migration has added.
      - V(absent) removes the group. It refuses, changing nothing, a group that is not this migration's, one to which
        others have added rules, and one that is still in use.
    type: str
    choices: [closed, absent]
    required: true
attributes:
  check_mode:
    description: Tells what would be removed, and removes nothing.
    support: full
  diff_mode:
    description: Shows the rules before and after.
    support: full
"""

EXAMPLES = r"""
- name: Shut the app out of the target again
  kempian.cache_migration.cache_security_group:
    name: kempian-prod-cache
    migration_name: kempian-prod
    state: closed
    region: us-east-1
"""

RETURN = r"""
plan:
  description: The calls that were to be made, in order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: RevokeSecurityGroupIngress
    parameters:
      description: Its parameters.
      type: dict
    reason:
      description: Which rules, or which option, ask for it.
      type: str
    disruptive:
      description: Whether clients notice it.
      type: bool
option:
  description: The option to change.
  returned: when it is refused
  type: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import security_group as room
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.ownership import check_migration_name

OPTIONS = {
    "name": {"type": "str", "required": True},
    "vpc_id": {"type": "str"},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["closed", "absent"], "required": True},
}

# A first attempt, whose answer was lost, has done it already.
GONE = ["InvalidGroup.NotFound", "InvalidPermission.NotFound"]
IN_USE = ["DependencyViolation", "InvalidGroup.InUse"]


class Errors(AWSErrorHandler):
    """Names the call that failed."""

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code(GONE)


@Errors.common_error_handler("describe the security group {name}")
@AWSRetry.jittered_backoff()
def read(client: Any, name: str, vpc_id: str) -> room.CacheSecurityGroup | None:
    wanted = {"group-name": name, **({"vpc-id": vpc_id} if vpc_id else {})}
    groups = client.describe_security_groups(Filters=_filters(wanted))["SecurityGroups"]
    if len(groups) > 1:
        raise PlanRefused(
            f"There are {len(groups)} security groups {name}, in {', '.join(group['VpcId'] for group in groups)}: set "
            "vpc_id (migration_vpc_id)",
            "vpc_id",
        )
    return room.shape(groups[0]) if groups else None


def _filters(wanted: dict[str, str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": [value]} for name, value in wanted.items()]


@Errors.deletion_error_handler("call {step.action}")
@AWSRetry.jittered_backoff()
def act(client: Any, step: Step) -> None:
    call = client.revoke_security_group_ingress if step.action == room.REVOKE else client.delete_security_group
    try:
        call(**step.parameters)
    except is_boto3_error_code(IN_USE):
        raise PlanRefused(
            f"The security group {step.parameters['GroupId']} is still in use: a cache, an instance or a rule of "
            "another group has it. The network interfaces of a deleted cache go within minutes; then run again",
            "state",
        ) from None


def main() -> None:
    module = AnsibleAWSModule(argument_spec=OPTIONS, supports_check_mode=True)
    params = module.params
    make_plan = room.plan_closed if params["state"] == "closed" else room.plan_absent
    try:
        name = check_migration_name(params["migration_name"])
        client = module.client("ec2")
        plan = make_plan(read(client, params["name"], params["vpc_id"] or ""), name)
        for step in () if module.check_mode else plan.steps:
            act(client, step)
    except PlanRefused as refused:
        module.fail_json(msg=refused.message, option=refused.option)
    except AnsibleAWSError as error:
        module.fail_json_aws_error(error)
    module.exit_json(changed=bool(plan.steps), diff=plan.diff(), plan=plan.describe())


if __name__ == "__main__":
    main()
