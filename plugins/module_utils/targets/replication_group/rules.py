# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS refuses, or cannot do in place, with a replication group: refused by us first, with the way out. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import windows
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    ENGINES,
    FROM_VALKEY,
    REDIS,
    TO_REDIS,
    VALKEY,
    check_version,
    engine_of,
    family_of,
    version_numbers,
)

# Only by making the group again.
_FIXED_OPTIONS = ("at_rest_encryption_enabled", "kms_key_id", "cache_subnet_group_name", "port")

_TLS_IN_PLACE_FROM = (7, 0, 5)


def check_creation(desired: Desired) -> None:
    if desired.cache_node_type is None:
        raise PlanRefused(
            f"There is no replication group {desired.replication_group_id}, and to make one its size must be stated: "
            "set cache_node_type, as cache.t3.small",
            "cache_node_type",
        )
    zones, nodes = desired.preferred_cache_cluster_azs, desired.num_cache_clusters or 1
    if zones and len(zones) != nodes:
        raise PlanRefused(
            f"preferred_cache_cluster_azs names {len(zones)} zones, and num_cache_clusters is left out, so 1 node: "
            f"set it to {len(zones)}",
            "num_cache_clusters",
        )
    if desired.automatic_failover_enabled and nodes < 2:
        raise PlanRefused(
            "automatic_failover_enabled needs a replica to fail over to: set num_cache_clusters to 2 or more",
            "num_cache_clusters",
        )
    if desired.multi_az_enabled and not desired.automatic_failover_enabled:
        raise PlanRefused(
            "multi_az_enabled needs automatic failover: set automatic_failover_enabled: true",
            "automatic_failover_enabled",
        )
    _check_new_transit(desired)
    windows.refuse_overlap(
        desired.snapshot_window or "", desired.preferred_maintenance_window or "", "preferred_maintenance_window"
    )
    if desired.kms_key_id and not encrypts_at_rest(desired):
        raise PlanRefused(
            "kms_key_id encrypts data at rest: set at_rest_encryption_enabled: true, or leave the key out", "kms_key_id"
        )
    if desired.engine_version:
        check_version(desired.engine_version, desired.engine)
        _check_family(desired.cache_parameter_group_name, desired.engine or REDIS, desired.engine_version)


def encrypts_at_rest(desired: Desired) -> bool:
    """Of a new group: where it is not stated, the engine decides."""
    stated = desired.at_rest_encryption_enabled
    return desired.engine == VALKEY if stated is None else stated


def _check_new_transit(desired: Desired) -> None:
    if not desired.transit_encryption_enabled:
        for option in ("auth_token", "transit_encryption_mode"):
            if getattr(desired, option):
                raise PlanRefused(f"{option} needs TLS: set transit_encryption_enabled: true", option)
    if desired.transit_encryption_mode and _is_before_mode(desired.engine_version):
        raise PlanRefused(
            f"transit_encryption_mode is known from 7.0.5 on, and engine_version is {desired.engine_version}: leave it "
            "out, as TLS is required there, or state a newer version",
            "transit_encryption_mode",
        )
    if desired.auth_token and desired.transit_encryption_mode == "preferred":
        raise PlanRefused(
            "auth_token needs TLS of every client, and transit_encryption_mode: preferred serves those without: "
            "make a new group that has a token with transit_encryption_mode: required",
            "transit_encryption_mode",
        )


def _is_before_mode(version: str | None) -> bool:
    """``7.0`` is the newest of 7.0."""
    numbers = version_numbers(version or "")
    return bool(numbers) and numbers < _TLS_IN_PLACE_FROM[: len(numbers)]


def check_kind(current: ReplicationGroup) -> None:
    """What this module can handle at all."""
    what = f"The replication group {current.replication_group_id}"
    if current.cluster_enabled:
        raise PlanRefused(
            f"{what} has cluster mode enabled, which needs a cluster-aware client and is not handled here: "
            "choose another replication_group_id",
            "replication_group_id",
        )


def check_changes(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
    check_kind(current)
    if desired.has_placeholders:
        raise PlanRefused(
            f"security_group_ids holds a placeholder, and the replication group {current.replication_group_id} exists: "
            "state the ids of its security groups",
            "security_group_ids",
        )
    for option in _FIXED_OPTIONS:
        if option in changes:
            _refuse_fixed(current, option, changes[option])
    if "engine" in changes or "engine_version" in changes:
        _check_engine(current, desired)
        _check_upgrade(current, desired)
    if "cache_node_type" in changes:
        _check_node_type(current, changes["cache_node_type"])
    if not desired.apply_immediately:
        _check_queueing(current, changes)
    _check_transit(current, desired, changes)
    _check_token(current, desired)


def _check_queueing(current: ReplicationGroup, changes: Mapping[str, Any]) -> None:
    """What goes wrong between a call that queues and the maintenance window."""
    what = f"of the replication group {current.replication_group_id}"
    if "multi_az_enabled" in changes and changes["multi_az_enabled"] != changes.get("automatic_failover_enabled"):
        raise PlanRefused(
            f"AWS does not tell whether a change of multi_az_enabled {what} is queued, so that every run would ask for "
            "it again: set apply_immediately: true, or leave multi_az_enabled as it is",
            "apply_immediately",
        )
    if changes.get("num_cache_clusters") == 1 and current.automatic_failover_enabled:
        raise PlanRefused(
            f"Automatic failover {what} goes with its maintenance window at the earliest, and needs a replica until "
            "then: set apply_immediately: true, or keep num_cache_clusters at 2 or more",
            "apply_immediately",
        )


def check_result(after: ReplicationGroup) -> None:
    """What a group must be after all changes, also queued ones; the options that were left out count as they are."""
    name = after.replication_group_id
    if after.automatic_failover_enabled and after.num_cache_clusters < 2:
        raise PlanRefused(
            f"{name} would have automatic failover and {after.num_cache_clusters} node, which leaves nothing to fail "
            "over to: set num_cache_clusters to 2 or more, or automatic_failover_enabled: false",
            "automatic_failover_enabled",
        )
    if after.multi_az_enabled and not after.automatic_failover_enabled:
        raise PlanRefused(
            f"{name} would be Multi-AZ without automatic failover, which AWS does not have: set both "
            "automatic_failover_enabled and multi_az_enabled to true, or multi_az_enabled to false",
            "multi_az_enabled",
        )


def check_windows(after: ReplicationGroup, changes: Mapping[str, Any]) -> None:
    """Whoever changes one of them meets the other as it is."""
    stated = [name for name in ("snapshot_window", "preferred_maintenance_window") if name in changes]
    if stated:
        windows.refuse_overlap(after.snapshot_window, after.preferred_maintenance_window, stated[0])


def _refuse_fixed(current: ReplicationGroup, option: str, wanted: Any) -> None:
    is_now = getattr(current, option)
    raise PlanRefused(
        f"{option} of the replication group {current.replication_group_id} is {is_now!r}, and AWS cannot change it to "
        f"{wanted!r} in place: make a new group under another replication_group_id and move to it, or state {is_now!r}",
        option,
    )


def _check_engine(current: ReplicationGroup, desired: Desired) -> None:
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


def _check_upgrade(current: ReplicationGroup, desired: Desired) -> None:
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
    _check_family(desired.cache_parameter_group_name, engine, stated)


def _check_family(group: str | None, engine: str, version: str) -> None:
    family = family_of(engine, version)
    if group and family and group.startswith("default.") and group != f"default.{family}":
        raise PlanRefused(
            f"cache_parameter_group_name is {group}, and engine_version {version} is of the family {family}: state "
            f"default.{family}, or a group of that family",
            "cache_parameter_group_name",
        )


def _check_node_type(current: ReplicationGroup, wanted: str) -> None:
    allowed = current.allowed_node_types
    if allowed is not None and wanted not in allowed:
        raise PlanRefused(
            f"AWS cannot change the replication group {current.replication_group_id} from {current.cache_node_type} to "
            f"{wanted} in place; it can to {', '.join(sorted(allowed)) or 'nothing'}: state one of these as "
            "cache_node_type, or make a new group under another replication_group_id",
            "cache_node_type",
        )


def _check_transit(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
    what = f"The replication group {current.replication_group_id}"
    enabled = desired.transit_encryption_enabled
    if desired.transit_encryption_mode and not (current.transit_encryption_enabled if enabled is None else enabled):
        raise PlanRefused(
            f"{what} speaks no TLS, so transit_encryption_mode says nothing: set transit_encryption_enabled: true",
            "transit_encryption_enabled",
        )
    if not any(name.startswith("transit_") for name in changes):
        return
    option = "transit_encryption_enabled" if "transit_encryption_enabled" in changes else "transit_encryption_mode"
    if current.version[:3] < _TLS_IN_PLACE_FROM:
        raise PlanRefused(
            f"{what} runs {current.engine_version}, and AWS changes TLS in place only from 7.0.5 on: leave {option} "
            "out and upgrade it first, in a run of its own, or make a new group under another replication_group_id",
            option,
        )
    if not desired.apply_immediately:
        raise PlanRefused(
            f"{what} changes its TLS at once, in more than one step: set apply_immediately: true", "apply_immediately"
        )
    if enabled and not current.transit_encryption_enabled and not desired.transit_encryption_mode:
        raise PlanRefused(
            f"{what} speaks no TLS yet, and clients without it would be refused at once: state "
            "transit_encryption_mode: preferred (both are served), move the clients to rediss://, then state required",
            "transit_encryption_mode",
        )
    if enabled is False and (current.auth_token_enabled or current.user_group_ids):
        raise PlanRefused(
            f"{what} has authentication, which needs TLS: transit_encryption_enabled cannot be false",
            "transit_encryption_enabled",
        )


def _check_token(current: ReplicationGroup, desired: Desired) -> None:
    if not desired.auth_token:
        return
    what = f"The replication group {current.replication_group_id}"
    change = desired.token_change
    if current.user_group_ids:
        raise PlanRefused(
            f"{what} has users ({', '.join(current.user_group_ids)}) and so no token: leave auth_token out",
            "auth_token",
        )
    if not current.auth_token_enabled and change != "rotate":
        raise PlanRefused(
            f"{what} has no token yet. A first one is added in two runs, or every client is shut out: state "
            "auth_token_update_strategy: rotate (clients with and without the token are served), give the clients the "
            "token, then state auth_token_update_strategy: set (the token alone)",
            "auth_token_update_strategy",
        )
    if change and not (current.transit_encryption_enabled or desired.transit_encryption_enabled):
        raise PlanRefused(
            f"{what} speaks no TLS, which a token needs: change transit_encryption_enabled first",
            "transit_encryption_enabled",
        )
    if change and not desired.apply_immediately:
        raise PlanRefused(
            "AWS changes a token at once only, and with it all that is queued: set apply_immediately: true, or leave "
            "auth_token_update_strategy out",
            "apply_immediately",
        )
