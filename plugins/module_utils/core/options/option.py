# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an option is: its type, its default, what it is for, and which stages read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import STAGES

PREFIX = "migration_"


@dataclass(frozen=True)
class Option:
    """One option without its prefix. ``default`` None is left out, where a number or a truth has no other word for it.

    ``asked`` names the stages whose survey in AWX asks for it: what differs from one run to the next. All else is of
    the environment, and is in the inventory alone, where every stage reads the same: a node type that was an answer at
    ``provision`` would be undone by the next ``migrate``. An answer stands above the inventory, so only what is
    ``for_one_run``, and so in no inventory, has its default in the survey.
    """

    name: str
    what: str
    type: str = "str"
    default: Any = ""
    required: bool = False
    elements: str = ""
    choices: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stages: tuple[str, ...] = STAGES
    asked: tuple[str, ...] = ()
    for_one_run: bool = False
    is_secret: bool = False

    @property
    def full_name(self) -> str:
        return PREFIX + self.name

    def spec(self) -> dict[str, Any]:
        """As Ansible's argument specs have it, without the words."""
        stated: dict[str, Any] = {"type": self.type, "default": self.default}  # what is required is said in a sentence
        inner = {name: {word: one[word] for word in one if word != "description"} for name, one in self.options.items()}
        optional = {"elements": self.elements, "choices": list(self.choices), "options": inner}
        return {**stated, **{name: value for name, value in optional.items() if value}}


@dataclass(frozen=True)
class Part:
    """Options that belong together, under one heading of the README."""

    heading: str
    options: tuple[Option, ...]
