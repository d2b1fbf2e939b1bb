# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM refused, as a sentence for who can grant it: the action, on what, and which policy of ours has it."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import BY_SERVICE, STAGES

ACCESS_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")
_TOLD = re.compile(r'perform: ([\w-]+:\w+)(?: on resource: "?([^\s"]+)"?)?')
# Of a HEAD nothing is told, and an object that is not there is denied to whoever may not list its bucket.
_UNTOLD = {"HeadObject": ("s3:GetObject", " on it, or s3:ListBucket on its bucket")}
_FEW = 3


def is_denied(error: Any) -> bool:
    return str(error.response["Error"]["Code"]) in ACCESS_DENIED


def lack(error: Any, service: str) -> str:
    """Of an error of boto3 that is_denied. AWS names what is missing, which may be another action than that of the call
    (a creation with tags also needs the one for tags); where it does not, it is the call's.
    """
    told = _TOLD.search(error.response["Error"].get("Message", ""))
    operation = str(error.operation_name)
    action, on = (told[1], "") if told else _UNTOLD.get(operation, (f"{service}:{operation}", ""))
    if told and told[2] and told[2] != "*":
        on = f" on {told[2]}"
    return f"the identity that runs this lacks the IAM action {action}{on}; {remedy(action)}"


def remedy(action: str) -> str:
    """Where somebody finds it granted as narrowly as it can be."""
    files = [f"docs/iam/{stage}.json" for stage, needs in STAGES.items() if action in {one.action for one in needs}]
    for service in BY_SERVICE if not files else ():  # of another target, which has its own
        files += [
            f"docs/iam/{service}/{stage}.json"
            for stage, needs in BY_SERVICE[service].items()
            if action in {one.action for one in needs}
        ]
    if not files:
        return "add it to its policy"
    if len(files) > _FEW:
        return "add it to its policy, as each stage's in docs/iam has it"
    return f"add it to its policy, as {' and '.join(files)} {'has' if len(files) == 1 else 'have'} it"
