# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cluster, read as one: every primary is read, and what they hold is added up. Reads only, and never for long."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import cluster_probe, failures
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import KeyGroup, largest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import (
    Source,
    Surveyed,
    SurveyQuestion,
    as_probe,
    keyspace_of,
    lives_of,
    read_source,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.traffic import together
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import all_in_time

SECONDS = 40.0  # for all primaries together, which are read at once, beside the time for which they are watched


def survey(question: SurveyQuestion) -> Surveyed:
    """Raises EndpointError where the URL cannot be read."""
    parts = parse_url(question.url)
    try:
        with cluster_probe.session(as_probe(question)) as cluster:
            primaries = [shard.primary.place for shard in cluster.shards]
            sample = -(-question.sample // len(primaries))
            reading = {
                f"{name}:{port}": functools.partial(
                    read_source, cluster.at((name, port)), parts.database, sample, question.watch
                )
                for name, port in primaries
            }
            read = all_in_time(reading, SECONDS + question.watch)
    except ProbeFailed as failed:
        return Surveyed(failure=failed.failure)
    except CacheError as error:
        return Surveyed(failure=failures.not_told(parts, str(error)))
    if len(read) < len(reading):
        return Surveyed(failure=failures.endless(parts, SECONDS + question.watch))
    return Surveyed(whole(list(read.values())))


def whole(sources: Sequence[Source]) -> Source:
    """Of the primaries of one cluster. What only one of them tells is the first's."""
    return replace(
        sources[0],
        used_memory=sum(source.used_memory for source in sources),
        used_memory_peak=sum(source.used_memory_peak for source in sources),
        maxmemory=sum(source.maxmemory for source in sources),
        evicted_keys=sum(source.evicted_keys for source in sources),
        operations_per_second=sum(source.operations_per_second for source in sources),
        commands_processed=sum(source.commands_processed for source in sources),
        net_bytes=sum(source.net_bytes for source in sources),
        cpu_seconds=sum(source.cpu_seconds for source in sources),
        keyspace=keyspace_of(sources),
        sampled=sum(source.sampled for source in sources),
        sample_complete=all(source.sample_complete for source in sources),
        key_groups=_groups(sources),
        streams=tuple(stream for source in sources for stream in source.streams),
        streams_complete=all(source.streams_complete for source in sources),
        clients=tuple(client for source in sources for client in source.clients),
        commands=tuple(sorted({name for source in sources for name in source.commands})),
        not_told=tuple(sorted({name for source in sources for name in source.not_told})),
        queue_libraries=tuple(sorted({name for source in sources for name in source.queue_libraries})),
        queue_libraries_complete=all(source.queue_libraries_complete for source in sources),
        lives=lives_of(sources),
        largest=largest(key for source in sources for key in source.largest),
        payload=max((source.payload for source in sources if source.payload), default=None),
        now=together(source.now for source in sources),
        on_average=together(source.on_average for source in sources),
        subscribed=max(source.subscribed for source in sources),
        subscribed_patterns=max(source.subscribed_patterns for source in sources),
        channels=tuple(sorted({name for source in sources for name in source.channels})),
        run_id="",
    )


def _groups(sources: Sequence[Source]) -> tuple[KeyGroup, ...]:
    """Those that look alike are one, the largest first."""
    found: dict[tuple[int, str, str], Counter[str]] = {}
    for group in (group for source in sources for group in source.key_groups):
        counts = found.setdefault((group.database, group.type, group.pattern), Counter())
        counts.update(count=group.count, without_ttl=group.without_ttl, bytes=group.bytes)
    groups = [KeyGroup(*what, n["count"], n["without_ttl"], n["bytes"]) for what, n in found.items()]
    return tuple(sorted(groups, key=lambda group: -group.count))
