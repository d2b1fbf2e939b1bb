from __future__ import annotations

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import dotenv.parser
import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import edit
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as editor
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.agreement import Dialect
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.quoting import QuotingError
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

# --- readers other than ours ---


def read_by_python_dotenv(content: bytes) -> dict[str, str | None]:
    """As load_dotenv does: text mode with universal newlines, `${NAME}` replaced."""
    return dotenv.dotenv_values(stream=io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def read_by_sh(content: bytes, key: str, folder: Path) -> str:
    file = folder / "sourced.env"
    file.write_bytes(content)
    script = f'set -a; . "{file}"; printf "%s" "${key}"'
    return subprocess.run(["sh", "-c", script], check=True, capture_output=True, env={}).stdout.decode()


# --- material ---

FRAGMENTS = st.sampled_from(
    [
        *("A", "B", "export ", "export", "=", " ", "\t", "\n", "\r\n", "\r", "'", '"', "\\", "#", "$", "${A}", "x"),
        *("\ufeff", "\x85", "\x1c", "é", "A=1\n", "B='2'\n", 'A="3"\r\n', "# note\n", "'A'=4\n", "\u2028", "=;", "`"),
    ]
)
ENV_TEXT = st.lists(FRAGMENTS, max_size=25).map("".join)
SETTING_A = st.sampled_from(["\nA=1\n", "\nexport A = '2' # c\n", '\r\nA="3\n4"\r\n', "\nA=1\nA=2"])
ENV_TEXT_WITH_A = st.tuples(ENV_TEXT, SETTING_A, ENV_TEXT).map("".join)
VALUES = st.text(
    st.one_of(st.sampled_from("abcXYZ019 #$'\"\\`{}()&;|<>*?[]~!%:/@=+,.-\tn"), st.characters(codec="utf-8")),
    max_size=25,
)
STYLES = st.sampled_from(["A=old\n", "A='old'\n", 'A="old"\n', "A=\n", "A='x'\nA=old\n", "B=1\nA='o l d'"])


# --- lossless ---


@given(st.binary(max_size=200))
@example(b"\xff\xfeA\x00=\x00")
@example(b"A=1\r\nB='two\r\nlines'\r\n\r\n# end")
def test_whatever_the_bytes_are_they_come_back(content):
    assert editor.parse(content).render() == content


@given(ENV_TEXT)
def test_text_that_looks_like_a_dotenv_file_comes_back(text):
    content = text.encode()
    assert editor.parse(content).render() == content


@given(ENV_TEXT)
@settings(max_examples=400)
@example("A='it\\'s' # x\n")
@example("'A' = 1\nexport =3\nA= # c\nB=#c\nA='x\ny' z\nB=1")
def test_every_binding_is_read_as_python_dotenv_reads_it(text):
    assume(not text.startswith("\ufeff\ufeff"))
    universal = text.replace("\r\n", "\n").replace("\r", "\n")
    theirs = [(b.key, b.value) for b in dotenv.parser.parse_stream(io.StringIO(universal)) if b.value is not None]
    pieces = [piece for piece in editor.parse(text.encode()).pieces if piece.key is not None]
    # A quoted name may hold a newline, which is no use to anybody: it stays as it is written.
    ours = [(piece.key.replace("\r\n", "\n").replace("\r", "\n"), piece.value) for piece in pieces]
    assert ours == theirs


# --- editing ---


@given(STYLES, VALUES)
@settings(max_examples=300)
def test_an_edited_value_is_read_by_python_dotenv_as_it_was_given(text, value):
    try:
        content = edit.with_value(editor.parse(text.encode()), "A", value).render()
    except (QuotingError, editor.DotenvError):
        assume(False)
    assert read_by_python_dotenv(content)["A"] == value


@given(STYLES, VALUES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_edited_value_is_read_by_a_shell_as_it_was_given(tmp_path, text, value):
    try:
        content = edit.with_value(editor.parse(text.encode()), "A", value).render()
    except (QuotingError, editor.DotenvError):
        assume(False)
    assert read_by_sh(content, "A", tmp_path) == value


@given(ENV_TEXT_WITH_A, VALUES)
def test_an_edit_changes_no_other_byte_or_is_refused(text, value):
    document = editor.parse(text.encode())
    assume(document.bindings("A"))
    try:
        edited = edit.with_value(document, "A", value)
    except (QuotingError, editor.DotenvError):
        return
    assert without_tokens_of_a(edited) == without_tokens_of_a(document)


def without_tokens_of_a(document: editor.Document) -> list[editor.Piece]:
    return [replace(piece, token="") if piece.key == "A" else piece for piece in document.pieces]


@given(ENV_TEXT_WITH_A, VALUES)
def test_putting_the_old_token_back_gives_the_old_bytes(text, value):
    document = editor.parse(text.encode())
    assume(document.bindings("A"))
    tokens = [piece.token for _place, piece in document.bindings("A")]
    try:
        edited = edit.with_value(document, "A", value)
    except (QuotingError, editor.DotenvError):
        return
    assert editor.with_tokens(edited, "A", tokens) == document


@given(ENV_TEXT_WITH_A)
def test_lines_taken_out_and_put_in_again_give_the_old_bytes(text):
    # Without the line between them a lone CR and an LF would become one newline.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Nor is a byte order mark one when it is not at the start; without the first line it would be.
    text = text[:1] + text[1:].replace("\ufeff", "")
    document = editor.parse(text.encode())
    assume(document.bindings("A"))
    lines = [(place, piece.text) for place, piece in document.bindings("A")]
    try:
        emptied = editor.without(document, "A")
    except editor.DotenvError:
        return
    assert emptied.value("A") is None
    assert editor.inserted(emptied, lines).text == document.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("REDIS_URL=redis://old:6379/0\n", "REDIS_URL=rediss://new:6379/0\n"),
        ("REDIS_URL='redis://old:6379/0'\n", "REDIS_URL='rediss://new:6379/0'\n"),
        ('REDIS_URL="redis://old:6379/0"\n', 'REDIS_URL="rediss://new:6379/0"\n'),
        ("export REDIS_URL=old", "export REDIS_URL=rediss://new:6379/0"),
        ("REDIS_URL = old  # the cache\r\n", "REDIS_URL = rediss://new:6379/0  # the cache\r\n"),
        ("REDIS_URL= # the cache\n", "REDIS_URL=rediss://new:6379/0 # the cache\n"),
        ("\ufeffREDIS_URL=old\nB=1\n", "\ufeffREDIS_URL=rediss://new:6379/0\nB=1\n"),
        ("REDIS_URL='two\nlines' # c\nB=1", "REDIS_URL='rediss://new:6379/0' # c\nB=1"),
        ("REDIS_URL=first\nREDIS_URL=last\n", "REDIS_URL=first\nREDIS_URL=rediss://new:6379/0\n"),
        ("not a line\n\n  REDIS_URL=old\n", "not a line\n\n  REDIS_URL=rediss://new:6379/0\n"),
    ],
)
def test_a_line_keeps_its_own_manner(before, after):
    by = Dialect(("python-dotenv",))
    edited = edit.with_value(editor.parse(before.encode()), "REDIS_URL", "rediss://new:6379/0", by)
    assert edited.render() == after.encode()


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("A=old\n", "p#w", "A='p#w'\n"),
        ("A=old\n", "p w", "A='p w'\n"),
        ('A="old"\n', "p$w", "A='p$w'\n"),
        ("A='old'\n", "it's", 'A="it\'s"\n'),
        ('A="old"\n', 'a"b\\c', "A='a\"b\\c'\n"),  # Node keeps a backslash within double quotes
        ('A="old"\n', '{"a": 1}', "A='{\"a\": 1}'\n"),
        ("A=old\n", "", "A=\n"),
    ],
)
def test_another_quoting_is_taken_only_where_the_readers_would_differ(before, value, after):
    assert edit.with_value(editor.parse(before.encode()), "A", value).text == after


@pytest.mark.parametrize("value", ["it's $5", "two\nlines", "${HOME}", "nul\0", "\udcff", "a`b'c", "\\\\$"])
def test_a_value_that_no_quoting_can_hold_is_refused_without_showing_it(value):
    with pytest.raises((QuotingError, editor.DotenvError)) as refused:
        edit.with_value(editor.parse(b"A=old\n"), "A", value)
    assert "A " in str(refused.value)
    assert value not in str(refused.value)


def test_an_edit_that_would_close_a_quote_left_open_above_is_refused():
    document = editor.parse(b'B="never closed\nA=old\nC=1\n')
    with pytest.raises(editor.DotenvError, match="never closed"):
        edit.with_value(document, "A", 'say "x"', Dialect(("python-dotenv",)))


def test_an_edit_of_a_value_that_a_shell_continues_on_the_next_line_is_refused():
    with pytest.raises(editor.DotenvError, match="backslash"):
        edit.with_value(editor.parse(b"A=one\\\ntwo\n"), "A", "new")


# --- adding and explaining ---


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "A=new\n"),
        ("B=1\r\n", "B=1\r\nA=new\r\n"),
        ("B=1", "B=1\nA=new"),
        ("export B='1'\nexport C='2'\n", "export B='1'\nexport C='2'\nA='new'\n"),  # not all read an export
        ('B="1"\nC=2\nD="3"\n', 'B="1"\nC=2\nD="3"\nA="new"\n'),
    ],
)
def test_a_new_key_is_written_in_the_manner_of_the_file(before, after):
    by = () if "\r" not in before else ("python-dotenv", "node")
    assert edit.appended(editor.parse(before.encode()), "A", "new", Dialect(by)).text == after


def test_a_new_key_is_exported_as_all_others_are_where_its_readers_have_it_so():
    by = Dialect(("python-dotenv", "sh"))
    assert edit.appended(editor.parse(b"export B=1\n"), "A", "new", by).text == "export B=1\nexport A=new\n"


def test_a_name_that_no_shell_accepts_is_not_added():
    with pytest.raises(editor.DotenvError, match="cannot be added"):
        edit.appended(editor.parse(b""), "NOT-A-NAME", "x")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("REDIS_URI=x\nOTHER=y\n", "near names in the file: REDIS_URI"),
        ("redis_url=x\n", "near names in the file: redis_url"),
        ("\n# REDIS_URL=x\n", "line 2 has it as a comment"),
        ("A=1\nREDIS_URL='x' y\n", "line 2 sets it in a way that python-dotenv cannot read"),
        ("", "the file sets nothing"),
        ("A=1\nB=2\n", "the file sets A, B"),
        ("A=1\n" + "MIIEv" * 10 + "==\npostgres://u:pw@db/?x=1\n", "the file sets A, 2 more"),
        ("".join(f"K{number}=\n" for number in range(30)), "K19, 10 more"),
    ],
)
def test_the_absence_of_a_key_is_explained(text, hint):
    assert hint in editor.absence(editor.parse(text.encode()), "REDIS_URL")
