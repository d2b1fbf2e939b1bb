"""What the operations work with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.aws.elasticache.fleets import Fleets
from sandbox.aws.elasticache.state import Account
from sandbox.aws.elasticache.vpc import Vpc
from sandbox.aws.elasticache.work import Work


@dataclass(frozen=True)
class Context:
    account: Account
    fleet: Fleets
    work: Work
    vpc: Vpc
    snapshots: Path  # folder of the RDB files
    network_zone: str  # the part of endpoints' names that AWS makes up, one for an account
