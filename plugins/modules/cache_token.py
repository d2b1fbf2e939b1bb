#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_token
version_added: 0.2.0
short_description: Look after the secret that holds the AUTH token of a cache
description:
  - Makes the secret in AWS Secrets Manager that holds the AUTH token of a cache, with a generated token, where it does
    not exist; puts a new token beside the one in use; and makes a version the current one.
  - Never returns, shows or records a token. Read it where it is needed, by the version that this module returns, as
    with the lookup P(amazon.aws.secretsmanager_secret#lookup).
  - A secret is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are read, and
    never changed.
author:
  - The cache_migration authors (@cache-migration)
options:
  secret:
    description:
      - The name of the secret, or the ARN of one that exists.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the secret belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) looks whether the secret is there, and makes it with O(generate=true).
      - V(pending) sees to a version with the label C(AWSPENDING) beside the current one, generating its token. One that
        is there already, also by somebody's own hand, is left as it is.
      - V(current) gives O(version_id) the label C(AWSCURRENT); AWS gives the one before it C(AWSPREVIOUS).
    type: str
    choices: [present, pending, current]
    default: present
  generate:
    description:
      - With O(state=present), make a secret that does not exist, with a token of 64 letters and digits. With V(false)
        it is refused.
    type: bool
    default: false
  version_id:
    description:
      - The version for O(state=current).
    type: str
  tags:
    description:
      - Tags of a secret that is made, beside C(cache_migration:name).
    type: dict
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: There is nothing to show but a token, and that is not shown.
    support: none
notes:
  - 'IAM actions: C(secretsmanager:DescribeSecret), C(secretsmanager:CreateSecret), C(secretsmanager:TagResource),
    C(secretsmanager:PutSecretValue), C(secretsmanager:UpdateSecretVersionStage).'
seealso:
  - name: AWS, authenticating with the AUTH command
    description: What a token may be, and how it is rotated.
    link: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Have a secret with a token
  kempian.cache_migration.cache_token:
    secret: kempian/prod/cache-token
    migration_name: kempian-prod
    generate: true
    region: us-east-1
  register: secret

- name: Read the token of exactly that version
  ansible.builtin.set_fact:
    token: "{{ lookup('amazon.aws.secretsmanager_secret', 'kempian/prod/cache-token', version_id=version) }}"
  vars:
    version: "{{ secret.current_version_id }}"
  no_log: true

- name: Put a new token beside it
  kempian.cache_migration.cache_token:
    secret: kempian/prod/cache-token
    migration_name: kempian-prod
    state: pending
    region: us-east-1
"""

RETURN = r"""
exists:
  description: There is such a secret. False in check mode where it would be made.
  returned: success
  type: bool
ours:
  description: It is this migration's, so that it may be changed.
  returned: success
  type: bool
current_version_id:
  description: The version with the label C(AWSCURRENT); empty where there is none.
  returned: success
  type: str
  sample: 5c1a9f1e-7c54-4e0a-9a55-0d6b3e8d7f10
pending_version_id:
  description: The version with the label C(AWSPENDING), where that is another; empty where there is none.
  returned: success
  type: str
versions:
  description: The labels of each version that has any.
  returned: success
  type: dict
  sample: {5c1a9f1e-7c54-4e0a-9a55-0d6b3e8d7f10: [AWSCURRENT]}
plan:
  description: The calls that were to be made, in order.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: CreateSecret
    parameters:
      description: Its parameters, without the token.
      type: dict
    reason:
      description: What it is for.
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

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import secrets
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import token_secret

OPTIONS = {
    "secret": {"type": "str", "required": True, "no_log": False},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "pending", "current"], "default": "present"},
    "generate": {"type": "bool", "default": False},
    "version_id": {"type": "str"},
    "tags": {"type": "dict"},
}
SPEC: dict[str, Any] = {
    "argument_spec": OPTIONS,
    "supports_check_mode": True,
    "required_if": [("state", "current", ["version_id"])],
}

PLANS = {
    "present": token_secret.plan_present,
    "pending": token_secret.plan_pending,
    "current": token_secret.plan_current,
}


def serve(module: AnsibleAWSModule) -> None:
    make_plan = PLANS[module.params["state"]]
    try:
        client = module.client("secretsmanager")
        desired = token_secret.Desired.from_params(module.params)
        secret = secrets.read(client, desired.name)
        plan = make_plan(secret, desired)
        if plan.steps and not module.check_mode:
            for step in plan.steps:
                secrets.act(client, step)
            secret = secrets.read(client, desired.name)
            make_plan(secret, desired)  # where somebody else was faster, what is there decides, or is refused
    except PlanRefused as refused:
        module.fail_json(msg=f"{refused.message}.", option=refused.option)
    except AnsibleAWSError as error:
        module.fail_json_aws(error.exception or error, msg=secrets.explain(error))
    facts = token_secret.facts(secret, desired.migration_name)
    module.exit_json(changed=bool(plan.steps), plan=plan.describe(), **facts)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
