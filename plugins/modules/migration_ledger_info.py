#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_ledger_info
short_description: Read what is remembered of a migration
version_added: 0.2.0
description:
  - Reads all entries of a migration's ledger, its lock among them, and the names of the parameters whose originals it
    keeps. The originals themselves are not read.
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
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Never changes anything, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: See what is remembered
  kempian.cache_migration.migration_ledger_info:
    migration_name: kempian-prod
    region: us-east-1
  delegate_to: localhost
"""

RETURN = r"""
entries:
  description: The entries by their names. The lock is one of them, under C(lock), also where it has expired.
  returned: always
  type: dict
  sample: {"cutover": {"hosts": ["app1"], "time": "2026-11-25T19:42:11Z"}}
journaled:
  description: The parameters of AWS stores that were changed, whose originals are kept.
  returned: always
  type: list
  elements: str
  sample: ["/kempian/prod/REDIS_URL"]
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


SPEC: dict[str, Any] = {
    "argument_spec": {"migration_name": {"type": "str", "required": True}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    try:
        contents = ledger.read_all(module.client("ssm"), module.params["migration_name"])
    except (LedgerError, JournalError) as error:
        module.fail_json(msg=f"{error}.")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=explain_call("Parameter Store could not be asked, or refused", error, "ssm"))
    module.exit_json(
        changed=False, entries=contents.entries, journaled=contents.journaled, now=ledger.as_text(contents.now)
    )


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
