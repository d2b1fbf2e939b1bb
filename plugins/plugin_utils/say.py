# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How an action says something to a person: past the callbacks, so that all of them, AWX and ansible-runner show it."""

from __future__ import annotations

import os
import re
import textwrap
from typing import Iterable

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import printable

# A command is copied from the screen, and so is never broken: one between backticks, or one that ends its line.
_COMMAND = re.compile(r"`[^`]+`|\bansible-playbook .*")
_INDENT = re.compile(r"\s*(?:- )?")
_KEPT_SPACE = "\0"

# Asked when this is imported, in ansible-playbook itself: the processes of its tasks have no terminal. What is no
# terminal (a pipe, a log, AWX) gets whole lines, so that they can be searched.
_IS_TERMINAL = os.isatty(1)

# What a program reads holds nothing but data: https://github.com/ansible/ansible/issues/17122
_IS_DATA = str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK")).rpartition(".")[2] in ("json", "jsonl")


def lines(texts: Iterable[str]) -> None:
    """Each on a line of its own, or on as many as the terminal is narrow; beside an output that is data."""
    for text in texts:
        Display().display(fitted(printable(text)), stderr=_IS_DATA)


def fitted(text: str) -> str:
    """The text as the terminal can show it; as it is where there is none."""
    return wrapped(text, Display().columns) if _IS_TERMINAL else text


def wrapped(text: str, width: int) -> str:
    """Break each line between words, and go on below where its text began: after its indent and its ``- ``."""
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def _wrapped_line(line: str, width: int) -> str:
    indent = _INDENT.match(line).group()  # type: ignore[union-attr]  # it matches whatever there is
    whole = _COMMAND.sub(lambda command: command.group().replace(" ", _KEPT_SPACE), line[len(indent) :])
    filled = textwrap.fill(
        whole,
        width,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_KEPT_SPACE, " ")
