"""A plan as a page: what people read, and that nothing a host has named can pass for a part of it."""

from __future__ import annotations

import re

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import Page, code, escaped, tally
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import (
    CHANGE,
    MAKE,
    NOTE,
    REMOVE,
    RESTART,
    Step,
)
from hypothesis import given
from hypothesis import strategies as st

STEPS = [
    Step("", "replication group shop-cache", reason="CreateReplicationGroup, it is not there", kind=MAKE),
    Step("app1", "/opt/shop/.env REDIS_URL", "redis://:***@old:6379/0", "rediss://:***@new:6379/0", kind=CHANGE),
    Step("app1", "restart shop", disruptive=True, kind=RESTART),
    Step("", "security group old", kind=REMOVE),
    Step("", "ledger", reason="remember", kind=NOTE),
]
HEADING = re.compile(r"^#+ .*", re.M)


def test_the_tally_counts_what_is_changed_and_no_notes():
    assert tally(STEPS) == "Plan: 1 to make, 1 to change, 1 to restart, 1 to remove."
    assert tally(STEPS, ["no"]).endswith("It is refused, so nothing of it is done.")


def test_each_kind_has_its_section_and_the_command_comes_last():
    page = Page(
        "Migrate", "cutover-1", STEPS, [["app1"]], notes=["a note"], cost=["a cost"], command="do it"
    ).markdown()
    assert HEADING.findall(page) == [
        "# Migrate",
        "## Made (1)",
        "## Changed (1)",
        "## Restarted (1)",
        "## Removed (1)",
        "## Also done (1)",
        "## Hosts, a batch at a time",
        "## Cost",
        "## Found",
        "## To have exactly this done",
    ]
    assert "`redis://:***@old:6379/0` → `rediss://:***@new:6379/0`" in page
    assert "Digest: `cutover-1`" in page and "    do it" in page


def test_what_is_refused_comes_first_and_cannot_be_approved():
    page = Page("Migrate", "cutover-1", STEPS, refusals=["one\nand more", "two"]).markdown()
    assert HEADING.findall(page)[1] == "## Refused"
    assert "- one\n- and more\n- two\n" in page
    assert "cutover-1" not in page


@given(st.text())
def test_no_text_of_a_host_becomes_a_part_of_the_page(text):
    def page(word):
        steps = [Step(word, word, word, word, word, kind=kind) for kind in (MAKE, CHANGE)]
        return Page("T", "d", steps, [[word]], [word], [word], [f"a cost, {word}"]).markdown()

    usual, with_text = page("x"), page(text)
    assert HEADING.findall(with_text) == HEADING.findall(usual)
    of_refusal = text.count("\n")  # each line of a reason is one of the list
    assert len(with_text.split("\n")) == len(usual.split("\n")) + of_refusal


@given(st.text(alphabet="`a |\n"))
def test_code_is_one_line_and_ends_where_it_says(text):
    shown = code(text)
    fence = re.match("`+", shown)[0]
    assert "\n" not in shown and shown.endswith(fence)
    inside = shown[len(fence) : -len(fence)]
    assert max((len(ticks) for ticks in re.findall("`+", inside)), default=0) < len(fence)


def test_signs_of_markdown_and_html_are_text():
    assert escaped("<img src=x> [a](b) *c* `d`\n# e") == r"\<img src=x> \[a\](b) \*c\* \`d\` # e"
    assert escaped("# no heading") == r"\# no heading"
    assert escaped("see https://a.example or www.b.example") == r"see https:\//a.example or www\.b.example"
    assert code("a\u202eb") == "`a?b`", "it would be read the other way round"
