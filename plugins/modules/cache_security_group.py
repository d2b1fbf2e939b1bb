#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_security_group
short_description: The security group of a target, made and opened for the app's hosts, and closed again
version_added: 0.2.0
description:
  - Makes a security group where there is none of that name, and admits the app to one TCP port; or removes the rules
    that a migration has added, or the group itself. M(amazon.aws.ec2_security_group) purges by default, and can remove
    rules only by stating all that are to stay.
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
      - V(present) makes the group where O(create) says so, and adds a rule for each of O(sources) that no rule admits
        to O(port) and O(reader_port) yet, whoever made it. No rule is ever taken away. A group that is not this
        migration's is refused.
      - V(closed) removes the ingress rules that the migration has added.
      - V(absent) removes the group. It refuses, changing nothing, a group that is not this migration's, one to which
        others have added rules, and one that is still in use.
    type: str
    choices: [present, closed, absent]
    required: true
  port:
    description: The TCP port that is opened, with O(state=present).
    type: int
    default: 6379
  reader_port:
    description: The TCP port of the target's reader, where that has one of its own; V(0) is none.
    type: int
    default: 0
  sources:
    description:
      - Who is let in with O(state=present), as ids of security groups and as address ranges.
    type: list
    elements: str
    default: []
  create:
    description: Whether a group that does not exist is made, with O(state=present).
    type: bool
    default: true
  tags:
    description: Tags of a group that is made, beside the one that says whose it is.
    type: dict
attributes:
  check_mode:
    description: Tells what would be made or removed, and does nothing.
    support: full
  diff_mode:
    description: Shows the rules before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let the app in to the target
  kempian.cache_migration.cache_security_group:
    name: kempian-prod-cache
    migration_name: kempian-prod
    state: present
    sources: [sg-0123456789abcdef0]
    region: us-east-1

- name: Shut the app out of the target again
  kempian.cache_migration.cache_security_group:
    name: kempian-prod-cache
    migration_name: kempian-prod
    state: closed
    region: us-east-1
"""

RETURN = r"""
group_id:
  description: The id of the group; C(after-apply) where check mode would make it.
  returned: with O(state=present)
  type: str
  sample: sg-0123456789abcdef0
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

from contextlib import suppress
from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import security_group as room
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.ownership import (
    check_migration_name,
    read_tags,
)

OPTIONS = {
    "name": {"type": "str", "required": True},
    "vpc_id": {"type": "str"},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "closed", "absent"], "required": True},
    "port": {"type": "int", "default": 6379},
    "reader_port": {"type": "int", "default": 0},
    "sources": {"type": "list", "elements": "str", "default": []},
    "create": {"type": "bool", "default": True},
    "tags": {"type": "dict"},
}

SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}

# A first attempt, whose answer was lost, has done it already.
GONE = ["InvalidGroup.NotFound", "InvalidPermission.NotFound"]
THERE = ["InvalidGroup.Duplicate", "InvalidPermission.Duplicate"]
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


@Errors.common_error_handler("call {step.action}")
@AWSRetry.jittered_backoff()
def make(client: Any, step: Step) -> None:
    call = client.create_security_group if step.action == room.CREATE else client.authorize_security_group_ingress
    with suppress(is_boto3_error_code(THERE)):
        call(**step.parameters)


@Errors.deletion_error_handler("call {step.action}")
@AWSRetry.jittered_backoff()
def take_away(client: Any, step: Step) -> None:
    call = client.revoke_security_group_ingress if step.action == room.REVOKE else client.delete_security_group
    try:
        call(**step.parameters)
    except is_boto3_error_code(IN_USE):
        raise PlanRefused(
            f"The security group {step.parameters['GroupId']} is still in use: a cache, an instance or a rule of "
            "another group has it. The network interfaces of a deleted cache go within minutes; then run again",
            "state",
        ) from None


def wanted_from(params: Mapping[str, Any]) -> room.Wanted:
    return room.Wanted(
        name=params["name"],
        migration_name=check_migration_name(params["migration_name"]),
        port=params["port"],
        reader_port=params["reader_port"],
        sources=tuple(params["sources"]),
        vpc_id=params["vpc_id"] or "",
        tags=read_tags(params["tags"], params["migration_name"]) or {},
        makes=params["create"],
    )


def be_present(client: Any, params: Mapping[str, Any], check_mode: bool) -> tuple[Plan, dict[str, Any]]:
    """The whole plan, and the id. A group is made first, and read again for its id."""
    wanted = wanted_from(params)
    found = read(client, wanted.name, wanted.vpc_id)
    plan = room.plan_present(found, wanted)
    if check_mode or not plan.steps:
        return plan, {"group_id": found.group_id if found else room.AFTER_APPLY_ID}
    if found is None:
        make(client, plan.steps[0])
        found = read(client, wanted.name, wanted.vpc_id)
    for step in room.plan_present(found, wanted).steps:
        make(client, step)
    return plan, {"group_id": found.group_id if found else room.AFTER_APPLY_ID}


def be_gone(client: Any, params: Mapping[str, Any], check_mode: bool) -> tuple[Plan, dict[str, Any]]:
    make_plan = room.plan_closed if params["state"] == "closed" else room.plan_absent
    name = check_migration_name(params["migration_name"])
    plan = make_plan(read(client, params["name"], params["vpc_id"] or ""), name)
    for step in () if check_mode else plan.steps:
        take_away(client, step)
    return plan, {}


def serve(module: AnsibleAWSModule) -> None:
    params = module.params
    converge = be_present if params["state"] == "present" else be_gone
    try:
        plan, more = converge(module.client("ec2"), params, module.check_mode)
    except PlanRefused as refused:
        module.fail_json(msg=refused.message, option=refused.option)
    except AnsibleAWSError as error:
        module.fail_json_aws(error.exception or error, msg=explain(error, "ec2"))
    module.exit_json(changed=bool(plan.steps), diff=plan.diff(), plan=plan.describe(), **more)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
