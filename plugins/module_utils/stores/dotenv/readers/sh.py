# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A POSIX shell that has the file as a script of its own (``. ./.env``).

Rests on the Shell Command Language of POSIX (XCU 2.2 Quoting, 2.3 Token Recognition, 2.9.1 Simple Commands, 2.14
Special Built-In Utilities), as dash has it. Assignments are read; whatever else a line does is kept as it is written,
as far as it leaves variables alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    REPLACED,
    Reading,
    Unknown,
    Unreadable,
)

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_BLANKS = " \t"
QUERY = "& "  # before the name of what is none: a name with a blank is nobody's
_ENDS_OF_WORD = _BLANKS + "\n;&|<>()"
_ESCAPED_IN_QUOTES = '$`"\\'
_EXPANDS = re.compile(r"\$[A-Za-z0-9_*@#?$!({-]")
# They change what the shell does with the lines that follow, or which variables there are.
_PROGRAM = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "for",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "{",
        "}",
        "!",
        "in",
        ".",
        "eval",
        "exec",
        "exit",
        "return",
        "unset",
        "readonly",
        "alias",
        "trap",
        "break",
        "continue",
        "shift",
    ]
)


@dataclass
class _Word:
    """``raw`` is as written, ``value`` without quotes, with a mark before what is replaced."""

    raw: str
    value: str

    @property
    def name(self) -> str:
        found = _ASSIGNMENT.match(self.raw)
        return found.group()[:-1] if found else ""

    @property
    def command(self) -> str:
        """Which command it is where it comes first; an assignment is none."""
        return "" if self.name else self.value


@dataclass
class _Command:
    start: int
    words: list[_Word] = field(default_factory=list)
    is_simple: bool = True  # no operator but a line's end or a semicolon
    follows: bool = False  # what was put into the background on the same line


def sh(text: str) -> Reading:
    """What is left to a file that is no script: an unquoted blank ends the value, and what follows is a command."""
    if "\0" in text:
        raise Unknown("it has a NUL in it")
    values: Reading = {}
    position, follows = 0, False
    while position < len(text):
        command, position = _command(text, position)
        command.follows = follows
        follows = text[position - 1] == "&"
        _obey(command, text[command.start : position], values)
    return values


def _obey(command: _Command, raw: str, values: Reading) -> None:
    words = command.words
    if not words:
        return
    _refuse_program(command)
    exports = words[0].command == "export"
    settings = words[1:] if exports else words
    if exports:
        _refuse_bad_names(settings)
    if command.is_simple and (exports or all(word.name for word in settings)):
        # The query of a URL without quotes: A=redis://h?a=1&b=2 sets b, which no app asks for.
        for word in settings:
            prefix = QUERY if command.follows and word is words[0] else ""
            if word.name:
                values[prefix + word.name] = _globbed(word) if exports else word.value
        return
    is_query = raw.endswith("&") and all(word.name for word in settings)
    values[(QUERY if is_query else REPLACED) + raw.strip()] = ""
    if not command.is_simple:
        values.update({word.name: REPLACED + raw.strip() for word in words if word.name})


def _refuse_program(command: _Command) -> None:
    first, *rest = command.words
    is_program = first.command in _PROGRAM or REPLACED in first.command
    if not command.is_simple:
        is_program = is_program or first.command in (":", "export", "set") or any(one.raw in _PROGRAM for one in rest)
    if is_program or any(word.command in _PROGRAM for word in rest if first.name):
        raise Unknown("it has a line that is more of a program")


def _refuse_bad_names(words: list[_Word]) -> None:
    for word in words:
        if REPLACED in word.value or "=" in word.value.lstrip("="):
            if not word.name:
                raise Unknown("it exports what is replaced first")
        elif not word.name and not _NAME.match(word.value):
            raise Unreadable("it exports what is no name, where a shell ends")


def _globbed(word: _Word) -> str:
    """What is unquoted after export is a pattern of file names in some shells."""
    return REPLACED + word.value if re.search(r"[*?\[]", word.raw) and word.raw[-1] not in "'\"" else word.value


def _command(text: str, position: int) -> tuple[_Command, int]:
    """Up to the end of the line, a semicolon, or what puts it in the background."""
    command = _Command(position)
    while position < len(text):
        sign = text[position]
        if sign in _BLANKS:
            position += 1
        elif text.startswith("\\\n", position):
            position += 2
        elif sign == "#":
            position = _end_of_line(text, position)
        elif sign == "\n":
            return command, position + 1
        elif sign in ";&" and text[position + 1 : position + 2] != sign:
            if not command.words:
                raise Unreadable(f"a {sign} follows no command")
            command.is_simple = command.is_simple and sign == ";"
            return command, position + 1
        elif sign in "()" or text.startswith(";;", position) or text.startswith("<<", position):
            _refuse_operator(text, position, command)
        elif sign in "&|<>":
            command.is_simple = False
            position = _after_operator(text, position, command)
        else:
            word, position = _word(text, position)
            command.words.append(word)
    return command, position


def _after_operator(text: str, position: int, command: _Command) -> int:
    sign, pair = text[position], text[position : position + 2]
    after = position + (2 if pair in ("&&", "||", ">>", "<>", ">|") else 1)
    rest = text[after:].lstrip(_BLANKS)[:1]
    if sign in "&|" and not command.words:
        raise Unreadable("an operator follows no command")
    if (sign in "<>" and not command.words) or pair in ("<&", ">&") or (rest and rest in "\n#<>" and sign in "&|"):
        raise Unknown("it has a line that is more of a program")
    if not rest or rest in _ENDS_OF_WORD + "#":
        raise Unreadable("nothing follows an operator")
    return after


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _refuse_operator(text: str, position: int, command: _Command) -> None:
    is_function = text[position] == "(" and text[position + 1 :].lstrip(_BLANKS).startswith(")")
    if is_function or text[position] == "<" or (text[position] == "(" and not command.words):
        raise Unknown("it has a line that is more of a program")
    raise Unreadable("it has a parenthesis or a double semicolon where a shell ends")


def _word(text: str, start: int) -> tuple[_Word, int]:
    position, parts = start, [""]
    named = _ASSIGNMENT.match(text, start)
    if named:
        position = named.end()
    first = position
    while position < len(text) and text[position] not in _ENDS_OF_WORD:
        sign = text[position]
        if sign == "\\":
            escaped = text[position + 1 : position + 2]
            parts.append("" if escaped == "\n" else escaped or "\\")
            position += 2
        elif sign == "'":
            close = text.find("'", position + 1)
            if close < 0:
                raise Unreadable("a quote is never closed")
            parts.append(text[position + 1 : close])
            position = close + 1
        elif sign == '"':
            position = _quoted(text, position + 1, parts)
        elif sign == "~" and (position == first or text[position - 1] == ":"):
            parts.append(REPLACED + sign)
            position += 1
        else:
            position = _expansion_or_sign(text, position, parts)
    return _Word(text[start:position], "".join(parts)), min(position, len(text))


def _quoted(text: str, position: int, parts: list[str]) -> int:
    while position < len(text) and text[position] != '"':
        escaped = text[position + 1 : position + 2]
        if text[position] == "\\" and escaped and escaped in _ESCAPED_IN_QUOTES + "\n":
            parts.append("" if escaped == "\n" else escaped)
            position += 2
        else:
            position = _expansion_or_sign(text, position, parts)
    if position >= len(text):
        raise Unreadable("a quote is never closed")
    return position + 1


def _expansion_or_sign(text: str, position: int, parts: list[str]) -> int:
    if text[position] != "`" and not _EXPANDS.match(text, position):
        parts.append(text[position])
        return position + 1
    end = _end_of_expansion(text, position)
    parts.append(REPLACED + text[position:end])
    return end


def _end_of_expansion(text: str, position: int) -> int:
    """Of ``$NAME``, ``${…}``, ``$(…)`` or what is between backquotes; one within another is not followed."""
    if text[position] == "`":
        close, inner = text.find("`", position + 1), position + 1
    elif text[position + 1] in "{(":
        close, inner = text.find("}" if text[position + 1] == "{" else ")", position), position + 2
    else:
        return position + 2
    if close < 0:
        raise Unreadable("an expansion is never closed")
    if re.search(r"[\"'`\\$({\n]", text[inner:close]):
        raise Unknown("it has an expansion within another")
    return close + 1
