"""What ElastiCache has to offer: engine versions, their parameter group families, node types and their memory."""

from __future__ import annotations

from dataclasses import dataclass

# maxmemory in bytes, by node type, in the order of size (AWS: "Redis OSS node-type specific parameters").
MAXMEMORY = {
    "cache.t4g.micro": 536870912,
    "cache.t3.micro": 536870912,
    "cache.t4g.small": 1471026299,
    "cache.t3.small": 1471026299,
    "cache.t4g.medium": 3317862236,
    "cache.t3.medium": 3317862236,
    "cache.m6g.large": 6854542746,
    "cache.m7g.large": 6854542746,
    "cache.m6g.xlarge": 13891921715,
    "cache.m7g.xlarge": 13891921715,
    "cache.r6g.large": 14037181030,
    "cache.r7g.large": 14037181030,
    "cache.m6g.2xlarge": 27966669210,
    "cache.m7g.2xlarge": 27966669210,
    "cache.r6g.xlarge": 28261849702,
    "cache.r7g.xlarge": 28261849702,
    "cache.r6g.2xlarge": 56711183565,
    "cache.r7g.2xlarge": 56711183565,
    "cache.r6g.4xlarge": 113609865216,
    "cache.r7g.4xlarge": 113609865216,
}
REPLICATION_ENGINES = ("redis", "valkey")


@dataclass(frozen=True)
class Version:
    """`label` is what a user states, `full` what a node reports.

    Both are labels over the one release of each engine that is installed here: INFO tells what really runs.
    """

    engine: str
    label: str
    full: str
    family: str

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.full.split("."))

    @property
    def can_switch_transit_encryption(self) -> bool:
        return self.engine == "valkey" or self.number >= (7, 0, 5)


VERSIONS = (
    Version("redis", "5.0.6", "5.0.6", "redis5.0"),
    Version("redis", "6.0", "6.0.5", "redis6.x"),
    Version("redis", "6.2", "6.2.6", "redis6.x"),
    Version("redis", "7.0", "7.0.7", "redis7"),
    Version("redis", "7.1", "7.1.0", "redis7"),
    Version("valkey", "7.2", "7.2.6", "valkey7"),
    Version("valkey", "8.0", "8.0.1", "valkey8"),
    Version("valkey", "8.1", "8.1.0", "valkey8"),
    Version("valkey", "8.2", "8.2.0", "valkey8"),
    Version("valkey", "9.0", "9.0.0", "valkey9"),
    Version("valkey", "9.1", "9.1.0", "valkey9"),
)
FAMILIES = tuple(dict.fromkeys(version.family for version in VERSIONS))


def default_version(engine: str) -> Version:
    return [version for version in VERSIONS if version.engine == engine][-1]


def find_version(engine: str, label: str) -> Version | None:
    """`6.x` is the newest of 6, as AWS takes it."""
    known = [version for version in VERSIONS if version.engine == engine]
    if label == "6.x":
        known = [version for version in known if version.family == "redis6.x"]
        return known[-1] if known else None
    return next((version for version in known if version.label == label), None)
