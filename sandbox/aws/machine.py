"""What of the machine the services work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.aws.addresses import Addresses
from sandbox.aws.doors import Doors
from sandbox.aws.engines import Binaries
from sandbox.aws.names import Names
from sandbox.aws.pki import Pki


@dataclass(frozen=True)
class Machine:
    folder: Path  # of the sandbox's state
    binaries: Binaries
    pki: Pki
    names: Names
    doors: Doors
    addresses: Addresses = field(default_factory=Addresses)
    key_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # by the ids of access keys
