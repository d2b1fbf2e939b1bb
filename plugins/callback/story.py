# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: story
type: stdout
short_description: show what a run tells, and nothing of what passed
version_added: 0.2.0
description:
  - Shows the lines that the tasks of this collection say to a person (what was found, what will be or was done, the
    progress of waits), and the recap. Of plays, tasks and results that passed it says nothing.
  - Of a task that failed it shows its message alone, once for all hosts that have the same to say, without the result
    and without an excerpt of the playbook. Failures that a play ignores or rescues are not shown.
  - Diffs are not shown, since the lines of a plan already say what each value is before and after.
  - At C(-v) and above it shows all that P(ansible.builtin.default#callback) shows there.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as stdout in configuration
seealso:
  - plugin: ansible.builtin.default
    plugin_type: callback
author:
  - The cache_migration authors (@cache-migration)
"""

import atexit
import functools
import re
from typing import Any, Callable, Iterable

from ansible import constants as C
from ansible.playbook.block import Block
from ansible.plugins.callback.default import CallbackModule as Default
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.say import fitted

# What ansible-core puts before what went wrong (since 2.19), and after it (until then: an excerpt of the playbook).
_BEFORE_MESSAGE = re.compile(r"^Task failed: ")
_EXCERPT = re.compile(r"\s*The error appears to be in .*", re.DOTALL)
_LAST_LINES = 5

_FAILED = ": "
_LOST = " cannot be reached: "


def until_verbose(tell: Callable[..., None]) -> Callable[..., None]:
    """From -v on, do what the default callback does in the place of this method."""

    @functools.wraps(tell)
    def chosen(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        if self._display.verbosity:
            getattr(super(CallbackModule, self), tell.__name__)(*args, **kwargs)
        else:
            tell(self, *args, **kwargs)

    return chosen


class CallbackModule(Default):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "kempian.cache_migration.story"

    def __init__(self) -> None:
        super().__init__()
        # What items of a host's loop said, which goes on.
        self._failed_items: dict[str, list[str]] = {}
        # Where each failure of a task was: hosts that fail of the same do so one after the other.
        self._failures: dict[tuple[str, str], list[str]] = {}
        atexit.register(self._tell_failures)  # a run that is interrupted has no other end

    @until_verbose
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play

    @until_verbose
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._tell_failures()

    @until_verbose
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._tell_failures()

    @until_verbose
    def v2_playbook_on_include(self, included_file: Any) -> None:
        pass

    @until_verbose
    def v2_playbook_on_no_hosts_matched(self) -> None:
        pass  # ansible-core warns of the pattern that matches none

    @until_verbose
    def v2_playbook_on_no_hosts_remaining(self) -> None:
        pass

    @until_verbose
    def v2_on_file_diff(self, result: Any) -> None:
        pass

    @until_verbose
    def v2_runner_on_ok(self, result: Any) -> None:
        found = _result(result)
        self._handle_warnings(found)
        if _task(result).action in C._ACTION_DEBUG and "results" not in found:  # it is there to be read
            self._clean_results(found, "debug")
            for line in _texts(found["msg"] if "msg" in found else self._dump_results(found).strip("\n")):
                self._display.display(fitted(line))

    @until_verbose
    def v2_runner_item_on_ok(self, result: Any) -> None:
        self.v2_runner_on_ok(result)

    @until_verbose
    def v2_runner_on_skipped(self, result: Any) -> None:
        self._handle_warnings(_result(result))

    @until_verbose
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._handle_warnings(_result(result))

    @until_verbose
    def v2_runner_retry(self, result: Any) -> None:
        pass

    @until_verbose
    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._handle_warnings(_result(result))
        self._failed_items.setdefault(_host(result), []).append(_message(result))

    @until_verbose
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._handle_warnings(_result(result))
        messages = self._failed_items.pop(_host(result), None) or [_message(result)]
        if not ignore_errors and not _is_rescued(_task(result)):
            for message in dict.fromkeys(messages):
                self._note_failure(result, _FAILED, message)

    @until_verbose
    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._handle_warnings(_result(result))
        if not _task(result).ignore_unreachable:
            self._note_failure(result, _LOST, _message(result))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._tell_failures()
        super().v2_playbook_on_stats(stats)

    def _note_failure(self, result: Any, verb: str, message: str) -> None:
        is_of_controller = (_task(result).delegate_to or _host(result)) in C.LOCALHOST
        place = "" if is_of_controller else self.host_label(result)  # what is decided there is of the whole
        self._failures.setdefault((verb, message), []).append(place)

    def _tell_failures(self) -> None:
        told, self._failures = self._failures, {}
        for (verb, message), places in sorted(told.items(), key=lambda failure: sorted(failure[1])):
            hosts = ", ".join(sorted(filter(None, places)))
            self._display.display(
                f"\n{fitted(hosts + verb + message if hosts else message)}",
                color=C.COLOR_UNREACHABLE if verb == _LOST else C.COLOR_ERROR,
                stderr=self.get_option("display_failed_stderr"),
            )


# Before ansible-core 2.19 the parts of a result had private names.
def _task(result: Any) -> Any:
    return result.task if hasattr(result, "task") else result._task


def _host(result: Any) -> str:
    return str((result.host if hasattr(result, "host") else result._host).get_name())


def _result(result: Any) -> Any:
    return result.result if hasattr(result, "result") else result._result


def _texts(value: Any) -> Iterable[str]:
    return map(str, value) if isinstance(value, (list, tuple)) else [str(value)]


def _message(result: Any) -> str:
    """What went wrong; where its message says no more than that a program failed, with the end of what that said."""
    found = _result(result)
    hidden = found.get("censored") or "failed, and does not say why"
    message = "\n".join(_texts(found.get("msg") or f"{_task(result).get_name()}: {hidden}"))
    said = [line for name in ("stderr", "module_stderr") for line in str(found.get(name) or "").splitlines()]
    return "\n".join([_EXCERPT.sub("", _BEFORE_MESSAGE.sub("", message)).strip(), *said[-_LAST_LINES:]])


def _is_rescued(task: Any) -> bool:
    """Whether a block around the task has a rescue for it, which the result does not say."""
    inner, outer = task, task._parent
    while outer:
        if isinstance(outer, Block) and outer.rescue and inner._uuid in (each._uuid for each in outer.block):
            return True
        inner, outer = outer, outer._parent
    return False
