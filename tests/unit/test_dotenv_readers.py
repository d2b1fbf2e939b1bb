"""What the readers of .env files take otherwise, and what is done about it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import edit
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.agreement import (
    Dialect,
    DialectError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import REPLACED
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.table import READERS
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.text import DotenvError

EVERYBODY = tuple(READERS)


def changed(text: str, value: str = "new", dialect: tuple[str, ...] = ()) -> str:
    return edit.with_value(dotenv.parse(text.encode()), "A", value, Dialect(dialect)).text


def refusal(text: str, value: str = "new", dialect: tuple[str, ...] = ()) -> str:
    with pytest.raises(DotenvError) as refused:
        changed(text, value, dialect)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("export A=redis://h:6379/0 B=1\n", "line 1 has .* more than a value on it"),
        ("A=redis://h:6379/0 B=1\n", "sh would read B otherwise"),
        ("A=old run this\n", "sh would lose what stands on the line beside the value"),
        ("A=old?b=1&run this\n", "sh would "),
        ("B=1\nA=old\nA: theirs\n", "line 3 names it in a way that some readers .* node, ruby and compose would read"),
        ("A=old\nA\n", "line 2 names it .* python-dotenv would not find A"),
        ("A=old # c\n", "line 1 has a comment .* django-environ, python-decouple and systemd would read another value"),
        ("A = old\n", "line 1 has a blank beside its ="),
        ("  A=old\n", "line 1 begins with a blank"),
        ("export A=old\n", "line 1 has export before the name.* python-decouple and systemd would not find A"),
        ("A=old\r\n", "line 1 ends with a carriage return.* sh would read another value"),
        ("A=o\\\nB=1\n", "goes on in the next"),
        ("\ufeffA=old\n", "begins with a byte order mark"),
    ],
)
def test_a_line_that_readers_take_otherwise_is_refused_by_its_number_and_by_who_differs(text, said):
    assert re.search(said, refusal(text)), refusal(text)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("A=old\nexport A=old\n", "A=new\nexport A=new\n"),  # systemd and python-decouple take the first
        ("export A=old\nA=old\n", "export A=old\nA=new\n"),  # all take the last
        ("A=1\nB=2\nA=3\n", "A=1\nB=2\nA=new\n"),
        ("A=redis://h?a=1&b=2\n", "A=new\n"),  # though a shell sets b
    ],
)
def test_every_line_that_some_reader_takes_is_changed_and_no_other(text, after):
    assert changed(text) == after


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('{"a": [1, 2]}', """'{"a": [1, 2]}'"""),
        ("it's", '"it\'s"'),
        ("p#w", "'p#w'"),
        ("p$w", "'p$w'"),
        ("a\\b", "'a\\b'"),
        ("u?a=1&b=2", "'u?a=1&b=2'"),
        ("", "''"),
    ],
)
@pytest.mark.parametrize("style", ['"old"', "'old'"])
def test_a_value_is_written_so_that_all_read_it(value, written, style):
    assert changed(f"A={style}\n", value) in (f"A={written}\n", f"A={style[0]}{value}{style[0]}\n")


@pytest.mark.parametrize(
    ("value", "dialect", "written"),
    [
        ("it's $5", ("python-dotenv",), "'it\\'s $5'"),
        ("${B}", ("node", "systemd", "sh"), "'${B}'"),
        ("$x y", ("python-dotenv", "sh"), "'$x y'"),
        ('it\'s "x"', ("systemd", "sh"), '"it\'s \\"x\\""'),
    ],
)
def test_a_dialect_lets_a_value_be_written_that_the_others_would_take_otherwise(value, dialect, written):
    assert "read by" in refusal("A=old\n", value)
    assert changed("A=old\n", value, dialect) == f"A={written}\n"


@pytest.mark.parametrize(("value", "dialect"), [("it's $5", ("sh", "systemd")), ("\\'", ("python-decouple",))])
def test_a_value_that_the_journal_would_not_know_again_is_refused(value, dialect):
    assert "this module, which reads as python-dotenv does" in refusal("A=old\n", value, dialect)


def test_a_refusal_names_who_agrees_and_that_dialect_is_taken():
    said = refusal("A=old # c\n")
    agreed = said.split("read by ")[1].split(" alone")[0].replace(" and ", ", ").split(", ")
    assert changed("A=old # c\n", dialect=tuple(agreed)) == "A=new # c\n"


@pytest.mark.parametrize("text", ["A=old\nS=a(b\n", "A=old\nS='open\n", "A=old\nnot a name\n", "A=old\nB=pa${5\n"])
def test_who_ends_with_an_error_on_the_file_is_no_reader_of_it_unless_named(text):
    assert changed(text).startswith("A=new\n")
    failing = [name for name in READERS if "would read nothing of the file" in refused_or_not(text, name)]
    assert failing and set(failing) <= {"sh", "compose"}


def refused_or_not(text: str, name: str) -> str:
    try:
        return changed(text, dialect=(name,))
    except DotenvError as refused:
        return str(refused)


def test_what_refers_to_a_changed_key_stays_as_it_is_written():
    assert changed("A=old\nB=${A}/1\n") == "A=new\nB=${A}/1\n"


def test_a_removed_key_is_gone_for_all_or_refused():
    document = dotenv.parse(b"A=1\nA: 2\nB=3\n")
    with pytest.raises(DotenvError, match="node, ruby and compose would still find A"):
        edit.without(document, "A")
    assert edit.without(document, "A", Dialect(("python-dotenv", "systemd"))).text == "A: 2\nB=3\n"


@pytest.mark.parametrize(("text", "value"), [("A='x' B=1\n", None), ("A=old\nexport A=new\n", "new")])
def test_what_is_so_for_one_reader_already_is_refused_where_it_is_not_for_another(text, value):
    with pytest.raises(DotenvError, match="would not be the same to all readers"):
        edit.refuse_unless_agreed(dotenv.parse(text.encode()), "A", value)


def test_a_reader_that_nobody_knows_is_refused_with_those_that_are_known():
    with pytest.raises(DialectError, match="dialect names dotenv: use python-dotenv, django-environ"):
        Dialect(("dotenv",))


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "A=1", "A=1\n# \\\nB=2\n"])
def test_every_reader_reads_plain_files_alike(name, text):
    for read in READERS[name]:
        had = read(text)
        assert had.get("A") == ("1" if "A=1" in text else None)
        assert not [value for value in had.values() if REPLACED in value]


def test_a_comment_that_ends_with_a_backslash_takes_the_next_line_along_for_older_systemd():
    since, before = (read("# c \\\nA=1\nB=2\n") for read in READERS["systemd"])
    assert (since, before) == ({"A": "1", "B": "2"}, {"B": "2"})


def test_an_escape_without_quotes_is_one_for_newer_ruby():
    newer, older = (read("A=a\\b\n") for read in READERS["ruby"])
    assert (newer, older) == ({"A": "ab"}, {"A": "a\\b"})


@pytest.mark.parametrize(
    ("token", "value"), [("'it\\'s'", "it's"), ("'a\\\\b'", "a\\\\b"), ('"a\\\\\\"b"', 'a\\"b'), ('"a\\\'b"', "a\\'b")]
)
def test_compose_takes_a_backslash_away_before_the_quote_that_is_around_the_value(token, value):
    (read,) = READERS["compose"]
    assert read(f"A={token}\n") == {"A": value}
