# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The security group of a target: made and opened for the app, and how to take away what a migration has added. Pure.

Our rules are told by their description, which the ingress stage gives them; the group itself by its tag.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership

CREATE = "CreateSecurityGroup"
AUTHORIZE = "AuthorizeSecurityGroupIngress"
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


@dataclass(frozen=True)
class Wanted:
    """A security group that admits ``sources``, ids of security groups or address ranges, to TCP ports, and may
    admit more. ``reader_port`` is 0 where the reader has none of its own.

    ``makes`` says whether it is to be made where it does not exist.
    """

    name: str
    migration_name: str
    port: int
    sources: tuple[str, ...] = ()
    vpc_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    makes: bool = True
    reader_port: int = 0

    @property
    def admissions(self) -> tuple[tuple[str, int], ...]:
        """Each source with each port."""
        ports = dict.fromkeys(port for port in (self.port, self.reader_port) if port)
        return tuple((source, port) for port in ports for source in self.sources)


def plan_present(current: CacheSecurityGroup | None, wanted: Wanted) -> Plan:
    """Rules that are there stay, whoever made them, and one that is there is not made again as ours. Raises
    PlanRefused.
    """
    if current is None:
        if not wanted.makes:
            raise PlanRefused(f"There is no security group {wanted.name}: run provision.yml first", "name")
        admitted = _admission(AFTER_APPLY_ID, wanted.admissions, wanted)
        return Plan((_creation(wanted), *admitted), {}, {"name": wanted.name})
    if not ownership.is_ours(current.tags, wanted.migration_name):
        raise PlanRefused(
            f"The security group {wanted.name} exists and does not carry the tag {ownership.OWNER_TAG}="
            f"{wanted.migration_name}, so it is not this migration's and its rules are not ours to change. Name it in "
            "migration_security_group_ids to use it as it is, with rules that are made where it is looked after, or "
            "choose another name by migration_security_group_name",
            "name",
        )
    missing = tuple(one for one in wanted.admissions if not _admits(current, *one))
    admits = list(dict.fromkeys(source for source, _port in missing))
    return Plan(
        _admission(current.group_id, missing, wanted), {"rules": _admissions(current.rules)}, {"admits": admits}
    )


AFTER_APPLY_ID = "after-apply"


def _creation(wanted: Wanted) -> Step:
    tags = ownership.with_owner(wanted.tags, wanted.migration_name)
    parameters = {
        "GroupName": wanted.name,
        "Description": f"Cache of the migration {wanted.migration_name}",
        **({"VpcId": wanted.vpc_id} if wanted.vpc_id else {}),
        "TagSpecifications": [
            {"ResourceType": "security-group", "Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}
        ],
    }
    return Step(CREATE, parameters, "it does not exist")


def _admission(group_id: str, missing: Sequence[tuple[str, int]], wanted: Wanted) -> tuple[Step, ...]:
    """One call a source and port, so that a source which AWS refuses keeps no other out."""
    described = {"Description": rule_description(wanted.migration_name)}
    return tuple(
        Step(
            AUTHORIZE,
            {
                "GroupId": group_id,
                "IpPermissions": [
                    {
                        "IpProtocol": "tcp",
                        "FromPort": port,
                        "ToPort": port,
                        kind: [{_SOURCES[kind]: source, **described}],
                    }
                ],
            },
            f"admit {source} to TCP port {port}",
        )
        for source, port, kind in ((source, port, _kind_of(source)) for source, port in missing)
    )


def _kind_of(source: str) -> str:
    if source.startswith("sg-"):
        return "UserIdGroupPairs"
    return "Ipv6Ranges" if ":" in source else "IpRanges"


def _admits(group: CacheSecurityGroup, source: str, port: int) -> bool:
    kind = _kind_of(source)
    return any(
        not rule.is_egress
        and _is_for_port(rule.permission, port)
        and [one.get(_SOURCES[kind]) for one in rule.permission.get(kind) or ()] == [source]
        for rule in group.rules
    )


def _is_for_port(permission: Mapping[str, Any], port: int) -> bool:
    if str(permission["IpProtocol"]) == "-1":
        return True
    return permission["IpProtocol"] == "tcp" and int(permission["FromPort"]) <= port <= int(permission["ToPort"])


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
