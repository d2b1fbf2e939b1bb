"""What ElastiCache has to offer: engine versions, their parameter group families, node types and their memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

REPLICATION_ENGINES = ("redis", "valkey")
MEMCACHED = "memcached"
DISABLED, COMPATIBLE, ENABLED = "disabled", "compatible", "enabled"  # modes of a cluster
SIZES = ("micro", "small", "medium", "large", *(f"{n}xlarge" for n in ("", 2, 4, 8, 10, 12, 16, 24)))
_BIG = (*("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),)
_SMALL = ("micro", "small", "medium")
# The sizes that each family of node types has (AWS: "Supported node types").
FAMILY_SIZES = {
    "t2": _SMALL,
    "t3": _SMALL,
    "t4g": _SMALL,
    "m4": ("large", "xlarge", "2xlarge", "4xlarge", "10xlarge"),
    "m5": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "m6g": _BIG,
    "m7g": _BIG,
    "m8g": _BIG,
    "r4": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"),
    "r5": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"),
    "r6g": _BIG,
    "r6gd": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
    "r7g": _BIG,
    "r8g": _BIG,
    "c7gn": _BIG,
    "c8gn": _BIG,
}
# maxmemory in bytes as AWS lists it ("Redis OSS node-type specific parameters"): of small types, and of the sizes of
# the classes m and r. A class c has half of m's.
_OF_T = {"micro": 536870912, "small": 1471026299, "medium": 3317862236}
_OF_T2 = {"micro": 581959680, "small": 1665138688, "medium": 3461349376}
_OF_M = {"large": 6854542746, "xlarge": 13891921715, "2xlarge": 27966669210, "4xlarge": 56116178125}
_OF_R = {"large": 14037181030, "xlarge": 28261849702, "2xlarge": 56711183565, "4xlarge": 113609865216}
DATA_TIERING = "r6gd"


def _times(size: str) -> float:
    """How many xlarge a size is."""
    return 0.5 if size == "large" else float(re.findall(r"\d*", size)[0] or 1)


def _maxmemory(family: str, size: str) -> int:
    if family[0] == "t":
        return (_OF_T2 if family == "t2" else _OF_T)[size]
    known = _OF_R if family[0] == "r" else _OF_M
    found = known.get(size) or int(known["4xlarge"] * _times(size) / 4)
    return found // 2 if family[0] == "c" else found


# By node type, in the order of size.
MAXMEMORY = dict(
    sorted(
        ((f"cache.{f}.{s}", _maxmemory(f, s)) for f, sizes in FAMILY_SIZES.items() for s in sizes),
        key=lambda item: item[1],
    )
)


def family_of_type(node_type: str) -> str:
    """`cache.t4g.micro` is of t4g."""
    return node_type.split(".")[1]


@dataclass(frozen=True)
class Version:
    """`label` is what a user states, `full` what a node reports.

    Both are labels over the one release of each engine that is installed here: INFO tells what really runs.
    """

    engine: str
    label: str
    full: str

    @property
    def family(self) -> str:
        """The family of its parameter groups."""
        major, minor, *_ = self.number
        if self.engine == "valkey" or (self.engine == "redis" and major >= 7):
            return f"{self.engine}{major}"
        return "redis6.x" if self.engine == "redis" and major == 6 else f"{self.engine}{major}.{minor}"

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.full.split("."))

    @property
    def can_switch_transit_encryption(self) -> bool:
        return self.engine == "valkey" or self.number >= (7, 0, 5)

    @property
    def has_cluster_mode(self) -> bool:
        return self.engine in REPLICATION_ENGINES and self.number >= (3, 2, 4)

    @property
    def can_change_cluster_mode(self) -> bool:
        return self.engine in REPLICATION_ENGINES and self.number >= (7, 0)

    @property
    def can_encrypt(self) -> bool:
        """In transit and at rest: 3.2.6 and from 4.0.10 on."""
        return self.number == (3, 2, 6) or self.number >= (4, 0, 10)

    def runs_on(self, node_type: str) -> bool:
        """Graviton is from Redis OSS 5.0.6 and Memcached 1.5.16 on, data tiering from 6.2."""
        family = family_of_type(node_type)
        if family == DATA_TIERING:
            return self.engine in REPLICATION_ENGINES and self.number >= (6, 2)
        if re.fullmatch(r"[a-z]+\d+g[a-z]*", family):
            return self.number >= ((1, 5, 16) if self.engine == MEMCACHED else (5, 0, 6))
        return True


# As DescribeCacheEngineVersions lists them: before 6 by all three numbers.
_STATED = {
    "redis": (
        *("2.8.6", "2.8.19", "2.8.21", "2.8.22", "2.8.23", "2.8.24", "3.2.4", "3.2.6", "3.2.10", "4.0.10"),
        *("5.0.0", "5.0.3", "5.0.4", "5.0.5", "5.0.6", "6.0", "6.2", "7.0", "7.1"),
    ),
    "valkey": ("7.2", "8.0", "8.1", "8.2", "9.0", "9.1"),
    "memcached": (
        *("1.4.5", "1.4.14", "1.4.24", "1.4.33", "1.4.34", "1.5.10", "1.5.16"),
        *("1.6.6", "1.6.12", "1.6.17", "1.6.22"),
    ),
}
_FULL = {"6.0": "6.0.5", "6.2": "6.2.6", "7.0": "7.0.7", "7.2": "7.2.6", "8.0": "8.0.1"}  # else ends in 0
VERSIONS = tuple(
    Version(engine, label, label if label.count(".") == 2 else _FULL.get(label, f"{label}.0"))
    for engine, labels in _STATED.items()
    for label in labels
)
FAMILIES = tuple(dict.fromkeys(version.family for version in VERSIONS))
WITHOUT_CLUSTER_MODE = {version.family for version in VERSIONS} - {
    version.family for version in VERSIONS if version.has_cluster_mode
}


def default_version(engine: str) -> Version:
    return [version for version in VERSIONS if version.engine == engine][-1]


def find_version(engine: str, label: str) -> Version | None:
    """`6.x` is the newest of 6, as AWS takes it."""
    known = [version for version in VERSIONS if version.engine == engine]
    if label == "6.x":
        known = [version for version in known if version.family == "redis6.x"]
        return known[-1] if known else None
    return next((version for version in known if version.label == label), None)
