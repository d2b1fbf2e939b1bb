# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whose a resource is, told by a tag; and which tags to change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, NoReturn

from ansible_collections.kempian.cache_migration.plugins.module_utils.core import migration_name
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step

RESERVED = "cache_migration:"  # tags that begin so are the collection's own
OWNER_TAG = f"{RESERVED}name"

Tags = Mapping[str, str]


@dataclass(frozen=True)
class TagCalls:
    """How a service calls it to give tags and to take them away, and its parameter that says of what."""

    add: str
    remove: str
    resource: str


ELASTICACHE = TagCalls("AddTagsToResource", "RemoveTagsFromResource", "ResourceName")
MEMORYDB = TagCalls("TagResource", "UntagResource", "ResourceArn")


def check_migration_name(name: str) -> str:
    if not migration_name.is_good(name):
        raise PlanRefused(f"migration_name is {name!r}: {migration_name.RULE}", "migration_name")
    return name


def read_tags(tags: Mapping[str, Any] | None, migration_name: str) -> dict[str, str] | None:
    """The option ``tags`` as strings, without the ownership tag, which is ours to set. None where it was left out."""
    if tags is None:
        return None
    wanted = {str(key): "" if value is None else str(value) for key, value in tags.items()}
    if wanted.pop(OWNER_TAG, migration_name) != migration_name:
        raise PlanRefused(f"tags sets {OWNER_TAG} to another name than migration_name: leave it out of tags", "tags")
    for key, value in wanted.items():
        if not key or len(key) > 128 or len(value) > 256 or key.lower().startswith(("aws:", RESERVED)):
            raise PlanRefused(
                f"tags has {key!r}: AWS takes keys of 1 to 128 characters that do not start with aws:, "
                f"and values of up to 256 characters; keys that start with {RESERVED} are the collection's own",
                "tags",
            )
    if len(wanted) > 49:
        raise PlanRefused(f"tags has {len(wanted)} entries: AWS takes 50, and one of them is {OWNER_TAG}", "tags")
    return wanted


def with_owner(tags: Tags | None, migration_name: str) -> dict[str, str]:
    return {**(tags or {}), OWNER_TAG: migration_name}


def as_tag_list(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def is_ours(tags: Tags | None, migration_name: str) -> bool:
    return (tags or {}).get(OWNER_TAG) == migration_name


def ours_or_unknown(tags: Tags | None, migration_name: str | None) -> bool | None:
    """None where nobody says whose it would have to be."""
    return is_ours(tags, migration_name) if migration_name else None


def refuse_foreign(what: str, tags: Tags | None, migration_name: str, adopt: bool) -> None:
    """An existing resource of somebody else, without ``adopt``. Whose it is is not known yet where tags are None."""
    if adopt or tags is None or is_ours(tags, migration_name):
        return
    raise PlanRefused(
        f"{what} exists and is not this migration's ({_owner(tags, migration_name)}): "
        "set adopt: true to use it as it is, or choose another name",
        "adopt",
    )


def refuse_deletion(what: str, tags: Tags, migration_name: str) -> None:
    raise PlanRefused(
        f"{what} is not this migration's ({_owner(tags, migration_name)}), and what others made is never deleted: "
        "delete it where it is managed",
        "state",
    )


def plan_adopted(
    what: str, changes: Mapping[str, Any], current: Mapping[str, Any], pending: Mapping[str, Any] | None = None
) -> Plan:
    """Somebody else's resource, which is never changed: refused where it is not as stated, but for its description."""
    differences = {name: value for name, value in changes.items() if not name.endswith("description")}
    if differences:
        _refuse_differences(what, differences, current)
    return Plan(pending=pending or {})


def _refuse_differences(what: str, differences: Mapping[str, Any], current: Mapping[str, Any]) -> NoReturn:
    listed = "; ".join(f"{name} is {current.get(name)!r}, stated {differences[name]!r}" for name in sorted(differences))
    raise PlanRefused(
        f"{what} is not this migration's, so adopt: true uses it only as it is, and it differs: {listed}. "
        "Change it where it is managed, or leave these options out",
        sorted(differences)[0],
    )


def _owner(tags: Tags, migration_name: str) -> str:
    other = tags.get(OWNER_TAG)
    return f"its tag {OWNER_TAG} is {other!r}, not {migration_name!r}" if other else f"it has no tag {OWNER_TAG}"


def tags_after(current: Tags, wanted: Tags | None, migration_name: str, purge: bool) -> dict[str, str]:
    """The tags of a resource of ours once they are converged. AWS's own tags (aws:) cannot be taken away, ours stay."""
    if wanted is None:
        return dict(current)
    kept = {key: value for key, value in current.items() if not purge or key.startswith(("aws:", RESERVED))}
    return {**kept, **with_owner(wanted, migration_name)}


def tag_steps(arn: str, current: Tags, after: Tags, calls: TagCalls = ELASTICACHE) -> list[Step]:
    """The calls from the current tags to those after."""
    steps = []
    gone = sorted(set(current) - set(after))
    changed = {key: value for key, value in after.items() if current.get(key) != value}
    if gone:
        parameters: dict[str, Any] = {calls.resource: arn, "TagKeys": gone}
        steps.append(Step(calls.remove, parameters, f"purge_tags: not stated any more: {', '.join(gone)}"))
    if changed:
        parameters = {calls.resource: arn, "Tags": as_tag_list(changed)}
        steps.append(Step(calls.add, parameters, f"tags: {', '.join(sorted(changed))}"))
    return steps
