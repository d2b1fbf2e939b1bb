"""Everything that is not ours is moto, in the same process. We ask it through boto3 alone, as anybody would."""

from __future__ import annotations

import functools
import io
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import boto3
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.aws.calls import Call
from sandbox.aws.keys import AccessKey
from sandbox.aws.wire import NO_SUCH_OPERATION, Reply

REGION = "us-east-1"
# moto loads 1,300 images when EC2 is called first; one is enough for what runs here.
os.environ["MOTO_AMIS_PATH"] = str(Path(__file__).with_name("images.json"))
Clients = Callable[[str], Any]


class OneParse(JSONFileLoader):
    """moto and we make many sessions, and each would parse the same models anew: half a second at the start."""

    _parsed: ClassVar[dict[str, Any]] = {}

    def load_file(self, file_path: str) -> Any:
        if file_path not in self._parsed:
            self._parsed[file_path] = super().load_file(file_path)
        return self._parsed[file_path]


Loader.FILE_LOADER_CLASS = OneParse


def clients_for(port: int, key: AccessKey) -> Clients:
    """boto3 clients of the sandbox's own, one a service: making one takes longer than a call."""

    @functools.cache
    def client(service: str) -> Any:
        session = boto3.session.Session(aws_access_key_id=key.id, aws_secret_access_key=key.secret)
        return session.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name=REGION,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    return client


class MotoSide:
    """moto's WSGI application, with its gaps turned into errors that a client understands."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)

    def answer(self, environ: dict[str, Any], call: Call) -> Reply:
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(call.body), str(len(call.body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        seen: dict[str, Any] = {"status": "500"}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            seen.update(status=status, headers=headers)

        try:
            body = b"".join(self._application(environ, start_response))
        except Exception:  # no such operation or service: moto raises whatever its dispatcher met
            traceback.print_exc()
            return gap(call)
        status = int(seen["status"].split()[0])
        if status == 500 and not call.internal:
            return gap(call)
        # The answer to HEAD tells the length of what it leaves out.
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        headers = [(k, v) for k, v in seen["headers"] if is_head or k.lower() != "content-length"]
        return Reply(status, headers, body, error_of(status, body))


def gap(call: Call) -> Reply:
    """A 501 that names what is missing; of moto's own 500 page botocore can make nothing, and retries it."""
    text = (
        f"{call.service}:{call.action} is not answered by this sandbox (moto has no such operation, or failed at it)."
    )
    return error_reply(call, 501, NO_SUCH_OPERATION, text)


def error_reply(call: Call, status: int, code: str, text: str) -> Reply:
    """An error in the words of the protocol that the call came in."""
    if call.protocol == "json" or (call.protocol == "rest" and call.service != "s3"):
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
        return Reply(status, headers, json.dumps({"__type": code, "message": text}).encode(), code)
    error = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    whole = {"s3": error, "ec2": f"<Response><Errors>{error}</Errors></Response>"}
    body = whole.get(call.service, f"<ErrorResponse>{error}</ErrorResponse>")
    return Reply(status, [("Content-Type", "text/xml")], body.encode(), code)


def error_of(status: int, body: bytes) -> str:
    """The code of an error that moto answered, for the log."""
    if status < 400:
        return ""
    text = body.decode("utf-8", "replace")
    if "<Code>" in text:
        return text.partition("<Code>")[2].partition("</Code>")[0]
    try:
        return str(json.loads(text).get("__type", status)).rpartition("#")[2]
    except (ValueError, AttributeError):
        return str(status)
