# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The check of a user's own: how its command is read, and what of it may be shown. Pure."""

from __future__ import annotations

import re
import shlex
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked

# When the check runs: after the canary alone, where others follow, and after the last batch.
CANARY, ALL = "canary", "all"
_WHEN = {CANARY: "after the canary", ALL: "after the last batch"}

SHOWN_LINES = 20
SHOWN_CHARACTERS = 2000

_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class CheckRefused(ValueError):
    """The command cannot be run as it stands; the text is a sentence for the operator."""


def arguments_of(command: Any) -> list[str]:
    """The program and its arguments, of a list, or of a string that is split as a shell does it, but run by none."""
    if isinstance(command, str):
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise CheckRefused(
                f"migration_check_command: {command!r} cannot be split into words ({error}): write it as a list."
            )
    elif isinstance(command, (list, tuple)):
        words = [str(word) for word in command]
    else:
        raise CheckRefused(
            f"migration_check_command: {command!r} is neither a string nor a list: give a program and its arguments."
        )
    if not words or not words[0]:
        raise CheckRefused("migration_check_command: the command is empty: give a program and its arguments.")
    return words


def phase_after(batches: Sequence[Sequence[str]], batch: Sequence[str]) -> str:
    """Which check follows a batch: CANARY, ALL, or none. A canary that is all there is needs one check only."""
    if list(batch) == list(batches[-1]):
        return ALL
    return CANARY if list(batch) == list(batches[0]) else ""


def when(phase: str) -> str:
    return _WHEN.get(phase, phase)


def end_of(output: str, secrets: Iterable[str]) -> str:
    """The last lines of an output, masked; what is cut away is said."""
    text = masked(_TERMINAL_CODES.sub("", output), secrets).strip()
    lines = text.splitlines()
    end = "\n".join(lines[-SHOWN_LINES:])[-SHOWN_CHARACTERS:]
    return end if len(end) == len(text) else f"[...]\n{end}"


def shown(arguments: Sequence[str], secrets: Iterable[str]) -> str:
    """The command as a person would type it."""
    return masked(" ".join(shlex.quote(word) for word in arguments), secrets)


def failure(result: Mapping[str, Any]) -> str:
    """The sentence that a failed check ends a run with. ``result`` is that of the check."""
    what = f"The check `{result.get('command') or ''}` (migration_check_command)"
    told = f"{what} failed {when(result.get('phase') or '')}: "
    if "rc" not in result:
        return told + str(result.get("msg") or "no reason given")
    if result.get("timed_out"):
        told += f"it still ran after {result['timeout']} s (migration_check_timeout), and was ended."
    else:
        told += f"it ended with {result['rc']} after {result['seconds']:.0f} s."
    output = result.get("output") or ""
    if not output:
        return f"{told} It printed nothing."
    return f"{told} The end of its output:\n" + "\n".join(f"  | {line}" for line in output.splitlines())
