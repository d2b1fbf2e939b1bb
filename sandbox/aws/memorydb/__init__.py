"""MemoryDB: clusters of Redis OSS and Valkey, which speak the cluster protocol and have users.

`clusters`, `updates`, `snapshots`, `users`, `subnet_groups`, `parameter_groups` and `tags` hold the operations; `rules`
what AWS refuses; `describe` what it shows; `fleet` the real engines. Windows, work and networks are ElastiCache's.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.aws.doors import Door
from sandbox.aws.elasticache.vpc import Vpc
from sandbox.aws.elasticache.work import Pace, Work
from sandbox.aws.machine import Machine
from sandbox.aws.memorydb.clusters import Clusters
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.fleet import Fleet
from sandbox.aws.memorydb.parameter_groups import ParameterGroups
from sandbox.aws.memorydb.rules import in_its_words
from sandbox.aws.memorydb.snapshots import Snapshots
from sandbox.aws.memorydb.state import Account
from sandbox.aws.memorydb.subnet_groups import SubnetGroups
from sandbox.aws.memorydb.tags import Tags
from sandbox.aws.memorydb.updates import Updates
from sandbox.aws.memorydb.users import Acls, Admission, Users
from sandbox.aws.wire import Service, handlers_of

__all__ = ["MemoryDB"]


class MemoryDB:
    """The service, and what the rest of the sandbox needs of it."""

    def __init__(self, machine: Machine, client: Callable[[str], Any], pace: Pace) -> None:
        account = Account()
        self._fleet = Fleet(account, machine)
        zone = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(6))
        folder = machine.folder / "snapshots" / "memorydb"
        work = Work(account, pace, lambda cluster, status, why: account.note_failure(cluster, status, str(why)))
        context = Context(account, self._fleet, work, Vpc(client), client, machine.binaries, folder, zone)
        admission = Admission(context)
        rooms = (Clusters, Updates, Snapshots, SubnetGroups, ParameterGroups, Tags)
        made = (Users(context, admission), Acls(context, admission), *(room(context) for room in rooms))
        self.service = Service("memorydb", in_its_words(handlers_of(*made)))

    def doors(self) -> Iterable[Door]:
        return list(self._fleet.doors())

    def stop_all(self) -> None:
        self._fleet.stop_all()
