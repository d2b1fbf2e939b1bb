# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An ACL of MemoryDB, which is a set of users: as it is, as it is wanted, and the steps between them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import OPEN_ACCESS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.identifiers import (
    ACTIVE,
    DELETING,
    check_id,
)


@dataclass(frozen=True)
class Acl:
    acl_name: str
    user_names: tuple[str, ...]
    tags: Mapping[str, str] | None  # None while AWS tells none
    status: str = ACTIVE
    minimum_engine_version: str = ""
    clusters: tuple[str, ...] = ()
    arn: str = ""

    @property
    def is_ready(self) -> bool:
        return self.status == ACTIVE

    @property
    def is_going(self) -> bool:
        return self.status == DELETING

    @property
    def waits_for(self) -> str:
        return self.status or "it has no status yet"

    def as_options(self) -> dict[str, Any]:
        return {
            "acl_name": self.acl_name,
            "user_names": list(self.user_names),
            "tags": dict(self.tags or {}),
        }

    def facts(self) -> dict[str, Any]:
        return {
            **self.as_options(),
            "status": self.status,
            "minimum_engine_version": self.minimum_engine_version,
            "clusters": list(self.clusters),
            "arn": self.arn,
            "tags": None if self.tags is None else dict(self.tags),
        }


def shape(acl: Mapping[str, Any], tags: Mapping[str, str] | None) -> Acl:
    """Of DescribeACLs and ListTags. Changes under way count as done."""
    pending = acl.get("PendingChanges") or {}
    users = {*(acl.get("UserNames") or ()), *(pending.get("UserNamesToAdd") or ())}
    return Acl(
        acl_name=acl["Name"],
        user_names=tuple(sorted(users - {*(pending.get("UserNamesToRemove") or ())})),
        tags=tags,
        status=str(acl.get("Status", "")).lower(),
        minimum_engine_version=str(acl.get("MinimumEngineVersion") or ""),
        clusters=tuple(sorted(acl.get("Clusters") or ())),
        arn=acl.get("ARN", ""),
    )


@dataclass(frozen=True)
class Desired:
    """None means that the option was left out, and then what is stays."""

    acl_name: str
    migration_name: str
    user_names: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Desired:
        """Raises PlanRefused."""
        name = check_id(params["acl_name"], "acl_name")
        if name == OPEN_ACCESS:
            raise PlanRefused(
                f"acl_name is {OPEN_ACCESS!r}, AWS's own ACL, which cannot be changed or deleted: choose another name, "
                "or use it as it is by memorydb_cluster's acl_name",
                "acl_name",
            )
        migration_name = ownership.check_migration_name(params["migration_name"])
        stated = params.get("user_names")
        return cls(
            acl_name=name,
            migration_name=migration_name,
            user_names=None if stated is None else tuple(sorted({check_id(user, "user_names") for user in stated})),
            tags=ownership.read_tags(params.get("tags"), migration_name),
            purge_tags=bool(params.get("purge_tags")),
            adopt=bool(params.get("adopt")),
        )


def plan_present(current: Acl | None, desired: Desired) -> Plan:
    """Raises PlanRefused."""
    if current is None or current.is_going:
        return _plan_creation(desired)
    is_other = desired.user_names is not None and desired.user_names != current.user_names
    tags_now = current.tags or {}
    if not ownership.is_ours(tags_now, desired.migration_name):
        what = f"The ACL {current.acl_name}"
        ownership.refuse_foreign(what, tags_now, desired.migration_name, desired.adopt)
        differs = {"user_names": list(desired.user_names or ())} if is_other else {}
        return ownership.plan_adopted(what, differs, current.as_options())
    after = predict(current, desired)
    steps = ownership.tag_steps(current.arn, tags_now, after.tags or {}, ownership.MEMORYDB)
    if is_other:
        steps.append(_update(current, after.user_names))
    before_options, after_options = current.as_options(), after.as_options()
    shown = [name for name, value in after_options.items() if before_options[name] != value]
    return Plan(
        tuple(steps), {name: before_options[name] for name in shown}, {name: after_options[name] for name in shown}
    )


def predict(current: Acl | None, desired: Desired) -> Acl:
    """What the plan leads to."""
    if current is None or current.is_going:
        tags = ownership.tags_after({}, desired.tags or {}, desired.migration_name, False)
        return Acl(desired.acl_name, desired.user_names or (), tags)
    if not ownership.is_ours(current.tags, desired.migration_name):
        return current
    return replace(
        current,
        user_names=current.user_names if desired.user_names is None else desired.user_names,
        tags=ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags),
    )


def _plan_creation(desired: Desired) -> Plan:
    made = predict(None, desired)
    parameters = {
        "ACLName": made.acl_name,
        **({"UserNames": list(made.user_names)} if made.user_names else {}),
        "Tags": ownership.as_tag_list(made.tags or {}),
    }
    return Plan((Step("CreateACL", parameters, f"there is no ACL {made.acl_name}"),), {}, made.as_options())


def _update(current: Acl, wanted: tuple[str, ...]) -> Step:
    """Who goes loses their access to the clusters that have the ACL."""
    added = [name for name in wanted if name not in current.user_names]
    gone = [name for name in current.user_names if name not in wanted]
    parameters: dict[str, Any] = {"ACLName": current.acl_name}
    told = []
    if added:
        parameters["UserNamesToAdd"] = added
        told.append(f"user_names: {', '.join(added)} added")
    if gone:
        parameters["UserNamesToRemove"] = gone
        told.append(f"user_names: {', '.join(gone)} taken out")
    return Step("UpdateACL", parameters, "; ".join(told), disruptive=bool(gone and current.clusters))


def plan_absent(current: Acl | None, desired: Desired) -> Plan:
    """Raises PlanRefused for what is not ours, and for what a cluster has."""
    if current is None or current.is_going:
        return Plan()
    what = f"The ACL {current.acl_name}"
    if not ownership.is_ours(current.tags, desired.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, desired.migration_name)
    if current.clusters:
        raise PlanRefused(
            f"{what} is that of {', '.join(current.clusters)}, and AWS deletes none that a cluster has: give these "
            "another first (memorydb_cluster's acl_name), or delete them",
            "state",
        )
    return Plan((Step("DeleteACL", {"ACLName": current.acl_name}, "state: absent"),), current.as_options(), {})
