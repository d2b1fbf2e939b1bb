# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One call of an AWS API as a function: retried where AWS throttles, and named in the error where it fails."""

from __future__ import annotations

from typing import Any, Callable, Sequence, TypeVar, cast

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

Function = TypeVar("Function", bound=Callable[..., Any])


# By its protocol a service says Throttling or this; amazon.aws knows the former. boto3 itself tries four times more,
# also after a 5xx and a lost connection, and then gives up.
_THROTTLED = ("ThrottlingException",)


def tried_again(function: Function) -> Function:
    """Ten times more where AWS throttles, with pauses that grow to a minute."""
    return cast(Function, AWSRetry.jittered_backoff(catch_extra_error_codes=list(_THROTTLED))(function))


def aws_call(description: str, none_on: Sequence[str] = ()) -> Callable[[Function], Function]:
    """Raises AnsibleAWSError, but returns None on the error codes that mean that there is no such thing."""

    class Errors(AWSErrorHandler):  # type: ignore[misc]
        @classmethod
        def _is_missing(cls) -> Any:
            return is_boto3_error_code(list(none_on))

    def decorate(function: Function) -> Function:
        retried = tried_again(function)
        if not none_on:
            return cast(Function, Errors.common_error_handler(description)(retried))
        return cast(Function, Errors.list_error_handler(description, None)(retried))

    return decorate
