# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The token by which a user with IAM authentication logs in, in place of a password. Pure, and of the standard library.

It is a presigned request of SigV4 without its scheme, and good for 15 minutes; the connection lasts 12 hours.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

SECONDS = 900  # AWS takes no longer
_ALGORITHM, _SIGNED = "AWS4-HMAC-SHA256", "host"


@dataclass(frozen=True)
class Credentials:
    """Of the identity that has ``elasticache:Connect``, or ``memorydb:Connect``. All but the key's id are secret."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Login:
    """Who logs in to what. ``cache`` is the replication group, the serverless cache or the cluster of MemoryDB by its
    name, and never its address; ``service`` is elasticache or memorydb.
    """

    user: str
    cache: str
    region: str
    service: str = "elasticache"
    is_serverless: bool = False


def iam_token(login: Login, credentials: Credentials, now: datetime.datetime) -> str:
    """A secret. ``now`` is in UTC."""
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    host = login.cache.lower()  # AWS stores the names of caches so, and the signature is of what it stores
    scope = f"{day}/{login.region}/{login.service}/aws4_request"
    query = _query(login, credentials, time, scope)
    request = "\n".join(("GET", "/", query, f"host:{host}\n", _SIGNED, _sha256(b"")))
    to_sign = "\n".join((_ALGORITHM, time, scope, _sha256(request.encode())))
    signature = hmac.new(_key(credentials, scope), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{host}/?{query}&X-Amz-Signature={signature}"


def _query(login: Login, credentials: Credentials, time: str, scope: str) -> str:
    """In the order in which SigV4 wants it."""
    said = {
        "Action": "connect",
        "User": login.user,
        # Without it AWS looks for a replication group of the name.
        **({"ResourceType": "ServerlessCache"} if login.is_serverless else {}),
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(SECONDS),
        "X-Amz-SignedHeaders": _SIGNED,
        **({"X-Amz-Security-Token": credentials.session_token} if credentials.session_token else {}),
    }
    return "&".join(f"{quote(name, safe='-_.~')}={quote(said[name], safe='-_.~')}" for name in sorted(said))


def _key(credentials: Credentials, scope: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
