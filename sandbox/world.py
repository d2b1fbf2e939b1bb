"""What the emulated AWS is to hold from the start, and what it holds then. sandbox/aws/populate.py makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.old_redis import OldRedis
from sandbox.places import Places


@dataclass(frozen=True)
class World:
    """What the inventory must know of the account."""

    vpc_id: str
    subnet_ids: list[str]
    app_security_group_id: str
    old_instance_id: str

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> World:
        return cls(**json.loads(path.read_text()))


@dataclass(frozen=True)
class Order:
    """What the world is to have: the address of each host, the URL in the app's settings, and of the old Redis its
    instances' addresses and user data, its password, and the socket and number of replicas to fill it by."""

    hosts: dict[str, str]
    url: str
    instances: dict[str, str]
    services: dict[str, str]
    password: str
    socket: str
    replicas: int
    seed: bool

    @classmethod
    def of(cls, places: Places, hosts: Mapping[str, str], old: OldRedis, *, seed: bool) -> Order:
        socket, replicas = str(old.writable_socket(places)), len(old.instances) - 1
        return cls(dict(hosts), old.url, old.instances, old.user_data(places), old.asks_for, socket, replicas, seed)

    def write(self, path: Path) -> None:
        """Readable by us alone: the password is in it."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Order:
        return cls(**json.loads(path.read_text()))
