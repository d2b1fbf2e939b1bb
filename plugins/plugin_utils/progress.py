# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Running a module again until it is done, with a line at each step, so that no wait is silent.

A module that cannot finish now returns ``in_progress: true`` and ``progress``, a phrase. It keeps nothing between two
runs, so a wait that was killed goes on with the next play.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Mapping

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say

Result = dict[str, Any]

# Seconds between two lines that say the same, at most where a run is no longer.
LINE_EVERY = 5.0

# A pause is a share of the time that has passed, so that a short wait is not made a long one; `interval` at most.
PAUSE_SHARE = 0.2
SHORTEST_PAUSE = 1.0

# True of a task when true of any of its runs.
_TRUE_OF_ANY = ("changed", "token_changed", "passwords_changed", "passwords_known", "restarted")

# Of several runs, the first that had a plan tells what was planned; later ones see only what is left of it.
_TOLD_BY_THE_FIRST = ("plan", "diff")


def merge(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Result:
    """One result of two runs: changed if either was, planned as the first said, everything else as the later says."""
    merged = {**later, "changed": bool(earlier.get("changed") or later.get("changed"))}
    merged.update({name: True for name in _TRUE_OF_ANY if earlier.get(name)})
    if earlier.get("plan") or (earlier.get("changed") and "plan" not in earlier):
        merged.update({name: earlier[name] for name in _TOLD_BY_THE_FIRST if name in earlier})
    warnings = [*earlier.get("warnings", ()), *later.get("warnings", ())]
    if warnings:
        merged["warnings"] = list(dict.fromkeys(warnings))
    return merged


def run_until_done(
    run: Callable[[Mapping[str, Any]], Result],
    args: Mapping[str, Any],
    *,
    timeout: float,
    interval: float,
    say: Callable[[str], None],
    next_args: Callable[[Mapping[str, Any], Result], Mapping[str, Any]] = lambda args, _result: args,
    timeout_option: str = "wait_timeout",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Run until a result is failed or no longer ``in_progress``, or ``timeout`` seconds have passed.

    Where the connection to the host is lost after a run, the result is unreachable, and keeps what was known by then.
    ``next_args`` makes the arguments of the next run of those of the last and its result.
    """
    began = clock()
    said, said_at = "", began
    result: Result = {}
    while True:
        run_began = clock()
        try:
            answer = run(args)
        except AnsibleConnectionFailure as lost:
            if not result:
                raise  # nothing is known that Ansible's own result would lose
            return _unreachable(result, str(lost))
        result = merge(result, answer) if result else answer
        if result.get("failed") or not result.get("in_progress"):
            return result
        now, phrase = clock(), str(result.get("progress") or "in progress")
        if phrase != said or now - said_at + (now - run_began) >= LINE_EVERY:  # the next run lasts as long
            say(f"{phrase}, {now - began:.0f} s")
            said, said_at = phrase, now
        pause = min(interval, max(SHORTEST_PAUSE, (now - began) * PAUSE_SHARE))
        if now - began + pause > timeout:
            return {**result, "failed": True, "msg": _out_of_time(phrase, timeout, timeout_option)}
        sleep(pause)
        args = next_args(args, answer)


def _unreachable(result: Result, why: str) -> Result:
    """What Ansible makes of a lost connection says nothing of what earlier runs did, such as a restart."""
    done = [name for name in _TRUE_OF_ANY if result.get(name)]
    told = f" Done by then: {', '.join(done)}." if done else ""
    return {
        **result,
        "unreachable": True,
        "msg": f"The connection to the host was lost ({why.rstrip('.')}). The last that it said: "
        f"{result.get('progress') or 'in progress'}.{told} Run it again to go on when the host can be reached.",
    }


def _out_of_time(phrase: str, timeout: float, option: str) -> str:
    return (
        f"{phrase}; still so after {timeout:.0f} s ({option}). Nothing is lost: run it again to go on, "
        f"or raise {option}"
    )


class ProgressAction(ActionBase):  # type: ignore[misc]
    """Base of an action plugin that has the name of its module; what differs between modules is stated here."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    timeout_option = "wait_timeout"
    default_timeout = 3600.0
    interval_option = "wait_interval"
    default_interval = 15.0

    def next_args(self, args: Mapping[str, Any], result: Result) -> Mapping[str, Any]:
        """The arguments of the next run."""
        return args

    def wants_to_wait(self, args: Mapping[str, Any]) -> bool:
        return True

    def once(self, args: Mapping[str, Any], task_vars: Any) -> Result:
        """One run of the module."""
        return dict(self._execute_module(module_args=dict(args), task_vars=task_vars))

    def run(self, tmp: Any = None, task_vars: Any = None) -> Result:
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if self._task.check_mode or not self.wants_to_wait(args):
            return self.once(args, task_vars)
        host = self._task.delegate_to or (task_vars or {}).get("inventory_hostname", "")
        return run_until_done(
            lambda each: self.once(each, task_vars),
            args,
            timeout=self._seconds(args, self.timeout_option, self.default_timeout),
            interval=self._seconds(args, self.interval_option, self.default_interval),
            say=lambda line: say.lines([f"  [{host}] {line}"]),
            next_args=self.next_args,
            timeout_option=self.timeout_option,
        )

    def cleanup(self, force: bool = False) -> None:
        """A host that was lost cannot be cleaned up either, and that must not hide what is known of it."""
        with contextlib.suppress(AnsibleConnectionFailure):
            super().cleanup(force)

    @staticmethod
    def _seconds(args: Mapping[str, Any], option: str, default: float) -> float:
        value = args.get(option)
        if value in (None, ""):
            return default
        try:
            return max(0.0, float(value))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise AnsibleActionFail(f"{option} is {value!r}: it is a number of seconds")
