# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How much memory an ElastiCache node has for Valkey and Redis OSS: the value of its parameter maxmemory, in bytes.

From the tables "node-type specific parameters" of the ElastiCache user guide, which agree where both have a type; those
of the eighth generation are of Valkey alone, and previous generations are left out:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html#ParameterGroups.Valkey.NodeSpecific
Of r6gd it is what is in memory; its disks hold about four times as much beside it. Nothing is guessed of a type that is
not here.
"""

from __future__ import annotations

_T3 = {"micro": 536870912, "small": 1471026299, "medium": 3317862236}
_M5 = {
    "large": 6854542746,
    "xlarge": 13891921715,
    "2xlarge": 27966669210,
    "4xlarge": 56116178125,
    "12xlarge": 168715971994,
}
_M6G = {**_M5, "8xlarge": 111325552312, "16xlarge": 225000375228}
_R5 = {
    "large": 14037181030,
    "xlarge": 28261849702,
    "2xlarge": 56711183565,
    "4xlarge": 113609865216,
    "12xlarge": 341206346547,
}
_R6G = {**_R5, "8xlarge": 225000375228, "16xlarge": 450000750456}

_FAMILIES = {
    "t2": {"micro": 581959680, "small": 1665138688, "medium": 3461349376},
    "t3": _T3,
    "t4g": _T3,
    "m4": {
        "large": 6892593152,
        "xlarge": 15328501760,
        "2xlarge": 31889126359,
        "4xlarge": 65257290629,
        "10xlarge": 166047614239,
    },
    "m5": {**_M5, "24xlarge": 337500562842},
    "m6g": _M6G,
    "m7g": _M6G,
    "m8g": {
        "large": 7294178820,
        "xlarge": 15222495510,
        "2xlarge": 31866224640,
        "4xlarge": 65856864256,
        "8xlarge": 133838143488,
        "12xlarge": 201819422720,
        "16xlarge": 269800701952,
    },
    "r4": {
        "large": 13201781556,
        "xlarge": 26898228839,
        "2xlarge": 54197537997,
        "4xlarge": 108858546586,
        "8xlarge": 218255432090,
        "16xlarge": 437021573120,
    },
    "r5": {**_R5, "24xlarge": 682485973811},
    "r6g": _R6G,
    "r6gd": {size: total for size, total in _R6G.items() if size != "large"},
    "r7g": _R6G,
    "r8g": {
        "large": 15222495510,
        "xlarge": 31866224640,
        "2xlarge": 65856864256,
        "4xlarge": 133838143488,
        "8xlarge": 269800701952,
        "12xlarge": 405763260416,
        "16xlarge": 541725818880,
    },
    "c7gn": {
        "large": 3317862236,
        "xlarge": 6854542746,
        "2xlarge": 13891921715,
        "4xlarge": 27966669210,
        "8xlarge": 56116178125,
        "12xlarge": 84357985997,
        "16xlarge": 113609865216,
    },
    "c8gn": {
        "large": 3330020474,
        "xlarge": 7294178820,
        "2xlarge": 15222495510,
        "4xlarge": 31866224640,
        "8xlarge": 65856864256,
        "12xlarge": 99847503872,
        "16xlarge": 133838143488,
    },
}

RESERVED_PERCENT = 25  # the default of reserved-memory-percent, kept for failover and snapshots


ELASTICACHE, MEMORYDB = "cache", "db"
# Families of either that are not too old, with the sizes in general; the first are the cheapest.
_OFFERED = {ELASTICACHE: ("t3", "m6g", "r6g"), MEMORYDB: ("t4g", "r6g", "r7g")}


def maxmemory(node_type: str) -> int | None:
    """The bytes of a node type, or None where they are not known."""
    prefix, family, size = _parts(node_type)
    return _sizes(prefix, family).get(size)


def _sizes(prefix: str, family: str) -> dict[str, int]:
    """MemoryDB has fewer: https://docs.aws.amazon.com/memorydb/latest/devguide/nodes.supportedtypes.html"""
    if prefix == ELASTICACHE:
        return _FAMILIES.get(family, {})
    known = _FAMILIES.get(family, {}) if family in (*_OFFERED[MEMORYDB], "r6gd") else {}
    return {size: total for size, total in known.items() if size != "micro"}


def usable(total: int, reserved_percent: float = RESERVED_PERCENT) -> int:
    """What is left for data when the reserve is taken off."""
    return int(total * (100 - reserved_percent) / 100)


def large_enough(needed: int, like: str, reserved_percent: float = RESERVED_PERCENT) -> str:
    """The smallest type with that much for data, of the family of ``like`` if it has one; empty where none has."""
    prefix, own, _size = _parts(like)
    for family in (own, *_OFFERED[prefix]):
        sizes = _sizes(prefix, family)
        fitting = [size for size, total in sizes.items() if usable(total, reserved_percent) >= needed]
        if fitting:
            return f"{prefix}.{family}.{min(fitting, key=lambda size: sizes[size])}"
    return ""


def _parts(node_type: str) -> tuple[str, str, str]:
    """The prefix, the family and the size; of what is no node type, nothing but a prefix."""
    prefix, _dot, rest = node_type.partition(".")
    family, _dot, size = rest.partition(".")
    return (prefix, family, size) if prefix in _OFFERED else (ELASTICACHE, "", "")
