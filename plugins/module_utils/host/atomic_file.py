# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Replacing a file so that it is at every moment the old one or the new one, with all that belongs to it.

A file is given as a place that symlinks.followed has found: a link stays, and its target is replaced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Callable, Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.host import immutable

LARGEST = 1024 * 1024  # of a file that others write. Any .env is far smaller
NO_DIRECTORY = -1  # no descriptor: whatever is done with it fails

_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700
_MARK = ".cache-migration-"
_MOUNT_POINT_FIELD = 4  # proc(5), mountinfo
_LOCK_POLL_SECONDS = 0.05

# These say something about the content they were made for; the kernel makes them anew.
_BOUND_TO_CONTENT = ("security.ima", "security.evm", "security.capability")


class FileRefused(Exception):
    """The file cannot be read or replaced; it is as it was. The text is a sentence for the operator."""


@dataclass(frozen=True)
class Place:
    """A name in a directory that is held open. All is done there, whatever ``path`` leads to by then.

    ``path`` has no links in it. It is for messages and the journal.
    """

    path: str
    directory: int

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def has_directory(self) -> bool:
        return self.directory != NO_DIRECTORY


def read(place: Place, largest: int | None = LARGEST) -> bytes | None:
    """The content, or None where there is no file. ``largest`` is None for a file that nobody else can write."""
    with _opened(place) as descriptor:
        content = _content(descriptor, None if largest is None else largest + 1)
    if largest is not None:
        refuse_if_larger(place, content, largest)
    return content


def refuse_if_larger(place: Place, content: bytes | None, largest: int = LARGEST) -> None:
    if content is not None and len(content) > largest:
        raise FileRefused(
            f"{place.path} is larger than {largest // 1024} KiB, which no .env is: give the path of the file that the "
            "app reads, or take out of it what is no value"
        )


@contextmanager
def _opened(place: Place) -> Iterator[int | None]:
    """The regular file, for reading, or None where there is none.

    Who may write in its directory can put anything in its place at any moment: a link is not followed, and a pipe not
    waited for.
    """
    descriptor = _open(place) if place.has_directory else None
    try:
        if descriptor is not None and not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileRefused(_not_regular(place.path))
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(place: Place) -> int | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(place.name, flags, dir_fd=place.directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise FileRefused(_not_regular(place.path))
        raise FileRefused(
            f"{place.path} cannot be read ({error.strerror}): give a file that this user may read, or use become"
        )


def _content(descriptor: int | None, at_most: int | None) -> bytes | None:
    if descriptor is None:
        return None
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read(at_most)


def refuse_unless_replaceable(place: Place) -> None:
    """What can be seen beforehand of why a file must not, or cannot, be replaced. Changes nothing."""
    path = place.path
    directory = os.path.dirname(path)
    if not place.has_directory:
        raise FileRefused(f"the directory {directory} does not exist: give the path of an existing file")
    if immutable.is_set(".", place.directory):
        raise FileRefused(immutable.sentence(directory))
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=place.directory):
        raise FileRefused(f"this user may not write in {directory}, where {path} would be replaced: use become")
    try:
        status = os.lstat(place.name, dir_fd=place.directory)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused(_not_regular(path))
    if status.st_nlink > 1:
        raise FileRefused(
            f"{path} has {status.st_nlink} hard links. Replacing it would leave the others with the old content: make "
            "it a file of its own, or a symbolic link"
        )
    if path in _mount_points():
        raise FileRefused(_mounted(path))
    if immutable.is_set(place.name, place.directory):
        raise FileRefused(immutable.sentence(path))


def _not_regular(path: str) -> str:
    return f"{path} is not a regular file: give the path of the file that the app reads"


def _mounted(path: str) -> str:
    return (
        f"{path} is a mount of its own, as in a container that has this one file mounted. It cannot be replaced in one "
        "step from here: run on the host that owns the file, or mount its directory instead"
    )


def _mount_points() -> set[str]:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            fields = [line.split(" ")[_MOUNT_POINT_FIELD] for line in file]
    except FileNotFoundError:
        return set()
    return {re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), field) for field in fields}


def replace(place: Place, content: bytes, previous: bytes | None) -> None:
    """Put the content in the place of the previous one (None: a new file, for its owner alone).

    Owner, mode, access lists, SELinux context and other extended attributes stay. Raises FileRefused, with the file
    as it was, where they cannot be kept or where the file no longer holds ``previous``.
    """
    refuse_unless_replaceable(place)
    directory = place.directory
    # The dot in front keeps it out of the way of what reads `.env*` or `conf.d/*`.
    temporary = f".{place.name}{_MARK}{secrets.token_hex(8)}"
    try:
        with _opened(place) as old, _written_beside(temporary, directory, content, old) as give_name:
            # Editors know nothing of our lock. What is left is the moment between this look and the renaming.
            _refuse_unless_still(place, old, previous)
            give_name()
            os.replace(temporary, place.name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError as error:
        raise FileRefused(_explain(place.path, error))
    finally:
        _remove_if_there(temporary, directory)
    _sync_directory(".", directory)


def _refuse_unless_still(place: Place, old: int | None, previous: bytes | None) -> None:
    """What was read, and whose owner and mode were taken, is what is there, and is what is going to be replaced."""
    path = place.path
    if _content(old, len(previous or b"") + 1) != previous:
        raise FileRefused(f"{path} was changed by somebody else just now; nothing was written. Run again")
    try:
        there = os.lstat(place.name, dir_fd=place.directory)
    except FileNotFoundError:
        is_still = old is None
    else:
        is_still = old is not None and os.path.samestat(there, os.fstat(old))
    if not is_still:
        raise FileRefused(
            f"another file was put in the place of {path} just now; nothing was written. See who may write in "
            f"{os.path.dirname(path)}, and run again"
        )


def remove(place: Place) -> None:
    try:
        os.unlink(place.name, dir_fd=place.directory)
    except OSError as error:
        raise FileRefused(_explain(place.path, error))
    _sync_directory(".", place.directory)


@contextmanager
def _written_beside(temporary: str, directory: int, content: bytes, old: int | None) -> Iterator[Callable[[], None]]:
    """A complete new file, which has its name only once it is given one: a kill before that leaves nothing behind."""
    descriptor, is_named = _open_nameless(temporary, directory)
    try:
        _fill(descriptor, content, old)

        def give_name() -> None:
            if not is_named:
                # With a directory descriptor, as Python follows the link to the file only then.
                os.link(f"/proc/self/fd/{descriptor}", temporary, dst_dir_fd=directory, follow_symlinks=True)

        yield give_name
    finally:
        os.close(descriptor)


def _open_nameless(temporary: str, directory: int) -> tuple[int, bool]:
    """A file without a name in the directory, or with one where the file system knows none without (NFS)."""
    mode = os.O_WRONLY | os.O_CLOEXEC
    if os.path.isdir("/proc/self/fd"):
        with suppress(OSError, AttributeError):
            return os.open(".", mode | os.O_TMPFILE, _PRIVATE_FILE, dir_fd=directory), False
    return os.open(temporary, mode | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE, dir_fd=directory), True


def _fill(descriptor: int, content: bytes, old: int | None) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    if old is not None:
        _copy_attributes(old, descriptor)
    os.fsync(descriptor)


def _copy_attributes(old: int, descriptor: int) -> None:
    status = os.fstat(old)
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o777)  # never set-user-ID: whose content it is, others may decide
    if hasattr(os, "listxattr"):
        # After the mode: an access list has its mask in the mode's group bits.
        _copy_extended_attributes(old, descriptor)


def _copy_extended_attributes(old: int, descriptor: int) -> None:
    wanted, present = _extended_attributes(old), _extended_attributes(descriptor)
    for name, value in wanted.items():
        if present.get(name) != value:
            os.setxattr(descriptor, name, value)
    for name in set(present) - set(wanted):  # such as the access list that a directory hands down
        if not name.startswith("security."):
            os.removexattr(descriptor, name)


def _extended_attributes(descriptor: int) -> dict[str, bytes]:
    try:
        names = [name for name in os.listxattr(descriptor) if name not in _BOUND_TO_CONTENT]
        return {name: os.getxattr(descriptor, name) for name in names}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise


def _explain(path: str, error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return _mounted(path)
    if error.errno in (errno.EPERM, errno.EACCES):
        return (
            f"{path} cannot be replaced with its owner, mode and attributes kept ({error.strerror}); nothing was "
            "changed. Use become, and look for an immutable file (lsattr)"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"there is no space beside {path} for its new version ({error.strerror}); nothing was changed. Make room"
    return f"{path} could not be replaced ({error.strerror}); nothing was changed"


def _remove_if_there(name: str, directory: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)


def _sync_directory(path: str, base: int | None = None) -> None:
    with _listable(path, base) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _listable(path: str, base: int | None) -> Iterator[int]:
    """The directory, as a place holds it open for names alone."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=base)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def leftovers(place: Place) -> list[str]:
    """Files that killed runs left beside this one, by name. Without the lock, one may be of a run of now."""
    mine = re.compile(re.escape(f".{place.name}{_MARK}") + r"[0-9a-f]{16}\Z")
    try:
        with _listable(".", place.directory) as directory, os.scandir(directory) as found:
            return [one.name for one in found if mine.match(one.name) and one.is_file(follow_symlinks=False)]
    except OSError:
        return []


def clear_leftovers(place: Place) -> None:
    """Only safe under the lock."""
    for found in leftovers(place):
        _remove_if_there(found, place.directory)


def make_private_directory(path: str) -> None:
    """The directory and what is missing above it, for this user alone."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_private_directory(parent)
    try:
        os.mkdir(path, _PRIVATE_DIRECTORY)
    except FileExistsError:
        return
    except OSError as error:
        raise FileRefused(f"the directory {path} cannot be made ({error.strerror}): use become, or another state_dir")
    _sync_directory(parent)


def refuse_unless_makeable(path: str) -> None:
    """What can be seen beforehand of why make_private_directory, or writing in the directory, would fail."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    if immutable.is_set(path):
        raise FileRefused(immutable.sentence(path))
    if not os.access(path, os.W_OK | os.X_OK):
        raise FileRefused(
            f"this user may not write in {path}, where the journal belongs: use become, or another state_dir"
        )


@contextmanager
def locked(
    path: str,
    wait_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when the process ends, however it ends."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    except OSError as error:
        raise FileRefused(f"the lock {path} cannot be opened ({error.strerror}): use become, or another state_dir")
    try:
        deadline = clock() + wait_seconds
        while not _try_lock(descriptor):
            if clock() >= deadline:
                raise FileRefused(
                    f"another run has held the lock {path} for {wait_seconds:g} s; nothing was changed. Wait for it"
                )
            sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
