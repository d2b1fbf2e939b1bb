# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What ElastiCache itself says of a thing: why a creation failed, most of all. Raises AnsibleAWSError."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import ACCESS_DENIED

LONGEST = 14 * 24 * 60  # minutes: events are kept for so long
MOST = 5


@aws_call("describe the events of {name}")
def _describe_events(client: Any, source_type: str, name: str) -> list[Mapping[str, Any]]:
    """Nothing where this identity may not ask."""
    asked = {"SourceType": source_type, "SourceIdentifier": name, "Duration": LONGEST}
    try:
        pages = client.get_paginator("describe_events").paginate(**asked)
        return [event for page in pages for event in page["Events"]]
    except is_boto3_error_code(list(ACCESS_DENIED)):
        return []


def read_events(client: Any, source_type: str, name: str) -> str:
    """The last few messages, the newest last, as one line; empty where there are none or they may not be read."""
    return "; ".join(list(dict.fromkeys(read_messages(client, source_type, name, with_date=False)))[-MOST:])


def read_messages(client: Any, source_type: str, name: str, with_date: bool = True) -> list[str]:
    """Of each event, the newest last, and when that was; none where they may not be read.

    ``source_type`` is one of the API's SourceType, as ``replication-group``, ``cache-cluster``, ``serverless-cache``.
    """
    events = sorted(_describe_events(client, source_type, name), key=lambda event: str(event.get("Date") or ""))
    told = [(str(event.get("Message") or "").strip().rstrip("."), event.get("Date")) for event in events]
    return [f"{message} ({date})" if with_date and date else message for message, date in told if message]
