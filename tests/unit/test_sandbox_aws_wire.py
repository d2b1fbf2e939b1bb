"""Our services speak as botocore's clients do: every operation of the model, both ways."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.model import Shape

from sandbox.aws import wire

UTC = datetime.timezone.utc
SIMPLE: dict[str, Any] = {
    "integer": 21,
    "long": 21,
    "boolean": True,
    "double": 1.5,
    "float": 1.5,
    "blob": b"x",
    "timestamp": datetime.datetime(2026, 11, 1, 2, 3, 4, tzinfo=UTC),
}


def sample(shape: Shape, seen: tuple[str, ...] = ()) -> Any:
    """A value with every member of the shape, once."""
    if shape.type_name == "structure":
        members = {k: m for k, m in shape.members.items() if m.name not in (*seen, shape.name)}
        return {k: sample(m, (*seen, shape.name)) for k, m in members.items()}
    if shape.type_name == "list":
        return [sample(shape.member, seen)] * 2
    if shape.type_name == "map":
        return {sample(shape.key): sample(shape.value)}
    return (shape.enum or ["a b&<ü>"])[0] if shape.type_name == "string" else SIMPLE[shape.type_name]


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [comparable(v) for v in value]
    return value.replace(tzinfo=None).isoformat() if isinstance(value, datetime.datetime) else value


@pytest.mark.parametrize("name", ["elasticache", "memorydb"])
def test_every_operation_comes_through_botocores_client_unchanged(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = botocore.session.get_session()
    session.set_credentials("a", "b")
    client = session.create_client(name, "us-east-1", endpoint_url="http://127.0.0.1:1")
    monkeypatch.setattr(wire, "faults_of", lambda *_: [])  # samples are not valid, they are whole
    for action in client.meta.service_model.operation_names:
        model = client.meta.service_model.operation_model(action)
        asked, answered = (sample(shape) if shape else {} for shape in (model.input_shape, model.output_shape))
        heard: list[wire.Params] = []

        def answer(params: wire.Params, heard: list[wire.Params] = heard, answered: Any = answered) -> wire.Result:
            heard.append(params)
            return dict(answered)

        handler = wire.Handler(action, answer, frozenset(model.input_shape.members), {})
        service = wire.Service(name, {action: handler})
        body = client._serializer.serialize_to_request(asked, model)["body"]
        body = urlencode(body).encode() if isinstance(body, dict) else body
        reply = service.answer(action, body if isinstance(body, bytes) else body.encode())
        response = {"status_code": reply.status, "headers": dict(reply.headers), "body": reply.body}
        parsed = client._response_parser.parse(response, model.output_shape)
        parsed.pop("ResponseMetadata")
        assert comparable(heard[0]) == comparable(asked), f"{action}: the request"
        assert comparable(parsed) == comparable(answered), f"{action}: the response"


def test_an_operation_that_does_not_exist_is_invalid() -> None:
    reply = wire.Service("elasticache").answer("CreateTeapot", b"Action=CreateTeapot")
    assert (reply.status, reply.error) == (400, "InvalidAction")


def test_a_handler_for_a_parameter_that_does_not_exist_is_a_mistake() -> None:
    handler = wire.Handler("DeleteSnapshot", dict, frozenset({"SnapshotNmae"}), {})
    with pytest.raises(TypeError, match="SnapshotNmae"):
        wire.Service("elasticache", {"DeleteSnapshot": handler})


def test_a_marker_of_somebody_else_is_refused() -> None:
    with pytest.raises(wire.Refusal):
        wire.page([1, 2, 3], {"Marker": "x"}, "Items")
