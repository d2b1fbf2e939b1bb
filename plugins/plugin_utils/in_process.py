# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A module of this collection in this process: the same options, the same result, but no process of its own.

A module on localhost is packed, started, and imports boto3 anew for every task. Here its ``serve`` is called with the
AnsibleAWSModule that its ``main`` would have; only the AnsibleModule beneath, which reads its arguments from standard
input and ends its process, is another. All else (clients, region, errors) stays amazon.aws's own.
"""

from __future__ import annotations

import functools
import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Collection, Iterator, Mapping, NoReturn, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule, aws_argument_spec
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MASK

try:
    import boto3  # before the fork of a task, for all tasks
    import botocore
    from botocore.loaders import create_loader
except ImportError:
    IS_POSSIBLE = False
else:
    IS_POSSIBLE = bool(boto3)
    _MODELS = create_loader(os.environ.get("AWS_DATA_PATH"))
    # Every session, so that a client finds the models that were parsed already.
    botocore.register_initializer(lambda session: session.register_component("data_loader", _MODELS))

Result = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """What a task asks of a module: ``name`` is its full name."""

    name: str
    args: Mapping[str, Any]
    check_mode: bool = False
    diff: bool = False


class Left(BaseException):
    """The module came to its end, as SystemExit is of one with a process of its own."""

    def __init__(self, result: Result) -> None:
        super().__init__()
        self.result = result


class NoClient(Exception):
    """AWS cannot be asked with these options; the text is for the operator."""


def parse_models(services: Sequence[str]) -> None:
    """Parse what a client of these services needs, once and before tasks are forked. No client is made."""
    if not IS_POSSIBLE:
        return
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        _MODELS.load_data(name)
    for service in services:
        for kind in ("service-2", "endpoint-rule-set-1"):
            # The cache goes by the very arguments: botocore.client names this one too.
            _MODELS.load_service_model(service, kind, api_version=None)


def carry_out(module: Any, order: Order) -> Result:
    """The result of a module's file, as the module itself would have it."""
    with _unlogged():
        try:
            module.serve(opened(order, module.SPEC))
        except Left as left:
            return left.result
    raise AssertionError(f"{order.name} ended without a result")


def opened(order: Order, spec: Mapping[str, Any]) -> AnsibleAWSModule:
    """The module with its options checked. Raises Left where they are refused."""
    settings = AnsibleAWSModule.default_settings
    usual = settings["module_class"]
    settings["module_class"] = functools.partial(_Module, order)
    try:
        return AnsibleAWSModule(**spec)
    finally:
        settings["module_class"] = usual


def client(order: Order, service: str) -> Any:
    """A client by the options of amazon.aws among those of a task. Raises NoClient."""
    spec = aws_argument_spec()
    known = {name for option, of_it in spec.items() for name in (option, *of_it.get("aliases", ()))}
    args = {name: order.args[name] for name in known & order.args.keys()}
    try:
        return opened(Order(order.name, args), {"argument_spec": {}}).client(service)
    except Left as left:
        raise NoClient(left.result["msg"]) from None


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment of a task. It is a fork's own, but a loop carries out all of its rounds in one."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _unlogged() -> Iterator[None]:
    """With debug_botocore_endpoint_logs botocore logs requests, secrets too: to the module, never to Ansible's log."""
    logger = logging.getLogger("botocore.endpoint")
    propagates, level, handlers = logger.propagate, logger.level, list(logger.handlers)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate, logger.handlers = propagates, handlers
        logger.setLevel(level)


class _Module:
    """What AnsibleModule is to a module and to amazon.aws."""

    def __init__(
        self, order: Order, argument_spec: Mapping[str, Any], supports_check_mode: bool = False, **rules: Any
    ) -> None:
        self._name, self.check_mode, self._diff = order.name, order.check_mode, order.diff
        self._warnings: list[str] = []
        self._deprecations: list[dict[str, Any]] = []
        self.argument_spec = argument_spec
        checked = ArgumentSpecValidator(_unlogged_spec(argument_spec), **rules).validate(_as_json(order.args))
        self.params: dict[str, Any] = checked.validated_parameters
        self.no_log_values: set[str] = set(_secrets_of(argument_spec, self.params))
        for both in checked._warnings:
            self.warn(f"Both option {both['option']} and its alias {both['alias']} are set.")
        for told in checked._deprecations:
            self.deprecate(**told)
        if checked.error_messages:
            known = f"Unsupported parameters for ({self._name}) module: "
            self.fail_json(msg=(known if isinstance(checked.errors[0], UnsupportedError) else "") + checked.errors.msg)

    def warn(self, warning: str) -> None:
        self._warnings.append(warning)

    def deprecate(self, msg: str, **when: Any) -> None:
        self._deprecations.append({"msg": msg, **when})

    def debug(self, msg: str) -> None:
        """A module's goes to the syslog of the host."""

    def exit_json(self, **result: Any) -> NoReturn:
        self._leave(result)

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        self._leave({**result, "failed": True, "msg": msg})

    def _leave(self, result: Result) -> NoReturn:
        result = {"changed": False, **result}
        result.pop("invocation", None)  # as ansible-core from 2.21 on
        for name, told in (("warnings", self._warnings), ("deprecations", self._deprecations)):
            if told:
                result[name] = [*told, *(each for each in result.get(name, ()) if each not in told)]
        raise Left(scrubbed(_as_json(result), self.no_log_values))


def _unlogged_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing is logged here, and with ``no_log`` ansible-core 2.22 masks each word of a value in all that is said."""
    return {
        name: {
            key: _unlogged_spec(part) if key == "options" and part else part
            for key, part in option.items()
            if key != "no_log"
        }
        for name, option in spec.items()
    }


def _secrets_of(spec: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[str]:
    """The texts that options with ``no_log`` hold."""
    for name, option in spec.items():
        value = params.get(name)
        if option.get("no_log"):
            yield from _texts(value)
        elif option.get("options") and value:
            for part in value if isinstance(value, list) else [value]:
                yield from _secrets_of(option["options"], part)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def scrubbed(value: Any, secrets: Collection[str]) -> Any:
    """Without the secrets. Numbers stay: a port is none, whatever it looks like."""
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {name: scrubbed(part, secrets) for name, part in value.items()}
    if isinstance(value, list):
        return [scrubbed(part, secrets) for part in value]
    return value


def _as_json(value: Mapping[str, Any]) -> Any:
    """What comes through between a module's process and Ansible: dates as text, keys as text, no tuples."""
    return json.loads(json.dumps(value, default=_as_text))


def _as_text(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
