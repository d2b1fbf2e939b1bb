# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy seed: the target was made from a dump of the old Redis, and has its data from its beginning.

Nothing is brought here. What the target holds is compared, as of every strategy; what was written since the dump is not
in it.
"""

from __future__ import annotations

import time

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import (
    DONE,
    Job,
    Progress,
    Tell,
)


def check(job: Job) -> list[str]:
    if not sides.look(job.source).keys or sides.look(job.target).keys:
        return []
    return [
        f"The target at {job.target.place} holds no key: it was not made from a dump of the old Redis, or from an "
        "empty one. Make one of another name from a dump (migration_snapshot_arns), or choose migration_transfer: copy."
    ]


def run(job: Job, tell: Tell) -> None:
    tell(Progress(DONE, keys_done=sides.look(job.target).keys, began=time.time()))


def finish(job: Job) -> None:
    """It has no end to come to."""


def abort(job: Job) -> list[str]:
    return [f"What {job.target.place} was made from stays in it: take the target away, where that is not wanted."]
