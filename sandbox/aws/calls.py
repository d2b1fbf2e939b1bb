"""What is asked of the local AWS, and the log of it: one JSON line a call, without secrets."""

from __future__ import annotations

import functools
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError
from moto.core.utils import get_service_model

from sandbox.aws.keys import credential_of

READS = re.compile(r"(Describe|List|Get|BatchGet|Head|Lookup|Search|Scan|Query|Simulate|Select|Filter|Check|Download)")
# They change nothing, whatever their names say.
HARMLESS = {"sts": {"AssumeRole", "DecodeAuthorizationMessage"}, "kms": {"Encrypt", "Decrypt", "GenerateDataKey"}}
SECRET = re.compile(
    r"(?i)token|password|passphrase|secret(string|binary|access)|value|plaintext|blob|userdata|key_?material"
)
LONGEST = 200  # characters of a value in the log


@dataclass(frozen=True)
class Call:
    """One request, with the id of the access key that it names. `internal` calls are the sandbox's own."""

    service: str
    action: str
    protocol: str  # query, json or rest
    body: bytes
    client: str
    key: str = field(repr=False)
    internal: bool
    path: str = ""  # of a REST service: what the call is about

    @property
    def is_read(self) -> bool:
        return bool(READS.match(self.action)) or self.action in HARMLESS.get(self.service, ())

    @property
    def parameters(self) -> dict[str, Any]:
        if self.protocol == "query":
            return {k: v for k, v in form_of(self.body).items() if k not in ("Action", "Version")}
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


def call_of(environ: Mapping[str, Any], body: bytes, internal_key: str) -> Call:
    key, service = credential_of(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if target:
        protocol, action = "json", target
    elif service in ("s3", "lambda") or not (action := form_of(body).get("Action", "")):
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        protocol, action = "rest", rest_action(service, environ["REQUEST_METHOD"], path, query)
    else:
        protocol = "query"
    path = environ.get("PATH_INFO", "")
    return Call(service, action, protocol, body, environ.get("REMOTE_ADDR", ""), key, key == internal_key, path)


def form_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def rest_action(service: str, method: str, path: str, query: str) -> str:
    """The operation of a REST service, by the most exact of the request lines in its model."""
    asked = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
    found = [
        (len(wanted), len(pattern.pattern), -len(name), name)  # of two alike, S3's PutObject rather than CopyObject
        for name, verb, pattern, wanted in _request_lines(service)
        if verb == method and pattern.fullmatch(path) and wanted <= asked
    ]
    return max(found)[-1] if found else f"{method} {path}"


@functools.cache
def _request_lines(service: str) -> list[tuple[str, str, re.Pattern[str], frozenset[str]]]:
    try:
        model = get_service_model(service)
    except (BotoCoreError, ValueError, OSError):
        return []
    lines = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http.get("requestUri", "/").partition("?")
        pattern = re.sub(r"\\{[^}]*\\\+\\}", ".+", re.escape(path))
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", pattern)
        wanted = {part.partition("=")[0] for part in query.split("&") if part} | set(_asked_for(model, name))
        lines.append((name, http["method"], re.compile(pattern), frozenset(wanted)))
    return lines


def _asked_for(model: Any, operation: str) -> Iterator[str]:
    """The parts of the query that an operation cannot do without: of two alike, they tell ListParts from GetObject."""
    shape = model.operation_model(operation).input_shape
    for member in shape.required_members if shape else ():
        place = shape.members[member].serialization
        if place.get("location") == "querystring":
            yield place["name"]


def without_secrets(value: Any, key: str = "") -> Any:
    """A summary of parameters: what identifies the call stays, what may be a secret does not."""
    if key and SECRET.search(key):
        return "***"
    if isinstance(value, dict):
        return {k: without_secrets(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [without_secrets(v) for v in value]
    if isinstance(value, str) and "://" in value:
        return "***"  # a URL may hold a password
    return value[:LONGEST] if isinstance(value, str) else value


class CallLog:
    """`calls.jsonl`, and the same in memory for GET /_sandbox/calls."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._calls: list[dict[str, Any]] = []

    def record(self, call: Call, status: int, error: str, denied: str = "") -> None:
        entry: dict[str, Any] = {
            "time": round(time.time(), 3),
            "service": call.service,
            "action": call.action,
            "access": "read" if call.is_read else "write",
            "status": status,
            **({"error": error} if error else {}),
            **({"denied": denied} if denied else {}),
            "request_summary": without_secrets(call.parameters),
            "client": call.client,
            **({"internal": True} if call.internal else {}),
        }
        with self._lock:
            self._calls.append(entry)
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def since(self, number: int) -> dict[str, Any]:
        """The calls from that number on, and the number to ask with next time."""
        with self._lock:
            return {"next": len(self._calls), "calls": self._calls[number:]}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(list(self._calls))
