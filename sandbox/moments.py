"""Moments of a run of ansible-playbook: kill it, or do something else, when a task of one's choice begins.

`Moment("cutover | Change the value", occurrence=2)` kills ansible-playbook with SIGKILL when the second task of that
name begins; `Moment(12, after=0.3)` does 0.3 s after the twelfth task of the run began; with a command, that is run
instead, and the task waits for it. `environment` is what ansible-playbook then has to have in its environment, and
`tasks` reads which tasks a run began. The orders are carried out by a callback plugin, inside the run itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PLUGINS = Path(__file__).resolve().parent / "callbacks"


@dataclass(frozen=True)
class Moment:
    """`task` is a name, as its play or role spells it, or the number of the task in the run, counted from 1."""

    task: str | int
    occurrence: int = 1
    after: float = 0  # seconds after the task began
    command: tuple[str, ...] = ()  # empty: ansible-playbook dies by SIGKILL


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


def environment(moments: Sequence[Moment] = (), tasks_file: Path | None = None) -> dict[str, str]:
    """What to add to the environment of ansible-playbook. `tasks_file` is where it writes the tasks it begins."""
    folders = [str(PLUGINS), *filter(None, [os.environ.get("ANSIBLE_CALLBACK_PLUGINS")])]
    enabled = ["at_task", *filter(None, [os.environ.get("ANSIBLE_CALLBACKS_ENABLED")])]
    return {
        "ANSIBLE_CALLBACK_PLUGINS": os.pathsep.join(folders),
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(enabled),
        "SANDBOX_MOMENTS": json.dumps([asdict(moment) for moment in moments]),
        **({"SANDBOX_TASKS": str(tasks_file)} if tasks_file else {}),
    }


def tasks(tasks_file: Path) -> list[Begun]:
    """The tasks of the run that wrote there, in order. The last one of a run that was killed has no known end."""
    notes: list[dict[str, Any]] = [json.loads(line) for line in tasks_file.read_text().splitlines()]
    begun = [note for note in notes if "name" in note]
    times = [note["time"] for note in notes if "time" in note]
    changed = {note["number"] for note in notes if note.get("changed")}
    return [
        Begun(note["number"], note["name"], note["occurrence"], round(end - note["time"], 3), note["number"] in changed)
        for note, end in zip(begun, [*times[1:], times[-1]])
    ]
