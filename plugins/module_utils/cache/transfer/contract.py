# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a strategy is: a module with these functions."""

from __future__ import annotations

from typing import Protocol

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Tell


class TransferRefused(Exception):
    """It cannot be gone on with as things are; the text is a sentence for the operator. What is done so far stays."""


class Strategy(Protocol):
    """``check`` and ``abort`` run in the module, ``run`` in a process of its own that may be killed at any moment and
    is then started again with the same job.
    """

    def check(self, job: Job) -> list[str]:
        """Reasons against it, each a sentence with its remedy. Writes nothing that stays. Of a job that was begun, what
        is against going on with it. Raises ProbeFailed, CacheError.
        """

    def run(self, job: Job, tell: Tell) -> None:
        """Do it, or go on with it, telling how far that is every 5 seconds at least, and at its end. Raises
        TransferRefused, ProbeFailed, CacheError.
        """

    def finish(self, job: Job) -> None:
        """Have a run come to its end, which ``run`` tells: for what would go on by itself."""

    def abort(self, job: Job) -> list[str]:
        """Take away what was written where the target was empty before, and say what was done. Nobody runs it any more.
        Raises TransferRefused, ProbeFailed, CacheError.
        """
