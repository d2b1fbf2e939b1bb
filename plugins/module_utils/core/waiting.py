# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Carrying out a plan as far as it goes without waiting. The rest is for the next invocation, which reads again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step

# Seconds. Making a group takes AWS 5 to 15 minutes, changing its nodes longer.
DEFAULT_TIMEOUT = 3600
DEFAULT_INTERVAL = 15


@dataclass(frozen=True)
class Progress:
    """What was done now, and what it waits for; ``waits_for`` is empty when all is done."""

    performed: tuple[Step, ...] = ()
    waits_for: str = ""


def carry_out(plan: Plan, act: Callable[[Step], bool], waits_for: Callable[[], str | None]) -> Progress:
    """Act step by step while the resource stays ready.

    ``act`` returns False where AWS is busy; ``waits_for`` reads the resource again and says what it waits for, or
    None. A step that was taken is not proof that its effect shows: the caller plans again before it calls it done.
    """
    performed: list[Step] = []
    for step in plan.steps:
        if not act(step):
            return Progress(tuple(performed), f"waiting to {step.action}: AWS says that it is busy")
        performed.append(step)
        phrase = waits_for()
        if phrase:
            return Progress(tuple(performed), phrase)
    return Progress(tuple(performed))
