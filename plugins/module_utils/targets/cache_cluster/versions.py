# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The engines of a cache cluster, their versions as AWS writes them, and the family of parameters of each. Pure."""

from __future__ import annotations

import re

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import versions
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    version_numbers,
)

MEMCACHED = "memcached"
ENGINES = {MEMCACHED: "Memcached", REDIS: "Redis OSS"}
PORTS = {MEMCACHED: 11211, REDIS: 6379}

TLS_FROM = (1, 6, 12)
SCALES_FROM = (1, 5)  # ModifyCacheCluster takes another node type of Memcached from here on


def check_version(version: str, engine: str) -> None:
    """Raises PlanRefused, naming the option."""
    if engine == REDIS:
        versions.check_version(version, REDIS)
    elif not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise PlanRefused(
            f"engine_version is {version!r}: of Memcached write it with three numbers, as '1.6.22'", "engine_version"
        )


def family_of(engine: str, version: str) -> str:
    """The parameter group family of a version; empty where we do not know."""
    numbers = version_numbers(version)
    if engine == REDIS:
        return versions.family_of(REDIS, version)
    return f"memcached{numbers[0]}.{numbers[1]}" if numbers[:1] == (1,) and len(numbers) > 1 else ""
