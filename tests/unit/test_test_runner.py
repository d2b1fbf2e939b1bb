from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/test"
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """The test runner as a module, with a folder for results of its own."""
    loader = importlib.machinery.SourceFileLoader("test_runner_script", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    monkeypatch.setitem(sys.modules, loader.name, module)
    loader.exec_module(module)
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    return module


@pytest.fixture
def run(runner, tmp_path):
    """Run pytest, as a part, on this text."""

    def run(text):
        (tmp_path / "test_some.py").write_text(text)
        part = runner.pytest_part("some", str(tmp_path))
        command = (*part.command, "-p", "no:cacheprovider", "-c", "/dev/null")
        said = []
        return runner.Runner(said.append).run(runner.replace(part, command=command, environment=QUICK)), "\n".join(said)

    return run


def test_tests_are_counted_and_every_skip_has_its_reason(run):
    outcome, _ = run(
        "import pytest\ndef test_one(): pass\ndef test_two(): pass\ndef test_three(): pytest.skip('no valkey here')\n"
    )
    assert outcome.ok and (outcome.passed, outcome.failed) == (2, 0)
    assert [skip.endswith("test_three: no valkey here") for skip in outcome.skips] == [True]


def test_a_part_with_a_failed_test_fails_and_shows_its_output(run):
    outcome, said = run("def test_one(): assert 6 * 7 == 41\ndef test_two(): pass\n")
    assert not outcome.ok and (outcome.passed, outcome.failed) == (1, 1)
    assert "6 * 7" in said


def test_a_test_that_cannot_be_set_up_counts_as_failed(run):
    outcome, _ = run("def test_one(nothing_like_this): pass\n")
    assert not outcome.ok and (outcome.passed, outcome.failed) == (0, 1)


def test_a_part_without_tests_says_so_and_is_no_failure(run, runner, tmp_path):
    outcome, _ = run("")
    assert outcome.ok and outcome.note == "no tests yet"
    nothing = runner.Runner(lambda line: None).run(runner.pytest_part("none", str(tmp_path / "absent")))
    assert nothing.ok and "yet" in nothing.note


def test_a_part_that_is_none_of_pytests_is_judged_by_its_exit_status(runner):
    quiet = runner.Runner(lambda line: None)
    assert quiet.run(runner.Part("good", ("true",))).ok
    assert not quiet.run(runner.Part("bad", ("false",))).ok


def test_a_part_that_cannot_run_here_is_a_skip_with_its_reason(runner):
    part = runner.Part("core", ("sh", "-c", "echo no Python 3.12 is here; exit 77"))
    outcome = runner.Runner(lambda line: None).run(part)
    assert outcome.ok and outcome.skips == ("all of core: no Python 3.12 is here",)


def test_a_part_that_this_machine_cannot_have_is_a_skip_with_its_reason(runner):
    part = runner.Part("e2e-machines", ("false",), blocked="machines: no: not root")
    outcome = runner.Runner(lambda line: None).run(part)
    assert outcome.ok and outcome.skips == ("all of e2e-machines: machines: no: not root",)


def test_the_table_has_a_line_for_every_part(runner):
    outcomes = [
        runner.Outcome(runner.Part("lint", ("true",)), ok=True, seconds=8.4),
        runner.Outcome(runner.Part("unit", ("pytest",)), ok=False, seconds=3.2, note="interrupted"),
    ]
    lines = runner.table(outcomes).splitlines()
    assert lines[1].split() == ["lint", "8", "ok"]
    assert lines[2].split() == ["unit", "3", "FAILED", "interrupted"]


SCENARIOS = {
    "some": "import pytest\ndef test_short(): pass\n@pytest.mark.long\ndef test_long(): pass\n",
    "short_one": "def test_short(): pass\n",
    "marked": "import pytest\npytestmark = [pytest.mark.long, pytest.mark.timeout(9)]\ndef test_long(): pass\n",
    "each": "import pytest\n@pytest.mark.timeout(9)\n@pytest.mark.long\ndef test_long(): pass\n",
    "with": "@pytest.mark.parametrize('x', [1, pytest.param(2, marks=pytest.mark.long)])\ndef test_x(x): pass\n",
}


@pytest.fixture
def scenarios(runner, tmp_path, monkeypatch):
    folder = tmp_path / "tests/e2e"
    folder.mkdir(parents=True)
    for name, text in SCENARIOS.items():
        (folder / f"test_{name}.py").write_text(text)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(runner, "LONGEST", ("some", "each"))


def test_every_scenario_is_a_part_and_the_longest_begins_first(runner, scenarios):
    assert [part.name for part in runner.e2e_parts()] == ["e2e-some", "e2e-short-one", "e2e-with"]
    assert runner.e2e_parts()[1].command == ("pytest", "-q", "tests/e2e/test_short_one.py", "-m", "not long")


def test_the_long_run_has_a_part_for_each_scenario_with_tests_that_are_marked_long(runner, scenarios):
    parts = runner.e2e_parts(long=True)
    assert [part.name for part in parts] == ["long-some", "long-each", "long-marked", "long-with"]
    assert {part.environment["SANDBOX_STATE"].rpartition("-")[2] for part in parts} == {"long"}


def test_every_part_of_every_change_is_in_the_long_run_too(runner):
    names = {part.name for part in runner.parts_of_the_long_run()}
    for part in runner.parts_of_every_change():
        assert part.name in names or {f"{part.name}-machines", f"{part.name}-processes"} <= names


def test_a_name_chooses_its_part_or_all_that_begin_with_it_and_an_unknown_one_is_refused(runner):
    parts = [runner.Part(name, ("true",)) for name in ("unit", "e2e-kills", "e2e-migrate")]
    assert [part.name for part in runner.choose(parts, ["e2e"])] == ["e2e-kills", "e2e-migrate"]
    assert [part.name for part in runner.choose(parts, ["e2e-migrate", "unit"])] == ["unit", "e2e-migrate"]
    with pytest.raises(SystemExit, match=r"no part e2; there are unit, e2e-kills"):
        runner.choose(parts, ["e2"])
