# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A service on its host: its state, its processes with their connections, its restart, its health."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import (
    Links,
    NotAllowed,
    Watch,
    links_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import all_processes, environment
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import Manager, ServiceError
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import (
    Jobs,
    Scene,
    Seen,
    cast_units,
    is_given,
)

EXAMPLE = "web@8001"
AT_LEISURE = 4  # where nothing is under way that would be over soon


class ServiceOnHost:
    """``target`` and ``left`` are addresses and ports; a place that is both counts as the target. ``files`` are what is
    in each file that leads to the target, as a process has it in its environment where it is started with that file.
    """

    def __init__(
        self,
        manager: Manager,
        target: frozenset[tuple[str, int]],
        left: frozenset[tuple[str, int]],
        health_url: str,
        *,
        health_headers: Mapping[str, str] | None = None,
        files: Sequence[Mapping[str, str]] = (),
        jobs_left: Callable[[], Jobs] = Jobs,
    ) -> None:
        self._manager = manager
        self._target = target
        self._left = left - target
        self._health_url, self._health_headers = health_url, health_headers
        self._health_urls: list[str] = []
        self._files = files
        self.jobs_left = jobs_left
        self._links: dict[int, Links] = {}  # at the last look
        self._watches: list[Watch] = []  # since then

    def look(self) -> Scene:
        """With what was seen of it by requests and watching since the last look. Raises ServiceError."""
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
        seen = [self._since(each) for each in cast_units(state.units, links, parents, helpers)]
        self._links, self._watches = links, []
        return Scene(state, tuple(seen))

    def _since(self, seen: Seen) -> Seen:
        """With what it had between the last look and this, and what it was started with."""
        watches = self._watches if seen.pid in self._links else []
        has_held = bool(watches) and self._links[seen.pid].to_left > 0
        return replace(
            seen,
            was_on_target=sum(watch.to_target(seen.pid) for watch in watches),
            was_on_left=0 if has_held else sum(watch.to_left(seen.pid) for watch in watches),
            is_given=bool(self._files) and is_given(environment(seen.pid), self._files),
        )

    def restart(self) -> None:
        self._manager.restart()

    def how_to_see_why(self) -> str:
        return self._manager.how_to_see_why()

    def ask(self, count: int) -> Sequence[health.HealthAnswer]:
        with self._watching_if_answered():
            return health.ask_often(self._health_urls, count, self._health_headers)

    def spread_requests(self) -> None:
        with self._watching_if_answered():
            for url in self._health_urls:
                health.spread(url, self._health_headers)

    def watch(self, seconds: float) -> None:
        """Only of what nobody asks: that is watched when it is asked."""
        with contextlib.nullcontext() if self._health_url else self._watching(rests=AT_LEISURE):
            time.sleep(seconds)

    def _watching_if_answered(self) -> contextlib.AbstractContextManager[Any]:
        """While nothing listens yet, no request opens a connection, and a watch costs half a core."""
        is_heard = any(link.listening for link in self._links.values())
        return self._watching() if is_heard else contextlib.nullcontext()

    @contextlib.contextmanager
    def _watching(self, rests: int = 1) -> Iterator[None]:
        """Of the processes that it had at the last look."""
        with Watch(list(self._links), self._target, self._left, rests=rests) as watch:
            yield
        self._watches.append(watch)


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
