"""Whether a token of IAM lets a user in, as ElastiCache and MemoryDB take it: a presigned request as a password.

The signature is made anew by botocore with the secret of the key that the token names, and compared. What IAM's
policies say of the Connect action is not looked at: whoever has a key of the sandbox may connect as any user.
"""

from __future__ import annotations

import datetime
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

LONGEST = 900  # seconds
SKEW = 300  # by which a clock may be ahead
SIGNATURE = "X-Amz-Signature"


@dataclass(frozen=True)
class Cache:
    """What a token is for."""

    name: str
    region: str
    service: str = "elasticache"
    is_serverless: bool = False


def fault_of(token: str, user: str, cache: Cache, secrets: Mapping[str, str], now: datetime.datetime) -> str:
    """Why it is refused, which no client is told; empty where it is right. `secrets` are by the ids of keys."""
    host, _, query = token.partition("/?")
    pairs = parse_qsl(query, keep_blank_values=True)
    said = dict(pairs)
    if len(said) != len(pairs):
        return "something is said twice"
    if host != cache.name:
        return "it is for another cache"
    wanted = {"Action": "connect", "User": user, **({"ResourceType": "ServerlessCache"} if cache.is_serverless else {})}
    if {name: said.get(name) for name in ("Action", "User", "ResourceType") if name in said} != wanted:
        return "it is for something else, or for another user"
    key, _, scope = said.get("X-Amz-Credential", "").partition("/")
    day = said.get("X-Amz-Date", "")[:8]
    if scope != f"{day}/{cache.region}/{cache.service}/aws4_request":
        return "it is for another region or service"
    if key not in secrets:
        return "nobody knows its key"
    return _fault_of_time(said, now) or _fault_of_signature(host, pairs, secrets[key], cache)


def _fault_of_time(said: Mapping[str, str], now: datetime.datetime) -> str:
    try:
        made = datetime.datetime.strptime(said["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        seconds = int(said["X-Amz-Expires"])
    except (KeyError, ValueError):
        return "it says no time"
    if not 0 < seconds <= LONGEST:
        return f"it is to last {seconds} seconds"
    age = (now - made).total_seconds()
    return "" if -SKEW <= age < seconds else "it is over, or not yet"


def _fault_of_signature(host: str, pairs: list[tuple[str, str]], secret: str, cache: Cache) -> str:
    said = dict(pairs)
    signed = {name: value for name, value in said.items() if name != SIGNATURE}
    auth = SigV4QueryAuth(Credentials("", secret), cache.service, cache.region)
    request = AWSRequest("GET", f"https://{host}/", params=signed, headers={"host": host})
    request.context["timestamp"] = said["X-Amz-Date"]
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    is_same = hmac.compare_digest(auth.signature(to_sign, request), said.get(SIGNATURE, ""))
    return "" if is_same else "its signature is not of that key"
