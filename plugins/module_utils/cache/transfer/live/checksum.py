# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a snapshot that lies here is the one that the source sent: by the checksum with which it ends.

In a process of its own, of a lower priority: to compute it takes about as long as to load the snapshot, which goes on
meanwhile. A source that was told not to compute it (rdbchecksum no) ends with zeros. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.crc64 import SIZE, crc64

_END = 0xFF  # what stands before the checksum
_PIECE = 1 << 20
_NICER = 5
_RIGHT, _WRONG, _LEFT = 0, 1, 2


class Check:
    """Takes the descriptor of a file of ``size`` bytes, and closes it."""

    def __init__(self, file: int, size: int) -> None:
        parent = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            try:
                os.nice(_NICER)
                os._exit(_verdict(file, size, parent))
            finally:
                os._exit(_LEFT)
        os.close(file)

    def verdict(self) -> bool | None:
        """None while it is at it. Raises TransferRefused where it came to no end."""
        child, status = os.waitpid(self._child, os.WNOHANG)
        if not child:
            return None
        self._child = 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else _LEFT
        if code == _LEFT:
            raise TransferRefused(
                "the process that computes the checksum of the snapshot was ended by somebody: look whether this host "
                "has memory left, and run this again."
            )
        return code == _RIGHT

    def close(self) -> None:
        if self._child:
            with contextlib.suppress(OSError):
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
            self._child = 0


def _verdict(file: int, size: int, parent: int) -> int:
    """Nobody waits for it once its parent is gone."""
    told = os.pread(file, SIZE, size - SIZE)
    if os.pread(file, 1, size - SIZE - 1) != b"%c" % _END:
        return _WRONG
    if not any(told):
        return _RIGHT
    checksum, end = 0, size - SIZE
    for start in range(0, end, _PIECE):
        if os.getppid() != parent:
            return _LEFT
        checksum = crc64(os.pread(file, min(_PIECE, end - start), start), checksum)
    return _RIGHT if checksum.to_bytes(SIZE, "little") == told else _WRONG
