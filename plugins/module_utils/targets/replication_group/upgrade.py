# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Another engine, or another version of it: what AWS can do in place, and with which parameter group. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    ENGINES,
    FROM_VALKEY,
    REDIS,
    TO_REDIS,
    engine_of,
    family_of,
    version_numbers,
)


def group_of_its_family(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> dict[str, str]:
    """AWS's own parameter group of the new family, which it wants named in the call that changes the version.

    Empty where one is stated, the group has one of somebody's own, or the family stays.
    """
    version, is_now = changes.get("engine_version"), current.cache_parameter_group_name
    if not version or desired.cache_parameter_group_name or not is_now.startswith("default."):
        return {}
    family = family_of(changes.get("engine", current.engine), version)
    of_cluster = ".cluster.on" if is_now.endswith(".cluster.on") else ""
    named = f"default.{family}{of_cluster}"
    return {"cache_parameter_group_name": named} if family and named != is_now else {}


def check_engine(current: ReplicationGroup, desired: Desired) -> None:
    """An engine that is not stated is kept; another one comes in place, with its version."""
    what = f"The replication group {current.replication_group_id} runs {ENGINES.get(current.engine, current.engine)}"
    version, engine = desired.engine_version, desired.engine or current.engine
    if version and engine_of(version) != engine:
        other = engine_of(version)
        raise PlanRefused(
            f"{what}, and engine_version {version} is one of {ENGINES[other]}: state engine: {other} with it to move "
            "in place, or leave engine_version out",
            "engine",
        )
    if engine == current.engine:
        return
    if not version:
        raise PlanRefused(
            f"{what}, and AWS moves it to {ENGINES[engine]} in place to a version that is stated only: state "
            f"engine_version, as {'7.1' if engine == REDIS else '8.0'}",
            "engine_version",
        )
    if engine == REDIS and (current.version[:2], version_numbers(version)[:2]) != (FROM_VALKEY, TO_REDIS):
        raise PlanRefused(
            f"{what} {current.engine_version}, and AWS goes back to Redis OSS in place from Valkey 7.2 to 7.1 only: "
            "make a new group under another replication_group_id, or state engine: valkey",
            "engine",
        )


def check_upgrade(current: ReplicationGroup, desired: Desired) -> None:
    stated, engine = desired.engine_version or "", desired.engine or current.engine
    wanted = version_numbers(stated)
    if engine == current.engine and wanted < current.version[: len(wanted)]:
        raise PlanRefused(
            f"The replication group {current.replication_group_id} runs {current.engine_version}, and AWS cannot go "
            f"back to {stated} in place: make a new group under another replication_group_id, or state an "
            "engine_version that is not below the one that runs",
            "engine_version",
        )
    group = desired.cache_parameter_group_name or current.cache_parameter_group_name
    before, after = family_of(current.engine, current.engine_version), family_of(engine, stated)
    custom = bool(group) and not group.startswith("default.")
    differs = engine != current.engine or bool(before and after and before != after)
    if custom and differs and group == current.cache_parameter_group_name:
        raise PlanRefused(
            f"The parameter group {group} is of the family {before} and cannot serve {ENGINES[engine]} {stated}: state "
            f"a cache_parameter_group_name of the family {after or 'of that version'} with it",
            "cache_parameter_group_name",
        )
    check_family(desired.cache_parameter_group_name, engine, stated)


def check_family(group: str | None, engine: str, version: str) -> None:
    family = family_of(engine, version)
    of_cluster = ".cluster.on"
    if not (group and family and group.startswith("default.")) or group.replace(of_cluster, "") == f"default.{family}":
        return
    fitting = f"default.{family}{of_cluster if group.endswith(of_cluster) else ''}"
    raise PlanRefused(
        f"cache_parameter_group_name is {group}, and engine_version {version} is of the family {family}: state "
        f"{fitting}, or a group of that family",
        "cache_parameter_group_name",
    )
