"""Killed by strace at every system call of a change, and fifty changes at once."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_host
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import store as dotenv_store
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry

from tests.component.env_update.readers.installed import program

OLD = b"A=1\nREDIS_URL=redis://old:6379/0\nBROKER='redis://old:6379/1'\nB=2\n"
VALUES = {"REDIS_URL": "rediss://new:6379/0", "BROKER": "rediss://new:6379/1"}
NEW = OLD.replace(b"redis://old", b"rediss://new")
PR_SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)  # prctl(2), where Yama keeps strace from a process of others


def change(file: Path, state_dir: Path, state: str = "present", **params: Any) -> dict[str, Any]:
    wanted = {
        "store": "dotenv",
        "path": str(file),
        "state_dir": str(state_dir),
        "migration_name": "test",
        "create": False,
    }
    wanted |= {"state": state, "values": VALUES, **params}
    return on_host.change(Request.from_params(wanted), wanted, is_look=False)


def journal_of(file: Path, state_dir: Path) -> dict[str, Entry]:
    with dotenv_store.Location.of(str(file), str(state_dir), "test") as location:
        return {entry.key: entry for entry in location.known().entries}


# --- killed ---


@contextlib.contextmanager
def stopped(act: Callable[[], object]) -> Iterator[int]:
    """A child of this process that goes on to act when it is told to, and is gone in the end."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANYBODY)
            os.kill(os.getpid(), signal.SIGSTOP)
            act()
            os._exit(0)
        os._exit(1)
    try:
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def traced(act: Callable[[], object], log: Path, *options: str) -> int:
    """Act under strace, which counts system calls from there on. The status that the child ended with."""
    with stopped(act) as pid:
        command = [program("strace"), "-qq", "-o", str(log), "-p", str(pid), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            while not re.search(r"TracerPid:\t[1-9]", Path(f"/proc/{pid}/status").read_text()):
                if strace.poll() is not None:
                    assert strace.stderr
                    pytest.skip(f"strace may not attach here: {strace.stderr.read()}")
                time.sleep(0.001)
            os.kill(pid, signal.SIGCONT)
            return os.waitpid(pid, 0)[1]


def calls_of(act: Callable[[], object], log: Path) -> Counter[str]:
    status = traced(act, log)
    assert status == 0, log.read_text()
    return Counter(re.findall(r"^(\w+)\(", log.read_text(), re.MULTILINE))


def kills(act: Callable[[], object], reset: Callable[[], None], log: Path) -> Iterator[tuple[str, int]]:
    """Act once for each of its system calls, killed as it makes that one."""
    reset()
    calls = calls_of(act, log)
    assert {"openat", "read", "write", "fsync", "linkat", "rename", "flock"} <= {
        name.replace("renameat", "rename").replace("rename2", "rename") for name in calls
    }, calls
    for name, count in calls.items():
        for number in range(1, count + 1):
            reset()
            status = traced(act, log, "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={number}")
            if os.WIFSIGNALED(status):  # memory is asked for now and then, and not at the same call each time
                yield name, number
            else:
                assert name in ("mmap", "munmap", "brk", "mremap", "madvise", "rt_sigaction"), (name, number)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def clear(file: Path, state: Path, content: bytes) -> None:
    for path in [*file.parent.iterdir(), *(state / "test").glob("*"), *(state / "test").glob(".*")]:
        path.unlink()
    file.write_bytes(content)


def assert_put_back(file: Path, state: Path) -> None:
    change(file, state, "reverted")
    assert file.read_bytes() == OLD
    assert journal_of(file, state) == {}
    assert os.listdir(file.parent) == [file.name]


@pytest.mark.timeout(600)
@pytest.mark.long
def test_killed_at_every_call_of_a_change_the_file_is_old_or_new_and_can_be_put_back(file, state, tmp_path):
    (state / "test").mkdir(parents=True)
    seen = Counter[str]()
    log = tmp_path / "calls"
    for name, number in kills(lambda: change(file, state), lambda: clear(file, state, OLD), log):
        content = file.read_bytes()
        assert content in (OLD, NEW), (name, number)
        if content == NEW:
            originals = {key: entry.original for key, entry in journal_of(file, state).items()}
            assert originals == {"REDIS_URL": "redis://old:6379/0", "BROKER": "redis://old:6379/1"}, (name, number)
        seen["new" if content == NEW else "old"] += 1
        if number % 2:  # else the way back comes right after the kill
            change(file, state)
            assert file.read_bytes() == NEW
        assert_put_back(file, state)
    assert seen["old"] > 20 and seen["new"] > 5, seen


@pytest.mark.timeout(600)
@pytest.mark.long
def test_killed_at_every_call_of_the_way_back_the_way_back_goes_on(file, state, tmp_path):
    (state / "test").mkdir(parents=True)
    seen = Counter[str]()

    def reset() -> None:
        clear(file, state, OLD)
        change(file, state)

    for name, number in kills(lambda: change(file, state, "reverted"), reset, tmp_path / "calls"):
        content = file.read_bytes()
        assert content in (OLD, NEW), (name, number)
        seen["new" if content == NEW else "old"] += 1
        assert_put_back(file, state)
    assert seen["new"] > 20 and seen["old"] > 5, seen


# --- fifty at once ---

AT_ONCE = 50


def answer_of(number: int, file: Path, state: Path) -> dict[str, Any]:
    """Every second one adds a key of its own; the others all want the one that is there, and expect it unchanged."""
    try:
        if number % 2:
            told = change(file, state, values={f"KEY_{number}": str(number)}, create=True)
        else:
            wanted = {
                "values": {"REDIS_URL": f"rediss://n{number}:1/0"},
                "expected": {"REDIS_URL": "redis://old:6379/0"},
            }
            told = change(file, state, **wanted)
    except ChangeRefused as refused:
        return {"refused": str(refused)}
    return {"changed": told["changed"]}


def all_at_once(file: Path, state: Path, answers: Path) -> Mapping[int, dict[str, Any]]:
    def act(number: int) -> None:
        (answers / str(number)).write_text(json.dumps(answer_of(number, file, state)))

    with contextlib.ExitStack() as running:
        pids = [running.enter_context(stopped(lambda number=number: act(number))) for number in range(AT_ONCE)]
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * AT_ONCE
    return {number: json.loads((answers / str(number)).read_text()) for number in range(AT_ONCE)}


def test_of_fifty_at_once_none_is_lost_and_each_is_applied_or_told_that_the_value_moved(file, state, tmp_path):
    answers = tmp_path / "answers"
    answers.mkdir()
    told = all_at_once(file, state, answers)
    added = [number for number in told if number % 2]
    assert [told[number] for number in added] == [{"changed": True}] * len(added)
    (winner,) = [number for number in told if not number % 2 and told[number] == {"changed": True}]
    losers = [told[number]["refused"] for number in told if not number % 2 and number != winner]
    assert len(losers) == AT_ONCE // 2 - 1 and all("somebody has changed it" in loser for loser in losers)
    lines = file.read_bytes().splitlines()
    assert lines[:4] == OLD.replace(b"redis://old:6379/0", b"rediss://n%d:1/0" % winner).splitlines()
    assert sorted(lines[4:]) == sorted(b"KEY_%d=%d" % (number, number) for number in added)
    assert set(journal_of(file, state)) == {"REDIS_URL", *(f"KEY_{number}" for number in added)}
    names = dict.fromkeys(["REDIS_URL", *(f"KEY_{number}" for number in added)])
    change(file, state, "reverted", values=names)
    assert file.read_bytes() == OLD and journal_of(file, state) == {}
