"""Tokens and the old password are in nothing printed, no process list and no file but theirs, also after a crash."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import time
import urllib.parse
from contextlib import contextmanager

import pytest

from sandbox.moments import Moment

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

PROGRAMS = pathlib.Path(__file__).parent / "programs"
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SECRET = "kempian/sandbox/cache-token"
LOUD = ("-vvvv", "--diff")
ENV, JOURNAL = "/opt/shop/.env", "/var/lib/cache_migration/sandbox/journal.json"
# Where Ansible and modules put files while they work, on hosts and on the controller.
WORKPLACES = ["/tmp", "/var/tmp", "/dev/shm", "/root", "/home", "/run/user", "/opt/shop", "/var/lib/cache_migration"]


def canary() -> str:
    """A token of AWS's form with every special character that may be in one, so that encoding it changes it."""
    return "Canary!&#$^<>-" + secrets.token_hex(12)


def forms(name: str, secret: str) -> dict[str, str]:
    """What a secret looks like where it leaks: as it is, in URLs, in JSON, in HTML, and inside of base64."""
    found = {
        "raw": secret,
        "url": urllib.parse.quote(secret, safe=""),
        "json": secret.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        "html": secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    }
    for form in ("raw", "url"):
        for shift in range(3):  # what is before it in the same text moves it against base64's groups of three bytes
            encoded = base64.b64encode(b"\0" * shift + found[form].encode()).decode()
            found[f"base64 of {form}, {shift}"] = encoded[4 * (shift > 0) : len(encoded) // 4 * 4 - 4]
    return {f"{name} ({form})": text for form, text in found.items()}


def test_every_form_of_a_secret_is_recognised():
    token = canary()
    texts = {
        "raw": f"x{token}",
        "url": f"rediss://:{urllib.parse.quote(token, safe='')}@host",
        "base64": base64.b64encode(f"rediss://:{token}@host".encode()).decode(),
        "base64 of a URL": base64.b64encode(
            f"REDIS_URL=rediss://:{urllib.parse.quote(token, safe='')}@h".encode()
        ).decode(),
        "json": json.dumps({"token": token}),
    }
    for name, text in texts.items():
        assert any(needle in text for needle in forms("token", token).values()), name


class Guard:
    """Watches and searches hosts and controller for the secrets of a stage."""

    def __init__(self, stage, temporary: pathlib.Path) -> None:
        self.stage, self.temporary = stage, temporary
        self.needles: dict[str, str] = {}
        self.since = time.time() - 1
        self.watched: list[dict] = []

    def knows(self, name: str, secret: str) -> None:
        self.needles.update(forms(name, secret))

    def printed(self, run) -> list[str]:
        return [name for name, text in self.needles.items() if text in run.text]

    @contextmanager
    def watching(self):
        """Hosts and controller are watched meanwhile; what was seen is in `watched`."""
        script = (PROGRAMS / "watch.py").read_text()
        order = {"needles": self.needles, "since": self.since, "skip": ["venv", "__pycache__", ".cache"]}
        folders = [str(self.temporary), os.path.expanduser("~/.ansible"), str(CHECKOUT / "build")]
        here = [sys.executable, "-c", script]
        places = {
            "controller, processes": (here, {"processes": True, "folders": []}),
            "controller, files": (here, {"processes": False, "folders": folders}),
        }
        for host in self.stage.hosts:
            command = self.stage.sandbox.host_command(host, ["python3", "-c", script])
            places[host] = (command, {"processes": True, "folders": WORKPLACES})
        running = {}
        for place, (command, more) in places.items():
            watch = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            watch.stdin.write(json.dumps({**order, **more}) + "\n")
            watch.stdin.flush()
            assert watch.stdout.readline() == "watching\n"
            running[place] = watch
        try:
            yield
        finally:
            said = {place: watch.communicate("\n", timeout=120)[0] for place, watch in running.items()}
        for place, text in said.items():
            report = {"place": place, **json.loads(text)}
            self.watched.append(report)
            print(
                "watched {place}: {rounds} rounds, {readings} readings of {processes} processes, {files} files, "
                "in {seconds} s: {leaks}".format(**report)
            )

    def search(self) -> list[list[str]]:
        """Every file that has changed since the beginning, on all file systems of hosts and in Ansible's folders."""
        script = (PROGRAMS / "search.py").read_text()
        order = {"needles": self.needles, "since": self.since, "skip": []}
        found = []
        for host in self.stage.hosts:
            asked = json.dumps({**order, "roots": ["/"]}).encode()
            done = self.stage.sandbox.run(host, ["python3", "-c", script], input=asked)
            found += [[host, *each] for each in self.told(host, done)]
        ansible = os.path.expanduser("~/.ansible")
        roots = ["/tmp", "/var/tmp", "/dev/shm", ansible, str(CHECKOUT / "build"), str(self.temporary)]
        asked = json.dumps({**order, "roots": roots, "skip": [str(self.stage.sandbox.state.parent)]}).encode()
        done = subprocess.run([sys.executable, "-c", script], input=asked, capture_output=True, check=False)
        return found + [["controller", *each] for each in self.told("controller", done)]

    @staticmethod
    def told(place: str, done) -> list[list[str]]:
        assert done.returncode == 0, done.stderr.decode()
        result = json.loads(done.stdout)
        print(
            f"searched {place}: {result['files']} files ({result['bytes']} bytes) that have changed, "
            f"{result['log_bytes']} bytes of log: {len(result['found'])} hits"
        )
        assert result["files"] > 0
        return result["found"]


def elsewhere(found: list[list[str]]) -> list[list[str]]:
    """Without the places where a secret belongs: the app's own file, and its journal, for root alone."""
    belongs = {(ENV, "0o640"), (JOURNAL, "0o600")}
    return [each for each in found if (each[2], each[3]) not in belongs]


@pytest.fixture(scope="module")
def guard(stage, tmp_path_factory):
    """What Ansible and its modules put into a temporary folder of the controller, they put into one that is watched."""
    temporary = tmp_path_factory.mktemp("temporary")
    guard = Guard(stage, temporary)
    guard.knows("old password", urllib.parse.unquote(re.search(r"://:([^@]+)@", stage.parameter())[1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        yield guard


@pytest.fixture(scope="module")
def token(stage, guard):
    return put(stage, guard, "token")


def put(stage, guard, name: str) -> str:
    value = canary()
    stage.sandbox.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=value)
    guard.knows(name, value)
    return value


@pytest.fixture(scope="module")
def plan(stage, guard, token):
    with guard.watching():
        return stage.migrate("--check", *LOUD)


@pytest.fixture(scope="module")
def crashed_module(stage, guard, plan):
    """A module that carries the token is killed in its middle, on the second host."""
    host, flag = stage.hosts[1], "/run/kill-a-module"
    script = (PROGRAMS / "kill_module.py").read_text()
    command = stage.sandbox.host_command(host, ["python3", "-c", script])
    killer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    killer.stdin.write(f"{flag}\n")
    killer.stdin.flush()
    assert killer.stdout.readline() == "waiting\n"
    now = tuple(stage.sandbox.host_command(host, ["touch", flag]))
    with guard.watching():
        run = stage.migrate(*LOUD, moments=[Moment("move | Move the host", occurrence=2, command=now)])
    said, _ = killer.communicate(timeout=130)
    return {"run": run, "killed": said, "found": guard.search()}


@pytest.fixture(scope="module")
def crashed_run(stage, guard, crashed_module):
    """ansible-playbook itself is killed while a module that carries the token runs."""
    with guard.watching():
        run = stage.migrate(*LOUD, moments=[Moment("move | Move the host", occurrence=2, after=0.3)])
    time.sleep(3)  # what it had begun on the hosts goes on for a moment
    return {"run": run, "found": guard.search()}


@pytest.fixture(scope="module")
def migrated(stage, guard, crashed_run):
    with guard.watching():
        return stage.migrate(*LOUD)


@pytest.fixture(scope="module")
def rotated(stage, guard, migrated):
    put(stage, guard, "second token")
    with guard.watching():
        run = stage.play("playbooks/rotate.yml", *LOUD)
    return {"run": run, "found": guard.search()}


@pytest.fixture(scope="module")
def back(stage, guard, rotated):
    with guard.watching():
        run = stage.play("playbooks/rollback.yml", *LOUD)
    return {"run": run, "found": guard.search()}


def test_a_leak_would_be_seen(stage, guard, token):
    """The proof of the proof: a process and a file that hold the token are found on each host and the controller."""
    leaky = "import sys, time; open(sys.argv[1], 'w').write(sys.argv[2]); time.sleep(3)"
    before = len(guard.watched)
    with guard.watching():
        leaks = [
            subprocess.Popen(stage.sandbox.host_command(host, ["python3", "-c", leaky, "/tmp/leak", token]))
            for host in stage.hosts
        ]
        leaks.append(
            subprocess.Popen([sys.executable, "-c", leaky, str(guard.temporary / "leak"), token], env={"LEAK": token})
        )
        for leak in leaks:
            leak.wait(30)
        time.sleep(1)
    for report in guard.watched[before:]:
        kinds = {leak.partition(" in ")[2].partition(":")[0] for leak in report["leaks"] if leak.startswith("token")}
        wanted = {"controller, files": {"file"}, "controller, processes": {"command line", "environment"}}
        assert wanted.get(report["place"], {"command line", "file"}) <= kinds, report
    del guard.watched[before:]
    found = guard.search()
    assert {place for place, *_ in elsewhere(found)} == {*stage.hosts, "controller"}
    for host in stage.hosts:
        stage.sandbox.run(host, ["rm", "/tmp/leak"], check=True)
    (guard.temporary / "leak").unlink()


@pytest.fixture(scope="module")
def runs(plan, crashed_module, crashed_run, migrated, rotated):
    """All but the last one, `back`."""
    return [plan, crashed_module["run"], crashed_run["run"], migrated, rotated["run"]]


def test_the_runs_did_what_they_were_to_do(runs, crashed_module, back):
    codes = [run.code for run in [*runs, back["run"]]]
    assert codes == [0, codes[1], -9, 0, 0, 0]
    assert codes[1] > 0 and "killed" in crashed_module["killed"]


def test_nothing_that_is_printed_shows_a_secret(guard, runs, back):
    runs = [*runs, back["run"]]
    print(f"printed: {sum(len(run.text) for run in runs)} characters of {len(runs)} runs at -vvvv")
    assert [guard.printed(run) for run in runs] == [[]] * len(runs)


def test_no_process_shows_a_secret_and_no_file_holds_one_while_modules_run(guard, back):
    # The app's file, its journal, and either of them complete and about to get its name.
    belongs = re.compile(
        rf"file: ({re.escape(ENV)}|{re.escape(JOURNAL)}|.*/\.(\.env|journal\.json)\.cache-migration-\w+)$"
    )
    leaks = {f"{report['place']}: {leak}" for report in guard.watched for leak in report["leaks"]}
    assert sorted(leak for leak in leaks if not belongs.search(leak)) == []
    assert min(report["rounds"] for report in guard.watched) > 5


@pytest.mark.parametrize("after", ["crashed_module", "crashed_run", "rotated", "back"])
def test_no_file_is_left_with_a_secret(request, after):
    assert elsewhere(request.getfixturevalue(after)["found"]) == []


def test_in_aws_they_are_in_the_secret_the_value_and_secure_strings_alone(stage, guard, rotated):
    ssm = stage.sandbox.client("ssm")
    names = [
        each["Name"] for page in ssm.get_paginator("describe_parameters").paginate() for each in page["Parameters"]
    ]
    holding = {}
    for name in names:
        parameter = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        if any(text in parameter["Value"] for text in guard.needles.values()):
            holding[name] = parameter["Type"]
    assert set(holding.values()) <= {"SecureString"}, holding


@pytest.mark.parametrize("option", ["ANSIBLE_KEEP_REMOTE_FILES", "ANSIBLE_DISPLAY_ARGS_TO_STDOUT", "ANSIBLE_DEBUG"])
def test_options_of_ansible_that_would_show_or_leave_secrets_are_refused(stage, guard, back, monkeypatch, option):
    monkeypatch.setenv(option, "1")
    run = stage.migrate(*LOUD)
    assert run.code != 0 and option in run.said()
    assert run.writes == [] and guard.printed(run) == []
