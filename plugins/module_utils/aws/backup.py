# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The last backup in S3: where it goes, how a host may put it there, and reading it again.

A presigned URL must name every header that is sent with it, so the encryption is part of what is signed:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/PresignedUrlUploadObject.html
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call

CHUNK = 1 << 20
_MISSING = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


@dataclass(frozen=True)
class Place:
    """``kms_key_id`` empty means S3's own keys (AES256)."""

    bucket: str
    key: str
    kms_key_id: str = ""

    @property
    def encryption(self) -> dict[str, str]:
        """PutObject's parameters."""
        if self.kms_key_id:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key_id}
        return {"ServerSideEncryption": "AES256"}

    @property
    def headers(self) -> dict[str, str]:
        """The same as the headers that are signed."""
        names = {
            "ServerSideEncryption": "x-amz-server-side-encryption",
            "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
        }
        return {names[name]: value for name, value in self.encryption.items()}


def folder_of(migration_name: str) -> str:
    """What the keys of its backups begin with."""
    return f"cache_migration/{migration_name}/"


def key_of(migration_name: str, now: datetime.datetime) -> str:
    return f"{folder_of(migration_name)}{now.strftime('%Y%m%dT%H%M%SZ')}.rdb"


def upload_url(client: Any, place: Place, seconds: int) -> str:
    """A secret. Made without a call to AWS, so nothing is known yet of the bucket."""
    parameters = {"Bucket": place.bucket, "Key": place.key, **place.encryption}
    return str(client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=seconds, HttpMethod="PUT"))


@aws_call("read s3://{place.bucket}/{place.key}", none_on=_MISSING)
def fetch(client: Any, place: Place, sink: BinaryIO) -> tuple[str, str] | None:
    """Write the object to ``sink``, from its beginning; its sha256 and its encryption as S3 tells it. None without."""
    sink.seek(0)
    sink.truncate()
    found = _read(client, place, sink.write)
    sink.flush()
    return found


@aws_call("read s3://{place.bucket}/{place.key}", none_on=_MISSING)
def stored_digest(client: Any, place: Place) -> str | None:
    """The sha256 of the object, of which no more than a piece is in memory at a time; None without one."""
    return _read(client, place, lambda _data: None)[0]


def _read(client: Any, place: Place, keep: Callable[[bytes], object]) -> tuple[str, str]:
    answer = client.get_object(Bucket=place.bucket, Key=place.key)
    digest = hashlib.sha256()
    for data in answer["Body"].iter_chunks(CHUNK):
        digest.update(data)
        keep(data)
    return digest.hexdigest(), str(answer.get("ServerSideEncryption") or "")


@aws_call("look for s3://{place.bucket}/{place.key}", none_on=_MISSING)
def stored_size(client: Any, place: Place) -> int | None:
    """None where there is no such object."""
    return int(client.head_object(Bucket=place.bucket, Key=place.key)["ContentLength"])
