# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whose each client of the old Redis is: which hosts of the inventory, and what of theirs is connected. Pure."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Old
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look


def clients(old: Old, looks: Mapping[str, Look]) -> list[dict[str, Any]]:
    """For a record. What has no ``hosts`` is nobody's, and is cut off once the old Redis is gone."""
    return [
        {
            "address": client.address,
            "name": client.name,
            "connections": client.connections,
            "replica": client.replica,
            "hosts": list(hosts),
            "connected_there": {host: sorted(set(_connected(looks[host]))) for host in hosts if host in looks},
        }
        for client in old.source.clients
        for hosts in [old.known_clients.get(client.address, ())]
    ]


def _connected(look: Look) -> Iterator[str]:
    """Services that have connections to it when the host was looked at, and who else there."""
    for service in look.services:
        if (service.get("connections") or {}).get("to_left"):
            yield str(service.get("name"))
    for other in look.other_clients.get("processes") or ():
        yield str(other.get("unit") or other.get("program") or f"pid {other.get('pid')}")
