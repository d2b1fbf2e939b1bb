# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS refuses, or cannot do in place, with a replication group: refused by us first, with the way out. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
    version_numbers,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired

# Only by making the group again.
_FIXED_OPTIONS = ("at_rest_encryption_enabled", "kms_key_id", "cache_subnet_group_name", "port")

_TLS_IN_PLACE_FROM = (7, 0, 5)

# A default parameter group belongs to one family. https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.html
_FAMILIES = {(7,): "redis7", (6,): "redis6.x", (5, 0): "redis5.0", (4, 0): "redis4.0", (3, 2): "redis3.2"}


def family_of(version: str) -> str:
    """The parameter group family of a Redis OSS version; empty where we do not know."""
    numbers = version_numbers(version)
    return _FAMILIES.get(numbers[:1]) or _FAMILIES.get(numbers[:2]) or ""


def check_creation(desired: Desired) -> None:
    if desired.cache_node_type is None:
        raise PlanRefused(
            f"There is no replication group {desired.replication_group_id}, and to make one its size must be stated: "
            "set cache_node_type, as cache.t3.small",
            "cache_node_type",
        )
    if desired.automatic_failover_enabled and (desired.num_cache_clusters or 1) < 2:
        raise PlanRefused(
            "automatic_failover_enabled needs a replica to fail over to: set num_cache_clusters to 2 or more",
            "num_cache_clusters",
        )
    if desired.multi_az_enabled and not desired.automatic_failover_enabled:
        raise PlanRefused(
            "multi_az_enabled needs automatic failover: set automatic_failover_enabled: true",
            "automatic_failover_enabled",
        )
    if not desired.transit_encryption_enabled:
        for option in ("auth_token", "transit_encryption_mode"):
            if getattr(desired, option):
                raise PlanRefused(f"{option} needs TLS: set transit_encryption_enabled: true", option)
    if desired.kms_key_id and not desired.at_rest_encryption_enabled:
        raise PlanRefused(
            "kms_key_id encrypts data at rest: set at_rest_encryption_enabled: true, or leave the key out", "kms_key_id"
        )
    if desired.engine_version:
        _check_family(desired.cache_parameter_group_name, desired.engine_version)


def check_kind(current: ReplicationGroup, desired: Desired) -> None:
    """What this module can handle at all."""
    what = f"The replication group {current.replication_group_id}"
    if current.cluster_enabled:
        raise PlanRefused(
            f"{what} has cluster mode enabled, which needs a cluster-aware client and is not handled here: "
            "choose another replication_group_id",
            "replication_group_id",
        )
    if current.engine != desired.engine:
        raise PlanRefused(
            f"{what} runs {current.engine}, and {desired.engine} is stated: choose another replication_group_id, or "
            f"state engine: {current.engine} where that is supported",
            "engine",
        )


def check_changes(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
    check_kind(current, desired)
    if desired.has_placeholders:
        raise PlanRefused(
            f"security_group_ids holds a placeholder, and the replication group {current.replication_group_id} exists: "
            "state the ids of its security groups",
            "security_group_ids",
        )
    for option in _FIXED_OPTIONS:
        if option in changes:
            _refuse_fixed(current, option, changes[option])
    if "engine_version" in changes:
        _check_upgrade(current, desired)
    if "cache_node_type" in changes:
        _check_node_type(current, changes["cache_node_type"])
    _check_transit(current, desired, changes)
    _check_token(current, desired)


def check_result(after: ReplicationGroup) -> None:
    """What a group must be after all changes; the options that were left out count as they are."""
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


def _refuse_fixed(current: ReplicationGroup, option: str, wanted: Any) -> None:
    is_now = getattr(current, option)
    raise PlanRefused(
        f"{option} of the replication group {current.replication_group_id} is {is_now!r}, and AWS cannot change it to "
        f"{wanted!r} in place: make a new group under another replication_group_id and move to it, or state {is_now!r}",
        option,
    )


def _check_upgrade(current: ReplicationGroup, desired: Desired) -> None:
    stated = desired.engine_version or ""
    wanted = version_numbers(stated)
    if wanted < current.version[: len(wanted)]:
        raise PlanRefused(
            f"The replication group {current.replication_group_id} runs {current.engine_version}, and AWS cannot go "
            f"back to {stated} in place: make a new group under another replication_group_id, or state an "
            "engine_version that is not below the one that runs",
            "engine_version",
        )
    group = desired.cache_parameter_group_name or current.cache_parameter_group_name
    before, after = family_of(current.engine_version), family_of(stated)
    custom = bool(group) and not group.startswith("default.")
    if custom and before != after and group == current.cache_parameter_group_name:
        raise PlanRefused(
            f"The parameter group {group} is of the family {before} and cannot serve {stated}: state a "
            f"cache_parameter_group_name of the family {after} with the upgrade",
            "cache_parameter_group_name",
        )
    _check_family(desired.cache_parameter_group_name, stated)


def _check_family(group: str | None, version: str) -> None:
    family = family_of(version)
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
