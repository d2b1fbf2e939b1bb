"""Answer one AWS service from botocore's own model: parse, validate, find the handler, serialise.

Every operation of the model exists by construction. One without a handler, and a parameter that its handler does not
know, are refused by name, so that the sandbox never pretends.
"""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from botocore import xform_name
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

Params = dict[str, Any]
Result = dict[str, Any]

NO_SUCH_OPERATION = "SandboxHasNoSuchOperation"
NO_SUCH_PARAMETER = "SandboxHasNoSuchParameter"
CONTENT_TYPES = {"query": "text/xml", "json": "application/x-amz-json-1.1"}


class Refusal(Exception):
    """An error as AWS gives it. The service's model knows the HTTP status of its code; the sandbox's own are 501."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Handler:
    """What answers one operation, and which of the operation's parameters it knows."""

    operation: str
    answer: Callable[[Params], Result]
    takes: frozenset[str]
    only: Mapping[str, Sequence[Any]]  # parameters of which the sandbox knows these values alone


def operation(
    name: str, *takes: str, only: Mapping[str, Sequence[Any]] | None = None
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Mark a method as the handler of the operation `name`, which takes the parameters `takes`."""

    def mark(method: Callable[..., Result]) -> Callable[..., Result]:
        method.aws_operation = (name, frozenset(takes), dict(only or {}))  # type: ignore[attr-defined]
        return method

    return mark


def handlers_of(*rooms: object) -> dict[str, Handler]:
    """The marked methods of the rooms, by the name of their operation."""
    found: dict[str, Handler] = {}
    for room in rooms:
        for attribute in dir(type(room)):
            mark = getattr(getattr(type(room), attribute), "aws_operation", None)
            if mark is None:
                continue
            name, takes, only = mark
            if name in found or xform_name(name) != attribute:
                raise TypeError(f"{type(room).__name__}.{attribute} cannot be the handler of {name}")
            found[name] = Handler(name, getattr(room, attribute), takes, only)
    return found


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    error: str = ""
    denied: str = ""  # the permission that is missing


@dataclass
class Service:
    """One service of AWS. Handlers get validated parameters and return what the model's output shape names."""

    name: str
    handlers: Mapping[str, Handler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = get_service_model(self.name)
        self.protocol = "query" if self.model.metadata["protocols"] == ["query"] else "json"
        for handler in self.handlers.values():
            known = self.model.operation_model(handler.operation).input_shape.members
            unknown = (handler.takes | set(handler.only)) - set(known)
            if unknown:
                raise TypeError(
                    f"{handler.operation} has no parameter {', '.join(sorted(unknown))} in botocore's model"
                )

    def answer(self, action: str, body: bytes) -> Reply:
        if action not in self.model.operation_names:
            text = f"Could not find operation {action} for version {self.model.api_version}"
            return self._reply(self._any_operation(), Refusal("InvalidAction", text))
        operation_model = self.model.operation_model(action)
        try:
            return self._reply(operation_model, self._handle(operation_model, self._parse(operation_model, body)))
        except Refusal as refusal:
            return self._reply(operation_model, refusal)

    def _any_operation(self) -> OperationModel:
        return self.model.operation_model(self.model.operation_names[0])

    def _parse(self, operation_model: OperationModel, body: bytes) -> Params:
        values = dict(parse_qsl(body.decode(), keep_blank_values=True)) if self.protocol == "query" else {}
        request: Any = {"values": values, "body": body, "headers": {}}  # all that these two protocols look at
        return dict(PROTOCOL_PARSERS[self.protocol](operation_model).parse(request))

    def _handle(self, operation_model: OperationModel, params: Params) -> Result:
        faults = faults_of(params, operation_model.input_shape)
        if faults:
            code = "ValidationError" if self.protocol == "query" else "ValidationException"
            raise Refusal(code, f"{len(faults)} validation error detected: " + "; ".join(faults))
        handler = self.handlers.get(operation_model.name)
        if handler is None:
            text = f"{self.name}:{operation_model.name} exists at AWS; this sandbox does not implement it."
            raise Refusal(NO_SUCH_OPERATION, text)
        refuse_unknown_parameters(handler, params)
        return handler.answer(params)

    def _reply(self, operation_model: OperationModel, result: Result | Refusal) -> Reply:
        serializer_class = get_serializer_class(self.model.service_name, self.protocol)
        reply = serializer_class(operation_model, SerializationContext(str(uuid.uuid4()))).serialize(result)
        body = reply["body"] if isinstance(reply["body"], bytes) else reply["body"].encode()
        headers = [(k, v) for k, v in reply["headers"].items() if k.lower() not in ("content-type", "content-length")]
        headers.append(("Content-Type", CONTENT_TYPES[self.protocol]))
        error = result.code if isinstance(result, Refusal) else ""
        return Reply(501 if error.startswith("Sandbox") else reply["status_code"], headers, body, error)


def refuse_unknown_parameters(handler: Handler, params: Params) -> None:
    for name, value in params.items():
        if name in handler.takes or value in ([], {}):
            continue
        if name not in handler.only:
            text = f"{handler.operation} takes {name} at AWS; this sandbox does not implement it. Leave it out here."
            raise Refusal(NO_SUCH_PARAMETER, text)
        if value not in handler.only[name]:
            known = ", ".join(repr(x) for x in handler.only[name])
            text = f"{handler.operation}: of {name} this sandbox implements {known} alone, not {value!r}."
            raise Refusal(NO_SUCH_PARAMETER, text)


def faults_of(params: Params, shape: Shape | None) -> list[str]:
    """What a client library may have skipped: required members, types, lengths, enums, patterns."""
    if shape is None:
        return []
    report = ParamValidator().validate(params, shape)
    return ([report.generate_report()] if report.has_errors() else []) + list(_constraint_faults(params, shape, ""))


def _constraint_faults(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from _constraint_faults(value[name], member, f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _constraint_faults(item, shape.member, f"{path}.{number}")
    elif shape.type_name == "string":
        pattern = _compiled(shape.metadata.get("pattern", ""))
        if shape.enum and value not in shape.enum:
            yield f"Value at '{path}' failed to satisfy constraint: Member must satisfy enum value set: {shape.enum}"
        if pattern and not pattern.fullmatch(value):
            expected = f"Member must satisfy regular expression: {pattern.pattern}"
            yield f"Value at '{path}' failed to satisfy constraint: {expected}"


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None where there is none, or one that Python does not know: models have those of Java."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None


def page(items: Sequence[Any], params: Params, key: str, smallest: int = 20) -> Result:
    """One page as the query services give it; the marker says where the next one starts."""
    size = params.get("MaxRecords", 100)
    if not smallest <= size <= 100:
        raise Refusal("InvalidParameterValue", f"MaxRecords must be between {smallest} and 100, not {size}.")
    marker = params.get("Marker") or "0"
    if not marker.isdigit() or int(marker) > len(items):
        raise Refusal("InvalidParameterValue", "Marker is not one that an answer of this operation gave.")
    end = int(marker) + size
    rest = {"Marker": str(end)} if len(items) > end else {}
    return {key: list(items[int(marker) : end]), **rest}
