"""Of each service the least that makes a resource, in the scenarios' words, and a scenario of it alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.component.peers.scenarios import Scenario, Step

BASICS: Mapping[str, Mapping[str, Any]] = {
    "elasticache_replication_group": {"cache_node_type": "cache.t3.small", "engine": "valkey", "engine_version": "8.0"},
    "elasticache_cache_cluster": {"cache_node_type": "cache.t3.small", "engine": "memcached", "num_cache_nodes": 1},
    "elasticache_serverless_cache": {"engine": "valkey", "major_engine_version": "8"},
    "elasticache_subnet_group": {"subnet_ids": ["<subnet-1>"]},
    "elasticache_parameter_group": {"cache_parameter_group_family": "valkey8", "parameters": {"timeout": "20"}},
    "elasticache_user": {
        "user_name": "username1",
        "engine": "redis",
        "access_string": "<narrow access string>",
        "passwords": ["<password-1>"],
    },
    "elasticache_user_group": {"engine": "redis", "user_ids": ["<user named default>"]},
    "memorydb_cluster": {"node_type": "db.t4g.small", "acl_name": "open-access", "num_replicas_per_shard": 0},
    "memorydb_acl": {"user_names": ["<user-1>"]},
    "memorydb_parameter_group": {"family": "memorydb_redis7", "parameters": {"timeout": "20"}},
}


def made(service: str, desired: Mapping[str, Any] | None = None, *changes: Step) -> Scenario:
    """A scenario of ours that begins with a creation."""
    return Scenario(
        f"a {service}", service, (Step("created", desired=BASICS[service] if desired is None else desired), *changes)
    )
