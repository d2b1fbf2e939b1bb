# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What ``scaling`` of the target has in it."""

from __future__ import annotations

from typing import Any

SCALING: dict[str, dict[str, Any]] = {
    "scalable_dimension": {
        "type": "str",
        "choices": ["NodeGroups", "Replicas", "Nodes"],
        "required": True,
        "description": (
            "What is added and removed: C(NodeGroups), the shards of a replication group, C(Replicas), those of each "
            "of its shards, or C(Nodes), those of Memcached."
        ),
    },
    "state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": (
            "C(absent) takes it away with its policies, before the target is changed; it stays as large as it is."
        ),
    },
    "min_capacity": {"type": "int", "description": "There are never fewer. Needed, as the next, but to take it away."},
    "max_capacity": {"type": "int", "description": "There are never more, of replicas at most 5."},
    "policy_name": {
        "type": "str",
        "description": "The name of the policy. Policies of other names are left alone.",
    },
    "predefined_metric_type": {
        "type": "str",
        "choices": [
            "ElastiCachePrimaryEngineCPUUtilization",
            "ElastiCacheReplicaEngineCPUUtilization",
            "ElastiCacheEngineCPUUtilization",
            "ElastiCacheDatabaseMemoryUsagePercentage",
            "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage",
            "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage",
        ],
        "description": (
            "The metric that the policy follows. Left out, the engine's CPU of the primaries or of the replicas; of "
            "C(Nodes) it must be stated."
        ),
    },
    "target_value": {
        "type": "float",
        "description": "Where that metric is held, as 60 for 60 %. Without it no policy is made.",
    },
    "scale_in_cooldown": {
        "type": "int",
        "description": "Seconds after something was removed in which nothing more is removed.",
    },
    "scale_out_cooldown": {
        "type": "int",
        "description": "Seconds after something was added in which nothing more is added.",
    },
    "disable_scale_in": {"type": "bool", "description": "The policy adds and never removes."},
}
