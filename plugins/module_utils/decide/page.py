# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan as a page of Markdown, for whoever is to approve it. Pure.

What hosts and caches have named stands in code or with its signs escaped, so that none of it can pass for a part of the
page. https://spec.commonmark.org/0.31.2/#backslash-escapes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import printable
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import (
    CHANGE,
    MAKE,
    NOTE,
    REMOVE,
    RESTART,
    Step,
)

_HEADINGS = {MAKE: "Made", CHANGE: "Changed", RESTART: "Restarted", REMOVE: "Removed", NOTE: "Also done"}
_SIGNS = re.compile(r"([\\`*_{}\[\]<|~&!]|^[#>+=-])")
_SPACE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
# A reader of Markdown makes a link of what looks like one: https://github.github.com/gfm/#autolinks-extension-
_LINK = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)


@dataclass(frozen=True)
class Page:
    """``command`` is what does exactly this once it is approved; empty where something is refused."""

    title: str
    digest: str
    steps: Sequence[Step] = ()
    batches: Sequence[Sequence[str]] = ()
    refusals: Sequence[str] = ()
    notes: Sequence[str] = ()
    cost: Sequence[str] = ()
    command: str = ""
    when: str = ""

    def markdown(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterable[str]:
        yield f"# {escaped(self.title)}"
        yield ""
        yield f"{tally(self.steps, self.refusals)} Nothing was changed by this plan{self._since}."
        if self.command:
            yield from ("", f"Digest: {code(self.digest)}")
        if self.refusals:
            yield from _section("Refused", [escaped(line) for each in self.refusals for line in each.split("\n")])
        for kind, heading in _HEADINGS.items():
            of_kind = [step for step in self.steps if step.kind == kind]
            yield from _section(f"{heading} ({len(of_kind)})", map(_shown, of_kind)) if of_kind else ()
        if self.batches:
            yield from _section("Hosts, a batch at a time", [code(", ".join(batch)) for batch in self.batches])
        if self.cost:
            yield from _section("Cost", map(escaped, self.cost))
        if self.notes:
            yield from _section("Found", map(escaped, self._found))
        if self.command:
            yield from ("", "## To have exactly this done", "", f"    {self.command}", "")
            yield "With the -e options that this plan had, too. It is refused where AWS, a host or the definition is"
            yield "another one by then."

    @property
    def _found(self) -> list[str]:
        return [note for note in self.notes if note not in self.cost]

    @property
    def _since(self) -> str:
        return f", made at {self.when}" if self.when else ""


def tally(steps: Sequence[Step], refusals: Sequence[str] = ()) -> str:
    """How much of each kind, as a sentence."""
    counts = {kind: sum(step.kind == kind for step in steps) for kind in (MAKE, CHANGE, RESTART, REMOVE)}
    told = f"Plan: {', '.join(f'{count} to {kind}' for kind, count in counts.items())}."
    return f"{told} It is refused, so nothing of it is done." if refusals else told


def _section(heading: str, lines: Iterable[str]) -> Iterable[str]:
    return ("", f"## {heading}", "", *(f"- {line}" for line in lines))


def _shown(step: Step) -> str:
    who = f"**{escaped(step.consumer)}** " if step.consumer else ""
    is_change = bool(step.before or step.after)
    change = f": {code(step.before or 'nothing')} → {code(step.after or 'nothing')}" if is_change else ""
    why = f": {escaped(step.reason)}" if step.reason else ""
    return f"{who}{escaped(step.what)}{change}{why}{' (its clients notice)' if step.disruptive else ''}"


def escaped(text: str) -> str:
    """As text alone, on one line."""
    return _LINK.sub(r"\\", _SIGNS.sub(r"\\\1", _one_line(text)))


def _one_line(text: str) -> str:
    return str(printable(_SPACE.sub(" ", text).strip()))


def code(text: str) -> str:
    """As code, on one line, whatever backticks are in it."""
    text = _one_line(text)
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"
