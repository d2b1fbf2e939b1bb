"""What the operations work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.aws.elasticache.vpc import Vpc
from sandbox.aws.elasticache.work import Work
from sandbox.aws.engines import Binaries
from sandbox.aws.memorydb.fleet import Fleet
from sandbox.aws.memorydb.state import Account


@dataclass(frozen=True)
class Context:
    account: Account
    fleet: Fleet
    work: Work
    vpc: Vpc
    client: Callable[[str], Any]  # of boto3, by service: for what lies elsewhere
    binaries: Binaries
    snapshots: Path  # folder of the RDB files
    network_zone: str  # the part of endpoints' names that AWS makes up, one for an account
