"""The YAML of roles and playbooks says who runs where and in which order, and decides nothing.

An expression may name a variable, a part of it, or a literal; ask whether something is `in` a list, is equal to
something, is there at all (`length > 0`), or is `not` so; and fill in what is missing (`default`) or put a list into
a name (`join`). All else is a decision, and belongs into plugins/module_utils/decide: a choice (`if`, `and`, `or`), a
computation, a filter that makes other data, a lookup, a test, a fact that is set.
"""

from __future__ import annotations

import pathlib

import jinja2
import pytest
import yaml
from jinja2 import nodes

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPRESSIONS = frozenset(("when", "failed_when", "changed_when", "until", "that"))  # without their braces
FACTS = frozenset(("set_fact", "ansible.builtin.set_fact"))
FILTERS = frozenset(("default", "length", "join"))
COMPARISONS = frozenset(("in", "notin", "eq"))
PARTS = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.List,
         nodes.Dict, nodes.Pair, nodes.Not, nodes.Operand)  # fmt: skip
FILES = [
    path
    for folder in ("roles/*/tasks", "roles/*/handlers", "roles/*/vars", "roles/*/defaults", "playbooks/**", ".")
    for path in sorted(ROOT.glob(f"{folder}/*.yml"))
    if not path.name.startswith(".")
]


def decides(expression: str) -> list[str]:
    """What of a template is a decision, each by the name that Jinja has for it."""
    return [_named(node) for node in _all(jinja2.Environment().parse(expression)) if not _is_plain(node)]


def _all(node: nodes.Node):
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _is_plain(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter):
        return node.name in FILTERS
    if isinstance(node, nodes.Compare):
        return {operand.op for operand in node.ops} <= COMPARISONS or _asks_whether_any(node)
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, nodes.Const)
    return isinstance(node, PARTS)


def _asks_whether_any(node: nodes.Compare) -> bool:
    [operand, *more] = node.ops
    is_length = isinstance(node.expr, nodes.Filter) and node.expr.name == "length"
    return is_length and not more and operand.op == "gt" and getattr(operand.expr, "value", None) == 0


def _named(node: nodes.Node) -> str:
    name = getattr(node, "name", "") or ",".join(operand.op for operand in getattr(node, "ops", ()))
    return f"{type(node).__name__} {name}".strip()


def found_in(value, key=""):
    """Every decision and every fact that is set in a piece of YAML."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in FACTS:
                yield name
            yield from found_in(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from found_in(part, key)
    elif isinstance(value, str):
        template = f"{{{{ {value} }}}}" if key in EXPRESSIONS else value
        yield from (f"{key}: {value.strip()}: {what}" for what in decides(template))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_yaml_decides_anything(path):
    assert list(found_in(yaml.safe_load(path.read_text()))) == []


def test_the_roles_and_playbooks_are_looked_at():
    names = {str(path.relative_to(ROOT)) for path in FILES}
    assert {"roles/move/tasks/main.yml", "roles/rollback/tasks/main.yml", "playbooks/tasks/app_hosts.yml"} <= names


@pytest.mark.parametrize(
    "plain",
    [
        "a text without an expression",
        "{{ __move_known }}",
        "{{ __move_plan.plan }}",
        "{{ groups['app'] | default([]) | length > 0 }}",
        "{{ inventory_hostname in __move_turn.put_back | default([]) }}",
        "{{ inventory_hostname in __move_plan.survey }}",
        "{{ not __move_plan.acts }}",
        "Move {{ __move_batch | join(', ') }}",
    ],
)
def test_what_names_a_thing_is_no_decision(plain):
    assert decides(plain) == []


@pytest.mark.parametrize(
    "decision",
    [
        "{{ 'a' if b else 'c' }}",
        "{% if b %}a{% endif %}",
        "{{ a and b }}",
        "{{ a or b }}",
        "{{ a + b }}",
        "{{ a ~ b }}",
        "{{ -a }}",
        "{{ a < 3 }}",
        "{{ a | length > 2 }}",
        "{{ a | length }} of {{ b | length - 1 }}",
        "{{ a != b }}",
        "{{ a | map(attribute='b') }}",
        "{{ a | select }}",
        "{{ a | bool }}",
        "{{ a | kempian.cache_migration.cutover_batches }}",
        "{{ lookup('env', 'HOME') }}",
        "{{ a is defined }}",
        "{{ a[b] }}",
        "{{ a[1:] }}",
    ],
)
def test_what_chooses_or_computes_is_one(decision):
    assert decides(decision) != []


def test_a_condition_is_an_expression_and_a_fact_is_a_decision_wherever_it_stands():
    tasks = [{"block": [{"ansible.builtin.set_fact": {"a": 1}, "when": ["a", "a and b"]}]}]
    assert list(found_in(tasks)) == ["ansible.builtin.set_fact", "when: a and b: And"]
