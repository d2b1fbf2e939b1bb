# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What could not be seen of the old Redis, and therefore was not weighed. Pure."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import NOTE, WARN, Finding

# What each command would have told.
TELLS = {
    "CLIENT ID": "which connection is this look's own",
    "CLIENT LIST": "who uses it",
    "COMMAND INFO": "how much is written to it",
    "CONFIG GET": "how many databases it serves and whether it tells of keyspace events",
    "DUMP": "the version of what it would be copied by",
    "FUNCTION LIST": "which functions are loaded",
    "INFO": "which commands are used",
    "MEMORY USAGE": "how large keys are",
    "MODULE LIST": "which modules are loaded",
    "PTTL": "which keys never expire",
    "PUBSUB CHANNELS": "which channels have subscribers",
    "SCAN": "which keys and streams there are",
    "SELECT": "the keys of other databases than the app's own",
    "TYPE": "which keys there are",
    "XINFO GROUPS": "who reads its streams",
    "XLEN": "what its streams hold",
}


def unseen(source: Source) -> Iterator[Finding]:
    if source.not_told:
        hidden = dict.fromkeys(TELLS[command] for command in source.not_told)
        yield Finding(
            WARN,
            "not seen",
            f"The old Redis does not answer {', '.join(source.not_told)} to this user.",
            f"Not seen, and so not weighed: {'; '.join(hidden)}.",
            "Assess it by a user that may ask (migration_assess_url), or check it by hand.",
        )
    if not source.sample_complete:
        yield Finding(
            NOTE,
            "sample",
            f"Only {source.sampled} keys were looked at in the time given.",
            "What is said of keys is said of these.",
        )
    if not source.streams_complete:
        yield Finding(
            NOTE,
            "sample of streams",
            f"Not all keys were asked whether they are streams in the time given; {len(source.streams)} were found.",
            "There may be others.",
        )
    if not source.queue_libraries_complete:
        yield Finding(
            WARN,
            "queues not seen",
            "Not all keys were looked at in the time given, so that those of Celery, RQ or Sidekiq may be among them.",
            "None of these runs on a target that speaks another protocol than redis.",
            "Check by hand whether the app has such queues.",
        )
