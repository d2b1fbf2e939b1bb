# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is asked of a service, made of a module's options, and what a look at it is told as."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import AFTER_APPLY, REDIS
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import places
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.host import ServiceOnHost
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import (
    MANAGERS,
    Managed,
    Run,
    ServiceError,
    manager_of,
    refuse_password,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import (
    Course,
    Jobs,
    Scene,
    Wanted,
    how_proven,
)

# The options of one service, and of places, of every module that has them.
OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "manager": {"type": "str", "choices": list(MANAGERS), "default": "systemd"},
    "scope": {"type": "str", "choices": ["system", "user"], "default": "system"},
    "user": {"type": "str"},
    "supervisorctl": {"type": "list", "elements": "str", "default": ["supervisorctl"]},
    "restart_command": {"type": "list", "elements": "str", "default": []},
    "pid_file": {"type": "path"},
    "health_url": {"type": "str"},
    "health_headers": {"type": "dict", "default": {}},
    "health_requests": {"type": "int", "default": 5},
    "restart": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
    "timeout": {"type": "float", "default": 60.0},
    "queues": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "names": {"type": "list", "elements": "str", "required": True},
            "url": {"type": "str", "no_log": True},
            "protocol": {"type": "str", "default": REDIS},
            "env_path": {"type": "path"},
            "env_key": {"type": "str", "no_log": False},
            "forms": {"type": "dict", "default": {}},
            "migration_name": {"type": "str"},
            "state_dir": {"type": "path", "default": "/var/lib/cache_migration"},
            "later_comes_along": {"type": "bool", "default": False},
        },
    },
    "queues_timeout": {"type": "float"},
    "may_leave_jobs": {"type": "bool", "default": False},
}
# A command for supervisor and a URL for health may hold more than their writers took for shown.
SERVICES: dict[str, Any] = {"type": "list", "elements": "dict", "default": [], "no_log": True, "options": OPTIONS}
PLACES: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "address": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "protocol": {"type": "str", "default": REDIS},
        "nodes": {"type": "list", "elements": "dict", "default": []},
    },
}


CountJobs = Callable[[], Jobs]  # what the queues of a service hold


@dataclass(frozen=True)
class Order:
    """A service, what of it is wanted, and where its connections are to lead and not to lead. ``files`` are what the
    files hold that lead to the target.
    """

    wanted: Wanted
    managed: Managed
    health_url: str = field(repr=False)
    health_headers: Mapping[str, str] = field(repr=False)
    target: tuple[Mapping[str, Any], ...]
    left: tuple[Mapping[str, Any], ...]
    files: tuple[Mapping[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def from_params(
        cls,
        params: Mapping[str, Any],
        endpoint: Mapping[str, Any] | None,
        leave: Sequence[Mapping[str, Any]],
        files: Sequence[Mapping[str, str]] = (),
    ) -> Order:
        """``params`` are of OPTIONS. Raises ServiceError for what cannot be asked or is not to be shown."""
        endpoint = endpoint or {}
        if endpoint and not (endpoint.get("address") and endpoint.get("port")):
            raise ServiceError("endpoint needs an address and a port, as elasticache_cluster returns them")
        if params["manager"] == "supervisor":
            refuse_password(params["supervisorctl"])
        is_known = bool(endpoint) and endpoint.get("state") != AFTER_APPLY
        return cls(
            wanted=Wanted(
                name=params["name"],
                restart=params["restart"],
                target=_shown([endpoint]) if endpoint else "",
                left=_shown(leave),
                health_url=_health_url_shown(params["health_url"] or ""),
                health_requests=params["health_requests"],
                timeout=params["timeout"],
                may_leave_jobs=params["may_leave_jobs"],
                queues_timeout=params["queues_timeout"],
            ),
            managed=Managed(
                name=params["name"],
                manager=params["manager"],
                scope=params["scope"],
                user=params["user"] or "",
                supervisorctl=tuple(params["supervisorctl"]),
                restart_command=tuple(params["restart_command"]),
                pid_file=params["pid_file"] or "",
            ),
            health_url=params["health_url"] or "",
            health_headers=_headers(params["health_headers"]),
            target=(endpoint,) if is_known else (),
            left=tuple(leave),
            files=tuple(files),
        )

    @property
    def health_url_shown(self) -> str:
        return self.wanted.health_url

    def on_host(self, run: Run, jobs: CountJobs = Jobs) -> ServiceOnHost:
        """``run`` runs the commands of its manager. Raises ServiceError."""
        manager = manager_of(self.managed, run)
        return ServiceOnHost(
            manager,
            places(self.target),
            places(self.left),
            self.health_url,
            health_headers=self.health_headers,
            files=self.files,
            jobs_left=jobs,
        )


def refuse_what_is_yet_to_be_made(endpoint: Mapping[str, Any] | None) -> None:
    """Raises ServiceError."""
    if (endpoint or {}).get("state") == AFTER_APPLY:
        raise ServiceError("the endpoint is yet to be made, so no service can be proven to be on it: provision first")


def _shown(locations: Iterable[Mapping[str, Any]]) -> str:
    return " or ".join(f"{location['address']}:{location['port']}" for location in locations)


def _health_url_shown(url: str) -> str:
    try:
        return health.shown(url) if url else ""
    except health.HealthUrlError as error:
        raise ServiceError(f"{error} (migration_services)")


def _headers(stated: Mapping[str, Any]) -> dict[str, str]:
    headers = {str(name): str(value) for name, value in stated.items()}
    try:
        health.refuse_headers(headers)
    except health.HealthUrlError as error:
        raise ServiceError(f"{error} (migration_services)")
    return headers


def told(wanted: Wanted, scene: Scene, course: Course) -> dict[str, Any]:
    """For a module's result."""
    return {
        "changed": course.restarted,
        "restarted": course.restarted,
        "reason": course.reason,
        "jobs": course.jobs,
        "proof": how_proven(wanted, course, scene),
        "connections": {
            "to_target": sum(seen.to_target for seen in scene.processes),
            "to_left": sum(seen.to_left for seen in scene.processes),
        },
        "processes": [asdict(seen) for seen in scene.processes],
        "health": {"requests": course.requests, "failed": course.failed, "ms": course.ms},
    }
