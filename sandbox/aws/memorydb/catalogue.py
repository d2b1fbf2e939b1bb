"""What MemoryDB has to offer: engine versions, their parameter group families, node types and their memory."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.aws.elasticache.catalogue import DATA_TIERING, family_of_type
from sandbox.aws.elasticache.catalogue import MAXMEMORY as OF_ELASTICACHE

ENGINES = ("redis", "valkey")


@dataclass(frozen=True)
class Version:
    """`label` is what a user states, `full` what is told as the version with its patch."""

    engine: str
    label: str
    full: str

    @property
    def family(self) -> str:
        """The family of its parameter groups."""
        return f"memorydb_{self.engine}{self.number[0]}"

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.full.split("."))


VERSIONS = (
    Version("redis", "6.2", "6.2.6"),
    Version("redis", "7.0", "7.0.7"),
    Version("redis", "7.1", "7.1.1"),
    Version("valkey", "7.2", "7.2.6"),
    Version("valkey", "7.3", "7.3.0"),
)
FAMILIES = tuple(dict.fromkeys(version.family for version in VERSIONS))

# The nodes are those of ElastiCache under another name, and have as much memory. In the order of size.
MAXMEMORY = {
    name.replace("cache.", "db."): size
    for name, size in OF_ELASTICACHE.items()
    if family_of_type(name) in ("t4g", "r6g", "r7g", DATA_TIERING) and name != "cache.t4g.micro"
}


def is_tiered(node_type: str) -> bool:
    return family_of_type(node_type) == DATA_TIERING


def default_version(engine: str) -> Version:
    return [version for version in VERSIONS if version.engine == engine][-1]


def find_version(engine: str, label: str) -> Version | None:
    return next((version for version in VERSIONS if (version.engine, version.label) == (engine, label)), None)
