"""env_update with store: dotenv, as a task runs it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import url_in_file
from ansible_collections.kempian.cache_migration.plugins.modules import env_update

OLD, NEW = "redis://:old%2Fpw@old-redis.internal:6379/0", "rediss://:new%23token@new.cache.internal:6379/0"
TEXT = f"# the shop\nSECRET_KEY='s p'\nREDIS_URL={OLD}\nDEBUG=0\n"

Update = Callable[..., dict[str, Any]]


@pytest.fixture
def update(run_module: Any, file: Path, tmp_path: Path) -> Update:
    """Run the task on the file; what is not given is a change of REDIS_URL to the new URL."""

    def run(values: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        params = {"path": str(file), "migration_name": "test", "state_dir": str(tmp_path / "state"), **params}
        return dict(run_module(env_update.main, store="dotenv", values=values or {"REDIS_URL": NEW}, **params))

    return run


def journal_of(tmp_path: Path) -> list[dict[str, Any]]:
    return list(json.loads((tmp_path / "state" / "test" / "journal.json").read_text())["entries"])


def test_a_value_changes_and_every_other_byte_stays(update, file):
    result = update()
    assert result["changed"]
    assert file.read_text() == TEXT.replace(OLD, NEW)
    assert result["changes"]["REDIS_URL"] == {
        "before": "redis://:***@old-redis.internal:6379/0",
        "after": "rediss://:***@new.cache.internal:6379/0",
        "before_location": {"host": "old-redis.internal", "port": 6379, "tls": False, "database": 0},
        "after_location": {"host": "new.cache.internal", "port": 6379, "tls": True, "database": 0},
        "original_location": {"host": "old-redis.internal", "port": 6379, "tls": False, "database": 0},
        "action": "write",
        "journaled": True,
    }
    assert result["diff"] == {
        "before_header": str(file),
        "after_header": str(file),
        "before": "REDIS_URL=redis://:***@old-redis.internal:6379/0\n",
        "after": "REDIS_URL=rediss://:***@new.cache.internal:6379/0\n",
    }


def test_a_second_run_changes_nothing(update, file, tmp_path):
    update()
    before = file.stat(), journal_of(tmp_path)
    again = update()
    assert not again["changed"]
    assert again["changes"]["REDIS_URL"]["original_location"]["host"] == "old-redis.internal"
    assert again["changes"]["REDIS_URL"]["before_location"]["host"] == "new.cache.internal"
    assert (file.stat(), journal_of(tmp_path)) == before


def test_check_mode_says_what_a_run_does_and_writes_nothing(update, file, tmp_path):
    told = update(check_mode=True)
    assert file.read_text() == TEXT
    assert not (tmp_path / "state").exists()
    assert told == update()


def test_several_values_change_in_one_write(update, file):
    inode = file.stat().st_ino
    result = update({"REDIS_URL": NEW, "DEBUG": 1, "SECRET_KEY": "x y"})
    assert result["changed"]
    assert file.read_text() == TEXT.replace(OLD, NEW).replace("DEBUG=0", "DEBUG=1").replace("s p", "x y")
    assert file.stat().st_ino != inode
    assert result["changes"]["SECRET_KEY"]["after"] == "***"


def test_options_of_the_old_url_come_along_to_the_byte_and_masked(update, file, tmp_path):
    options = "?decode_responses=True&client_name=the%20shop"
    old = f"{OLD}{options}&db=0&password=older&ssl_cert_reqs=none"
    file.write_text(TEXT.replace(OLD, f'"{old}"'))
    told = update(keep_options=True, check_mode=True)
    assert not (tmp_path / "state").exists()
    result = update(keep_options=True)
    assert told == result
    assert file.read_text() == TEXT.replace(OLD, f'"{NEW}{options}"')
    shown = "rediss://:***@new.cache.internal:6379/0?decode_responses=True&client_name=***"
    assert result["changes"]["REDIS_URL"]["after"] == shown
    assert result["diff"]["after"] == f"REDIS_URL={shown}\n"
    assert "older" not in repr(result) and "the%20shop" not in repr(result)
    assert journal_of(tmp_path)[0]["written"] == [NEW + options]

    before = file.stat(), journal_of(tmp_path)
    again = update(keep_options=True)
    assert not again["changed"] and again["diff"]["after"] == ""
    assert (file.stat(), journal_of(tmp_path)) == before

    token = NEW.replace("token", "other")
    assert update({"REDIS_URL": token}, keep_options=True)["changed"]
    assert journal_of(tmp_path)[0]["written"] == [NEW + options, token + options]
    update({"REDIS_URL": None}, state="reverted", keep_options=True)
    assert file.read_text() == TEXT.replace(OLD, f'"{old}"')


def test_one_refused_value_keeps_all_from_changing(update, file):
    result = update({"DEBUG": "1", "REDIS_URI": NEW})
    assert result["failed"]
    assert file.read_text() == TEXT


# --- refusals ---


def test_a_missing_key_is_refused_with_the_file_and_near_names(update, file):
    message = update({"REDIS_URI": NEW})["msg"]
    assert f"REDIS_URI is not set in {file}" in message
    assert "near names in the file: REDIS_URL" in message
    assert "create: true" in message
    assert "new%23token" not in message


def test_all_missing_keys_are_told_at_once_each_with_what_is_near(update, file):
    file.write_text("REDIS_HOST=a\nREDIS_PORT=1\n# CACHE=x\n")
    message = update({"REDIS_HOTS": "b", "REDIS_PORT": "2", "CACHE": "c"})["msg"]
    assert f"REDIS_HOTS, CACHE are not set in {file}" in message
    assert (
        "REDIS_HOTS: near names in the file: REDIS_HOST" in message and "CACHE: line 3 has it as a comment" in message
    )
    assert file.read_text().startswith("REDIS_HOST=a\nREDIS_PORT=1\n")


def test_a_missing_file_is_refused(update, tmp_path):
    message = update(path=str(tmp_path / "nothing.env"))["msg"]
    assert "nothing.env does not exist" in message
    assert "create: true" in message


def test_a_value_that_is_not_the_expected_one_is_refused_and_not_shown(update, file):
    result = update(expected={"REDIS_URL": "redis://:else@elsewhere:6379/0"})
    assert "somebody has changed it" in result["msg"]
    assert "old%2Fpw" not in result["msg"]
    assert file.read_text() == TEXT


def test_the_expected_value_lets_the_change_through_and_again_afterwards(update):
    assert update(expected={"REDIS_URL": OLD})["changed"]
    assert not update(expected={"REDIS_URL": OLD})["changed"]


def test_a_value_that_no_reader_reads_the_same_is_refused(update, file):
    message = update({"REDIS_URL": "redis://:a'b$c@h:1/0"})["msg"]
    assert "ruby, compose and sh would replace a part of REDIS_URL" in message and "a'b" not in message
    assert file.read_text() == TEXT


def test_a_line_that_some_readers_take_otherwise_is_refused_by_its_number_until_they_are_ruled_out(update, file):
    file.write_text(f"A=1\nREDIS_URL={OLD} # cache\n")
    for check_mode in (True, False):
        message = update(check_mode=check_mode)["msg"]
        assert f"{file} was not changed" in message
        assert "line 2 has a comment behind the value" in message
        assert "django-environ, python-decouple and systemd would read another value for REDIS_URL" in message
        assert "read by python-dotenv, node, ruby, compose and sh alone, name those in dialect" in message
        assert "old%2Fpw" not in message and "new%23token" not in message
    assert update(dialect=["python-dotenv", "sh"])["changed"]
    assert file.read_text() == f"A=1\nREDIS_URL={NEW} # cache\n"


def test_a_hard_link_is_refused_in_check_mode_too(update, file, tmp_path):
    os.link(file, tmp_path / "second")
    for check_mode in (True, False):
        assert "hard links" in update(check_mode=check_mode)["msg"]


def test_a_directory_in_place_of_the_file_is_refused(update, tmp_path):
    assert "is not a regular file" in update(path=str(tmp_path))["msg"]


UNIT = f"[Unit]\nDescription=shop\n[Service]\nEnvironment=REDIS_URL={OLD}\nExecStart=/opt/shop/serve\n"
PROGRAM = f'[program:shop]\ncommand=/opt/shop/serve\nenvironment=REDIS_URL="{OLD}"\n'
COMPOSE = f"services:\n  shop:\n    environment:\n      REDIS_URL: {OLD}\n      - A=1\n"


@pytest.mark.parametrize("key", ["REDIS_URL", "Environment", "environment"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (UNIT, "is a systemd unit and no .env file, .* EnvironmentFile="),
        (PROGRAM, "is a configuration of supervisor and no .env file, .*sh -c"),
        (COMPOSE, "is a file of docker compose and no .env file, .* env_file:"),
    ],
    ids=["unit", "supervisor", "compose"],
)
def test_a_file_of_another_kind_is_refused_by_what_it_is_with_the_way_out(update, file, text, said, key):
    file.write_text(text)
    assert update({key: NEW}, state="absent")["failed"]
    message = update({key: NEW}, create=True)["msg"]
    assert re.match(f"{file} {said}", message) and "REDIS_URL=" not in message
    assert file.read_text() == text
    with pytest.raises(EndpointError, match=said):
        url_in_file(str(file), key)


@pytest.mark.parametrize("line", ["services='x'", "# [Service]", "A='\n[Service]\nservices:\n'", "[shop]"])
def test_a_dotenv_file_with_such_words_in_it_is_none_of_another_kind(update, file, line):
    file.write_text(f"{line}\n{TEXT}")
    assert update()["changed"]
    assert file.read_text() == f"{line}\n{TEXT}".replace(OLD, NEW)


def test_a_broken_journal_stops_the_change(update, file, tmp_path):
    (tmp_path / "state" / "test").mkdir(parents=True)
    (tmp_path / "state" / "test" / "journal.json").write_text("{")
    assert "cannot be read" in update()["msg"]
    assert file.read_text() == TEXT


# --- back ---


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        "\ufeffREDIS_URL='one'\nREDIS_URL=\"two\" # last\nexport REDIS_URL = three",
        "REDIS_URL= # none yet\nB=1",
        "broken 'line\n\nREDIS_URL='a\nb'\n",
        "REDIS_URL= old\n",
    ],
)
def test_a_reverted_file_is_the_old_one_byte_for_byte(update, file, text):
    file.write_bytes(text.encode())
    for value in (NEW, "rediss://:other%24@new.cache.internal:6379/0", "with 'quotes'", ""):
        assert update({"REDIS_URL": value}, dialect=["python-dotenv"])["changed"]
    assert update({"REDIS_URL": None}, state="reverted")["changed"]
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize("text", [TEXT, "A=1\r\nB=2", "", "REDIS_URI=x\nREDIS_URL=1\nREDIS_URL=2"])
def test_what_was_removed_comes_back_in_its_place(update, file, text):
    file.write_bytes(text.encode())
    names = {"REDIS_URL": None, "B": None}
    assert update(names, state="absent")["changed"] == bool(text)
    assert "REDIS_URL=" not in file.read_text()
    update(names, state="reverted")
    assert file.read_bytes() == text.encode()


@pytest.mark.parametrize("text", [TEXT, "A=1", "A=1\r\nB=2\r\n", ""])
def test_what_was_added_is_gone_after_reverting(update, file, text):
    file.write_bytes(text.encode())
    update({"NEW_ONE": "1", "NEW_TWO": "2"}, create=True, dialect=["python-dotenv"])
    update({"NEW_THREE": "3"}, create=True, dialect=["python-dotenv"])
    assert "NEW_TWO=2" in file.read_text()
    update({"NEW_ONE": None, "NEW_TWO": None, "NEW_THREE": None}, state="reverted")
    assert file.read_bytes() == text.encode()


def test_a_file_that_was_made_is_private_and_gone_after_reverting(update, tmp_path):
    made = tmp_path / "made.env"
    assert update(path=str(made), create=True)["changed"]
    assert made.read_text() == f"REDIS_URL={NEW}\n"
    assert made.stat().st_mode & 0o777 == 0o600
    assert update(path=str(made), state="reverted")["changed"]
    assert not made.exists()


def test_what_was_removed_and_added_again_comes_back_with_its_line(update, file):
    update(state="absent")
    update(create=True)
    update(state="reverted")
    assert file.read_text() == TEXT


def test_a_value_that_somebody_has_changed_since_is_not_reverted(update, file):
    update({"REDIS_URL": NEW, "DEBUG": "1"})
    file.write_text(file.read_text().replace(NEW, "redis://:theirs@third:6379/0"))
    edited = file.read_bytes()
    result = update({"DEBUG": None, "REDIS_URL": None}, state="reverted")
    assert "somebody has changed it since" in result["msg"]
    assert "theirs" not in result["msg"]
    assert file.read_bytes() == edited


def test_other_lines_and_comments_that_somebody_has_changed_since_stay(update, file):
    update()
    file.write_text("FIRST=1\n" + file.read_text().replace(NEW, f"{NEW}  # moved").replace("DEBUG=0\n", ""))
    update(state="reverted")
    assert file.read_text() == f"FIRST=1\n# the shop\nSECRET_KEY='s p'\nREDIS_URL={OLD}  # moved\n"


def test_reverting_without_a_journal_changes_nothing_and_says_so(update, file):
    result = update(state="reverted")
    assert not result["changed"]
    assert "no entry" in result["changes"]["REDIS_URL"]["message"]
    assert result["changes"]["REDIS_URL"]["original_location"] is None
    assert file.read_text() == TEXT


def test_reverting_twice_changes_nothing_the_second_time(update):
    update()
    assert update(state="reverted")["changed"]
    assert not update(state="reverted")["changed"]


def test_each_migration_has_its_own_journal(update, file):
    update()
    result = update(state="reverted", migration_name="another")
    assert not result["changed"]
    assert NEW in file.read_text()


def test_after_reverting_a_later_change_records_the_original_afresh(update, file, tmp_path):
    update()
    update(state="reverted")
    file.write_text(TEXT.replace(OLD, "redis://third:6379/0"))
    update()
    assert [entry["original"] for entry in journal_of(tmp_path)] == ["redis://third:6379/0"]


def test_a_rerun_never_takes_its_own_value_for_the_original(update, tmp_path):
    update()
    update({"REDIS_URL": "rediss://:third@new.cache.internal:6379/0"})
    assert [entry["original"] for entry in journal_of(tmp_path)] == [OLD]


def test_the_journal_is_readable_by_its_owner_alone(update, tmp_path):
    os.umask(0)
    try:
        update()
    finally:
        os.umask(0o022)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").rglob("*")}
    assert modes == {"env_update.lock": 0o600, "test": 0o700, "journal.json": 0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


# --- links ---


def test_a_symbolic_link_stays_and_its_target_is_replaced(update, file, tmp_path):
    link = tmp_path / "current.env"
    link.symlink_to(file)
    assert update(path=str(link))["changed"]
    assert link.is_symlink()
    assert file.read_text() == TEXT.replace(OLD, NEW)


def test_a_change_through_a_link_is_reverted_through_the_file(update, file, tmp_path):
    link = tmp_path / "current.env"
    link.symlink_to(file)
    update(path=str(link))
    assert update(state="reverted")["changed"]
    assert file.read_text() == TEXT
