"""Caches asked through the app's own interpreter, which whoever is the app's user may have replaced."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import demoted
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_info, cache_probe

CHECKOUT = Path(__file__).parents[3]

TOKEN = "a-token-of-this-test!"
FORGED = {
    "checks": [{"name": "ansible_facts", "ok": True, "detail": f"it is {TOKEN}\x1b[2J", "ms": 1}],
    "server": {"engine": "evil", "version": "7", "role": "master", "mode": "standalone"},
    "client_address": "10.0.0.1",
    "latency_ms": {"p50": 1, "max": 2, "stolen": 3},
    "through": "redis-py a-token-of-this-test%21",
    "advice": [],
    "failure": None,
    "ansible_facts": {"migration_supervisorctl": ["/tmp/evil"]},
    "_ansible_verbose_always": True,
    "add_host": {},
}


@pytest.fixture
def probe(run_module):
    def run(**params):
        result = run_module(cache_probe.main, **{"timeout": 2.0, "user": "nobody", **params})
        assert TOKEN not in repr(result)
        return result

    return run


def saying(program, said: str) -> str:
    answer = program("")
    Path(answer).with_name("answer").write_text(said)
    Path(answer).write_text(f"#!/bin/sh\ncat >/dev/null\ncat {answer.rpartition('/')[0]}/answer\n")
    return answer


def test_the_apps_redis_py_asks_as_the_apps_user(probe, start_engine, app_python):
    engine = start_engine(password=TOKEN)
    result = probe(url=engine.url(), python=app_python)
    assert result["reached"] and result["through"] == "redis-py 5.2.1"
    assert [check["name"] for check in result["checks"]][-2:] == ["write", "latency"]
    assert result["server"]["role"] == "master" and result["client_address"] == "127.0.0.1"


@pytest.fixture
def look(run_module):
    """What a host is seen to be, the old Redis at a URL, by an interpreter of its app."""

    def run(url: str, python: str, **params):
        asked = {"migration_name": "shop", "old": {"url": url}, "survey": {}, "python": python, "user": "nobody"}
        result = run_module(app_host_info.main, **{**asked, **params})
        assert not result.get("failed") and TOKEN not in repr(result), result
        return result

    return run


def test_what_counts_for_other_hosts_is_seen_by_ourselves_whatever_the_apps_user_says(look, start_engine, program):
    engine = start_engine(password=TOKEN)
    engine.client.mset({f"page:{number}": "x" for number in range(5)})
    empty = {"source": {"server": FORGED["server"], "used_memory_peak": 1, "keyspace": {}}, "failure": None}
    lying = saying(program, json.dumps({"old": FORGED, "survey": empty}))
    seen = look(engine.url(), lying)
    assert seen["survey"]["total_keys"] == 5 and seen["survey"]["used_memory_peak"] > 1
    assert [group["pattern"] for group in seen["survey"]["key_groups"]] == ["page:*"]
    assert seen["old"]["reached"] and seen["old"]["word_of"] == "app" and seen["old"]["through"] == "redis-py ***"
    assert seen["old"]["client_address"] == "127.0.0.1", "by its address a client is known as a host of ours"


def test_an_app_whose_interpreter_gives_no_answer_is_no_reason_not_to_read_the_old_redis(look, start_engine, program):
    seen = look(start_engine(password=TOKEN).url(), saying(program, "hello"))
    assert seen["old"]["failure"]["kind"] == "app_interpreter" and seen["old"]["word_of"] == "own"
    assert seen["survey"]["total_keys"] == 0


def test_an_old_redis_that_the_apps_redis_py_takes_by_another_name_is_read(look, start_engine, ca, app_python):
    """Its 5.2.1 compares no names where the URL is silent; what it compares by the URL, we compare as well."""
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("old.shop.example"))
    with ca.cert_pem.tempfile() as file:
        url = engine.url(scheme="rediss", host="localhost") + f"?ssl_ca_certs={file}"
        Path(file).chmod(0o644)
        seen = look(url, app_python)
        assert seen["old"]["reached"] and seen["survey"]["total_keys"] == 0, seen
        assert seen["old"]["client_address"] == "127.0.0.1"
        strict = look(url + "&ssl_check_hostname=true", app_python)
    assert strict["old"]["failure"]["kind"] == strict["survey"]["failure"]["kind"] == "certificate"


class Boaster(socketserver.BaseRequestHandler):
    """Speaks the protocol, and says of itself what no Redis says."""

    def handle(self):
        said = b"redis_version:7.0.15\r\nused_memory:9999999999999999999999\r\n"
        while asked := self.request.recv(65536):
            self.request.sendall(b"$%d\r\n%s\r\n" % (len(said), said) if b"INFO" in asked else b"+OK\r\n")


def test_a_server_that_says_of_itself_what_no_redis_says_is_no_redis(look, program):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Boaster) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen = look(f"redis://127.0.0.1:{server.server_address[1]}/0", saying(program, "hello"))
        server.shutdown()
    assert seen["survey"]["failure"]["kind"] == "not_told" and "used_memory is '9" in seen["survey"]["msg"]


def test_what_the_apps_modules_print_as_they_are_loaded_is_no_answer(probe, start_engine, app_python):
    [packages] = Path(app_python).parents[1].glob("lib/python*/site-packages")
    loud = packages / "loud.pth"
    loud.write_text("import sys; sys.stdout.write('{} hello')\n")
    try:
        assert probe(url=start_engine().url(), python=app_python)["reached"]
    finally:
        loud.unlink()


def test_root_is_refused_where_the_apps_user_is_not_stated(probe, program):
    result = probe(url="redis://127.0.0.1:1/0", python=program("#!/bin/sh\ntouch /tmp/evil\n"), user=None)
    assert result["failed"] and "migration_app_python is set and migration_app_user is not" in result["msg"]
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("user, why", [("no-such-user", "has no user no-such-user"), ("root", "root does not run")])
def test_a_user_who_is_not_there_or_is_root_is_a_failure_with_a_name(probe, app_python, user, why):
    result = probe(url="redis://127.0.0.1:1/0", python=app_python, user=user)
    assert result["failed"] and result["failure"]["kind"] == "app_interpreter" and why in result["msg"]
    assert "migration_app_user" in result["msg"]


def test_a_path_that_is_not_whole_is_refused(probe):
    assert "whole path" in probe(url="redis://127.0.0.1:1/0", python="venv/bin/python")["msg"]


@pytest.mark.parametrize(
    "said, why",
    [
        ("", "it is no JSON"),
        ("hello", "it is no JSON"),
        ("[" * 200_000, "it is no JSON"),
        ('{"probe": NaN}', "it is no JSON"),
        ("[1]", "it is no mapping"),
        ('{"probe": "evil"}', "it is no mapping"),
        (json.dumps({"probe": {**FORGED, "checks": "evil"}}), "checks is no list"),
        (json.dumps({"probe": {**FORGED, "through": 1}}), "through is no text"),
        (json.dumps({"probe": {**FORGED, "latency_ms": {"p50": 10**400}}}), "p50 is no number"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_says_why(probe, program, said, why):
    result = probe(url=f"redis://:{TOKEN}@127.0.0.1:1/0", python=saying(program, said))
    assert result["failed"] and result["failure"]["kind"] == "app_interpreter"
    assert f"gave no answer: {why}" in result["msg"] and "migration_app_python" in result["msg"]


def test_a_forged_answer_is_data_alone_without_what_it_was_told(probe, program):
    result = probe(url=f"redis://:{TOKEN}@127.0.0.1:1/0", python=saying(program, json.dumps({"probe": FORGED})))
    assert result["reached"] and result["location"]["port"] == 1
    assert not [name for name in result if "ansible" in name or name == "add_host"]
    assert result["checks"][0]["name"] == "unknown" and result["checks"][0]["detail"] == "it is ***?[2J"
    assert result["server"]["engine"] == "unknown" and set(result["latency_ms"]) == {"p50", "max"}
    assert result["through"] == "redis-py ***"


def test_one_that_never_ends_is_ended(probe, program):
    begin = time.monotonic()
    result = probe(url="redis://127.0.0.1:1/0", python=program("#!/bin/sh\nexec sleep 1236\n"), timeout=-0.75)
    assert "its time was up" in result["msg"] and time.monotonic() - begin < 10


def test_one_that_fails_says_its_last_words_without_the_secret(probe, program):
    script = f"#!/bin/sh\necho 'a traceback' >&2\necho 'no module {TOKEN}' >&2\nexit 7\n"
    result = probe(url=f"redis://:{TOKEN}@127.0.0.1:1/0", python=program(script))
    assert "it ended with 7 (no module ***)" in result["msg"]


def test_a_port_that_equals_the_password_is_shown(probe, start_engine, app_python):
    engine = start_engine()
    engine.client.config_set("requirepass", str(engine.port))
    url = engine.url(password=str(engine.port))
    for python in (None, app_python):
        result = probe(url=url, python=python)
        assert result["reached"] and result["location"]["port"] == engine.port
    engine.stop()
    for python in (None, app_python):
        assert f"127.0.0.1:{engine.port} refuses connections" in probe(url=url, python=python)["msg"]


def test_the_token_is_in_no_arguments_and_no_environment(probe, app_python):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://:{TOKEN}@127.0.0.1:{silent.getsockname()[1]}/0"
        asking = threading.Thread(target=probe, kwargs={"url": url, "python": app_python})
        asking.start()
        silent.accept()  # so the child is at its work
        seen = shown_to_users()
        asking.join()
    assert [text for user, text in seen if user == pwd.getpwnam("nobody").pw_uid and app_python in text]
    assert not [text for _user, text in seen if TOKEN in text]


def shown_to_users() -> list[tuple[int, str]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            shown = [
                (folder / name).read_bytes().replace(b"\0", b" ").decode(errors="replace")
                for name in ("cmdline", "environ")
            ]
            found.append((folder.stat().st_uid, " ".join(shown)))
    return found


def test_the_apps_own_redis_py_has_the_last_word_on_the_options_of_its_url(probe, start_engine, ca, app_python):
    """Its 5.2.1 compares no names by itself."""
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("master.shop.example"))
    url = engine.url(scheme="rediss", host="localhost")
    asked = {"python": app_python, "expected_role": "any", "write": False}
    assert probe(url=url, **asked)["failure"]["kind"] == "certificate"
    result = probe(url=url + "?ssl_cert_reqs=none", **asked)
    assert result["reached"] and result["through"] == "redis-py 5.2.1"


# --- old Pythons ---


def old_python(version: str) -> str:
    """Of a version manager, in a folder that is root's own."""
    beside = Path(shutil.which("python3") or "/").parents[1] / "versions"
    found = [shutil.which(f"python{version}"), *sorted(map(str, beside.glob(f"{version}.*/bin/python3")))]
    for candidate in filter(None, found):
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return pytest.skip(f"no Python {version} is installed here")


@pytest.fixture
def as_ourselves(monkeypatch):
    """The interpreter runs as who we are, as it lies where nobody else may look."""
    us = pwd.getpwuid(os.geteuid())
    account = demoted.Account(us.pw_name, us.pw_uid, us.pw_gid, (), us.pw_dir, is_us=True)
    monkeypatch.setattr(demoted, "account_of", lambda name: account)


@pytest.mark.usefixtures("as_ourselves")
def test_an_app_on_python_3_8_answers(probe, start_engine):
    url, python = start_engine(password=TOKEN).url(), old_python("3.8")
    result = probe(url=url, python=python)
    assert result["reached"] and result["through"] == "own client", result
    assert f"{python} cannot import redis-py" in str(result["checks"])


@pytest.mark.usefixtures("as_ourselves")
@pytest.mark.parametrize("version", ["3.6", "3.7"])
def test_an_app_on_an_older_python_is_told_so(probe, version):
    result = probe(url="redis://127.0.0.1:1/0", python=old_python(version))
    assert f"it is Python {version}, and 3.8 or newer is needed" in result["msg"]


ASKS_ON_3_8 = """
import json, sys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_interpreter as app
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import probe, survey
assert sys.version_info[:2] == (3, 8)
python, url = sys.stdin.read().split()
for interpreter in (app.Interpreter(python, "nobody"), app.Interpreter()):
    print(json.dumps(app.probe(probe.Question(url), interpreter).as_dict()))
print(json.dumps(app.survey(survey.SurveyQuestion(url)).source.as_dict()))
"""


def test_a_module_on_python_3_8_asks(start_engine, app_python, tmp_path):
    collection = tmp_path / "lib" / "ansible_collections" / "kempian"
    collection.mkdir(parents=True)
    (collection / "cache_migration").symlink_to(CHECKOUT)
    done = subprocess.run(
        [old_python("3.8"), "-B", "-c", ASKS_ON_3_8],
        input=f"{app_python} {start_engine(password=TOKEN).url()}",
        env={"PYTHONPATH": str(tmp_path / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["through"] for answer in answers[:2]] == ["redis-py 5.2.1", "own client"]
    assert answers[2]["total_keys"] == 0
