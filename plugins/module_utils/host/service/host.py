# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A service on its host: its state, its processes with their connections, its restart, its health."""

from __future__ import annotations

import contextlib
from typing import Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import NotAllowed, links_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import all_processes
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import Manager, ServiceError
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import Scene, cast_units

EXAMPLE = "web@8001"


class ServiceOnHost:
    """``target`` and ``left`` are addresses and ports; a place that is both counts as the target."""

    def __init__(
        self,
        manager: Manager,
        target: frozenset[tuple[str, int]],
        left: frozenset[tuple[str, int]],
        health_url: str,
        health_headers: Mapping[str, str] | None = None,
    ) -> None:
        self._manager = manager
        self._target = target
        self._left = left - target
        self._health_url, self._health_headers = health_url, health_headers
        self._health_urls: list[str] = []

    def look(self) -> Scene:
        """Raises ServiceError."""
        state = self._manager.look()
        self._health_urls = urls_of_units(self._health_url, state.instances)
        processes = all_processes()
        links = {}
        try:
            for pid in state.pids:
                link = links_of(pid, self._target, self._left)
                if link is not None and pid in processes:
                    links[pid] = link
        except NotAllowed as error:
            raise ServiceError(str(error))
        parents = {pid: processes[pid].parent for pid in links}
        helpers = [pid for pid in links if _is_helper(pid)]
        return Scene(state, cast_units(state.units, links, parents, helpers))

    def restart(self) -> None:
        self._manager.restart()

    def how_to_see_why(self) -> str:
        return self._manager.how_to_see_why()

    def ask(self, count: int) -> Sequence[health.HealthAnswer]:
        return health.ask_often(self._health_urls, count, self._health_headers)

    def spread_requests(self) -> None:
        for url in self._health_urls:
            health.spread(url, self._health_headers)


def urls_of_units(url: str, instances: Sequence[str]) -> list[str]:
    """One for each unit, where it says so by ``%i``, as a unit file does. Raises ServiceError."""
    if "%i" not in url:
        return [url]
    if not instances:
        raise ServiceError(
            f"health_url has %i (migration_services), which is the instance of a unit of systemd as {EXAMPLE}, and "
            "this service has none: write the port itself"
        )
    urls = [url.replace("%i", instance) for instance in instances]
    try:
        for each in urls:
            health.shown(each)
    except health.HealthUrlError as error:
        raise ServiceError(
            f"{error}, with the instances {', '.join(instances)} in the place of %i (migration_services)"
        )
    return urls


def _is_helper(pid: int) -> bool:
    """Python's multiprocessing keeps a process of its own that runs nothing of the app."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return b"multiprocessing.resource_tracker" in file.read()
    return False
