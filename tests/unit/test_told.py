"""JSON of a program that is not trusted."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.told import NotAsAgreed, Told, parsed


@pytest.mark.parametrize("said", [b"", b"{", b"\xff", b"[NaN]", b"[-Infinity]", b"[" * 100_000, b'{"a": 1} {}'])
def test_what_is_no_json_is_refused_without_being_quoted(said):
    with pytest.raises(NotAsAgreed, match=r"^it is no JSON$"):
        parsed(said)


@pytest.mark.parametrize(
    "verb, value",
    [
        ("text", 1),
        ("text", None),
        ("truth", 1),
        ("truth", "true"),
        ("whole", 1.0),
        ("whole", True),
        ("whole", 2**63),
        ("number", True),
        ("number", "1"),
        ("number", 10**400),
        ("texts", "text"),
        ("texts", ["a", 1]),
        ("wholes", [1, "2"]),
        ("part", []),
        ("parts", {}),
        ("parts", [1]),
    ],
)
def test_a_value_of_another_type_is_refused(verb, value):
    with pytest.raises(NotAsAgreed):
        getattr(Told({"x": value}), verb)("x")


def test_a_value_of_its_type_is_given():
    told = Told({"t": "a", "b": False, "w": 3, "n": 2, "ts": ["a", "b"], "p": {"q": [{"r": 1}]}, "none": None})
    assert (told.text("t"), told.truth("b"), told.whole("w"), told.number("n")) == ("a", False, 3, 2.0)
    assert told.texts("ts") == ("a", "b") and told.part("p").parts("q")[0].whole("r") == 1
    assert told.has("t") and not told.has("none") and not told.has("nothing")


def test_a_text_is_shown_as_it_may_be_and_cut():
    told = Told({"t": "secret " * 1000, "a": "10.0.0.1", "no": "secret", "kind": "timeout", "evil": "secret"}, shown)
    assert told.text("t").startswith("*** ***") and len(told.text("t")) == 2000
    assert told.word("kind", ["timeout"]) == "timeout" and told.word("evil", ["timeout"]) == "unknown"
    assert told.address("a") == "10.0.0.1" and told.address("no") == "***"


def shown(text: str) -> str:
    return text.replace("secret", "***").replace("10", "***")
