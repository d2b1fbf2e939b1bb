# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy cold: nothing comes along. The app fills its cache again."""

from __future__ import annotations

import time

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import (
    DONE,
    Job,
    Progress,
    Tell,
)


def check(job: Job) -> list[str]:
    return []


def run(job: Job, tell: Tell) -> None:
    tell(Progress(DONE, began=time.time()))


def finish(job: Job) -> None:
    """It has no end to come to."""


def abort(job: Job) -> list[str]:
    return []
