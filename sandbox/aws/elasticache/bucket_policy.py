"""What a bucket lets ElastiCache do, by its policy; its other way, the ACL, is not implemented here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.elasticache.state import REGION

PRINCIPAL = f"{REGION}.elasticache-snapshot.amazonaws.com"
READING = ("s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket")


def lacking(s3: Any, bucket: str, needed: Iterable[str]) -> list[str]:
    """The actions of these that it is not granted."""
    found = granted(policy_of(s3, bucket))
    return [] if "s3:*" in found else sorted(set(needed) - found)


def policy_of(s3: Any, bucket: str) -> dict[str, Any]:
    try:
        return dict(json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]))
    except ClientError:
        return {}


def granted(policy: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for statement in policy.get("Statement", []):
        services = statement.get("Principal", {}).get("Service", []) if statement["Effect"] == "Allow" else []
        if PRINCIPAL in ([services] if isinstance(services, str) else services):
            actions = statement["Action"]
            found.update([actions] if isinstance(actions, str) else actions)
    return found
