"""What stays, and what cannot go wrong, while a file is replaced."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file, symlinks
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import store as dotenv_store
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry

OLD = b"A=1\n" + b"# padding\n" * 2000 + b"REDIS_URL=old\n"
NEW = OLD.replace(b"REDIS_URL=old", b"REDIS_URL=new")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


def change(file: Path, state_dir: Path, value: str = "new", key: str = "REDIS_URL", create: bool = False) -> None:
    params = {"state": "present", "values": {key: value}, "migration_name": "test", "create": create}
    with dotenv_store.Location.of(str(file), str(state_dir), "test") as location:
        dotenv_store.carry_out(Request.from_params(params), location, "2026-11-24T03:00:00Z")


def journal_of(file: Path, state_dir: Path) -> list[Entry]:
    with dotenv_store.Location.of(str(file), str(state_dir), "test") as location:
        return list(location.known().entries)


def beside(file: Path) -> list[str]:
    return sorted(os.listdir(file.parent))


# --- what belongs to a file stays ---


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_stays(file, tmp_path, mode):
    file.chmod(mode)
    change(file, tmp_path / "state")
    assert file.read_bytes() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == mode


@AS_ROOT
def test_owner_and_group_stay(file, tmp_path):
    os.chown(file, 12345, 54321)
    change(file, tmp_path / "state")
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """system.posix_acl_access as the kernel has it: version 2, then tag, permissions and id of each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY_READS = access_list(
    (0x01, 6, 0xFFFFFFFF), (0x02, 4, 65534), (0x04, 4, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF)
)


def set_attribute(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        pytest.skip(f"this file system or user cannot set {name}: {error.strerror}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("system.posix_acl_access", NOBODY_READS),
        ("user.note", b"by hand"),
        ("security.selinux", b"system_u:object_r:etc_t:s0"),
    ],
    ids=["access list", "user attribute", "SELinux context"],
)
def test_access_list_context_and_other_attributes_stay(file, tmp_path, name, value):
    set_attribute(file, name, value)
    before = file.stat().st_mode
    change(file, tmp_path / "state")
    assert file.read_bytes() == NEW
    assert os.getxattr(file, name) == value
    assert file.stat().st_mode == before


def test_the_access_list_that_a_directory_hands_down_does_not_come_upon_the_file(file, tmp_path):
    file.chmod(0o640)
    set_attribute(file.parent, "system.posix_acl_default", NOBODY_READS)
    change(file, tmp_path / "state")
    assert "system.posix_acl_access" not in os.listxattr(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_the_content_is_never_where_others_can_read_it(file, tmp_path, monkeypatch):
    file.chmod(0o600)
    os.umask(0)
    seen = []
    real_write = os.write

    def write(descriptor: int, data: bytes) -> int:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return real_write(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    try:
        change(file, tmp_path / "state")
    finally:
        os.umask(0o022)
    assert seen
    assert set(seen) == {0o600}


# --- what cannot be replaced is refused ---


@AS_ROOT
def test_a_file_that_cannot_keep_its_owner_is_left_as_it_is(file, tmp_path, monkeypatch):
    os.chown(file, 12345, 54321)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    with pytest.raises(FileRefused, match="Use become"):
        change(file, tmp_path / "state")
    assert file.read_bytes() == OLD
    assert beside(file) == [".env"]


def test_a_full_disk_leaves_the_file_as_it_is(file, tmp_path, monkeypatch):
    change(file, tmp_path / "state", "old2")
    before = file.read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FileRefused, match="Make room"):
        change(file, tmp_path / "state")
    assert file.read_bytes() == before
    assert beside(file) == [".env"]


def test_an_edit_by_somebody_else_in_the_last_moment_is_not_overwritten(file):
    with symlinks.followed(str(file)) as place, pytest.raises(FileRefused, match="changed by somebody else just now"):
        atomic_file.replace(place, NEW, previous=b"what was read before")
    assert file.read_bytes() == OLD
    assert beside(file) == [".env"]


def test_a_file_that_is_mounted_by_itself_is_refused(file, tmp_path):
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_replacing import change
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import (atomic_file)
for look in (atomic_file._mount_points, set):  # set: as if the mount had not been seen beforehand
    atomic_file._mount_points = look
    try:
        change(Path({str(file)!r}), Path({str(tmp_path / "state")!r}))
    except atomic_file.FileRefused as refused:
        print(refused)
"""
    program = tmp_path / "program.py"
    program.write_text(script)
    mounted = f"mount --bind {file} {file} && exec {sys.executable} {program}"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", mounted], capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount namespace can be made here: {done.stderr.strip()}")
    assert done.stdout.count("is a mount of its own") == 2, done.stderr
    assert file.read_bytes() == OLD
    assert beside(file) == [".env"]


@contextlib.contextmanager
def attribute(letter: str, path: Path) -> Iterator[None]:
    """As `chattr` sets it, where this machine lets us."""
    done = subprocess.run(["chattr", f"+{letter}", path], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no attribute can be set here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", f"-{letter}", path], check=True)


@AS_ROOT
@pytest.mark.parametrize("letter", ["i", "a"])
@pytest.mark.parametrize("what", ["the file", "its directory", "the journal's directory"])
def test_what_not_even_root_may_replace_is_refused_by_a_look_as_by_a_run(file, tmp_path, what, letter):
    state = tmp_path / "state"
    state.mkdir()
    path = {"the file": file, "its directory": file.parent}.get(what, state)
    params = {"state": "present", "values": {"REDIS_URL": "new"}, "migration_name": "test", "create": False}
    with attribute(letter, path):
        for act in (dotenv_store.plan, dotenv_store.carry_out):
            locating, refused = dotenv_store.Location.of(str(file), str(state), "test"), pytest.raises(FileRefused)
            with locating as location, refused as told:
                act(Request.from_params(params), location, "2026-11-24T03:00:00Z")
            assert f"chattr -ia {path}" in str(told.value)
        assert not list(state.iterdir())
    change(file, state)
    assert file.read_bytes() == NEW


# --- killed at any moment ---


@contextlib.contextmanager
def forked(act: Callable[[], None]) -> Iterator[int]:
    """Run it in a child process of this one, which is killed and waited for in the end."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            act()
            os._exit(0)
        os._exit(1)
    try:
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def die_at_call(number: int) -> None:
    """Let this process be killed at its n-th call that touches a file; a write leaves half of its bytes."""
    left = number

    def deadly(name: str) -> None:
        real = getattr(os, name)

        def call(*args: object, **kwargs: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                if name == "write":
                    descriptor, data = args
                    real(descriptor, data[: len(data) // 2])  # type: ignore[index, arg-type]
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        setattr(os, name, call)

    for name in ("open", "write", "fsync", "close", "fchmod", "setxattr", "link", "replace", "unlink", "mkdir"):
        deadly(name)


@pytest.mark.parametrize("every", [15, pytest.param(1, marks=pytest.mark.long)])
def test_killed_at_any_call_the_file_is_the_old_or_the_new_one_and_the_next_run_completes_it(file, tmp_path, every):
    outcomes = []
    left_behind = []
    for number in range(1, 1000, every):  # the deeper the folder, the more calls
        state = tmp_path / f"state{number}"
        file.write_bytes(OLD)

        def act(number: int = number, state: Path = state) -> None:
            die_at_call(number)
            change(file, state)

        with forked(act) as pid:
            status = os.waitpid(pid, 0)[1]
        assert file.read_bytes() in (OLD, NEW)
        if file.read_bytes() == NEW:
            assert [entry.original for entry in journal_of(file, state)] == ["old"], "changed without a journal"
        outcomes.append((os.WIFSIGNALED(status), file.read_bytes() == NEW))
        left_behind += [name for name in beside(file) if name != ".env"]
        change(file, state)
        assert file.read_bytes() == NEW
        assert beside(file) == [".env"]
        assert [path.name for path in (state / "test").iterdir()] == ["journal.json"]
        if not os.WIFSIGNALED(status):
            break
    assert outcomes[0] == (True, False)
    assert (True, True) in outcomes
    assert outcomes[-1] == (False, True)
    assert len(outcomes) > 15 / every
    assert every > 1 or len(left_behind) == 1, (
        "a new file has a name, and so outlives a kill, for one call only: its renaming"
    )


@pytest.mark.long
def test_killed_at_any_time_the_file_is_whole(file, tmp_path):
    dice = random.Random(1)
    versions = {OLD, NEW, OLD.replace(b"=old", b"=newer")}

    def act() -> None:
        while True:
            change(file, tmp_path / "state", "newer")
            change(file, tmp_path / "state", "new")

    seen = set()
    kills = 0
    deadline = time.monotonic() + 30
    while kills < 20 or (len(seen) < 2 and time.monotonic() < deadline):
        with forked(act):
            time.sleep(dice.uniform(0.01, 0.05) * (1 + kills / 20))  # a busy machine takes longer to come far
        kills += 1
        seen.add(file.read_bytes())
        assert file.read_bytes() in versions
    change(file, tmp_path / "state", "last")
    assert beside(file) == [".env"]
    assert len(seen) > 1


def test_a_leftover_of_a_killed_run_goes_with_the_next_run_even_if_that_changes_nothing(file, tmp_path):
    leftover = file.parent / "..env.cache-migration-0123456789abcdef"
    other = file.parent / "..env.cache-migration-mine"
    leftover.write_text("REDIS_URL=secret")
    other.write_text("not ours")
    change(file, tmp_path / "state", "old")
    assert beside(file) == [other.name, ".env"]


def test_a_folder_that_the_apps_user_gave_the_name_of_a_leftover_holds_nothing_up(file, tmp_path):
    folder = file.parent / "..env.cache-migration-0123456789abcdef"
    folder.mkdir()
    change(file, tmp_path / "state", "new")
    assert beside(file) == [folder.name, ".env"]
    assert b"new" in file.read_bytes()


# --- two runs at once ---


def test_runs_at_once_come_one_after_the_other_and_none_is_lost(file, tmp_path):
    with contextlib.ExitStack() as running:
        pids = [
            running.enter_context(forked(lambda n=n: change(file, tmp_path / "state", str(n), f"KEY_{n}", create=True)))
            for n in range(8)
        ]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 8
    lines = file.read_bytes().removeprefix(OLD).split()
    assert sorted(lines) == [f"KEY_{n}={n}".encode() for n in range(8)]
    assert len(journal_of(file, tmp_path / "state")) == 8


def test_a_lock_that_is_held_for_long_is_refused_by_its_path(tmp_path):
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    lock = str(tmp_path / "lock")
    held = r"another run has held the lock .*/lock for 30 s"
    second = atomic_file.locked(lock, 30, clock=lambda: now, sleep=sleep)
    with atomic_file.locked(lock, 30), pytest.raises(FileRefused, match=held), second:
        pass
    assert now >= 30


def test_a_lock_is_free_after_its_holder_was_killed(tmp_path):
    lock = str(tmp_path / "lock")
    taken = tmp_path / "taken"

    def hold() -> None:
        with atomic_file.locked(lock, 0):
            taken.touch()
            time.sleep(60)

    with forked(hold):
        while not taken.exists():
            time.sleep(0.01)
        with pytest.raises(FileRefused), atomic_file.locked(lock, 0):
            pass
    with atomic_file.locked(lock, 0):
        pass
