# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The security group of a target, and how to take away what a migration has added to it. Pure.

Our rules are told by their description, which the ingress stage gives them; the group itself by its tag.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership

REVOKE = "RevokeSecurityGroupIngress"
DELETE = "DeleteSecurityGroup"

# The kinds of sources in EC2's permissions, each with the member that tells one from another.
_SOURCES = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}


@dataclass(frozen=True)
class Rule:
    """One source that is admitted; ``permission`` is it alone, as EC2's calls have it."""

    description: str
    is_egress: bool
    admits: str
    permission: Mapping[str, Any] = field(compare=False)

    @property
    def is_default(self) -> bool:
        """AWS gives every new group the rule that lets everything out."""
        return self.is_egress and not self.description and self.admits == "all from 0.0.0.0/0"


@dataclass(frozen=True)
class CacheSecurityGroup:
    group_id: str
    name: str
    tags: Mapping[str, str]
    rules: tuple[Rule, ...]

    def rules_of(self, migration_name: str) -> tuple[Rule, ...]:
        wanted = rule_description(migration_name)
        return tuple(rule for rule in self.rules if rule.description == wanted and not rule.is_egress)

    def rules_of_others(self, migration_name: str) -> tuple[Rule, ...]:
        ours = self.rules_of(migration_name)
        return tuple(rule for rule in self.rules if rule not in ours and not rule.is_default)


def rule_description(migration_name: str) -> str:
    return f"cache_migration {migration_name}"


def admits_port(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule, with the names that amazon.aws gives its members, is for this TCP port too."""
    if str(rule["ip_protocol"]) == "-1":
        return True
    return rule["ip_protocol"] == "tcp" and int(rule["from_port"]) <= port <= int(rule["to_port"])


def shape(group: Mapping[str, Any]) -> CacheSecurityGroup:
    """Of DescribeSecurityGroups."""
    return CacheSecurityGroup(
        group_id=group["GroupId"],
        name=group["GroupName"],
        tags={tag["Key"]: tag.get("Value", "") for tag in group.get("Tags") or ()},
        rules=(
            *_rules(group.get("IpPermissions") or (), is_egress=False),
            *_rules(group.get("IpPermissionsEgress") or (), is_egress=True),
        ),
    )


def _rules(permissions: Sequence[Mapping[str, Any]], *, is_egress: bool) -> Iterator[Rule]:
    for permission in permissions:
        shared = {name: value for name, value in permission.items() if name not in _SOURCES}
        for kind, identity in _SOURCES.items():
            for source in permission.get(kind) or ():
                admits = f"{_traffic(permission)} from {source.get(identity)}"
                alone = {**shared, kind: [source]}
                yield Rule(source.get("Description") or "", is_egress, admits, alone)


def _traffic(permission: Mapping[str, Any]) -> str:
    protocol = str(permission["IpProtocol"])
    if protocol == "-1":
        return "all"
    first, last = permission.get("FromPort"), permission.get("ToPort")
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def plan_closed(current: CacheSecurityGroup | None, migration_name: str) -> Plan:
    """Without the rules of this migration; those of others stay, whoever's the group is."""
    ours = current.rules_of(migration_name) if current else ()
    if current is None or not ours:
        return Plan()
    step = Step(
        REVOKE,
        {"GroupId": current.group_id, "IpPermissions": [rule.permission for rule in ours]},
        f"rules that the migration added: {', '.join(rule.admits for rule in ours)}",
        disruptive=True,
    )
    return Plan((step,), {"rules": _admissions(current.rules)}, {"rules": _admissions(_without(current.rules, ours))})


def plan_absent(current: CacheSecurityGroup | None, migration_name: str) -> Plan:
    """Raises PlanRefused for a group that is not ours, and for ours where others have added rules."""
    if current is None:
        return Plan()
    what = f"The security group {current.name}"
    if not ownership.is_ours(current.tags, migration_name):
        ownership.refuse_deletion(what, current.tags, migration_name)
    others = current.rules_of_others(migration_name)
    if others:
        raise PlanRefused(
            f"{what} has rules that this migration did not add ({', '.join(rule.admits for rule in others)}), and what "
            "others made is never deleted: remove them where they are managed, then run again",
            "state",
        )
    step = Step(DELETE, {"GroupId": current.group_id}, "state: absent")
    return Plan((step,), {"name": current.name, "rules": _admissions(current.rules)}, {})


def _without(rules: tuple[Rule, ...], gone: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule not in gone)


def _admissions(rules: tuple[Rule, ...]) -> list[str]:
    return sorted(rule.admits for rule in rules if not rule.is_egress)
