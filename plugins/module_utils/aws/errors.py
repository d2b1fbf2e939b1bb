# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Errors of AWS as sentences for an operator: which call failed, and which option to change."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import is_denied, lack
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.remedies import remedy_for

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


def explain_call(what: str, error: Any, service: str) -> str:
    """The same of an error that boto3 itself has raised."""
    is_known = isinstance(error, ClientError) and ClientError is not Exception
    return f"{what}: {lack(error, service)}" if is_known and is_denied(error) else what
