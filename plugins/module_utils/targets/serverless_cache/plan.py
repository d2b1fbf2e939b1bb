# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a serverless cache as it is to one as it is wanted: the steps, in an order that AWS takes. Pure.

What AWS cannot change in place is refused in rules, before there is a step.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import origin, ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import VALKEY
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache import limits, rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.current import (
    PUBLIC,
    ServerlessCache,
    as_options,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import (
    NO_LIMITS,
    StatedLimits,
    UsageLimits,
)

# Options that CreateServerlessCache takes, by their names in the API.
_CREATED_WITH = {
    "engine": "Engine",
    "major_engine_version": "MajorEngineVersion",
    "kms_key_id": "KmsKeyId",
    "security_group_ids": "SecurityGroupIds",
    "subnet_ids": "SubnetIds",
    "user_group_id": "UserGroupId",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "daily_snapshot_time": "DailySnapshotTime",
    "snapshot_arns_to_restore": "SnapshotArnsToRestore",
    "network_type": "NetworkType",
    "connection_type": "ConnectionType",
}

# Options that ModifyServerlessCache takes, in the order in which they are changed: one a call. The engine goes with its
# version, and comes last.
_MODIFIED = {
    "description": "Description",
    "daily_snapshot_time": "DailySnapshotTime",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "cache_usage_limits": "CacheUsageLimits",
    "security_group_ids": "SecurityGroupIds",
    "user_group_id": "UserGroupId",
}
_ENGINE = ("engine", "major_engine_version")


# --- state present ---


def plan_present(current: ServerlessCache | None, desired: Desired) -> Plan:
    """Raises PlanRefused. ``current`` is None where there is no cache, or is on its way out."""
    if current is None or current.is_going:
        return _plan_creation(desired)
    refuse_unusable(current, desired)
    what = f"The serverless cache {current.serverless_cache_name}"
    origin.refuse_other(what, current.tags, _origin(desired), "snapshot_arns_to_restore")
    changes = differences(current, desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        told = {name: _as_option(value) for name, value in changes.items()}
        return ownership.plan_adopted(what, told, as_options(current))
    rules.check_changes(current, desired, changes)
    after = _predict(current, desired, changes)
    before, then = as_options(current), as_options(after)
    shown = [*changes, *(["tags"] if after.tags != current.tags else [])]
    return Plan(
        steps=(*ownership.tag_steps(current.arn, current.tags or {}, after.tags or {}), *_steps(current, changes)),
        before={name: before.get(name) for name in shown},
        after={name: then.get(name) for name in shown},
    )


def predict(current: ServerlessCache | None, desired: Desired) -> ServerlessCache:
    """The cache that the plan leads to, for its endpoint and its cost before it is there."""
    if current is None or current.is_going:
        return _created(desired)
    if current.tags is not None and not ownership.is_ours(current.tags, desired.migration_name):
        return current  # adopted, and so left as it is
    return _predict(current, desired, differences(current, desired))


def refuse_unusable(current: ServerlessCache, desired: Desired, events: str = "") -> None:
    """A cache that waiting does not mend: somebody else's, or one whose creation failed, with what AWS says of it."""
    what = f"The serverless cache {current.serverless_cache_name}"
    if current.has_failed:
        told = f" ({events})" if events else ""
        raise PlanRefused(
            f"{what} is {current.status}: AWS could not make it{told}. Have it removed (rollback.yml with "
            "migration_rollback_delete_target: true; of this module state: absent with skip_final_snapshot: true), "
            "mend what its events name (aws elasticache describe-events), and run this again",
            "state",
        )
    ownership.refuse_foreign(what, current.tags, desired.migration_name, desired.adopt)


def _origin(desired: Desired) -> dict[str, str]:
    return origin.tags(None, desired.snapshot_arns_to_restore)


def differences(current: ServerlessCache, desired: Desired) -> dict[str, Any]:
    """Stated options that are not so, with what they are to be."""
    found: dict[str, Any] = {}
    for item in fields(current):
        wanted = getattr(desired, item.name, None)
        if wanted is None or item.name in ("serverless_cache_name", "tags"):
            continue
        if isinstance(wanted, StatedLimits):
            wanted = wanted.over(current.cache_usage_limits)
        if not _is_so(item.name, current, wanted):
            found[item.name] = wanted
    if desired.remove_user_group and current.user_group_id:
        found["user_group_id"] = ""
    if "engine" in found:
        found["major_engine_version"] = rules.version_after(current, desired)
    return found


def _is_so(option: str, current: ServerlessCache, wanted: Any) -> bool:
    if option == "kms_key_id":
        return bool(current.kms_key_id == wanted or current.kms_key_id.endswith(f"/{wanted}"))
    if isinstance(wanted, UsageLimits):
        return wanted.is_like(current.cache_usage_limits)
    return bool(getattr(current, option) == wanted)


def _predict(current: ServerlessCache, desired: Desired, changes: Mapping[str, Any]) -> ServerlessCache:
    tags = ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags)
    is_other = any(name in changes for name in _ENGINE)  # whose release AWS chooses
    release = "" if is_other else current.full_engine_version
    return replace(current, tags=tags, full_engine_version=release, **changes)


def warnings(cache: ServerlessCache) -> list[str]:
    """What must not be overlooked, whoever asked for it."""
    if cache.connection_type != PUBLIC:
        return []
    return [
        f"{cache.serverless_cache_name} is reached from the internet (connection_type: public), whatever its security "
        "groups: only its users and their passwords keep others out"
    ]


# --- steps ---


def _steps(current: ServerlessCache, changes: Mapping[str, Any]) -> list[Step]:
    """One option a call, as AWS asks for it."""
    options = [name for name in _MODIFIED if name in changes]
    engine = [_engine_step(current, changes)] if any(name in changes for name in _ENGINE) else []
    if changes.get("engine") == VALKEY and "user_group_id" in options:
        # Redis OSS takes users of its own engine alone, and Valkey those of both.
        before = [_step(current, name, changes[name]) for name in options if name != "user_group_id"]
        return [*before, *engine, _step(current, "user_group_id", changes["user_group_id"])]
    return [*(_step(current, name, changes[name]) for name in options), *engine]


def _step(current: ServerlessCache, option: str, wanted: Any) -> Step:
    was = getattr(current, option)
    reason = f"{option}: {_said(was)} -> {_said(wanted)}"
    if option == "user_group_id":
        return _users_step(current, wanted, reason)
    sent = wanted.as_api(was) if isinstance(wanted, UsageLimits) else _as_option(wanted)
    return _modify(current, {_MODIFIED[option]: sent}, reason)


def _users_step(current: ServerlessCache, wanted: str, reason: str) -> Step:
    if not wanted:
        return _modify(current, {"RemoveUserGroup": True}, f"{reason}; whoever reaches it may use it from here on")
    return _modify(current, {"UserGroupId": wanted}, f"{reason}; who is no user of it is refused from here on", True)


def _engine_step(current: ServerlessCache, changes: Mapping[str, Any]) -> Step:
    options = [name for name in _ENGINE if changes.get(name, getattr(current, name)) != getattr(current, name)]
    reason = "; ".join(f"{name}: {_said(getattr(current, name))} -> {_said(changes[name])}" for name in options)
    names = {"engine": "Engine", "major_engine_version": "MajorEngineVersion"}
    return _modify(current, {names[name]: changes[name] for name in _ENGINE if name in changes}, reason, True)


def _modify(current: ServerlessCache, parameters: Mapping[str, Any], reason: str, disruptive: bool = False) -> Step:
    sent = {"ServerlessCacheName": current.serverless_cache_name, **parameters}
    return Step("ModifyServerlessCache", sent, reason, disruptive)


def _said(value: Any) -> str:
    if isinstance(value, UsageLimits):
        return limits.said(value)
    return ", ".join(value) if isinstance(value, tuple) else str(value) if value not in ("", None) else "none"


def _as_option(value: Any) -> Any:
    if isinstance(value, UsageLimits):
        return value.as_option()
    return list(value) if isinstance(value, tuple) else value


# --- creation ---


def _plan_creation(desired: Desired) -> Plan:
    rules.check_creation(desired)
    created = _created(desired)
    stated = {name: getattr(desired, name) for name in _CREATED_WITH if getattr(desired, name) is not None}
    parameters = {
        "ServerlessCacheName": created.serverless_cache_name,
        "Description": created.description,
        **{_CREATED_WITH[name]: _as_option(value) for name, value in stated.items()},
        "Tags": ownership.as_tag_list(created.tags or {}),
    }
    if sent := created.cache_usage_limits.as_api():
        parameters["CacheUsageLimits"] = sent
    if desired.integrations:
        parameters["Integrations"] = [{"IntegrationType": name} for name in desired.integrations]
    then = as_options(created)
    shown = ["serverless_cache_name", "description", *stated, "tags"]
    shown += [name for name in ("cache_usage_limits", "integrations") if getattr(desired, name)]
    after = {name: then.get(name, _as_option(stated.get(name))) for name in shown}
    step = Step("CreateServerlessCache", parameters, f"there is no serverless cache {created.serverless_cache_name}")
    return Plan(steps=(step,), before={}, after=after)


def _created(desired: Desired) -> ServerlessCache:
    names = {item.name for item in fields(ServerlessCache)}
    stated = {
        item.name: getattr(desired, item.name)
        for item in fields(desired)
        if item.name in names and getattr(desired, item.name) is not None
    }
    usage = desired.cache_usage_limits
    return ServerlessCache(
        **{
            **stated,
            "status": "creating",
            "description": desired.description or f"Cache of {desired.migration_name}",
            "cache_usage_limits": usage.over(NO_LIMITS) if usage else NO_LIMITS,
            "tags": ownership.with_owner({**(desired.tags or {}), **_origin(desired)}, desired.migration_name),
        }
    )


# --- state absent ---


def plan_absent(current: ServerlessCache | None, deletion: Deletion) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None or current.is_going:
        return Plan()
    what = f"The serverless cache {current.serverless_cache_name}"
    if not ownership.is_ours(current.tags, deletion.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, deletion.migration_name)
    if current.has_failed and deletion.final_snapshot_name:
        raise PlanRefused(
            f"{what} is {current.status} and has no data to snapshot: set skip_final_snapshot: true instead of "
            "final_snapshot_name",
            "skip_final_snapshot",
        )
    parameters: dict[str, Any] = {"ServerlessCacheName": current.serverless_cache_name}
    data = "its data is given up (skip_final_snapshot)"
    if deletion.final_snapshot_name:
        parameters["FinalSnapshotName"] = deletion.final_snapshot_name
        data = f"its data is kept in the snapshot {deletion.final_snapshot_name}"
    step = Step("DeleteServerlessCache", parameters, f"state: absent; {data}", disruptive=True)
    return Plan(steps=(step,), before=as_options(current), after={})
