#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_upload_url
short_description: Make the presigned URL by which a host may put the last backup into S3
version_added: 0.2.0
description:
  - Signs, on the controller, one upload of one object, encrypted at rest. Makes no call to AWS.
  - The result is a secret until it expires. Use C(no_log) on the task.
author:
  - The cache_migration authors (@cache-migration)
options:
  migration_name:
    description: The name of the migration, which becomes part of the object's key.
    type: str
    required: true
  bucket:
    description: The bucket, in O(region).
    type: str
    required: true
  now:
    description: The time that becomes part of the object's key, as M(kempian.cache_migration.decommission_plan)
      returns it.
    type: str
    required: true
  kms_key_id:
    description: The KMS key that encrypts the object. Left empty, S3's own keys do (AES256).
    type: str
    default: ""
  host_endpoint_url:
    description: The address by which hosts reach S3, where that is not AWS's own.
    type: str
    default: ""
  expires:
    description: For how many seconds an upload may begin.
    type: int
    default: 3600
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
notes:
  - 'The identity that signs needs C(s3:PutObject), and with O(kms_key_id) C(kms:GenerateDataKey).'
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Sign the upload
  kempian.cache_migration.backup_upload_url:
    migration_name: kempian-prod
    bucket: kempian-backups
    now: "2026-11-25T20:00:00Z"
    kms_key_id: alias/backups
    region: us-east-1
  no_log: true
  register: upload
"""

RETURN = r"""
url:
  description: The presigned URL, a secret.
  returned: always
  type: str
headers:
  description: The headers that must be sent with it.
  returned: always
  type: dict
key:
  description: The key of the object.
  returned: always
  type: str
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.backup import Place, key_of, upload_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ledger import as_time

try:
    from botocore.config import Config
except ImportError:
    Config = dict  # AnsibleAWSModule has the better words for it


SPEC: dict[str, Any] = {
    "argument_spec": {
        "migration_name": {"type": "str", "required": True},
        "bucket": {"type": "str", "required": True},
        "now": {"type": "str", "required": True},
        "kms_key_id": {"type": "str", "default": "", "no_log": False},
        "host_endpoint_url": {"type": "str", "default": ""},
        "expires": {"type": "int", "default": 3600},
    },
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    params = module.params
    place = Place(params["bucket"], key_of(params["migration_name"], as_time(params["now"])), params["kms_key_id"])
    # Only signature version 4 can ask for encryption by KMS.
    options = {"config": Config(signature_version="s3v4")}
    if params["host_endpoint_url"]:
        options["endpoint"] = params["host_endpoint_url"]
    url = upload_url(module.client("s3", **options), place, params["expires"])
    module.exit_json(changed=False, url=url, headers=place.headers, key=place.key)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
