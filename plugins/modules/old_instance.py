#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: old_instance
short_description: Stop, start or terminate the EC2 instance of the old Redis
version_added: 0.2.0
description:
  - Brings one instance to the wanted state, in a call of its own.
  - Whether that may be is decided by M(kempian.cache_migration.decommission_plan). This module knows one refusal of its
    own. A protected instance (C(disableApiTermination), C(disableApiStop)) is left alone, and the protection is never
    switched off.
  - Never waits in silence. The action plugin of the same name runs it again, with a line at each step, until the
    instance is there or O(wait_timeout) has passed. A run that was killed is continued by running it again.
author:
  - The cache_migration authors (@cache-migration)
options:
  instance_id:
    description: The instance.
    type: str
    required: true
  state:
    description:
      - V(stopped) keeps its volumes and private addresses. What is on instance store volumes is lost.
      - V(terminated) is for good.
    type: str
    choices: [running, stopped, terminated]
    required: true
  wait_timeout:
    description: For how many seconds to wait in all. Running it again goes on.
    type: int
    default: 900
  wait_interval:
    description: How many seconds there are between two reads while it waits, at most. The first reads follow sooner.
    type: float
    default: 15
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
notes:
  - 'IAM actions: C(ec2:DescribeInstances), C(ec2:DescribeInstanceAttribute), C(ec2:StartInstances),
    C(ec2:StopInstances), C(ec2:TerminateInstances).'
seealso:
  - name: AWS, stop and start instances
    description: What stays and what is lost.
    link: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Stop the old Redis's instance
  kempian.cache_migration.old_instance:
    instance_id: i-0123456789abcdef0
    state: stopped
    region: us-east-1
"""

RETURN = r"""
plan:
  description: The call that was to be made, or none.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: StopInstances
    parameters:
      description: Its parameters.
      type: dict
    reason:
      description: From which state to which.
      type: str
    disruptive:
      description: Whether clients notice it.
      type: bool
state:
  description: The state of the instance as EC2 tells it, C(terminated) where it knows none any more.
  returned: always
  type: str
  sample: stopped
in_progress:
  description: Whether it is still waited for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
option:
  description: The option to change.
  returned: when it is refused
  type: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ec2 import converge
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import check_instance_id
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

SPEC: dict[str, Any] = {
    "argument_spec": {
        "instance_id": {"type": "str", "required": True},
        "state": {"type": "str", "required": True, "choices": ["running", "stopped", "terminated"]},
        "wait_timeout": {"type": "int", "default": 900},
        "wait_interval": {"type": "float", "default": 15},
    },
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    try:
        instance_id = check_instance_id(module.params["instance_id"])
        result = converge(module.client("ec2"), instance_id, module.params["state"], module.check_mode)
    except PlanRefused as refused:
        module.fail_json(msg=refused.message, option=refused.option)
    except AnsibleAWSError as error:
        module.fail_json_aws(error.exception or error, msg=explain(error, "ec2"))
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
