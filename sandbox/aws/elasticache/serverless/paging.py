"""One page of an answer, as the operations of serverless caches give it: by MaxResults and NextToken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.aws.elasticache.rules import value
from sandbox.aws.wire import Params, Result

MOST = 50


def page(items: Sequence[Any], params: Params, key: str) -> Result:
    size = params.get("MaxResults", MOST)
    if not 1 <= size <= MOST:
        raise value(f"MaxResults must be between 1 and {MOST}, not {size}.")
    token = params.get("NextToken") or "0"
    if not token.isdigit() or int(token) > len(items):
        raise value("NextToken is not one that an answer of this operation gave.")
    end = int(token) + size
    return {key: list(items[int(token) : end]), **({"NextToken": str(end)} if len(items) > end else {})}
