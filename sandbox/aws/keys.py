"""Who may ask the local AWS: access keys made for one sandbox, in a file that its owner alone can read.

It listens on the machine's loopback, where every user of the machine gets to it, and the user data of an instance runs
as whoever runs the sandbox. So a request names one of these keys, or it is refused. Signatures are not checked: that
is why an id, which AWS would not hold secret, is as long and as random as a secret here.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
CONTROL_HEADER = "X-Sandbox-Key"  # names the key of a request to /_sandbox/, which nobody signs


@dataclass(frozen=True)
class AccessKey:
    id: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def new(cls) -> AccessKey:
        """Random all through: Ansible masks a secret wherever it occurs, so none may be a word of some output."""
        return cls(secrets.token_hex(16).upper(), secrets.token_urlsafe(24))


@dataclass(frozen=True)
class Keys:
    """`operator` is for who runs playbooks, `app` for the hosts, `owner` for who looks at the account beside them, and
    `internal` for the sandbox itself.
    """

    operator: AccessKey
    app: AccessKey
    owner: AccessKey
    internal: AccessKey

    @classmethod
    def make(cls, path: Path) -> Keys:
        """New keys, and the file that holds them."""
        keys = cls(AccessKey.new(), AccessKey.new(), AccessKey.new(), AccessKey.new())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(keys), file)
        return keys

    @classmethod
    def read(cls, path: Path) -> Keys:
        return cls(**{name: AccessKey(**key) for name, key in json.loads(path.read_text()).items()})

    @property
    def _all(self) -> tuple[AccessKey, ...]:
        return (self.operator, self.app, self.owner, self.internal)

    def has(self, key_id: str) -> bool:
        return any(secrets.compare_digest(key_id.encode(), key.id.encode()) for key in self._all)

    def by_id(self) -> dict[str, str]:
        """The secrets."""
        return {key.id: key.secret for key in self._all}


def credential_of(environ: Mapping[str, Any]) -> tuple[str, str]:
    """The key's id and the service that a signed request names; empty where it names none."""
    found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "")) or CREDENTIAL.search(_presigned(environ))
    return (found[1], found[2]) if found else ("", "")


def _presigned(environ: Mapping[str, Any]) -> str:
    """A presigned URL names its key in the query, where a signed request has it in a header."""
    credential = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [""])[0]
    return f"Credential={credential}/" if credential else ""


def control_key_of(environ: Mapping[str, Any]) -> str:
    return str(environ.get("HTTP_" + CONTROL_HEADER.upper().replace("-", "_"), ""))
