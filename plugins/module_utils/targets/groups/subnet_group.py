# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A subnet group of caches: as it is, as it is wanted, and the steps between them. Pure.

Services differ in names alone, which are ``Words``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership


@dataclass(frozen=True)
class Words:
    """A service's names for it: of our options, of its calls, and of what they take and answer."""

    name_option: str
    description_option: str
    name: str
    description: str
    answered_name: str
    answered_subnet: str
    create: str
    modify: str
    delete: str
    tags: ownership.TagCalls


ELASTICACHE = Words(
    name_option="cache_subnet_group_name",
    description_option="cache_subnet_group_description",
    name="CacheSubnetGroupName",
    description="CacheSubnetGroupDescription",
    answered_name="CacheSubnetGroupName",
    answered_subnet="SubnetIdentifier",
    create="CreateCacheSubnetGroup",
    modify="ModifyCacheSubnetGroup",
    delete="DeleteCacheSubnetGroup",
    tags=ownership.ELASTICACHE,
)
MEMORYDB = Words(
    name_option="subnet_group_name",
    description_option="description",
    name="SubnetGroupName",
    description="Description",
    answered_name="Name",
    answered_subnet="Identifier",
    create="CreateSubnetGroup",
    modify="UpdateSubnetGroup",
    delete="DeleteSubnetGroup",
    tags=ownership.MEMORYDB,
)


@dataclass(frozen=True)
class SubnetGroup:
    name: str
    description: str
    subnet_ids: tuple[str, ...]
    tags: Mapping[str, str]
    vpc_id: str = ""
    arn: str = ""
    words: Words = ELASTICACHE

    def as_options(self) -> dict[str, Any]:
        return {
            self.words.name_option: self.name,
            self.words.description_option: self.description,
            "subnet_ids": list(self.subnet_ids),
            "tags": dict(self.tags),
        }

    def facts(self) -> dict[str, Any]:
        return {**self.as_options(), "vpc_id": self.vpc_id, "arn": self.arn}


def shape(group: Mapping[str, Any], tags: Mapping[str, str], words: Words = ELASTICACHE) -> SubnetGroup:
    """Of what describes the subnet group and lists its tags."""
    return SubnetGroup(
        name=group[words.answered_name],
        description=group.get(words.description, ""),
        subnet_ids=tuple(sorted(item[words.answered_subnet] for item in group.get("Subnets") or ())),
        tags=tags,
        vpc_id=group.get("VpcId", ""),
        arn=group.get("ARN", ""),
        words=words,
    )


@dataclass(frozen=True)
class Desired:
    """None means that the option was left out, and then what is stays."""

    name: str
    migration_name: str
    description: str | None = None
    subnet_ids: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False
    words: Words = ELASTICACHE

    @classmethod
    def from_params(cls, params: Mapping[str, Any], words: Words = ELASTICACHE) -> Desired:
        """Raises PlanRefused."""
        name = str(params[words.name_option]).lower()
        if not re.fullmatch(r"[a-z0-9-]{1,255}", name):
            raise PlanRefused(
                f"{words.name_option} is {name!r}: use 1 to 255 letters, digits and hyphens", words.name_option
            )
        migration_name = ownership.check_migration_name(params["migration_name"])
        return cls(
            name=name,
            migration_name=migration_name,
            description=params.get(words.description_option) or None,
            subnet_ids=tuple(sorted(set(params.get("subnet_ids") or ()))) or None,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            purge_tags=bool(params.get("purge_tags")),
            adopt=bool(params.get("adopt")),
            words=words,
        )


def plan_present(current: SubnetGroup | None, desired: Desired) -> Plan:
    """Raises PlanRefused."""
    if current is None:
        return _plan_creation(desired)
    changes: dict[str, Any] = {}
    if desired.description is not None and desired.description != current.description:
        changes[current.words.description_option] = desired.description
    if desired.subnet_ids is not None and desired.subnet_ids != current.subnet_ids:
        changes["subnet_ids"] = list(desired.subnet_ids)
    if not ownership.is_ours(current.tags, desired.migration_name):
        what = f"The subnet group {current.name}"
        ownership.refuse_foreign(what, current.tags, desired.migration_name, desired.adopt)
        return ownership.plan_adopted(what, changes, current.as_options())
    tags = ownership.tags_after(current.tags, desired.tags, desired.migration_name, desired.purge_tags)
    steps = ownership.tag_steps(current.arn, current.tags, tags, current.words.tags)
    if changes:
        steps.append(_modification(current, changes))
    shown = {**changes, **({"tags": tags} if tags != current.tags else {})}
    return Plan(tuple(steps), {name: current.as_options()[name] for name in shown}, shown)


def predict(current: SubnetGroup | None, desired: Desired) -> SubnetGroup:
    """What the plan leads to."""
    tags = current.tags if current else {}
    if current is None or ownership.is_ours(tags, desired.migration_name):
        wanted = {} if current is None and desired.tags is None else desired.tags
        tags = ownership.tags_after(tags, wanted, desired.migration_name, desired.purge_tags)
    return SubnetGroup(
        name=desired.name,
        description=desired.description or (current.description if current else _description(desired)),
        subnet_ids=desired.subnet_ids or (current.subnet_ids if current else ()),
        tags=tags,
        vpc_id=current.vpc_id if current else "",
        arn=current.arn if current else "",
        words=desired.words,
    )


def _plan_creation(desired: Desired) -> Plan:
    if not desired.subnet_ids:
        raise PlanRefused(
            f"There is no subnet group {desired.name}, and to make one its subnets must be stated: set subnet_ids, in "
            "two availability zones or more for Multi-AZ",
            "subnet_ids",
        )
    made = predict(None, desired)
    parameters = {
        made.words.name: made.name,
        made.words.description: made.description,
        "SubnetIds": list(made.subnet_ids),
        "Tags": ownership.as_tag_list(made.tags),
    }
    step = Step(made.words.create, parameters, f"there is no subnet group {made.name}")
    return Plan((step,), {}, made.as_options())


def _description(desired: Desired) -> str:
    return desired.description or f"Subnets of {desired.migration_name}"


def _modification(current: SubnetGroup, changes: Mapping[str, Any]) -> Step:
    words = current.words
    names = {words.description_option: words.description, "subnet_ids": "SubnetIds"}
    parameters = {names[name]: value for name, value in changes.items()}
    return Step(
        words.modify,
        {words.name: current.name, **parameters},
        "; ".join(f"{name}: {current.as_options()[name]} -> {value}" for name, value in changes.items()),
    )


def plan_absent(current: SubnetGroup | None, desired: Desired) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None:
        return Plan()
    if not ownership.is_ours(current.tags, desired.migration_name):
        ownership.refuse_deletion(f"The subnet group {current.name}", current.tags, desired.migration_name)
    step = Step(current.words.delete, {current.words.name: current.name}, "state: absent")
    return Plan((step,), current.as_options(), {})
