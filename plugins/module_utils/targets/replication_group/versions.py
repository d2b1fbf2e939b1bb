# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Engines and their versions as AWS writes them, and the family of parameters that each belongs to. Pure."""

from __future__ import annotations

import re

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

REDIS, VALKEY = "redis", "valkey"
ENGINES = {REDIS: "Redis OSS", VALKEY: "Valkey"}
LAST_REDIS = (7, 1)  # Redis OSS ends here at ElastiCache; Valkey goes on, so that a version tells its engine

# Back in place goes this alone: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html
FROM_VALKEY, TO_REDIS = (7, 2), (7, 1)

# A default parameter group belongs to one family. https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.html
# What is not here, as of a newer Valkey, AWS tells: DescribeCacheEngineVersions.
_FAMILIES: dict[str, dict[tuple[int, ...], str]] = {
    REDIS: {(7,): "redis7", (6,): "redis6.x", (5, 0): "redis5.0", (4, 0): "redis4.0", (3, 2): "redis3.2"},
    VALKEY: {(7,): "valkey7", (8,): "valkey8", (9,): "valkey9"},
}


def version_numbers(version: str) -> tuple[int, ...]:
    """``7.1.0`` as (7, 1, 0); ``6.x`` as (6,)."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def same_version(actual: str, stated: str) -> bool:
    """``7.1`` is 7.1.0, and ``6.x`` is any 6."""
    numbers = version_numbers(stated)
    return version_numbers(actual)[: len(numbers)] == numbers


def is_before(version: str, since: tuple[int, ...]) -> bool:
    """Whether a version is older than another. What it does not state counts as the newest: ``6.x`` is not before 6.2.

    False where no version is known.
    """
    numbers = version_numbers(version)
    return bool(numbers) and numbers < since[: len(numbers)]


def engine_of(version: str) -> str:
    """The engine that has the version: none is of both."""
    return VALKEY if version_numbers(version)[:2] > LAST_REDIS else REDIS


def label(version: str) -> str:
    """A version as it is stated: ``7.1`` for 7.1.0, and 5.0.6 as it is."""
    numbers = version_numbers(version)
    return version if numbers < (6,) else ".".join(str(number) for number in numbers[:2])


def family_of(engine: str, version: str) -> str:
    """The parameter group family of a version; empty where we do not know."""
    numbers = version_numbers(version)
    if not numbers or engine_of(version) != engine:
        return ""
    families = _FAMILIES.get(engine, {})
    return families.get(numbers[:1]) or families.get(numbers[:2]) or ""


def check_version(version: str, engine: str | None) -> None:
    """``engine`` is None where none is stated. Raises PlanRefused."""
    form = r"[1-5]\.\d+\.\d+" if version_numbers(version)[:1] < (6,) else r"6\.x|\d+\.\d+"
    if not re.fullmatch(form, version):
        raise PlanRefused(
            f"engine_version is {version!r}: write it as AWS does, '7.1' from version 6 on and '5.0.6' before "
            "(in quotes, or YAML makes a number of it)",
            "engine_version",
        )
    if engine == REDIS and engine_of(version) == VALKEY:
        raise PlanRefused(
            f"engine_version is {version}: ElastiCache has Redis OSS up to 7.1; what is newer there is Valkey: state "
            "engine: valkey with it, or 7.1",
            "engine_version",
        )
    if engine == VALKEY and engine_of(version) == REDIS:
        raise PlanRefused(
            f"engine_version is {version}: Valkey begins with 7.2: state that or a newer one, or engine: redis",
            "engine_version",
        )
