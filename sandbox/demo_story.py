"""A playbook's output as a story: what was changed, said or waited for, without the tasks that only looked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# Results of tasks that changed nothing and said nothing, and of includes.
SILENT = re.compile(r"(ok|skipping): \[[^]]*\]$|included: ")
SAYS = re.compile(r"ok: \[[^]]*\] => *$")
PROGRESS = re.compile(r"  \[[^]]+\] ")
TITLE = re.compile(r"(PLAY|TASK|RUNNING HANDLER) \[(?:[\w.]+ : )?(?:\w+ \| )?(.*)\] \**$")


def told(lines: Iterable[str]) -> Iterator[str]:
    """The lines that a reader follows. A task is named once, before the first thing that it has to say."""
    task = ""
    for line in lines:
        text = line.rstrip()
        title = TITLE.match(text)
        if title and title[1] == "PLAY":
            task = ""
            yield f"\n{title[2]}"
        elif title:
            task = title[2]
        elif PROGRESS.match(text):
            yield f"    {text.strip()}"
        elif text and not SILENT.match(text):
            if task:
                yield f"  - {task}"
                task = ""
            if not SAYS.match(text):
                yield f"    {text}"
