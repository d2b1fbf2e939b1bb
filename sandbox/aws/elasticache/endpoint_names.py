"""Names of endpoints as AWS makes them. Only the sandbox makes them; everybody else reads them."""

from __future__ import annotations

from sandbox.aws.elasticache.state import ReplicationGroup

DOMAIN = "cache.amazonaws.com"
REGION_CODE = "use1"


def tls_zone(group: ReplicationGroup) -> str:
    return f"{group.id}.{group.network_zone}.{REGION_CODE}.{DOMAIN}"


def primary(group: ReplicationGroup, tls: bool) -> str:
    return f"master.{tls_zone(group)}" if tls else f"{group.id}.{group.network_zone}.ng.0001.{REGION_CODE}.{DOMAIN}"


def reader(group: ReplicationGroup, tls: bool) -> str:
    return f"replica.{tls_zone(group)}" if tls else f"{group.id}-ro.{group.network_zone}.ng.0001.{REGION_CODE}.{DOMAIN}"


def configuration(group: ReplicationGroup, tls: bool) -> str:
    zone = f"{group.network_zone}.clustercfg.{REGION_CODE}.{DOMAIN}"
    return f"clustercfg.{tls_zone(group)}" if tls else f"{group.id}.{zone}"


def every(group: ReplicationGroup, tls: bool) -> list[str]:
    nodes = (node(group, member.name, tls) for member in group.members)
    return [primary(group, tls), reader(group, tls), configuration(group, tls), *nodes]


def node(group: ReplicationGroup, name: str, tls: bool) -> str:
    if tls:
        return f"{name}.{tls_zone(group)}"
    return f"{name}.{group.network_zone}.0001.{REGION_CODE}.{DOMAIN}"
