# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Secrets Manager's API, as far as a token needs it. Raises AnsibleAWSError; throttled calls are retried."""

from __future__ import annotations

from typing import Any, Callable, Mapping, TypeVar, cast

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import tried_again
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import is_denied, lack
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import token_secret
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.token_secret import TokenSecret

try:
    from botocore import xform_name
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule says so

_CARRIES_A_TOKEN = ("CreateSecret", "PutSecretValue")


class SecretsManagerErrors(AWSErrorHandler):  # type: ignore[misc]
    """Names the call that failed; a secret that is not there is no error of a read."""

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code("ResourceNotFoundException")


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _retried(handler: Callable[[Any], Any], function: _Function) -> _Function:
    return cast(_Function, handler(tried_again(function)))


def _reads(description: str) -> Callable[[_Function], _Function]:
    return lambda function: _retried(SecretsManagerErrors.list_error_handler(description, None), function)


def _acts(description: str) -> Callable[[_Function], _Function]:
    return lambda function: _retried(SecretsManagerErrors.common_error_handler(description), function)


@_reads("describe the secret {name}")
def _describe(client: Any, name: str) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", client.describe_secret(SecretId=name))


def read(client: Any, name: str) -> TokenSecret | None:
    described = _describe(client, name)
    return token_secret.shape(described) if described else None


@_acts("call {step.action}")
def act(client: Any, step: Step) -> bool:
    """Make the one call of a step; False where somebody else has made the secret just now.

    boto3 repeats a call whose answer was lost with the same ClientRequestToken, by which AWS knows it again.
    """
    token = {"SecretString": token_secret.generate()} if step.action in _CARRIES_A_TOKEN else {}
    try:
        getattr(client, xform_name(step.action))(**step.parameters, **token)
    except is_boto3_error_code("ResourceExistsException"):
        return False
    return True


def explain(error: AnsibleAWSError) -> str:
    """One sentence: which call failed, and where it can be told, what to change."""
    cause, what = error.exception, str(error.message or "Failed to call Secrets Manager")
    if not isinstance(cause, ClientError):
        return what
    return f"{what}: {lack(cause, 'secretsmanager')}" if is_denied(cause) else what
