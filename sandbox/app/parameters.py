"""Settings that are in SSM, of which .env has the name of the parameter only."""

from __future__ import annotations

import os
from functools import cache


@cache
def url_of_parameter(key: str) -> str:
    """Read once, as an app does at its start; empty where .env names none."""
    name = os.environ.get(key)
    if not name:
        return ""
    import boto3

    ssm = boto3.client("ssm", region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))
    value: str = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return value
