#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: decommission_plan
short_description: Decide whether the old Redis may be retired, and what comes next
version_added: 0.2.0
description:
  - Reads the instance and the ledger, weighs them with what hosts saw, and fails with every reason at once where the
    next step must not be made.
  - Only reads, also outside check mode.
author:
  - The cache_migration authors (@cache-migration)
options:
  migration_name:
    description: The name of the migration.
    type: str
    required: true
  instance_id:
    description: The instance of the old Redis.
    type: str
    default: ""
  service:
    description: The unit of the old Redis, where only that is to be retired, and its host stays.
    type: str
    default: ""
  hosts:
    description: For every app host what M(kempian.cache_migration.old_redis_info) returned there, failures too.
    type: dict
    required: true
  target_address:
    description: The address of the target, empty where there is none.
    type: str
    default: ""
  old_host:
    description: The name of the old Redis's host, where it is in the inventory.
    type: str
    default: ""
  old_host_seen:
    description: What M(kempian.cache_migration.old_host_info) returned there, a failure too.
    type: dict
    default: {}
  min_age:
    description: For how many hours the cutover must have been over.
    type: float
    default: 48
  hold:
    description: For how many hours a stopped instance is kept before it may be terminated.
    type: float
    default: 72
  terminate:
    description: Whether a stopped instance is to be terminated once it was held for O(hold) hours.
    type: bool
    default: false
  waive:
    description: Checks that are waived by name, of V(backup), V(backup_load), V(other_services) and V(persistence).
    type: list
    elements: str
    default: []
  bucket:
    description: The bucket for the last backup.
    type: str
    default: ""
  engine:
    description: The program that loads the backup once. Left empty, C(redis-server) or C(valkey-server).
    type: str
    default: ""
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
notes:
  - 'IAM actions: C(ec2:DescribeInstances), C(ec2:DescribeInstanceAttribute), C(ssm:GetParametersByPath), and before
    an instance is terminated C(s3:GetObject).'
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Weigh everything
  kempian.cache_migration.decommission_plan:
    migration_name: kempian-prod
    instance_id: i-0123456789abcdef0
    target_address: master.kempian-cache.abcdef.use1.cache.amazonaws.com
    hosts: "{{ looks }}"
    bucket: kempian-backups
    region: us-east-1
"""

RETURN = r"""
step:
  description: What comes next, C(nothing), C(stop) (the instance), C(retire) (the service) or C(terminate).
  returned: success
  type: str
line:
  description: The same for a person.
  returned: success
  type: str
wants_backup:
  description: Whether a backup must be taken before. An earlier one counts while nothing was written since.
  returned: success
  type: bool
keeps_backup:
  description: Whether an earlier backup is to count, once M(kempian.cache_migration.backup_verify) has proven it again.
  returned: success
  type: bool
forgets_backup:
  description: >-
    Whether the ledger's entry of an earlier backup must go, as something was written since and no other is taken.
  returned: success
  type: bool
backup:
  description: The ledger's entry of the backup, empty where there is none.
  returned: success
  type: dict
entry:
  description: The ledger's entry of the decommission, empty where there is none.
  returned: success
  type: dict
now:
  description: AWS's time.
  returned: success
  type: str
reasons:
  description: The names of the checks that refuse it; the message has a sentence of each.
  returned: when it is refused
  type: list
  elements: str
"""

from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import backup as last_backup
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ec2 import read_instance
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain, explain_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import (
    Instance,
    check_instance_id,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.scratch_engine import find_engine
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import decommission
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.checks import (
    Reason,
    Wishes,
    sentence,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.decommission import Decision
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.looks import (
    HostLook,
    Neighbours,
    RedisLook,
    Seen,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    BotoCoreError = ClientError = Exception  # AnsibleAWSModule has the better words for it

OPTIONS = {
    "migration_name": {"type": "str", "required": True},
    "instance_id": {"type": "str", "default": ""},
    "service": {"type": "str", "default": ""},
    "hosts": {"type": "dict", "required": True},
    "target_address": {"type": "str", "default": ""},
    "old_host": {"type": "str", "default": ""},
    "old_host_seen": {"type": "dict", "default": {}},
    "min_age": {"type": "float", "default": 48},
    "hold": {"type": "float", "default": 72},
    "terminate": {"type": "bool", "default": False},
    "waive": {"type": "list", "elements": "str", "default": []},
    "bucket": {"type": "str", "default": ""},
    "engine": {"type": "str", "default": ""},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def wishes_of(params: Mapping[str, Any]) -> Wishes:
    return Wishes(
        instance_id="" if params["service"] or not params["instance_id"] else check_instance_id(params["instance_id"]),
        service=params["service"],
        min_age=params["min_age"],
        hold=params["hold"],
        terminate=params["terminate"],
        waive=frozenset(params["waive"]),
        bucket=params["bucket"],
        folder=last_backup.folder_of(params["migration_name"]),
    )


def seen_of(params: Mapping[str, Any], known: ledger.Contents, instance: Instance | None) -> Seen:
    return Seen(
        now=known.now,
        hosts={host: HostLook.of(result) for host, result in params["hosts"].items()},
        target_address=params["target_address"],
        redis=RedisLook.of_hosts(params["hosts"]),
        instance=instance,
        neighbours=Neighbours.of(params["old_host"], params["old_host_seen"]) if params["old_host"] else None,
        engine=find_engine(params["engine"]),
        cutover=known.dated(params["migration_name"], "cutover"),
        entry=known.dated(params["migration_name"], "decommission"),
        backup=known.entries.get("backup") or {},
        transfer=known.entries.get("transfer") or {},
    )


def missing_backup(module: AnsibleAWSModule, decision: Decision, backup: Mapping[str, Any]) -> list[Reason]:
    """Before the end of the instance its backup must be where the ledger says, and what it was to the last byte.

    It is read as a whole only where nothing else stands against that end.
    """
    is_told_already = any(reason.check == "backup" for reason in decision.reasons)
    if decision.step != decommission.TERMINATE or not backup or is_told_already or "backup" in module.params["waive"]:
        return []
    client, place = module.client("s3"), last_backup.Place(backup["bucket"], backup["key"])
    size = last_backup.stored_size(client, place)
    found = "it is not there" if size is None else f"it has {size} bytes there"
    if str(size) == str(backup.get("size")):  # text where ansible-core before 2.19 wrote the ledger
        digest = backup.get("sha256") if decision.reasons else last_backup.stored_digest(client, place)
        if digest and digest == backup.get("sha256"):
            return []
        found = f"its sha256 is {digest} there" if digest else "the ledger has no sha256 of it"
    told = f"the backup is not what the ledger says ({found}). {decommission.where_backup_is(backup)}"
    return [Reason("backup", f"{told} Bring the old Redis back (rollback.yml) and decommission it again.")]


def serve(module: AnsibleAWSModule) -> None:
    params = module.params
    try:
        wishes = wishes_of(params)
        known = ledger.read_all(module.client("ssm"), params["migration_name"])
        instance = read_instance(module.client("ec2"), wishes.instance_id) if wishes.instance_id else None
        seen = seen_of(params, known, instance)
        decision = decommission.decide(wishes, seen)
        reasons = [*decision.reasons, *missing_backup(module, decision, seen.backup)]
    except PlanRefused as refused:
        module.fail_json(msg=refused.message, option=refused.option)
    except (ledger.LedgerError, JournalError) as error:
        module.fail_json(msg=f"The ledger cannot be read: {error}.")
    except AnsibleAWSError as error:
        module.fail_json_aws(error.exception or error, msg=explain(error, "ec2"))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=explain_call("The ledger in Parameter Store cannot be read", error, "ssm"))
    if reasons:
        module.fail_json(msg=sentence(reasons), reasons=sorted({reason.check for reason in reasons}))
    module.exit_json(
        changed=False,
        step=decision.step,
        line=decision.line,
        wants_backup=decision.wants_backup,
        keeps_backup=decision.keeps_backup,
        forgets_backup=decision.forgets_backup,
        backup=dict(seen.backup),
        entry=dict(seen.entry),
        now=ledger.as_text(known.now),
    )


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
