"""TestMigration, StartMigration, CompleteMigration: a real engine follows a Redis that is not AWS's."""

from __future__ import annotations

import contextlib
import socket
import time

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.catalogue import DISABLED
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import MIGRATING, MODIFYING, ReplicationGroup
from sandbox.aws.engines import Engine, EngineFailed
from sandbox.aws.wire import Params, Refusal, Result, operation

CONNECT_SECONDS = 3
IN_SYNC_SECONDS = 5


class OnlineMigration:
    def __init__(self, context: Context) -> None:
        self._account, self._work, self._vpc = context.account, context.work, context.vpc

    @operation("TestMigration", "ReplicationGroupId", "CustomerNodeEndpointList")
    def test_migration(self, params: Params) -> Result:
        group, address, port = self._asked(params)
        self._work.begin(group, MODIFYING, lambda: reach(group.primary.running, address, port))
        return {"ReplicationGroup": describe.replication_group(group)}

    @operation("StartMigration", "ReplicationGroupId", "CustomerNodeEndpointList")
    def start_migration(self, params: Params) -> Result:
        group, address, port = self._asked(params)

        def start() -> None:
            reach(group.primary.running, address, port)
            group.primary.running.follow_stranger(address, port)

        self._work.begin(group, MODIFYING, start, after=MIGRATING)
        return {"ReplicationGroup": describe.replication_group(group)}

    @operation("CompleteMigration", "ReplicationGroupId", "Force")
    def complete_migration(self, params: Params) -> Result:
        with self._account.lock:
            group = self._named(params)
            if group.status != MIGRATING:
                raise Refusal("ReplicationGroupNotUnderMigrationFault", f"{group.id} is not migrating.")

        def complete() -> None:
            if not params.get("Force"):
                wait_until_in_sync(group.primary.running)
            group.primary.running.end_following()

        self._work.begin(group, MIGRATING, complete, before=MIGRATING)
        return {"ReplicationGroup": describe.replication_group(group)}

    def _named(self, params: Params) -> ReplicationGroup:
        if "ReplicationGroupId" not in params:
            raise rules.combination("ReplicationGroupId is needed.")
        return self._account.replication_group(params["ReplicationGroupId"])

    def _asked(self, params: Params) -> tuple[ReplicationGroup, str, int]:
        with self._account.lock:
            group = self._named(params)
            if group.status == MIGRATING:
                raise Refusal("ReplicationGroupAlreadyUnderMigrationFault", f"{group.id} is migrating already.")
            require_fit(group)
            endpoints = params.get("CustomerNodeEndpointList") or []
            if len(endpoints) != 1:
                raise rules.value("CustomerNodeEndpointList must have one element.")
            return group, self._vpc.address_of(endpoints[0]["Address"]), endpoints[0]["Port"]


def require_fit(group: ReplicationGroup) -> None:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Migration-Prepare.html"""
    against = {
        "transit encryption is enabled": bool(group.transit_mode),
        "AUTH is enabled": bool(group.access.digests or group.user_groups),
        "Multi-AZ is not enabled": not group.multi_az,
        "data tiering is enabled": group.features.data_tiering,
        "durability is enabled": bool(group.features.durability),
    }
    if group.cluster_mode != DISABLED:
        raise rules.value("The sandbox migrates to groups of one shard alone.")
    for why, is_so in against.items():
        if is_so:
            raise rules.combination(f"{group.id} cannot be migrated to: {why}.")


def reach(engine: Engine, address: str, port: int) -> None:
    """As the node itself: the security group of the other lets it in, and it asks for no password."""
    try:
        with socket.create_connection((address, port), CONNECT_SECONDS, source_address=(engine.address, 0)) as link:
            link.settimeout(CONNECT_SECONDS)
            link.sendall(b"PING\r\n")
            answer = link.recv(256)
    except OSError as error:
        raise EngineFailed(f"migration: {address}:{port} is not reached: {error}")
    if not answer.startswith(b"+PONG"):
        raise EngineFailed(f"migration: {address}:{port} says {answer.decode(errors='replace').strip()}")


def wait_until_in_sync(engine: Engine) -> None:
    end = time.monotonic() + IN_SYNC_SECONDS
    with contextlib.suppress(KeyError):
        while time.monotonic() < end:
            if engine.info()["master_link_status"] == "up":
                return
            time.sleep(0.05)
    raise EngineFailed("migration: data is not in sync")
