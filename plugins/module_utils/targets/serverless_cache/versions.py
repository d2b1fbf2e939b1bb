# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Engines and major versions of serverless caches: AWS is told the major version alone, and chooses the rest. Pure."""

from __future__ import annotations

import re

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import versions
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)

MEMCACHED = "memcached"
ENGINES = {**versions.ENGINES, MEMCACHED: "Memcached"}

# Redis OSS ends with 7 (7.1), where Valkey begins (7.2); between these two AWS goes both ways in place.
COMMON = "7"

# A cache that is reached from the internet, and DynamoDB behind one, need this: CreateServerlessCache of the API.
_NEWER_FROM = 9


def check_version(version: str, engine: str | None) -> None:
    """``engine`` is None where none is stated. Raises PlanRefused."""
    if engine == MEMCACHED or (engine is None and version.startswith("1.")):
        if not re.fullmatch(r"1\.\d+", version):
            raise PlanRefused(
                f"major_engine_version is {version!r}: write '1.6' for Memcached (in quotes, or YAML makes a number "
                "of it)",
                "major_engine_version",
            )
        return
    if not re.fullmatch(r"\d+", version):
        raise PlanRefused(
            f"major_engine_version is {version!r}: write the major version alone, as '8' (in quotes); AWS chooses the "
            "rest",
            "major_engine_version",
        )
    if engine == REDIS and int(version) > int(COMMON):
        raise PlanRefused(
            f"major_engine_version is {version}: ElastiCache has Redis OSS up to 7; what is newer there is Valkey: "
            "state engine: valkey with it, or '7'",
            "major_engine_version",
        )
    if engine == VALKEY and int(version) < int(COMMON):
        raise PlanRefused(
            f"major_engine_version is {version}: Valkey begins with 7: state that or a newer one, or engine: redis",
            "major_engine_version",
        )


def is_newer(engine: str | None, version: str) -> bool:
    """Whether it is a Valkey of 9 or above; True where its version is AWS's to choose, which then says so itself."""
    return engine == VALKEY and (not version or int(version) >= _NEWER_FROM)
