# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Errors of AWS as sentences for an operator: which call failed, and which option to change."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import is_denied, lack
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.remedies import remedy_for
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

try:
    from botocore.exceptions import ClientError
except ImportError:
    ClientError = Exception  # AnsibleAWSModule has the better words for it


def explain(error: AnsibleAWSError, service: str = "elasticache", options: Mapping[str, Any] | None = None) -> str:
    """One sentence: which call failed, and what to change. ``options`` are the module's: AWS repeats their values."""
    cause = error.exception
    what = error.message or "Failed to call AWS"
    if not isinstance(cause, ClientError):
        return str(what)
    code = cause.response["Error"]["Code"]
    if is_denied(cause):
        return f"{what}: {lack(cause, service)}"
    remedy = remedy_for(code, cause.response["Error"].get("Message", ""), options or {})
    return f"{what}: {remedy}" if remedy else str(what)


@contextmanager
def ending(module: Any, service: str = "elasticache") -> Iterator[None]:
    """As a context: a refusal or an error of AWS ends the module, with a sentence and the option to change."""
    try:
        yield
    except PlanRefused as refused:
        module.fail_json(msg=refused.message, option=refused.option)
    except AnsibleAWSError as error:
        module.fail_json_aws(error.exception or error, msg=explain(error, service, module.params))


def explain_call(what: str, error: Any, service: str) -> str:
    """The same of an error that boto3 itself has raised."""
    is_known = isinstance(error, ClientError) and ClientError is not Exception
    return f"{what}: {lack(error, service)}" if is_known and is_denied(error) else what
