"""A check of the user's own: how it is read, run, ended, and shown without secrets."""

from __future__ import annotations

import os
import sys
import time

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.own_check import (
    CheckRefused,
    arguments_of,
    end_of,
    failure,
    phase_after,
    shown,
)
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import bounded
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.checks import run_check
from hypothesis import given
from hypothesis import strategies as st

TOKEN = "s3cret&<token>!with#signs"


def test_a_string_is_split_as_a_shell_does_it_and_a_list_is_taken_as_it_is():
    assert arguments_of("make test NAME='two words'") == ["make", "test", "NAME=two words"]
    assert arguments_of(["pytest", "-k", "a b", 3]) == ["pytest", "-k", "a b", "3"]


@pytest.mark.parametrize("command", ["", [], [""], "make 'test", {"cmd": "make"}, None])
def test_what_is_no_command_is_refused(command):
    with pytest.raises(CheckRefused):
        arguments_of(command)


def test_the_check_follows_the_canary_where_others_follow_and_the_last_batch():
    batches = [["app1"], ["app2", "app3"], ["app4"]]
    assert [phase_after(batches, batch) for batch in batches] == ["canary", "", "all"]
    assert phase_after([["app1"]], ["app1"]) == "all"


@pytest.mark.parametrize(
    "written",
    [
        TOKEN,
        "s3cret%26%3Ctoken%3E%21with%23signs",
        "s3cret&amp;&lt;token&gt;!with#signs",
        "s3cret\\u0026\\u003ctoken\\u003e!with#signs",
    ],
)
def test_a_secret_is_masked_however_it_is_written(written):
    assert masked(f"AUTH {written} failed", [TOKEN]) == "AUTH *** failed"


def test_the_login_of_a_cache_url_is_masked_whoevers_it_is():
    assert masked("got 'redis://:hunter2@old:6379/0'", []) == "got 'redis://:***@old:6379/0'"


@given(st.from_regex(r"[A-Za-z0-9!&#$^<>-]{16,40}", fullmatch=True), st.text(), st.text())
def test_no_secret_survives_masking(secret, before, after):
    assert secret not in masked(f"{before}{secret}{after}", [secret])


def test_only_the_end_of_a_long_output_is_shown_and_that_it_is_the_end_is_said():
    end = end_of("\n".join(f"line {number}" for number in range(100)), [])
    assert end.splitlines()[0] == "[...]"
    assert end.splitlines()[-1] == "line 99"
    assert len(end.splitlines()) == 21
    assert end_of("\x1b[31mred\x1b[0m\n", []) == "red"


def test_a_secret_that_the_end_begins_in_is_masked_before_the_end_is_cut():
    assert TOKEN[-8:] not in end_of(f"{TOKEN}{'x' * 1995}", [TOKEN])


def test_a_command_is_shown_as_one_would_type_it_and_without_the_token():
    assert shown(["curl", "-H", f"X: {TOKEN}"], [TOKEN]) == "curl -H 'X: ***'"


def test_the_failure_names_the_check_its_option_and_the_end_of_its_output():
    said = failure({"command": "make it", "phase": "all", "rc": 2, "seconds": 3.2, "output": "one\ntwo"})
    assert said.startswith("The check `make it` (migration_check_command) failed after the last batch: it ended with 2")
    assert said.endswith("  | one\n  | two")


def test_the_failure_of_a_check_that_took_too_long_names_the_option_to_change():
    said = failure({"command": "make it", "phase": "canary", "rc": -15, "seconds": 3, "timed_out": True, "timeout": 3})
    assert "after the canary" in said
    assert "migration_check_timeout" in said


def run(script, timeout=10, say=lambda seconds: None, **environment):
    return bounded.run([sys.executable, "-c", script], {**os.environ, **environment}, timeout, say)


def test_what_a_program_prints_and_its_status_are_told():
    ended = run("import os, sys; print(os.environ['WORD'], flush=True); sys.exit('and why')", WORD="here")
    assert (ended.rc, ended.timed_out) == (1, False)
    assert ended.output.splitlines() == ["here", "and why"]


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    child = tmp_path / "child"
    began = time.monotonic()
    script = f"sleep 60 & echo $! >{child}; echo begun; wait"
    ended = bounded.run(["sh", "-c", script], dict(os.environ), 3, lambda seconds: None)
    assert ended.timed_out
    assert ended.output == "begun\n"
    assert time.monotonic() - began < 40
    assert ends(int(child.read_text()))


def ends(pid, seconds=10):
    """A process that was killed is there for a moment yet."""
    until = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_running(pid)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_program_leaves_behind_does_not_hold_up_the_run():
    began = time.monotonic()
    ended = run("import subprocess; p = subprocess.Popen(['sleep', '30']); print(p.pid)")
    os.kill(int(ended.output), 9)
    assert ended.rc == 0
    assert time.monotonic() - began < 20


def test_a_long_run_says_how_long_it_lasts(monkeypatch):
    monkeypatch.setattr(bounded, "LINE_EVERY", 0.2)
    said = []
    run("import time; time.sleep(1.2)", say=said.append)
    assert len(said) >= 2
    assert said == sorted(said)


# --- the whole of it ---


def check(command, timeout=30, is_look=False, **variables):
    return run_check(command, "all", timeout, variables, [TOKEN], is_look=is_look)


def test_a_check_that_passes_has_its_variables_and_those_of_the_controller(monkeypatch):
    monkeypatch.setenv("MORE", "of the controller")
    told = check(["sh", "-c", "echo $MIGRATION_PHASE $MORE"], MIGRATION_PHASE="all")
    assert told["passed"] and told["output"] == "all of the controller"


def test_a_check_that_fails_tells_its_end_without_secrets():
    told = check(["sh", "-c", f"echo AUTH '{TOKEN}'; echo redis://:hunter2@old:6379/0; exit 4"])
    assert not told["passed"] and "failed after the last batch: it ended with 4" in told["msg"]
    assert "AUTH ***" in told["output"] and TOKEN not in repr(told) and "hunter2" not in repr(told)


def test_a_check_that_takes_too_long_has_failed_and_names_its_option():
    told = check("sleep 60", timeout=1)
    assert not told["passed"] and "it still ran after 1 s (migration_check_timeout), and was ended" in told["msg"]


def test_a_look_at_a_check_runs_nothing(tmp_path):
    assert check(["touch", str(tmp_path / "made")], is_look=True)["passed"]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("command", "timeout", "told"),
    [
        ("no-such-program --fast", 30, "has no program no-such-program to run"),
        ("make 'it", 30, "cannot be split into words"),
        ("true", 0, "migration_check_timeout is 0"),
    ],
)
def test_a_look_tells_what_cannot_be_run(command, timeout, told):
    seen = check(command, timeout, is_look=True)
    assert not seen["passed"] and told in seen["msg"]
