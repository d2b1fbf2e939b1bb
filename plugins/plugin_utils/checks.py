# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A check of the user's own on the controller, bounded in time, and what came of it without its secrets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import own_check
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import bounded, say


def run_check(
    command: Any,
    phase: str,
    timeout: int,
    variables: Mapping[str, str],
    secrets: Sequence[str],
    *,
    is_look: bool = False,
) -> dict[str, Any]:
    """``{passed, command, phase, timeout, msg, rc, seconds, timed_out, output}``; nothing is run where ``is_look``."""
    told: dict[str, Any] = {"passed": False, "command": "", "phase": phase, "timeout": timeout}
    try:
        arguments = own_check.arguments_of(command)
        if timeout < 1:
            raise own_check.CheckRefused(f"migration_check_timeout is {timeout}: give a number of seconds, 1 or more.")
    except own_check.CheckRefused as refused:
        return {**told, "msg": own_check.masked(str(refused), secrets)}
    told["command"] = own_check.shown(arguments, secrets)
    if not shutil.which(arguments[0]):
        why = (
            f"migration_check_command: the controller has no program {arguments[0]} to run, neither in PATH nor, "
            f"where it is a path, from {os.getcwd()}. Nothing was run."
        )
        return {**told, "msg": own_check.masked(why, secrets)}
    if is_look:
        return {**told, "passed": True}
    name = f"your check {own_check.when(phase)}".rstrip()
    ended = bounded.run(
        arguments,
        {**os.environ, **variables},
        timeout,
        lambda passed: say.lines([f"  [localhost] {name} runs, {passed:.0f} s"]),
    )
    told.update(
        rc=ended.rc,
        seconds=round(ended.seconds, 1),
        timed_out=ended.timed_out,
        output=own_check.end_of(ended.output, secrets),
    )
    if ended.rc or ended.timed_out:
        return {**told, "msg": own_check.failure(told)}
    return {**told, "passed": True}
