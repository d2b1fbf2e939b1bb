"""A program that is not trusted, run by root as the user whose it is."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import demoted

PYTHON = "/usr/bin/python3"
TELL = """
import json, os, sys
fds = [int(name) for name in os.listdir("/proc/self/fd")]
ids = {"uid": os.getresuid(), "gid": os.getresgid(), "groups": sorted(os.getgroups())}
umask = os.umask(0)
print(json.dumps({**ids, "environ": dict(os.environ), "cwd": os.getcwd(), "umask": umask, "fed": sys.stdin.read(),
                  "fds": len([fd for fd in fds if fd > 2]), "leads": os.getsid(0) == os.getpid()}))
"""


@pytest.fixture
def nobody():
    return demoted.account_of("nobody")


def told(account, script, feed=b"", seconds=10.0, **more):
    return demoted.run([PYTHON, "-I", "-c", script], account, feed, seconds, **more)


def is_gone(words: str) -> bool:
    """Whether no process has these arguments, or none within a second: the kernel takes a moment to end one."""
    deadline = time.monotonic() + 1
    while any(words in line for line in command_lines()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def command_lines() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_it_runs_as_that_user_with_exactly_his_groups_and_nothing_of_ours(nobody, monkeypatch):
    monkeypatch.setenv("ANSIBLE_BECOME_USER", "root")
    monkeypatch.setenv("PYTHONPATH", "/tmp")
    with open("/etc/passwd") as ours:
        os.set_inheritable(ours.fileno(), True)
        said = json.loads(told(nobody, TELL, b"a question").output)
    known = pwd.getpwnam("nobody")
    assert said["uid"] == [known.pw_uid] * 3 and said["gid"] == [known.pw_gid] * 3
    assert said["groups"] == sorted(os.getgrouplist("nobody", known.pw_gid))
    assert set(said["environ"]) <= {
        "PATH",
        "LANG",
        "LC_CTYPE",
        "HOME",
        "USER",
        "LOGNAME",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    }
    assert said["environ"]["HOME"] == known.pw_dir and said["cwd"] == "/" and said["umask"] == 0o077
    assert said["fed"] == "a question" and said["leads"] and said["fds"] == 1  # the folder it lists


def test_one_that_never_ends_is_ended_with_all_that_it_started(nobody):
    begin = time.monotonic()
    ended = told(nobody, "import subprocess; subprocess.run(['sleep', '1234.5'])", seconds=0.6)
    assert ended.why == "its time was up" and time.monotonic() - begin < 3
    assert is_gone("sleep 1234.5")


def test_one_that_never_stops_talking_is_ended(nobody):
    begin = time.monotonic()
    ended = told(nobody, "while True: print('x' * 10000)", most=100_000)
    assert "more than 100000 bytes" in ended.why and len(ended.output) == 100_000 and time.monotonic() - begin < 5


def test_one_that_says_it_all_to_its_standard_error_fills_no_memory(nobody):
    ended = told(nobody, "import sys\nfor n in range(2000): sys.stderr.write('y' * 1000)\nsys.exit(3)")
    assert ended.status == 3 and len(ended.errors) <= 4096


def test_one_that_does_not_listen_is_not_waited_for(nobody):
    assert told(nobody, "print('done')", feed=b"q" * 3_000_000).output == b"done\n"


def test_what_it_leaves_behind_holds_nothing_up_and_goes_too(nobody):
    begin = time.monotonic()
    ended = told(nobody, "import subprocess; subprocess.Popen(['sleep', '1235.5']); print('done')")
    assert ended.output == b"done\n" and not ended.why and time.monotonic() - begin < 5
    assert is_gone("sleep 1235.5")


@pytest.mark.parametrize("name, why", [("no-such-user", "has no user no-such-user"), ("root", "root does not run")])
def test_a_user_who_cannot_be_taken_is_named(name, why):
    with pytest.raises(demoted.CannotRun, match=why):
        demoted.account_of(name)


def test_who_is_not_root_runs_it_as_himself_and_as_nobody_else():
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        assert demoted.account_of("nobody").is_us and demoted.account_of("").name == "nobody"
        with pytest.raises(demoted.CannotRun, match="only root can run it as the user daemon, and this is nobody"):
            demoted.account_of("daemon")
    finally:
        os.seteuid(0)


ALONE = """
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import (demoted)
print(demoted.run(["/usr/bin/id", "-u"], demoted.account_of("root"), b"", 5).output)
"""


def test_root_of_a_namespace_that_has_no_other_user_is_the_app_s_user_too():
    """As of the sandbox's hosts that are processes: outside, root is the caller."""
    enter = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run([*enter, sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.stdout == "b'0\\n'\n", done.stderr


@pytest.mark.parametrize("path, why", [("/no/such/python", "No such file"), ("/etc/shadow", "Permission denied")])
def test_a_program_that_cannot_be_run_is_named(nobody, path, why):
    with pytest.raises(demoted.CannotRun, match=f"{path} cannot be run as the user nobody .*{why}"):
        demoted.run([path], nobody, b"", 5)


def test_what_only_root_may_run_is_not_run(nobody, tmp_path):
    """The folders of this test run are closed to others."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nid -u\n")
    script.chmod(0o755)
    assert sys.executable and tmp_path.parent.parent.stat().st_mode & 0o077 == 0
    with pytest.raises(demoted.CannotRun, match="Permission denied"):
        demoted.run([str(script)], nobody, b"", 5)
