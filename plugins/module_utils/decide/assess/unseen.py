# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What could not be seen of the old Redis, and therefore was not weighed. Pure."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import NOTE, WARN, Finding


def unseen(source: Source) -> Iterator[Finding]:
    if source.not_told:
        yield Finding(
            WARN,
            "not seen",
            f"The old Redis does not answer {', '.join(dict.fromkeys(source.not_told))} to this user.",
            "What depends on it was not checked.",
            "Assess with a user that may, or check it by hand.",
        )
    if not source.sample_complete:
        yield Finding(
            NOTE,
            "sample",
            f"Only {source.sampled} keys were looked at in the time given.",
            "What is said of keys is said of these.",
        )
