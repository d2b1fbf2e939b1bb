"""The services that are there, by the scenarios' word."""

from __future__ import annotations

from tests.component.peers.services.cache_cluster import CACHE_CLUSTER
from tests.component.peers.services.contract import Service
from tests.component.peers.services.groups import PARAMETER_GROUP, SUBNET_GROUP
from tests.component.peers.services.memorydb import ACL, CLUSTER
from tests.component.peers.services.memorydb import PARAMETER_GROUP as MEMORYDB_PARAMETER_GROUP
from tests.component.peers.services.replication_group import REPLICATION_GROUP
from tests.component.peers.services.serverless_cache import SERVERLESS_CACHE
from tests.component.peers.services.users import USER, USER_GROUP

SERVICES: dict[str, Service] = {
    "elasticache_cache_cluster": CACHE_CLUSTER,
    "elasticache_replication_group": REPLICATION_GROUP,
    "elasticache_serverless_cache": SERVERLESS_CACHE,
    "elasticache_user": USER,
    "elasticache_user_group": USER_GROUP,
    "elasticache_subnet_group": SUBNET_GROUP,
    "elasticache_parameter_group": PARAMETER_GROUP,
    "memorydb_cluster": CLUSTER,
    "memorydb_acl": ACL,
    "memorydb_parameter_group": MEMORYDB_PARAMETER_GROUP,
}
