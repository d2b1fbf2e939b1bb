"""Edits of generated files, as the readers themselves have them, and what we say of them.

docker compose is asked for all files at once in the end, as it cannot be had to wait for the next one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    REPLACED,
    Reading,
    Unknown,
    Unreadable,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.sh import QUERY
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.table import READERS
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.store import FilePlan, plan_content
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Journal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.component.env_update.readers.installed import Installed
from tests.component.env_update.readers.real import Read, Reader, compose, systemd_library

FILES, FILES_OF_A_LONG_RUN, COMPOSE_AT_ONCE = 500, 20_000, 500
SHELLS_OWN = {"PWD", "OLDPWD", "PATH", "IFS", "_", "path"}

INSTALLED = {name: reads[-1] for name, reads in READERS.items()}  # where releases differ, the older is the last
if int(re.findall(r"shared-(\d+)", systemd_library())[0]) >= 254:
    INSTALLED["systemd"] = READERS["systemd"][0]

# --- files ---

PLAIN = st.from_regex(r"[A-Za-z0-9_@%+=:,./?-]{0,12}", fullmatch=True)
URL = st.sampled_from(["redis://:p%40ss@old:6379/0", "rediss://h:6380/1?a=1&b=2", "redis://old:6379"])
HARD = st.text(st.sampled_from("ab01 #$'\"\\`{}()&;|<>*?[]~!%:/@=+,.-\téß"), max_size=12)
NEW = st.one_of(
    URL, PLAIN, HARD, st.sampled_from(['{"url": "redis://h"}', "it's", "$5 off", "a\\nb", "${Y}", '"x"', "~/x"])
)
WRITTEN = st.one_of(
    URL,
    PLAIN,
    PLAIN.map(lambda value: f"'{value} x'"),
    PLAIN.map(lambda value: f'"{value}#"'),
    st.sampled_from(
        [
            '"a\\"b"',
            '"a\\nb"',
            "'two\nlines'",
            "My App",
            "p&q=1",
            "a(b",
            "x'y",
            "'open",
            '"open',
            "$Y",
            "a\\",
            "${Y:-x}",
            "",
        ]
    ),
)
KEY = st.sampled_from(["A", "A", "B", "C", "REDIS_URL"])
HEAD = st.sampled_from(["", "", "", "", "", "", "export ", "  "])
EQUALS = st.sampled_from(["=", "=", "=", "=", "=", "=", " = ", ": "])
TAIL = st.sampled_from(["", "", "", "", "", "", "", " # c", " ", " B=1"])
SETTING = st.builds("".join, st.tuples(HEAD, KEY, EQUALS, WRITTEN, TAIL))
SANE = st.builds("{}={}".format, KEY, st.one_of(URL, PLAIN, PLAIN.map(lambda value: f"'{value} x'")))
OTHER = st.sampled_from(["", "# note", "#A=1", "; x", "A", "not a name", "# c \\", "[part]", "X-Y=1", "X.Y=2"])
LINE = st.one_of(SANE, SANE, SANE, SETTING, OTHER)
TEXT = st.builds(
    lambda first, lines, end, last: end.join([*lines, first]) + (end if last else ""),
    SANE,
    st.lists(LINE, max_size=6),
    st.sampled_from(["\n", "\n", "\n", "\n", "\r\n"]),
    st.booleans(),
)
DIALECT = st.one_of(
    st.just(()), st.sets(st.sampled_from(list(READERS)), min_size=1).map(lambda names: tuple(sorted(names)))
)


@dataclass
class Case:
    """An edit that was made, and whom it was made for."""

    before: bytes
    after: bytes
    changed: Mapping[str, str | None]
    dialect: tuple[str, ...]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """python-dotenv warns of every line that it cannot read."""
    caplog.set_level("ERROR", "dotenv.main")


@dataclass
class Seen:
    files: int = 0
    refused: int = 0
    cases: list[Case] = field(default_factory=list)  # for compose


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def told(read: Read) -> Read:
    """Without what a shell has of its own, and what Go's reader makes of a last line without an end."""
    return None if read is None else {key: value for key, value in read.items() if key and key not in SHELLS_OWN}


def said(name: str, content: bytes) -> Reading | Unknown | None:
    try:
        found = INSTALLED[name](content.decode())
    except Unknown as unknown:
        return unknown
    except Unreadable:
        return None
    return {key: value for key, value in found.items() if key and not key.startswith((REPLACED, QUERY))}


def of_a_query(content: bytes) -> set[str]:
    """What a shell sets where a URL has no quotes around its query: no app asks for it."""
    return {name.decode() for name in re.findall(rb"&([A-Za-z_]\w*)=", content)}


def assert_is_what_we_say(name: str, content: bytes, has: Read) -> None:
    ours = said(name, content)
    if isinstance(ours, Unknown):
        return
    assert (ours is None) == (has is None), (name, content, ours, has)
    if ours is not None and has is not None:
        unknown = {key for key, value in ours.items() if REPLACED in value}
        unknown |= of_a_query(content) if name == "sh" else set()
        known = {key: value for key, value in ours.items() if key not in unknown}
        assert known == {key: value for key, value in has.items() if key not in unknown}, (name, content)


def assert_is_right(name: str, case: Case, had: Read, has: Read) -> None:
    if had is None and not case.dialect:
        return  # it ends with an error on the file as it is, so that it is nobody's reader of it
    assert had is not None and has is not None, (name, case)
    for key, value in case.changed.items():
        assert has.get(key) == value, (name, case)
    names = {key for key in {**had, **has} if not any(sign.isspace() for sign in key)} - set(case.changed)
    names -= of_a_query(case.before) if name == "sh" else set()
    assert {key: had.get(key) for key in names} == {key: has.get(key) for key in names}, (name, case)


def plan(
    content: bytes | None, journal: Journal, state: str, values: Mapping[str, str | None], dialect: tuple[str, ...]
) -> FilePlan:
    params = {"state": state, "values": values, "migration_name": "test", "create": True, "dialect": dialect}
    return plan_content(Request.from_params(params), "/.env", content, journal, "now")


def other_lines(content: bytes, keys: Mapping[str, str | None]) -> list[bytes]:
    """The lines that name none of the keys, and are not the second of a value of two lines."""
    others = [line for line in content.splitlines() if not any(key.encode() in line for key in keys)]
    return [line for line in others if not line.startswith(b"lines'")]


def go_through(files: int, real: Mapping[str, Reader], installed: Installed, folder: Path) -> Seen:
    """Set, remove and put back a value in so many files."""
    seen = Seen()

    @given(TEXT, KEY, NEW, DIALECT, st.sampled_from(["present", "present", "present", "absent"]))
    @settings(
        max_examples=files,
        deadline=None,
        database=None,
        derandomize=files == FILES,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def go(text: str, key: str, value: str, dialect: tuple[str, ...], state: str) -> None:
        before, changed = text.encode(), {key: value if state == "present" else None}
        seen.files += 1
        had = {name: told(read(written(folder / "before.env", before))) for name, read in real.items()}
        for name, read in had.items():
            assert_is_what_we_say(name, before, read)
        try:
            planned = plan(before, Journal(), state, {key: value}, dialect)
        except ChangeRefused:
            seen.refused += 1
            return
        after = planned.new_content or b""
        case = Case(before, after, changed, dialect)
        for name in set(dialect or READERS) & set(real):
            has = told(real[name](written(folder / "after.env", after)))
            assert_is_what_we_say(name, after, has)
            assert_is_right(name, case, had[name], has)
        assert other_lines(after, changed) == other_lines(before, changed)
        back = plan(after, planned.journal_after, "reverted", {key: ""}, dialect)
        assert (back.new_content, back.journal_after) == (before, Journal())
        if said("compose", before) is not None:
            seen.cases.append(case)

    go()
    for start in range(0, len(seen.cases) if installed.compose else 0, COMPOSE_AT_ONCE):
        ask_compose(seen.cases[start : start + COMPOSE_AT_ONCE], installed, folder)
    return seen


def ask_compose(cases: list[Case], installed: Installed, folder: Path) -> None:
    contents = [content for case in cases for content in (case.before, case.after)]
    readable = [said("compose", content) is not None for content in contents]
    paths = [written(folder / f"{number}.env", content) for number, content in enumerate(contents)]
    answers = iter(compose(installed.compose, [path for path, is_one in zip(paths, readable) if is_one], folder))
    reads = [told(next(answers)) if is_one else None for is_one in readable]
    for content, has in zip(contents, reads):
        assert_is_what_we_say("compose", content, has)
    for number, case in enumerate(cases):
        if "compose" in (case.dialect or READERS):
            assert_is_right("compose", case, reads[2 * number], reads[2 * number + 1])


@pytest.mark.long
def test_every_chosen_reader_has_the_new_value_and_of_all_else_what_it_had(real, installed, tmp_path):
    seen = go_through(FILES, real, installed, tmp_path)
    assert seen.files >= FILES
    assert seen.files - seen.refused > FILES / 4 and len(seen.cases) > FILES / 5, seen


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_same_holds_for_very_many_files(real, installed, tmp_path):
    seen = go_through(FILES_OF_A_LONG_RUN, real, installed, tmp_path)
    assert seen.files >= FILES_OF_A_LONG_RUN


@pytest.mark.parametrize("text", ["A=1\nnot a name\n", "A='open\n", "A=pa${5}\n", "A=${B\n", "A=1\nexport "])
@pytest.mark.long
def test_compose_reads_nothing_of_a_file_of_which_we_say_so(installed, tmp_path, text):
    assert said("compose", text.encode()) is None
    if not installed.compose:
        pytest.skip("docker compose is not to be had here, so that no test has asked it")
    with pytest.raises(AssertionError, match=r"0\.env|line|zero length|unexpected|Invalid|invalid"):
        compose(installed.compose, [written(tmp_path / "0.env", text.encode())], tmp_path)


def test_no_lock_names_the_host_of_an_index():
    lock = Path(__file__).with_name("package-lock.json").read_text()
    assert (
        '"integrity": "sha512-' in lock
        and "resolved" not in lock
        and "://" not in lock.replace("https://dotenvx.com", "")
    )
