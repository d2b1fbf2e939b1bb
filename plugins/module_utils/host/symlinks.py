# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a path to the file that it means, where others may change links and directories on the way at any moment.

The path is gone along once, a name at a time, and every name is looked at through a descriptor. What is done with the
file afterwards is done in the directory that is open then, and a link that is put in the way later leads nowhere.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from contextlib import ExitStack, contextmanager
from typing import Iterator, NamedTuple, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import (
    NO_DIRECTORY,
    FileRefused,
    Place,
)

_MOST_LINKS = 40  # as in the kernel, path_resolution(7)
_ROOT = 0


class _Directory(NamedTuple):
    """``path`` has no links in it."""

    path: str
    descriptor: int

    @property
    def owner(self) -> int:
        return os.fstat(self.descriptor).st_uid


class _Link(NamedTuple):
    path: str
    owner: int
    start: _Directory
    names: Sequence[str]


@contextmanager
def followed(path: str) -> Iterator[Place]:
    """The place of the file, behind all symbolic links. The file, or its directory, need not be there.

    A link counts only where it belongs to root, to the user of this run, or to the owner of what it leads to, as with
    the kernel's fs.protected_symlinks. Otherwise who owns the link would choose which file of others is changed.
    """
    with ExitStack() as opened:
        try:
            place = _Walk(opened).to_file(path)
        except FileNotFoundError:
            place = Place(os.path.realpath(path), NO_DIRECTORY)
        except OSError as error:
            raise FileRefused(
                f"{path} cannot be read ({error.strerror}): give a file that this user may read, or use become"
            )
        yield place


class _Walk:
    """All that it opens stays open until the end. It opens nothing to read it: that may need rights or have effects."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._links = 0

    def to_file(self, path: str) -> Place:
        root = _Directory("/", self._open("/", os.O_DIRECTORY))
        place, _owner = self._find(root, _names(path if os.path.isabs(path) else os.path.join(os.getcwd(), path)))
        return place

    def _find(self, start: _Directory, names: Sequence[str]) -> tuple[Place, int]:
        """The file and its owner. Who owns the directory stands for the owner of a file that is not there yet."""
        if not names or names[-1] == "..":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        directory, name = self._enter(start, names[:-1]), names[-1]
        place = Place(os.path.join(directory.path, name), directory.descriptor)
        try:
            descriptor = self._open(name, 0, directory)
        except FileNotFoundError:
            return place, directory.owner
        link = self._link(descriptor, name, directory)
        if not link:
            return place, os.fstat(descriptor).st_uid
        place, owner = self._find(link.start, link.names)
        _refuse_link_of_others(link, place.path, owner)
        return place, owner

    def _enter(self, directory: _Directory, names: Sequence[str]) -> _Directory:
        for name in names:
            directory = self._step(directory, name)
        return directory

    def _step(self, directory: _Directory, name: str) -> _Directory:
        try:
            descriptor = self._open(name, os.O_DIRECTORY, directory)
        except NotADirectoryError:
            link = self._link(self._open(name, 0, directory), name, directory)
            if not link:
                raise
            found = self._enter(link.start, link.names)
            _refuse_link_of_others(link, found.path, found.owner)
            return found
        path = os.path.dirname(directory.path) if name == ".." else os.path.join(directory.path, name)
        return _Directory(path, descriptor)

    def _link(self, descriptor: int, name: str, directory: _Directory) -> _Link | None:
        """Its owner and its target, both from one descriptor, as between two looks it can become another link."""
        status = os.fstat(descriptor)
        if not stat.S_ISLNK(status.st_mode):
            return None
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink("", dir_fd=descriptor)
        start = _Directory("/", self._open("/", os.O_DIRECTORY)) if target.startswith("/") else directory
        return _Link(os.path.join(directory.path, name), status.st_uid, start, _names(target))

    def _open(self, name: str, kind: int, directory: _Directory | None = None) -> int:
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC | kind
        descriptor = os.open(name, flags, dir_fd=directory.descriptor if directory else None)
        self._opened.callback(os.close, descriptor)
        return descriptor


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _refuse_link_of_others(link: _Link, target: str, owner: int) -> None:
    if link.owner not in (_ROOT, os.geteuid(), owner):
        raise FileRefused(
            f"{link.path} is a symbolic link of {_user(link.owner)} to {target}, which belongs to {_user(owner)}: "
            f"{_user(link.owner)} could choose with it which file of others is read and changed. Give the path without "
            f"this link, or give the link to root (chown -h root {link.path})"
        )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
