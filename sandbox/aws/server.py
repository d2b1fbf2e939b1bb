"""One HTTP server for all of AWS: finds who answers, logs the call, lets EC2's changes take effect first."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.aws.calls import Call, CallLog, call_of
from sandbox.aws.clock import advance, now
from sandbox.aws.faults import Cut, Faults
from sandbox.aws.holding import Holding
from sandbox.aws.keys import CONTROL_HEADER, Keys, control_key_of
from sandbox.aws.moto_side import MotoSide, error_reply
from sandbox.aws.policies import Policies
from sandbox.aws.price_lists import public_file
from sandbox.aws.wire import Reply, Service

Control = Callable[[dict[str, Any]], Any]


class Server:
    """A WSGI application. It answers whoever names one of its keys.

    `after_ec2_write` runs before the answer to a call that may have changed EC2.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        log: CallLog,
        keys: Keys,
        controls: Mapping[str, Control],
        after_ec2_write: Callable[[], None],
    ) -> None:
        self._services, self._log, self._keys, self._controls = services, log, keys, controls
        self._after_ec2_write = after_ec2_write
        self._moto, self._faults, self._holding = MotoSide(), Faults(), Holding()
        self._policies = Policies({"operator": keys.operator.id, "app": keys.app.id})

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_whole = environ.get("wsgi.input_terminated")  # sent in chunks, without a length
        body = environ["wsgi.input"].read(*([] if is_whole else [int(environ.get("CONTENT_LENGTH") or 0)]))
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_sandbox/"):
            reply = self._admitted_control(environ, path, body)
        elif path.startswith("/offers/") and (public := public_file(path)):
            reply = public
        else:
            reply = self._aws(environ, call_of(environ, body, self._keys.internal.id))
        headers = list(reply.headers)
        if "content-length" not in [name.lower() for name, _ in headers]:
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [reply.body]

    # -- AWS -----------------------------------------------------------------------------------------------------
    def _aws(self, environ: dict[str, Any], call: Call) -> Reply:
        if not self._keys.has(call.key):
            reply = error_reply(call, 403, *unknown_key(call))
            self._log.record(call, reply.status, reply.error)
            return reply
        refused = self._policies.refusal(call)
        if refused:
            self._log.record(call, refused.status, refused.error, refused.denied)
            return refused
        try:
            reply = self._faults.answer(call, lambda: self._unless_held(environ, call))
        except Cut as cut:
            self._log.record(call, 0, str(cut))
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError(str(cut))  # werkzeug takes it for a client that went away, and writes nothing
        reply = self._policies.may_not_tell(call, reply)
        self._log.record(call, reply.status, reply.error, reply.denied)
        return reply

    def _unless_held(self, environ: dict[str, Any], call: Call) -> Reply:
        caller: socket.socket = environ["werkzeug.socket"]
        return self._holding.answer(call, lambda: self._answer(environ, call), lambda: is_closed(caller))

    def _answer(self, environ: dict[str, Any], call: Call) -> Reply:
        service = self._services.get(call.service)
        if service is not None:
            try:
                return service.answer(call.action, call.body)
            except Exception:  # a mistake of ours: in the log, and for the client in words that it can parse
                traceback.print_exc()
                text = f"The sandbox itself failed at {call.service}:{call.action}; see its log."
                return error_reply(call, 500, "InternalFailure", text)
        reply = self._moto.answer(environ, call)
        if call.service == "ec2" and not call.is_read:
            self._after_ec2_write()
        return reply

    # -- the sandbox's own doors ---------------------------------------------------------------------------------
    def _admitted_control(self, environ: dict[str, Any], path: str, body: bytes) -> Reply:
        if not self._keys.has(control_key_of(environ)):
            return as_json({"error": f"Name an access key of this sandbox in the header {CONTROL_HEADER}."}, 403)
        return self._control(path, environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), body)

    def _control(self, path: str, method: str, query: str, body: bytes) -> Reply:
        what = f"{method} {path.removeprefix('/_sandbox/')}"
        asked = {k: v[0] for k, v in parse_qs(query).items()}
        try:
            if what == "GET calls":
                return as_json(self._log.since(int(asked.get("since", 0))))
            if what == "GET clock":
                return as_json(now().isoformat())
            if what == "POST clock":
                return as_json(advance(float(json.loads(body)["advance_seconds"])).isoformat())
            if what == "GET faults":
                return as_json(self._faults.shown())
            if what == "POST faults":
                self._faults.replace(json.loads(body))
                return as_json(self._faults.shown())
            if what == "POST policy":
                return as_json(self._policies.give(json.loads(body)))
            if what == "POST hold":
                return as_json(self._holding.order(json.loads(body)))
            if what == "GET held":
                return as_json(self._holding.held())
            if what in self._controls:
                return as_json(self._controls[what](json.loads(body or b"{}")))
        except (ValueError, TypeError, KeyError) as mistake:
            return as_json({"error": str(mistake)}, 400)
        return as_json({"error": f"The sandbox has no {what}."}, 404)


def unknown_key(call: Call) -> tuple[str, str]:
    """The code and the words with which AWS refuses an access key that it does not know."""
    code = "UnrecognizedClientException" if call.protocol == "json" else "InvalidClientTokenId"
    return code, "The security token included in the request is invalid."


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed it. It sends nothing more until it has its answer."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def as_json(value: Any, status: int = 200) -> Reply:
    return Reply(status, [("Content-Type", "application/json")], json.dumps(value).encode())


class KeepAlive(WSGIRequestHandler):
    """Answers in HTTP/1.1, so that botocore's pool saves a connection a call; quiet, as calls.jsonl has it all."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(now().timestamp() if timestamp is None else timestamp)


def listen(application: Server, address: str, port: int, descriptor: int | None = None) -> BaseWSGIServer:
    return make_server(address, port, application, threaded=True, request_handler=KeepAlive, fd=descriptor)
