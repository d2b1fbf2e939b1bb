# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Can the target take the old Redis's place, and what does the change mean for its data and clients? Pure.

Where the app has several, as one of its own on each host, the target takes the place of all.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import (
    Source,
    keyspace_of,
    lives_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.traffic import together
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import (
    change,
    client,
    fit,
    strategy,
    unseen,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import (
    NOTE,
    REFUSE,
    WARN,
    Circumstances,
    Finding,
    Old,
    Who,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target


def assess(olds: Mapping[str, Old], target: Target, stated: Circumstances) -> list[Finding]:
    """All findings, refusals first. ``olds`` has each old Redis by its place."""
    sources = {place: old.source for place, old in olds.items()}
    whole, who = _together(list(sources.values())), Who(len(sources))
    findings = [
        *change.data(whole, who, target, stated),
        *(strategy.findings(recommend(olds, target, stated), stated) if whole.total_keys else ()),
        *change.several(sources),
        *change.loss(target, stated),
        *fit.memory(whole, who, target),
        *fit.database(stated),
        *fit.databases(whole, target, stated),
        *client.login(target, stated),
        *_of_each({place: _of_one(old, target, stated) for place, old in olds.items()}),
    ]
    return sorted(findings, key=lambda finding: (REFUSE, WARN, NOTE).index(finding.level))


def recommend(olds: Mapping[str, Old], target: Target, stated: Circumstances) -> strategy.Recommendation:
    return strategy.recommend(_together([old.source for old in olds.values()]), len(olds), target, stated)


def _of_one(old: Old, target: Target, stated: Circumstances) -> list[Finding]:
    source = old.source
    rooms: list[Iterator[Finding]] = [
        fit.version(source, target),
        fit.modules(source, target),
        fit.commands(source, target),
        fit.eviction(source, target),
        client.of(source, target, stated),
        change.jobs(source, stated),
        change.clients(old, stated),
        change.lasting_keys(source),
        change.events(source, target),
        change.lua(source, target),
        change.streams(source, stated),
        change.waiting_clients(source),
        change.persistence(source, target),
        unseen.unseen(source),
    ]
    return [finding for room in rooms for finding in room]


def _of_each(findings: Mapping[str, list[Finding]]) -> Iterator[Finding]:
    """What is found of several is told once, with the places of all of which it is."""
    places: dict[Finding, list[str]] = {}
    for place, found in findings.items():
        for finding in found:
            places.setdefault(finding, []).append(place)
    for finding, each in places.items():
        yield finding if len(findings) == 1 else replace(finding, found=f"{', '.join(each)}: {finding.found}")


def _together(sources: list[Source]) -> Source:
    """What they have in all: keys, memory, traffic, and who is in which database."""
    return replace(
        sources[0],
        used_memory=sum(source.used_memory for source in sources),
        used_memory_peak=sum(max(source.used_memory_peak, source.used_memory) for source in sources),
        keyspace=keyspace_of(sources),
        key_groups=tuple(chain.from_iterable(source.key_groups for source in sources)),
        streams=tuple(chain.from_iterable(source.streams for source in sources)),
        queue_libraries=tuple(sorted({name for source in sources for name in source.queue_libraries})),
        lives=lives_of(sources),
        now=together(source.now for source in sources),
        on_average=together(source.on_average for source in sources),
        clients=tuple(chain.from_iterable(source.clients for source in sources)),
    )


def refusals(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == REFUSE]
