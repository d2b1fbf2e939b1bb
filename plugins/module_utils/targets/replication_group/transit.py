# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""TLS between the clients and a replication group: it comes and goes in place, by steps that leave nobody out. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    is_before,
)

IN_PLACE_FROM = (7, 0, 5)


def check_new(desired: Desired) -> None:
    if not desired.transit_encryption_enabled:
        for option in ("auth_token", "user_group_ids", "transit_encryption_mode"):
            if getattr(desired, option):
                raise PlanRefused(f"{option} needs TLS: set transit_encryption_enabled: true", option)
    if desired.transit_encryption_mode and is_before(desired.engine_version or "", IN_PLACE_FROM):
        raise PlanRefused(
            f"transit_encryption_mode is known from 7.0.5 on, and engine_version is {desired.engine_version}: leave it "
            "out, as TLS is required there, or state a newer version",
            "transit_encryption_mode",
        )
    access = "auth_token" if desired.auth_token else "user_group_ids"
    if (desired.auth_token or desired.user_group_ids) and desired.transit_encryption_mode == "preferred":
        raise PlanRefused(
            f"{access} needs TLS of every client, and transit_encryption_mode: preferred serves those without: "
            "make a new group that has it with transit_encryption_mode: required",
            "transit_encryption_mode",
        )


def check(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
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
    if current.version[:3] < IN_PLACE_FROM:
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


def steps(current: ReplicationGroup, changes: Mapping[str, Any]) -> list[Step]:
    """TLS goes through ``preferred`` (both are spoken) on its way in and out."""
    enabled = changes.get("transit_encryption_enabled", current.transit_encryption_enabled)
    mode = changes.get("transit_encryption_mode", current.transit_encryption_mode) if enabled else ""
    if (enabled, mode) == (current.transit_encryption_enabled, current.transit_encryption_mode):
        return []
    found = []
    if current.transit_encryption_mode != "preferred":
        found.append(_step(current, {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"}, False))
    if not enabled:
        found.append(_step(current, {"TransitEncryptionEnabled": False}, True))
    elif mode == "required":
        found.append(_step(current, {"TransitEncryptionMode": "required"}, True))
    return found


def _step(current: ReplicationGroup, parameters: Mapping[str, Any], disruptive: bool) -> Step:
    if parameters.get("TransitEncryptionEnabled") is False:
        reason = "transit_encryption_enabled: clients that speak TLS are refused from here on"
    elif parameters["TransitEncryptionMode"] == "required":
        reason = "transit_encryption_mode: required; clients without TLS are refused from here on"
    else:
        reason = "transit_encryption_mode: preferred; clients with and without TLS are served"
    return Step(
        "ModifyReplicationGroup",
        {"ReplicationGroupId": current.replication_group_id, **parameters, "ApplyImmediately": True},
        reason,
        disruptive,
    )
