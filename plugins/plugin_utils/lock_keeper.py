# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A process beside a run that renews its lock, and lets go of it when the run ends, however it ends.

Ansible has no place for what must happen at the end of a run also where that failed, was interrupted or killed. It is
started by the action plugin of migration_lock, which writes what it needs to its standard input.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, Callable, Mapping

PAUSE = 0.5  # seconds between two looks at the run
RENEWALS = 5  # in the time that the lock lasts
ATTEMPTS = 3
READY_SECONDS = 30  # for a keeper to start and to read the lock


class NotKept(Exception):
    """There is no keeper; the text says why, for the operator."""


def start(order: Mapping[str, Any], environment: Mapping[str, str], collections: list[str]) -> None:
    """Start a keeper, and return when it has read the lock. Raises NotKept.

    ``order`` has migration_name, holder, seconds and options, the arguments of the task; ``environment`` is the task's,
    and ``collections`` are the folders in which the run finds collections.
    """
    try:
        process = subprocess.Popen(
            [sys.executable, __file__, order["migration_name"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what ends the run by its group or terminal leaves the keeper time to let go
            env={**os.environ, **environment, "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections)},
        )
    except OSError as error:
        raise NotKept(f"it cannot be started: {error}") from error
    try:
        answer = _answer(process, json.dumps(order).encode())
    except (OSError, ValueError) as error:  # no descriptor is left, or what it said is no JSON
        answer = {"failed": str(error)}
    if answer.get("ready"):
        return
    process.kill()
    process.wait()
    raise NotKept(str(answer.get("failed") or "it ended without a word"))


def _answer(process: subprocess.Popen[bytes], order: bytes) -> dict[str, Any]:
    """What a keeper says of its beginning; empty where it ends before."""
    with process.stdin as its_input, process.stdout as its_output:  # type: ignore[union-attr] # pipes were asked for
        with suppress(BrokenPipeError):
            its_input.write(order)
            its_input.flush()
        with suppress(BrokenPipeError):
            its_input.close()
        if not select.select([its_output], [], [], READY_SECONDS)[0]:
            return {"failed": f"it has not read the lock within {READY_SECONDS} s"}
        line = its_output.readline()
    return dict(json.loads(line)) if line else {}


def keep(
    renew: Callable[[], bool],
    release: Callable[[], None],
    is_alive: Callable[[], bool],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Renew as long as the run lives, then release. A call that fails is tried again: the lock outlives several."""
    passed = 0.0
    while is_alive():
        sleep(PAUSE)
        passed += PAUSE
        if passed >= seconds / RENEWALS:
            passed = 0.0
            try:
                if not renew():
                    return
            except Exception:  # whatever AWS or the network says, the next turn tries again
                continue
    for _attempt in range(ATTEMPTS):
        try:
            release()
        except Exception:
            sleep(2)
        else:
            return


class _Task:
    """What amazon.aws asks of a module in order to connect as it would."""

    _name = "migration_lock"

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def fail_json(self, msg: str, **_more: Any) -> None:
        raise NotKept(msg)


def client(options: Mapping[str, Any]) -> Any:
    """A client of Parameter Store as the module makes it of these options and the environment."""
    import boto3  # noqa: F401 # amazon.aws has no words of its own for it here
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
    from ansible_collections.amazon.aws.plugins.module_utils.botocore import boto3_conn, get_aws_connection_info
    from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

    spec = aws_argument_spec()
    known = {name for option, of_it in spec.items() for name in (option, *of_it.get("aliases", ()))}
    checked = ArgumentSpecValidator(spec).validate({name: options[name] for name in known & options.keys()})
    if checked.error_messages:
        raise NotKept("; ".join(checked.error_messages))
    task = _Task(checked.validated_parameters)
    region, endpoint, access = get_aws_connection_info(task)
    return boto3_conn(task, conn_type="client", resource="ssm", region=region, endpoint=endpoint, **access)


def main() -> None:
    answers = os.dup(1)  # what libraries print does not get in between
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    order = json.load(sys.stdin)
    name, seconds = order["migration_name"], int(order["seconds"])
    try:
        from ansible.plugins.loader import init_plugin_loader

        init_plugin_loader()
        from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import lock
        from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import is_alive

        ssm, holder = client(order["options"]), lock.Holder(**order["holder"])
        lock.look(ssm, name)
    except Exception as error:  # whatever it is, the run is told
        _say(answers, {"failed": str(error) or type(error).__name__})
        return
    _say(answers, {"ready": True})
    keep(
        lambda: lock.renew(ssm, name, holder, seconds),
        lambda: lock.release(ssm, name, holder),
        lambda: is_alive(holder.pid, holder.started),
        seconds,
    )


def _say(answers: int, answer: dict[str, Any]) -> None:
    """To the run, which may have ended by now."""
    with suppress(BrokenPipeError):
        os.write(answers, json.dumps(answer).encode() + b"\n")
    os.close(answers)


if __name__ == "__main__":
    main()
