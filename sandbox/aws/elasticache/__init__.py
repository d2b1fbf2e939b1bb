"""ElastiCache: replication groups without cluster mode, of Redis OSS and Valkey, who may log in to them,
and serverless caches.

`replication_groups`, `modifications`, `replicas`, `cache_clusters`, `snapshots`, `subnet_groups`, `parameter_groups`,
`users`, `user_groups`, `online` and `tags` hold the operations, `clusters` those of cache clusters that are in no group
(as Memcached); `rules` and `rbac_rules` what AWS refuses; `describe` what it shows; `fleet` the real engines.
`serverless` has the same of serverless caches.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.aws.doors import Door
from sandbox.aws.elasticache.admission import Admission
from sandbox.aws.elasticache.cache_clusters import CacheClusters
from sandbox.aws.elasticache.clusters.fleet import Fleet as LoneFleet
from sandbox.aws.elasticache.clusters.modifications import Modifications as LoneModifications
from sandbox.aws.elasticache.clusters.operations import CacheClusters as LoneClusters
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.events import Events
from sandbox.aws.elasticache.fleets import Fleets
from sandbox.aws.elasticache.modifications import Modifications
from sandbox.aws.elasticache.online import OnlineMigration
from sandbox.aws.elasticache.parameter_groups import ParameterGroups
from sandbox.aws.elasticache.replicas import Replicas
from sandbox.aws.elasticache.replication_groups import ReplicationGroups
from sandbox.aws.elasticache.serverless.caches import Caches as ServerlessCaches
from sandbox.aws.elasticache.serverless.fleet import Fleet as ServerlessFleet
from sandbox.aws.elasticache.serverless.snapshots import Snapshots as ServerlessSnapshots
from sandbox.aws.elasticache.serverless.state import Serverless
from sandbox.aws.elasticache.shard_configuration import ShardConfiguration
from sandbox.aws.elasticache.snapshot_copies import SnapshotCopies
from sandbox.aws.elasticache.snapshots import Snapshots
from sandbox.aws.elasticache.state import Account
from sandbox.aws.elasticache.subnet_groups import SubnetGroups
from sandbox.aws.elasticache.tags import Tags
from sandbox.aws.elasticache.user_groups import UserGroups
from sandbox.aws.elasticache.users import Users
from sandbox.aws.elasticache.vpc import Vpc
from sandbox.aws.elasticache.work import Pace, Work
from sandbox.aws.machine import Machine
from sandbox.aws.wire import Service, handlers_of

__all__ = ["ElastiCache", "Pace"]


class ElastiCache:
    """The service, and what the rest of the sandbox needs of it."""

    def __init__(self, machine: Machine, client: Callable[[str], Any], pace: Pace) -> None:
        account = Account(Serverless())
        account.rbac.key_secrets = machine.key_secrets
        self._fleet = Fleets(account, machine)
        events = Events(account)
        self._work = Work(account, pace, events.failed, events.done)
        zone = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(6))
        context = Context(account, self._fleet, self._work, Vpc(client), machine.folder / "snapshots", zone)
        self._modifications = Modifications(context)
        self._lone_fleet = LoneFleet(account, machine)
        self._fleet.others_of_parameters.append(self._lone_fleet.apply_parameter_group)
        self._lone_modifications = LoneModifications(context, self._lone_fleet)
        lone = (LoneClusters(context, self._lone_fleet), self._lone_modifications)
        self._serverless = ServerlessFleet(account.serverless, machine)
        snapshots = ServerlessSnapshots(context, self._serverless, client)
        serverless = (ServerlessCaches(context, self._serverless, snapshots), snapshots)
        rooms = (
            *(ReplicationGroups, Replicas, ShardConfiguration, CacheClusters, OnlineMigration),
            *(Snapshots, SubnetGroups, ParameterGroups, Tags),
        )
        admission = Admission(context, machine.binaries)
        admission.others.append(serverless[0].readmit_all)
        users = (Users(context, admission), UserGroups(context, admission))
        copies = SnapshotCopies(context, client)
        made = (self._modifications, events, copies, *lone, *users, *serverless, *(room(context) for room in rooms))
        self.service = Service("elasticache", handlers_of(*made))

    def doors(self) -> Iterable[Door]:
        return [*self._fleet.doors(), *self._lone_fleet.doors(), *self._serverless.doors()]

    def controls(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """What can be asked of the sandbox besides AWS's own operations."""
        return {
            "POST maintenance": lambda _: {"modified": self._maintenance_window()},
            "POST settings": self._work.pace.change,
        }

    def _maintenance_window(self) -> list[str]:
        return [*self._modifications.maintenance_window(), *self._lone_modifications.maintenance_window()]

    def stop_all(self) -> None:
        self._fleet.stop_all()
        self._lone_fleet.stop_all()
        self._serverless.stop_all()
