"""Names of endpoints as AWS makes them. Only the sandbox makes them; everybody else reads them."""

from __future__ import annotations

from sandbox.aws.elasticache.state import Member, ReplicationGroup

DOMAIN = "cache.amazonaws.com"
REGION_CODE = "use1"


def tls_zone(group: ReplicationGroup) -> str:
    return f"{group.id}.{group.network_zone}.{REGION_CODE}.{DOMAIN}"


def primary(group: ReplicationGroup, tls: bool) -> str:
    return f"master.{tls_zone(group)}" if tls else f"{group.id}.{group.network_zone}.ng.0001.{REGION_CODE}.{DOMAIN}"


def reader(group: ReplicationGroup, tls: bool) -> str:
    return f"replica.{tls_zone(group)}" if tls else f"{group.id}-ro.{group.network_zone}.ng.0001.{REGION_CODE}.{DOMAIN}"


def every(group: ReplicationGroup, tls: bool) -> list[str]:
    return [primary(group, tls), reader(group, tls), *(node(group, member, tls) for member in group.members)]


def node(group: ReplicationGroup, member: Member, tls: bool) -> str:
    if tls:
        return f"{member.name}.{tls_zone(group)}"
    return f"{member.name}.{group.network_zone}.0001.{REGION_CODE}.{DOMAIN}"
