"""Moments of a run of ansible-playbook: kill it, or do something else, at a moment of one's choice.

`Moment("move | Move the host", occurrence=2)` kills ansible-playbook with SIGKILL when the second task of that
name begins; `Moment(12, after=0.3)` does 0.3 s after the twelfth task of the run began; with a command, that is run
instead, and the task waits for it.

`AtWrite(3)` kills the run at its third call to AWS that writes, before it is done, and `AtWrite(3, is_done=True)` when
it is done and not yet answered. `AtModule("app1", 5)` kills it where its fifth module on the host app1 would begin.
Such a kill takes all of the run, as where a controller dies: its workers and modules, not what is under way on hosts.

`environment` is what ansible-playbook then has to have in its environment; `tasks` and `modules` read what a run began.
The orders are carried out by a callback plugin, inside the run itself.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PLUGINS = Path(__file__).resolve().parent / "callbacks"
KILLER = Path(__file__).resolve().with_name("kill_run.py")


@dataclass(frozen=True)
class Moment:
    """`task` is a name, as its play or role spells it, or the number of the task in the run, counted from 1."""

    task: str | int
    occurrence: int = 1
    after: float = 0  # seconds after the task began
    command: tuple[str, ...] = ()  # empty: ansible-playbook dies by SIGKILL


@dataclass(frozen=True)
class AtWrite:
    """A call to the sandbox's AWS that writes, by its number in the run, counted from 1."""

    number: int
    is_done: bool = False


@dataclass(frozen=True)
class AtModule:
    """A module that runs on a host, by its number among those of the run on this host, counted from 1."""

    host: str
    number: int


@dataclass(frozen=True)
class Begun:
    """A task that a run began. Its name and occurrence find it in a run that goes another way before it."""

    number: int
    name: str
    occurrence: int
    seconds: float  # until the next one began
    changed: bool  # something, and not only in check mode

    @property
    def short_name(self) -> str:
        return self.name.partition(" : ")[2] or self.name


@dataclass(frozen=True)
class Module:
    """A module that began on a host: its `number` there, and that of the task in the run."""

    host: str
    number: int
    name: str
    task: int


def environment(moments: Sequence[Moment | AtWrite | AtModule] = (), tasks_file: Path | None = None) -> dict[str, str]:
    """What to add to the environment of ansible-playbook, which for AtWrite leads to a sandbox.

    `tasks_file` is where it writes the tasks and modules it begins; AtModule needs it. Of AtWrite there is one at most.
    """
    folders = [str(PLUGINS), *filter(None, [os.environ.get("ANSIBLE_CALLBACK_PLUGINS")])]
    enabled = ["at_task", *filter(None, [os.environ.get("ANSIBLE_CALLBACKS_ENABLED")])]
    at_write = [asdict(moment) for moment in moments if isinstance(moment, AtWrite)]
    at_module = [asdict(moment) for moment in moments if isinstance(moment, AtModule)]
    if len(at_write) > 1 or (at_module and not tasks_file):
        raise ValueError("a run has one AtWrite at most, and AtModule needs a tasks_file")
    return {
        "ANSIBLE_CALLBACK_PLUGINS": os.pathsep.join(folders),
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(enabled),
        "SANDBOX_MOMENTS": json.dumps([asdict(moment) for moment in moments if isinstance(moment, Moment)]),
        "SANDBOX_KILL": json.dumps({"at_write": at_write, "at_module": at_module, "killer": str(KILLER)}),
        "SANDBOX_RUN": uuid.uuid4().hex,
        **({"SANDBOX_TASKS": str(tasks_file)} if tasks_file else {}),
    }


def tasks(tasks_file: Path) -> list[Begun]:
    """The tasks of the run that wrote there, in order. The last one of a run that was killed has no known end."""
    notes = _notes(tasks_file)
    begun = [note for note in notes if "name" in note]
    times = [note["time"] for note in notes if "time" in note]
    changed = {note["number"] for note in notes if note.get("changed")}
    return [
        Begun(note["number"], note["name"], note["occurrence"], round(end - note["time"], 3), note["number"] in changed)
        for note, end in zip(begun, [*times[1:], times[-1]])
    ]


def modules(tasks_file: Path) -> list[Module]:
    """The modules that the run began on hosts, in order."""
    counts: dict[str, int] = {}
    found = []
    for note in _notes(tasks_file):
        if "module" in note:
            host = note["host"]
            counts[host] = counts.get(host, 0) + 1
            found.append(Module(host, counts[host], note["module"], note["number"]))
    return found


def _notes(tasks_file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in tasks_file.read_text().splitlines()]
