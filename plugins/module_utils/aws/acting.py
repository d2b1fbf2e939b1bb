# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Making the one call of a plan's step, and what AWS makes of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step

try:
    from botocore import xform_name
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule says so


class Outcome(enum.Enum):
    """What AWS made of a call."""

    DONE = "done"
    NOTHING_TO_DO = "nothing to do"  # somebody, or an earlier attempt of ours, has done it
    BUSY = "busy"  # not in this state: later


@dataclass(frozen=True)
class Codes:
    """A service's error codes that are no failure of a step: boto3 shows them, and they differ by service."""

    busy: tuple[str, ...]
    already_so: Mapping[str, tuple[str, ...]]  # by the action that was called


# Both services of caches say so, each with its own spelling of the second code.
_NOTHING_ASKED = ("InvalidParameterCombination", "InvalidParameterCombinationException")


@aws_call("call {step.action}")
def act(client: Any, step: Step, codes: Codes) -> Outcome:
    """Make it. What turns out to be so already is success: the caller reads again. Raises AnsibleAWSError."""
    try:
        getattr(client, xform_name(step.action))(**step.parameters)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in codes.busy:
            return Outcome.BUSY
        if code in ("NoOperationFault", *codes.already_so.get(step.action, ())):
            return Outcome.NOTHING_TO_DO
        if code in _NOTHING_ASKED and "no modifications were requested" in message.lower():
            return Outcome.NOTHING_TO_DO
        raise
    return Outcome.DONE
