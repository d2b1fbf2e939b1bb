# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Print the IAM policy of a stage for one migration, with its own names; a program of its own, which asks nobody.

It is run by its path, in a clone or where the collection is installed, by any Python::

    python3 plugins/plugin_utils/iam_policy.py STAGE --name … --account …
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType

if __name__ == "__main__":  # what else is called ansible_collections there, as by the package ansible, is another one
    for name, path in {
        "ansible_collections": "",
        "ansible_collections.kempian": "",
        "ansible_collections.kempian.cache_migration": os.path.join(os.path.dirname(__file__), "..", ".."),
    }.items():
        sys.modules[name] = package = ModuleType(name)
        package.__path__ = [os.path.abspath(path)] if path else []

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.policy import (
    LONGEST,
    Names,
    document,
    length,
    text,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import (
    BY_SERVICE,
    STAGES,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import DEFAULT


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="iam_policy", description="The IAM policy of a stage for one migration. What is left out is not granted."
    )
    made.add_argument("stage", choices=list(STAGES))
    made.add_argument("--name", required=True, help="migration_name")
    made.add_argument("--account", required=True, help="the number of the AWS account")
    made.add_argument("--region", required=True, help="migration_region")
    made.add_argument("--target", required=True, help="its name, as migration_replication_group_id")
    made.add_argument("--service", choices=list(BY_SERVICE), default=DEFAULT.service, help="what the target is of")
    made.add_argument("--secret", action="append", default=[], help="migration_auth_token_secret; two while it moves")
    made.add_argument("--parameter", action="append", default=[], help="a parameter of migration_values")
    made.add_argument("--instance", default="", help="migration_old_instance_id")
    made.add_argument("--bucket", default="", help="migration_backup_bucket")
    made.add_argument("--key", action="append", default=[], help="the id of a KMS key of your own that encrypts these")
    made.add_argument("--subnet-group", default="", help="migration_subnet_group_name, where it is set")
    made.add_argument("--parameter-group", default="", help="migration_parameter_group_name, where it is set")
    made.add_argument("--user-group", action="append", default=[], help="of migration_user_group_ids")
    made.add_argument("--username", default="", help="migration_username, where it is set")
    made.add_argument("--snapshot", default="", help="migration_snapshot_name, where the target is restored from one")
    made.add_argument("--partition", default="aws", help="aws, aws-cn or aws-us-gov (default: aws)")
    return made


def policy_of(arguments: Sequence[str]) -> str:
    asked = vars(parser().parse_args(arguments))
    named = {"secrets": "secret", "parameters": "parameter", "keys": "key", "user_groups": "user_group"}
    several = {field: asked.pop(argument) for field, argument in named.items()}
    stage, service = asked.pop("stage"), asked.pop("service")
    return text(
        document(BY_SERVICE[service][stage], Names(**asked, **{name: tuple(found) for name, found in several.items()}))
    )


def too_long(stage: str, policy: str) -> str:
    """What to do where AWS does not take a policy as one; empty where it does."""
    if length(json.loads(policy)) <= LONGEST:
        return ""
    stages = GOALS[stage].stages if stage in GOALS else (stage,)
    instead = (
        f"give the policies of {', '.join(stages)} in its place" if len(stages) > 1 else "give its statements by two"
    )
    return (
        f"This policy is longer than the {LONGEST} characters that AWS takes in one: {instead}, as an identity may "
        "have several.\n"
    )


if __name__ == "__main__":
    printed = policy_of(sys.argv[1:])
    sys.stdout.write(printed)
    sys.stderr.write(too_long(parser().parse_args().stage, printed))
