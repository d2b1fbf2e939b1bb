"""What others can put in the way of a file while root reads and replaces it: links, directories, pipes, huge files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file, symlinks
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import store as dotenv_store

OLD, NEW = b"A=1\nREDIS_URL=old\n", b"A=1\nREDIS_URL=new\n"
APP, TENANT = 12345, 54321
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private" / ".env"
    path.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o604)
    return path


def change(path: Path, state_dir: Path, **params: object) -> None:
    params = {"state": "present", "values": {"REDIS_URL": "new"}, "migration_name": "test", "create": False, **params}
    with dotenv_store.Location.of(str(path), str(state_dir), "test") as location:
        dotenv_store.carry_out(Request.from_params(params), location, "2026-11-24T03:00:00Z")


def read(path: Path) -> bytes | None:
    with symlinks.followed(str(path)) as place:
        return atomic_file.read(place)


def replace(path: Path, previous: bytes | None) -> None:
    with symlinks.followed(str(path)) as place:
        atomic_file.replace(place, NEW, previous)


def beside(file: Path) -> list[str]:
    return sorted(os.listdir(file.parent))


def link_of(owner: int, path: Path, target: Path | str) -> None:
    path.symlink_to(target)
    os.chown(path, owner, owner, follow_symlinks=False)


def swapped_before(monkeypatch, name: str, swap: Callable[[], None]) -> list[str]:
    """Somebody who may write in the directory acts just before the first call of that name. Tells when that was."""
    real = getattr(os, name)
    done = []

    def call(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(os, name, real)
        swap()
        done.append(name)
        return real(*args, **kwargs)

    monkeypatch.setattr(os, name, call)
    return done


# --- between two looks of ours ---


@pytest.mark.parametrize("name", ["fchmod", "fsync"])
def test_a_link_put_in_the_place_of_the_file_gives_it_neither_another_mode_nor_another_content(
    file, private, monkeypatch, name
):
    file.chmod(0o640)
    modes = []
    real_fchmod = os.fchmod

    def fchmod(descriptor: int, mode: int) -> None:
        modes.append(mode)
        real_fchmod(descriptor, mode)

    def swap() -> None:
        file.unlink()
        file.symlink_to(private)

    monkeypatch.setattr(os, "fchmod", fchmod)
    swapped_before(monkeypatch, name, swap)
    with pytest.raises(FileRefused, match="another file was put in the place of"):
        replace(file, previous=OLD)
    assert modes == [0o640]
    assert file.is_symlink()
    assert private.read_bytes() == OLD
    assert beside(file) == [".env"]


def test_a_file_of_the_same_content_put_in_its_place_is_not_taken_for_it(file, private, monkeypatch):
    swapped_before(monkeypatch, "fchmod", lambda: os.replace(private, file))
    with pytest.raises(FileRefused, match="another file was put in the place of"):
        replace(file, previous=OLD)
    assert file.read_bytes() == OLD
    assert beside(file) == [".env"]


def test_a_file_that_appears_where_there_was_none_is_not_overwritten(file, private, monkeypatch):
    file.unlink()
    swapped_before(monkeypatch, "fsync", lambda: os.replace(private, file))
    with pytest.raises(FileRefused, match="another file was put in the place of"):
        replace(file, previous=None)
    assert file.read_bytes() == OLD


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/etc/hostname", path), os.mkdir])
def test_what_is_no_regular_file_is_neither_followed_nor_waited_for(file, make):
    with symlinks.followed(str(file)) as place:
        file.unlink()
        make(file)
        with pytest.raises(FileRefused, match="is not a regular file"):
            atomic_file.read(place)
        with pytest.raises(FileRefused, match="is not a regular file"):
            atomic_file.replace(place, NEW, previous=OLD)


@pytest.fixture
def swap_directory(file, private, tmp_path) -> Callable[[], None]:
    """The directory of the file goes aside, and a link to that of somebody else is in its place."""

    def swap() -> None:
        file.parent.rename(tmp_path / "aside")
        file.parent.symlink_to(private.parent)

    return swap


@pytest.mark.parametrize("name", ["lstat", "write", "fchmod", "setxattr", "link", "replace", "unlink"])
def test_a_directory_that_becomes_a_link_leads_to_no_file_of_others(file, private, monkeypatch, name, swap_directory):
    try:
        os.setxattr(file, "user.note", b"has to be kept")
    except OSError as error:
        if name == "setxattr":
            pytest.skip(f"this file system keeps no attributes: {error.strerror}")
    link = private.parent.parent / "current.env"
    link.symlink_to(file)
    with symlinks.followed(str(link)) as place:
        done = swapped_before(monkeypatch, name, swap_directory)
        atomic_file.replace(place, NEW, previous=OLD)
    assert done
    assert private.read_bytes() == OLD
    assert beside(private) == [".env"]
    aside = private.parent.parent / "aside"
    assert (aside / ".env").read_bytes() == NEW
    assert os.listdir(aside) == [".env"]


@pytest.mark.parametrize("name", ["mkdir", "fchmod", "replace"])  # of the state, of the journal
def test_what_was_read_and_what_is_replaced_lie_in_the_same_directory(
    private, tmp_path, monkeypatch, name, swap_directory
):
    file = tmp_path / "app" / ".env"
    leftover = private.parent / "..env.cache-migration-0123456789abcdef"
    leftover.write_bytes(OLD)
    done = swapped_before(monkeypatch, name, swap_directory)
    change(file, tmp_path / "state")
    assert done
    assert private.read_bytes() == OLD
    assert beside(private) == [leftover.name, ".env"]
    assert (tmp_path / "aside" / ".env").read_bytes() == NEW


def test_a_file_that_is_to_go_is_removed_from_the_directory_that_was_read(
    file, private, tmp_path, monkeypatch, swap_directory
):
    file.unlink()
    change(file, tmp_path / "state", create=True)
    done = swapped_before(monkeypatch, "unlink", swap_directory)
    change(file, tmp_path / "state", state="reverted")
    assert done
    assert private.read_bytes() == OLD
    assert os.listdir(tmp_path / "aside") == []


def test_a_link_that_becomes_another_between_its_owner_and_its_target_is_read_as_one(file, private, monkeypatch):
    link = file.parent / "link"
    link.symlink_to(file)
    trap = file.parent / "trap"
    trap.symlink_to(private)
    done = swapped_before(monkeypatch, "readlink", lambda: os.replace(trap, link))
    with symlinks.followed(str(link)) as place:
        assert place.path == str(file)
    assert done


# --- links, and whose they are ---


@AS_ROOT
@pytest.mark.parametrize("owner", [0, APP], ids=["root", "the owner of the file"])
def test_a_link_of_root_or_of_the_owner_of_the_file_is_followed(file, tmp_path, owner):
    os.chown(file, APP, APP)
    link_of(owner, tmp_path / "link", "app/../app/./.env")
    change(tmp_path / "link", tmp_path / "state")
    assert file.read_bytes() == NEW
    assert (file.stat().st_uid, (tmp_path / "link").is_symlink()) == (APP, True)


@AS_ROOT
@pytest.mark.parametrize("owner", [0, TENANT], ids=["root's file", "a third one's file"])
def test_a_link_to_a_file_of_others_is_refused_by_its_path_with_the_remedy(file, tmp_path, owner):
    os.chown(file, owner, owner)
    link = tmp_path / "link"
    link_of(APP, link, file)
    with pytest.raises(FileRefused) as refused:
        change(link, tmp_path / "state")
    assert f"{link} is a symbolic link of user {APP} to {file}, which belongs to " in str(refused.value)
    assert f"chown -h root {link}" in str(refused.value)
    assert file.read_bytes() == OLD
    assert not (tmp_path / "state").exists()
    with pytest.raises(FileRefused):
        read(link)
    os.chown(link, 0, 0, follow_symlinks=False)
    change(link, tmp_path / "state")
    assert file.read_bytes() == NEW


@AS_ROOT
def test_a_link_to_a_file_of_others_is_refused_also_behind_one_of_root(file, tmp_path):
    os.chown(file, TENANT, TENANT)
    link_of(APP, tmp_path / "theirs", file)
    link_of(0, tmp_path / "ours", "theirs")
    with pytest.raises(FileRefused, match="theirs is a symbolic link"):
        change(tmp_path / "ours", tmp_path / "state")


@AS_ROOT
def test_a_link_to_a_directory_is_followed_only_to_one_of_its_owner(file, private, tmp_path):
    """As `current` beside `releases`, whose owner need not be that of the file in it."""
    os.chown(file.parent, APP, APP)
    os.chown(private.parent, TENANT, TENANT)
    current = tmp_path / "current"
    link_of(APP, current, "app")
    change(current / ".env", tmp_path / "state")
    assert file.read_bytes() == NEW
    current.unlink()
    link_of(APP, current, "private")
    with pytest.raises(FileRefused, match=f"current is a symbolic link of user {APP}"):
        change(current / ".env", tmp_path / "state")
    assert private.read_bytes() == OLD


@AS_ROOT
def test_a_link_to_a_file_that_is_not_there_makes_one_only_in_a_directory_of_its_owner(file, tmp_path):
    link = tmp_path / "link"
    made = file.parent / "made.env"
    link_of(APP, link, made)
    with pytest.raises(FileRefused, match="is a symbolic link"):
        change(link, tmp_path / "state", create=True)
    assert not made.exists()
    os.chown(file.parent, APP, APP)
    change(link, tmp_path / "state", create=True)
    assert made.read_bytes() == b"REDIS_URL=new\n"


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(FileRefused, match="Too many levels of symbolic links"):
        read(tmp_path / "one")
    with pytest.raises(FileRefused, match="Too many levels of symbolic links"):
        read(tmp_path / "one" / ".env")


@pytest.mark.parametrize(
    "path",
    [
        *("app/.env", "app/../app/.env", "link", "folder/.env", "folder/../app//./.env", "folder/up/.env", "chain"),
        *("app/no", "dangling", "no/.env", "dangling/.env"),
    ],
)
@pytest.mark.parametrize("start", ["", "{}/"], ids=["relative", "absolute"])
def test_a_path_leads_where_the_system_says_it_does(file, tmp_path, monkeypatch, start, path):
    (tmp_path / "link").symlink_to("app/.env")
    (tmp_path / "folder").symlink_to(tmp_path / "app")
    (tmp_path / "app" / "up").symlink_to("../app/.")
    (tmp_path / "chain").symlink_to("folder/../link")
    (tmp_path / "dangling").symlink_to("gone")
    monkeypatch.chdir(tmp_path)
    path = start.format(tmp_path) + path
    with symlinks.followed(path) as place:
        assert place.path == os.path.realpath(path)
        assert place.has_directory == os.path.isdir(os.path.dirname(os.path.realpath(path)))
        assert atomic_file.read(place) == (OLD if os.path.exists(path) else None)


def test_nothing_stays_open(file, tmp_path):
    before = os.listdir("/proc/self/fd")
    (tmp_path / "link").symlink_to(file)
    change(tmp_path / "link", tmp_path / "state")
    assert os.listdir("/proc/self/fd") == before


# --- what cannot be a .env ---


def test_a_file_of_a_terabyte_is_refused_unread(file, tmp_path):
    os.truncate(file, 1 << 40)
    with pytest.raises(FileRefused, match="is larger than 1024 KiB"):
        change(file, tmp_path / "state")


@pytest.mark.long
def test_the_largest_file_is_read_and_grows_no_further(file, tmp_path):
    text = OLD.replace(b"old", b"o") + b"#" * (atomic_file.LARGEST - len(OLD) + 2)
    file.write_bytes(text)
    assert read(file) == text
    with pytest.raises(FileRefused, match="is larger than 1024 KiB"):
        change(file, tmp_path / "state")
    assert file.read_bytes() == text
    change(file, tmp_path / "state", values={"REDIS_URL": "n"})


@pytest.mark.long
def test_a_journal_may_be_larger_than_any_file(file, tmp_path):
    values = ("x" * 700_000, "y" * 700_000)
    file.write_bytes(b"REDIS_URL=" + values[0].encode() + b"\n")
    change(file, tmp_path / "state", values={"REDIS_URL": values[1]})
    assert (tmp_path / "state" / "test" / "journal.json").stat().st_size > atomic_file.LARGEST
    change(file, tmp_path / "state", state="reverted")
    assert file.read_bytes() == b"REDIS_URL=" + values[0].encode() + b"\n"


READING = """
import sys
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import (meaning as cache_source)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError
try:
    print(cache_source.url_in_file(sys.argv[1], "REDIS_URL"))
except EndpointError as refused:
    print("refused:", refused)
"""


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
        (huge, "is larger than 1024 KiB"),
        (lambda path: None, "does not exist: check env_path"),
        (lambda path: path.write_bytes(NEW), "new"),
    ],
    ids=["pipe", "endless", "huge", "missing", "file"],
)
def test_the_url_in_a_file_is_read_at_once_or_refused(tmp_path, make, said):
    """In a process of its own, which is ended if it waits, and may not take much memory."""
    path = tmp_path / ".env"
    make(path)
    program = ["sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh", sys.executable, "-c", READING, str(path)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=30)
    assert said in done.stdout, done
