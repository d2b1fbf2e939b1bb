# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Read a parameter without showing it: amazon.aws.ssm_parameter prints every value it returns at -vvvv."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ssm_secret
author:
  - The cache_migration authors (@cache-migration)
short_description: Read a parameter of SSM Parameter Store, and show it nowhere
version_added: 0.2.0
description:
  - Returns the decrypted value of each parameter that is named.
  - Unlike P(amazon.aws.ssm_parameter#lookup) it prints no value, at any verbosity.
options:
  _terms:
    description: Names of parameters.
    required: true
    type: list
    elements: str
  on_missing:
    description: Whether a parameter that does not exist is an error, or an empty value.
    type: str
    choices: [error, skip]
    default: error
extends_documentation_fragment:
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
"""

EXAMPLES = r"""
- name: Ask with the URL that the app has
  kempian.cache_migration.cache_probe:
    url: "{{ lookup('kempian.cache_migration.ssm_secret', '/kempian/prod/REDIS_URL', region='eu-central-1') }}"
  no_log: true
"""

RETURN = r"""
_raw:
  description: The value of each parameter, in the order of their names.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.plugin_utils.lookup import AWSLookupBase
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call


class LookupModule(AWSLookupBase):  # type: ignore[misc]
    def run(self, terms: list[str], variables: dict[str, Any], **options: Any) -> list[str]:
        super().run(terms, variables, **options)
        client = self.client("ssm")
        return [self._value(client, name) for name in terms]

    def _value(self, client: Any, name: str) -> str:
        try:
            found = _get_parameter(client, name)
        except AnsibleAWSError as error:
            raise AnsibleLookupError(f"SSM does not give the parameter {name}: {error}") from error
        if not found and self.get_option("on_missing") == "error":
            raise AnsibleLookupError(f"SSM has no parameter {name} in this account and region")
        return str(found["Parameter"]["Value"]) if found else ""


@aws_call("read a parameter", none_on=["ParameterNotFound"])
def _get_parameter(client: Any, name: str) -> Any:
    return client.get_parameter(Name=name, WithDecryption=True)
