"""Write the surveys of the job templates in AWX, made from core/options/. `--check` only says what is stale.

An answer that is not given leaves what the inventory has: a question has no default then, so that AWX passes nothing,
and of text `min` is 1, so that AWX refuses an empty answer where a client sends one all the same.

Choices are a text with a line for each, and have a default, which may be empty (no choice, so AWX passes nothing):
else the pages of AWX that show and change a survey do not open. https://github.com/ansible/awx/issues/13640
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any, Iterable

import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from role_docs import Dumper, plain

FILE = pathlib.Path(__file__).resolve().parent.parent / "extensions/patterns/migration/data/surveys.yml"
HEAD = """\
---
# Made by scripts/surveys.py (`make docs`) from plugins/module_utils/core/options/, which says what is asked and why.
"""
RUNS = {"migrate": GOALS["migrate"].stages, **{stage: (stage,) for stage in STAGES}}
WORKFLOW = ("assess", "cutover", "decommission")
TRUTH = ("true", "false")  # the answer to a multiple choice is text


class SurveyDumper(Dumper):
    """Choices are seen as lines."""


SurveyDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, "|" if "\n" in text else None)
)


def question(option: Option) -> dict[str, Any]:
    """As AWX has it. A type of option that no question can ask for is a KeyError here."""
    asked: dict[str, Any] = {
        "question_name": option.name.replace("_", " ").capitalize(),
        "question_description": f"{plain(option.what)} Left unanswered, it is as the inventory has it.",
        "variable": option.full_name,
        "required": False,  # what must be stated, the inventory states
        **_kind(option),
    }
    if option.for_one_run:
        asked["question_description"] = plain(option.what).replace("; for one run, by `-e`", "")
        asked.update({"default": str(option.default).lower()} if option.type == "bool" else {})
    return asked


def _kind(option: Option) -> dict[str, Any]:
    if option.type == "list":
        return _choice("multiselect", {"str": option.choices}[option.elements])
    if option.type == "bool":
        return _choice("multiplechoice", TRUTH)
    if option.choices:
        return _choice("multiplechoice", option.choices)
    if option.type == "str":
        return {"type": "password" if option.is_secret else "text", "min": 1}
    return {"type": {"int": "integer", "float": "float"}[option.type]}


def _choice(kind: str, choices: Iterable[str]) -> dict[str, Any]:
    return {"type": kind, "choices": "\n".join(filter(None, choices)), "default": ""}


def survey(name: str, stages: Iterable[str], is_of_one_run: bool) -> dict[str, Any]:
    """``is_of_one_run``: not of a workflow, whose answers reach each of its jobs. A plan has the survey of its run."""
    found = [
        option
        for option in OPTIONS.values()
        if set(stages) & set(option.asked) and (is_of_one_run or not (option.for_one_run or option.is_secret))
    ]
    title = name.replace("_", " ")
    return {"name": title, "description": f"What differs from run to run: {title}", "spec": [*map(question, found)]}


def made() -> str:
    surveys = {
        **{name: survey(name, stages, True) for name, stages in RUNS.items()},
        "workflow": survey("workflow", WORKFLOW, False),
    }
    asking = {name: one for name, one in surveys.items() if one["spec"]}  # AWX refuses a survey without questions
    return HEAD + yaml.dump(
        {"awx_surveys": asking}, Dumper=SurveyDumper, sort_keys=False, width=110, allow_unicode=True
    )


def main() -> int:
    text, check = made(), "--check" in sys.argv
    if FILE.exists() and FILE.read_text() == text:
        return 0
    if not check:
        FILE.write_text(text)
    print(f"{'stale: run make docs' if check else 'written'}: {FILE.name}")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main())
