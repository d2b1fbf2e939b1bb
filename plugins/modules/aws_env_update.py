#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: aws_env_update
short_description: Change configuration values of an app in AWS so that they can be put back exactly
version_added: 0.2.0
description:
  - Changes parameters in AWS Systems Manager Parameter Store, and keeps a journal of what was there, from which
    O(state=reverted) restores it. Values on a host are changed by M(kempian.cache_migration.env_update).
  - A parameter keeps its type, tier, KMS key, data type, description, policies and tags.
  - The journal lies in the Parameter Store itself, as SecureString under
    C(/cache_migration/<migration_name>/journal/). The first recorded original stays, so that running twice never
    records a value of its own; but a cache URL that somebody else has put there since, and that leads elsewhere, is the
    original then. Once an original is back, its entry is removed.
  - Run it once and on the controller.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.value_change
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  store:
    description:
      - V(ssm) is AWS Systems Manager Parameter Store. It has no precondition for a write. A write by somebody else
        between reading and writing is seen by the version afterwards, and reported as a failure.
    type: str
    choices: [ssm]
    required: true
  values:
    description:
      - The values to set, as strings, by the full names of their parameters.
      - For O(state=absent) and O(state=reverted) only the keys matter, and the values may be empty.
      - A parameter that is not there yet is refused unless O(create=true), because an app does not read it under that
        name.
    type: dict
    required: true
attributes:
  check_mode:
    description: Decides exactly as a run would, also what it would refuse, and writes nothing, not even the journal.
    support: full
  diff_mode:
    description: Shows the keys that change. Cache URLs are shown without their secrets, other values as V(***).
    support: full
notes:
  - 'IAM actions: C(ssm:GetParameter), C(ssm:DescribeParameters), C(ssm:ListTagsForResource), C(ssm:PutParameter),
    C(ssm:DeleteParameter); where a parameter that was removed comes back with its tags C(ssm:AddTagsToResource); and of
    a key of your own C(kms:Decrypt), C(kms:Encrypt) and, for an advanced parameter, C(kms:GenerateDataKey).'
"""

EXAMPLES = r"""
- name: Point the app at the new cache, once and from the controller
  kempian.cache_migration.aws_env_update:
    store: ssm
    values:
      /kempian/prod/REDIS_URL: "{{ new_url }}"
    migration_name: prod-cache
    region: us-east-1
  run_once: true
  delegate_to: localhost

- name: Put the parameter back as it was
  kempian.cache_migration.aws_env_update:
    store: ssm
    values:
      /kempian/prod/REDIS_URL:
    state: reverted
    migration_name: prod-cache
    region: us-east-1
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
changes:
  description:
    - What was found and what came of it, for each key of O(values), as RV(ignore:changes) of
      M(kempian.cache_migration.env_update). Secrets are masked.
  returned: success
  type: dict
version:
  description: The version that each parameter has now. In check mode, the version that it has.
  returned: success, for parameters that exist
  type: dict
  sample:
    /kempian/prod/REDIS_URL: 4
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.on_aws import STORES, Store

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    BotoCoreError = ClientError = Exception  # AnsibleAWSModule has the better words for it

OPTIONS: dict[str, Any] = {
    "store": {"type": "str", "choices": list(STORES), "required": True},
    **contract.OPTIONS,
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    store = STORES[module.params["store"]]
    invocation = {"module_args": options_shown(module.params, module.argument_spec)}
    try:
        result = changed(store, Request.from_params(module.params), module)
    except (ChangeRefused, JournalError) as refused:
        result = {"failed": True, "msg": f"{refused}."}
    except (BotoCoreError, ClientError) as error:  # AWS may repeat what it was given
        module.fail_json_aws(
            error,
            msg=explain_call(f"{store.title} could not be asked, or refused", error, "ssm"),
            invocation=invocation,
        )
    tell_as_it_is(module)
    leave = module.fail_json if result.get("failed") else module.exit_json
    leave(**result, invocation=invocation)


def changed(store: Store, request: Request, module: AnsibleAWSModule) -> dict[str, Any]:
    act = store.plan if module.check_mode else store.carry_out
    planned = act(request, module.client, contract.now())
    decisions = [each.decision for each in planned]
    journaled = {each.decision.key: each.is_journaled for each in planned}
    return {
        "changed": any(decision.changes for decision in decisions),
        "version": {each.decision.key: each.version for each in planned if each.version is not None},
        **contract.shown(store.title, decisions, journaled),
    }


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
