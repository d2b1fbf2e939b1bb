"""The services that are there, by the scenarios' word."""

from __future__ import annotations

from tests.component.peers.services.cache_cluster import CACHE_CLUSTER
from tests.component.peers.services.contract import Service
from tests.component.peers.services.groups import PARAMETER_GROUP, SUBNET_GROUP
from tests.component.peers.services.replication_group import REPLICATION_GROUP

SERVICES: dict[str, Service] = {
    "elasticache_cache_cluster": CACHE_CLUSTER,
    "elasticache_replication_group": REPLICATION_GROUP,
    "elasticache_subnet_group": SUBNET_GROUP,
    "elasticache_parameter_group": PARAMETER_GROUP,
}
