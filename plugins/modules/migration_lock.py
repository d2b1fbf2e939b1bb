#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_lock
short_description: Keep two runs of the same migration apart
version_added: 0.2.0
description:
  - Holds the lock of a migration for this run of C(ansible-playbook), or says who holds it, since when, and how it is
    broken.
  - The lock is the parameter C(/cache_migration/<migration_name>/lock) of AWS Systems Manager Parameter Store.
  - A process beside the run renews it, and deletes it when the run ends, also where that fails or is killed. A run that
    ends by itself, or is asked to (SIGTERM), waits until that is done, as the process ends with its container. Where
    the process is lost as well, as with its machine, the lock expires after O(seconds).
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
  state:
    description:
      - V(held) takes the lock for this run; nothing is written where this run has it already.
      - V(free) only looks, and fails where another run holds it. In check mode it warns instead.
      - V(kept) only looks, and fails where this run does not have it any more, or never had. Then RV(lost) is returned.
      - V(released) lets go of the lock where this run has it. The end of the run does so by itself; this is sooner.
      - V(broken) takes the lock O(lock_id) away from whoever holds it. Nothing happens where another is there by now.
    type: str
    choices: [held, free, kept, released, broken]
    default: held
  lock_id:
    description: The lock to break, as the message of a refused run names it.
    type: str
  seconds:
    description: How long the lock lasts when nobody renews it, in seconds.
    type: int
    default: 300
  holder:
    description: Which run this is. The action plugin of the same name gives it; leave it out.
    type: dict
    suboptions:
      user:
        description: Who runs it.
        type: str
        required: true
      host:
        description: On which machine.
        type: str
        required: true
      pid:
        description: The process C(ansible-playbook).
        type: int
        required: true
      started:
        description: When that process started, as the system counts it.
        type: str
        required: true
      what:
        description: The playbook.
        type: str
        required: true
attributes:
  check_mode:
    description: Looks, and takes nothing. A lock of another run is a warning then.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Stop where another run of this migration is under way
  kempian.cache_migration.migration_lock:
    migration_name: kempian-prod
    state: free
    region: us-east-1
  delegate_to: localhost

- name: Hold the lock from here to the end of this run
  kempian.cache_migration.migration_lock:
    migration_name: kempian-prod
    region: us-east-1
  delegate_to: localhost
"""

RETURN = r"""
lock:
  description: The lock that is there, with O(state=broken) the one that was.
  returned: where there is one
  type: dict
  contains:
    id:
      description: Its id, by which it can be broken.
      type: str
    user:
      description: Who holds it.
      type: str
    host:
      description: On which machine.
      type: str
    pid:
      description: The process there.
      type: int
    started:
      description: When that process started.
      type: str
    what:
      description: The playbook that it runs.
      type: str
    since:
      description: When it was taken, in AWS's time.
      type: str
    expires:
      description: When it ends if it is not renewed.
      type: str
lost:
  description: That this run does not have the lock.
  returned: O(state=kept), where that is so
  type: bool
taken:
  description: Whether this task took the lock, so that it was not this run's before.
  returned: O(state=held)
  type: bool
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import lock
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ledger import LedgerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    BotoCoreError = ClientError = Exception  # AnsibleAWSModule has the better words for it

HOLDER = {
    "user": {"type": "str", "required": True},
    "host": {"type": "str", "required": True},
    "pid": {"type": "int", "required": True},
    "started": {"type": "str", "required": True},
    "what": {"type": "str", "required": True},
}


def looked_at(client: Any, name: str, holder: lock.Holder) -> dict[str, Any]:
    """The result where the lock is free or ours. Raises LockRefused."""
    found, now, _version = lock.look(client, name)
    if found and lock.decide(found, holder, now, lock.SECONDS) == lock.REFUSE:
        raise lock.LockRefused(found, now, name)
    return {"changed": False, **({"lock": found.as_dict()} if found else {})}


def held(client: Any, name: str, holder: lock.Holder, seconds: int) -> dict[str, Any]:
    mine, taken = lock.hold(client, name, holder, seconds)
    # Not a change of what the migration looks after: a run that holds the lock has not changed anything yet.
    return {"changed": False, "lock": mine.as_dict(), "taken": taken}


def released(client: Any, name: str, holder: lock.Holder, check_mode: bool) -> dict[str, Any]:
    if not check_mode:
        lock.release(client, name, holder)
    return {"changed": False}


def broken(client: Any, name: str, lock_id: str, check_mode: bool) -> dict[str, Any]:
    was = lock.break_lock(client, name, lock_id, check_mode)
    return {"changed": was is not None, **({"lock": was.as_dict()} if was else {})}


SPEC: dict[str, Any] = {
    "argument_spec": {
        "migration_name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["held", "free", "kept", "released", "broken"], "default": "held"},
        "lock_id": {"type": "str"},
        "seconds": {"type": "int", "default": lock.SECONDS},
        "holder": {"type": "dict", "options": HOLDER},
    },
    "required_if": [("state", "broken", ["lock_id"])],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    name, state, seconds = module.params["migration_name"], module.params["state"], module.params["seconds"]
    if not module.params["holder"]:
        module.fail_json(
            msg="holder is missing: run this module by its action plugin, in a playbook on the controller."
        )
    holder = lock.Holder(**module.params["holder"])
    try:
        client = module.client("ssm")
        if state == "broken":
            module.exit_json(**broken(client, name, module.params["lock_id"], module.check_mode))
        if state == "released":
            module.exit_json(**released(client, name, holder, module.check_mode))
        if state == "kept":
            if lock.is_ours(client, name, holder):
                module.exit_json(changed=False)
            module.fail_json(msg=lock.lost_sentence(name), lost=True)
        if state == "free" or module.check_mode:
            module.exit_json(**looked_at(client, name, holder))
        module.exit_json(**held(client, name, holder, seconds))
    except lock.LockRefused as refused:
        if module.check_mode:
            module.warn(f"Another run is under way, so that this plan may be out of date soon: {refused}.")
            module.exit_json(changed=False, lock=refused.lock.as_dict())
        changed_nothing = (
            "Nothing was changed" if state == "free" else "This step changed nothing, and the run ends here"
        )
        module.fail_json(msg=f"{changed_nothing}: {refused}.", lock=refused.lock.as_dict())
    except (LedgerError, JournalError) as error:
        module.fail_json(msg=f"{error}.")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=explain_call("Parameter Store could not be asked, or refused", error, "ssm"))


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
