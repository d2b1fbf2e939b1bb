#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_ledger
short_description: Remember of a migration what no system remembers
version_added: 0.2.0
description:
  - Writes or removes an entry of a migration's ledger, such as when its cutover was.
  - An entry is the parameter C(/cache_migration/<migration_name>/<entry>) of AWS Systems Manager Parameter Store, of
    type String, and holds a JSON object. It must hold no secret.
  - Run it on the controller.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  migration_name:
    description: The name of the migration.
    type: str
    required: true
  entry:
    description: The name of the entry, of lower-case letters, digits and C(_).
    type: str
    required: true
  value:
    description:
      - What it is to hold. C(time), when it was written in AWS's time, is added.
      - Nothing is written where it holds the same already, whenever that was written.
      - Required with O(state=present).
    type: dict
  state:
    description: Whether the entry is to be there.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Says whether the entry would change, and writes nothing.
    support: full
  diff_mode:
    description: Shows the entry before and after.
    support: full
"""

EXAMPLES = r"""
- name: Remember when the last host was switched
  kempian.cache_migration.migration_ledger:
    migration_name: kempian-prod
    entry: cutover
    value:
      hosts: [app1, app2]
    region: us-east-1
  delegate_to: localhost
"""

RETURN = r"""
value:
  description: What the entry holds after the task, with its C(time). Null where there is none.
  returned: always
  type: dict
  sample: {"hosts": ["app1", "app2"], "time": "2026-11-25T19:42:11Z"}
now:
  description: AWS's time of this task.
  returned: always
  type: str
  sample: "2026-11-25T19:42:11Z"
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ledger import LedgerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    BotoCoreError = ClientError = Exception  # AnsibleAWSModule has the better words for it


def after(params: dict[str, Any], found: ledger.Entry) -> dict[str, Any] | None:
    """What the entry is to hold."""
    if params["state"] == "absent":
        return None
    wanted = {**params["value"], "time": ledger.as_text(found.now)}
    if found.value and {**found.value, "time": ""} == {**wanted, "time": ""}:
        return found.value
    return wanted


def carry_out(client: Any, params: dict[str, Any], found: ledger.Entry, wanted: dict[str, Any] | None) -> None:
    name, entry = params["migration_name"], params["entry"]
    if wanted is None:
        ledger.remove(client, name, entry)
    else:
        ledger.write(client, name, entry, wanted, overwrite=found.value is not None)


SPEC: dict[str, Any] = {
    "argument_spec": {
        "migration_name": {"type": "str", "required": True},
        "entry": {"type": "str", "required": True},
        "value": {"type": "dict"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
    "required_if": [("state", "present", ["value"])],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    params = module.params
    try:
        client = module.client("ssm")
        found = ledger.read(client, params["migration_name"], params["entry"])
        wanted = after(params, found)
        changed = wanted != found.value
        if changed and not module.check_mode:
            carry_out(client, params, found, wanted)
    except (LedgerError, JournalError) as error:
        module.fail_json(msg=f"{error}.")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=explain_call("Parameter Store could not be asked, or refused", error, "ssm"))
    diff = {"before": found.value or {}, "after": wanted or {}} if changed else {"before": {}, "after": {}}
    module.exit_json(changed=changed, value=wanted, now=ledger.as_text(found.now), diff=diff)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
