# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Files and directories that not even root may replace (chattr(1), ioctl_iflags(2))."""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress

# linux/fs.h: FS_IOC_GETFLAGS as x86 and ARM have it. Its answer is an int, whatever the size that its number says.
_GET_FLAGS = 0x80006601 | struct.calcsize("l") << 16
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20


def is_set(name: str, directory: int | None = None) -> bool:
    """Whether it is immutable or may only be added to. A file system that has no such flags has none that are set."""
    flags = bytearray(struct.calcsize("l"))
    with suppress(OSError):
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        try:
            fcntl.ioctl(descriptor, _GET_FLAGS, flags)
        finally:
            os.close(descriptor)
    return bool(struct.unpack_from("i", flags)[0] & (_IMMUTABLE | _APPEND_ONLY))


def sentence(path: str) -> str:
    return (
        f"{path} is immutable or may only be added to (chattr +i, +a), so that not even root can replace what is "
        f"there. Ask who has set that, and take it away for the migration: chattr -ia {path}"
    )
