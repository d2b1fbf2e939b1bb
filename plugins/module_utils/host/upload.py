# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A file to S3 by a presigned URL, so that the host that has the file needs no AWS credentials. Standard library only.

Whoever has the URL can write there until it expires: it is a secret, and in no message of this room.
"""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import BinaryIO, Mapping

SECONDS = 300.0  # for each answer, not for all of it


class UploadFailed(Exception):
    """Nothing is known to be stored; the text is a sentence for the operator."""


def put(url: str, headers: Mapping[str, str], file: BinaryIO, size: int, seconds: float = SECONDS) -> None:
    """Send ``size`` bytes of the file from its beginning."""
    file.seek(0)
    every = {**headers, "Content-Length": str(size), "Content-Type": "application/octet-stream"}
    request = urllib.request.Request(url, data=file, headers=every, method="PUT")
    try:
        with urllib.request.build_opener().open(request, timeout=seconds):
            pass
    except urllib.error.HTTPError as error:
        said = error.read(4096).decode("utf-8", "replace")
        raise UploadFailed(f"S3 refuses the backup: {_told(said) or error.code}. {_remedy(said)}")
    except OSError as error:
        reason = getattr(error, "reason", None) or error
        raise UploadFailed(
            f"S3 cannot be reached from this host: {reason}. Give its subnet a way there (a gateway endpoint for S3, "
            "or NAT), set https_proxy for it, or migration_backup_endpoint_url where it reaches S3 by another address"
        )


def _told(said: str) -> str:
    """Code and message of S3's answer; the rest of it may hold parts of the URL."""
    parts = [re.search(rf"<{name}>([^<]*)</{name}>", said) for name in ("Code", "Message")]
    return ", ".join(found[1] for found in parts if found)


def _remedy(said: str) -> str:
    if "NoSuchBucket" in said or "Redirect" in said:
        return "Make the bucket in migration_region, or change migration_backup_bucket"
    if "AccessDenied" in said:
        return (
            "The controller's identity, which signs the upload, needs s3:PutObject on migration_backup_bucket, as "
            "docs/iam/decommission.json has it (and kms:GenerateDataKey on migration_backup_kms_key_id)"
        )
    return "Look at migration_backup_bucket and migration_backup_kms_key_id"
