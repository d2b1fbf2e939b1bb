#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: app_service
short_description: Restart an app's service where needed, and prove which cache its processes are connected to
version_added: 0.1.0
description:
  - Looks at all processes of a service of systemd or supervisor, and at the TCP connections that they hold, in
    C(/proc).
  - Restarts the service where needed, and then asks it for its health until it is proven that it runs, that it answered
    a number of requests in a row, that all its serving processes have a connection to the new cache, and that none of
    its processes has one to the place that it was to leave.
  - A process serves if it listens on a TCP port, unless a child of it holds the same socket, as a worker of uvicorn or
    gunicorn does. Where no process listens, those without children count.
  - Progress is shown while this lasts, and a wait that was killed is continued by running the task again.
  - In check mode it only looks, and says whether it would restart.
author:
  - The cache_migration authors (@cache-migration)
options:
  name:
    description: The service, such as C(shop) or C(shop.service); with supervisor a program, or a group as C(shop:*).
    type: str
    required: true
  manager:
    description: What runs the service.
    type: str
    choices: [systemd, supervisor]
    default: systemd
  supervisorctl:
    description:
      - The command for supervisor with its options, for instance C([supervisorctl, -c, /etc/shop.conf]).
      - A password belongs into the file of C(-c), as C(password) of its section C([supervisorctl]). With C(-p) all
        users of the host would see it among the processes, so that is refused.
    type: list
    elements: str
    default: [supervisorctl]
  endpoint:
    description:
      - Where the serving processes must be connected to, with C(address) and C(port); a whole endpoint will do.
      - Left out, no connection is demanded.
      - With C(state=after_apply), as a plan has it, there is nothing to compare with; that is for check mode only.
    type: dict
  leave:
    description: Where no process may be connected to any longer.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: A name or an address. A name that does not resolve any longer leads nowhere.
        type: str
        required: true
      port:
        description: The TCP port.
        type: int
        required: true
  health_url:
    description:
      - What to ask for the app's health, by GET from the host itself. Left out, nothing is asked.
      - It holds no user name and no password. Its query is asked for, but never shown or logged.
    type: str
  health_requests:
    description: How many answers with status 200 are needed in a row.
    type: int
    default: 5
  restart:
    description:
      - V(always) restarts. V(never) only proves.
      - V(auto) restarts where the service does not run, where one of its processes is connected to a place of
        O(leave), or where it cannot be proven to be on its target within 10 seconds or half of O(timeout).
    type: str
    choices: [auto, always, never]
    default: auto
  timeout:
    description: How long the proof may take after a restart, in seconds.
    type: float
    default: 60.0
  resume:
    description: What the run before this one returned as RV(resume). Set by the action plugin, not by people.
    type: dict
attributes:
  check_mode:
    description: Looks, and says whether it would restart.
    support: full
  diff_mode:
    description: A restart has nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Restart the shop and prove that it is on its new cache
  kempian.cache_migration.app_service:
    name: shop
    endpoint: "{{ cluster.endpoint }}"
    leave:
      - address: old-redis.internal
        port: 6379
    health_url: http://127.0.0.1:8000/healthz
    restart: always

- name: Look which cache a program of supervisor is connected to
  kempian.cache_migration.app_service:
    name: shop
    manager: supervisor
    endpoint: {address: old-redis.internal, port: 6379}
    restart: never
  check_mode: true
"""

RETURN = r"""
restarted:
  description: The service was restarted, or would be in check mode.
  returned: always
  type: bool
reason:
  description: Why it was restarted; empty where it was not.
  returned: always
  type: str
connections:
  description: Connections of all processes of the service.
  returned: always
  type: dict
  contains:
    to_target:
      description: To the endpoint.
      type: int
    to_left:
      description: To places of O(leave).
      type: int
processes:
  description: The processes of the service.
  returned: always
  type: list
  elements: dict
  contains:
    pid:
      description: The process.
      type: int
    role:
      description: C(serving), C(parent) or C(other). Only serving ones must be connected to the target.
      type: str
    to_target:
      description: Connections to the endpoint.
      type: int
    to_left:
      description: Connections to places of O(leave).
      type: int
health:
  description: What the app answered.
  returned: always
  type: dict
  contains:
    requests:
      description: How many requests were made. They begin as soon as the service runs, so the first may fail.
      type: int
    failed:
      description: How many were not answered with status 200.
      type: int
    ms:
      description: The median time of the last good answers, in milliseconds.
      type: float
in_progress:
  description: The proof is not complete; run again with O(resume).
  returned: always
  type: bool
progress:
  description: What is not proven yet, as a phrase; empty when done.
  returned: always
  type: str
resume:
  description: What happened so far.
  returned: always
  type: dict
"""

from dataclasses import asdict
from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import AFTER_APPLY
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import places
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.course import Report, advance
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.host import ServiceOnHost
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import (
    Manager,
    ServiceError,
    manager_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import (
    Course,
    Scene,
    Wanted,
    failure,
    would_restart,
)


class UnloggedModule(AnsibleModule):
    """Leaves the log of the host alone, where its users read a command and a URL that their writers took for hidden.

    The constructor's ``no_log`` does not: each task hands over its own, which takes that one's place. The ``no_log`` of
    an option would mask its words wherever they stand in the result.
    """

    def log(self, msg: Any, log_args: Any = None) -> None:
        pass


def wanted_from(params: Mapping[str, Any], shown_url: str) -> Wanted:
    endpoint = params["endpoint"] or {}
    return Wanted(
        name=params["name"],
        restart=params["restart"],
        target=_shown([endpoint]) if endpoint else "",
        left=_shown(params["leave"]),
        health_url=shown_url,
        health_requests=params["health_requests"],
        timeout=params["timeout"],
    )


def _shown(locations: list[dict[str, Any]]) -> str:
    return " or ".join(f"{location['address']}:{location['port']}" for location in locations)


def service_from(params: Mapping[str, Any], manager: Manager) -> ServiceOnHost:
    endpoint = params["endpoint"] or {}
    is_known = bool(endpoint) and endpoint.get("state") != AFTER_APPLY
    return ServiceOnHost(
        manager,
        places([endpoint] if is_known else []),
        places(params["leave"]),
        params["health_url"] or "",
    )


def result_of(scene: Scene, course: Course) -> dict[str, Any]:
    return {
        "changed": course.restarted,
        "restarted": course.restarted,
        "reason": course.reason,
        "connections": {
            "to_target": sum(seen.to_target for seen in scene.processes),
            "to_left": sum(seen.to_left for seen in scene.processes),
        },
        "processes": [asdict(seen) for seen in scene.processes],
        "health": {"requests": course.requests, "failed": course.failed, "ms": course.ms},
    }


def progress_of(report: Report) -> dict[str, Any]:
    return {
        "in_progress": report.open is not None and not report.failed,
        "progress": report.open.found if report.open else "",
        "resume": asdict(report.course),
    }


def prediction(wanted: Wanted, scene: Scene) -> dict[str, Any]:
    """The result in check mode."""
    reason = would_restart(wanted, scene)
    seen = result_of(scene, Course(began=0.0, reason=reason))
    return {
        **seen,
        "changed": bool(reason),
        "restarted": bool(reason),
        "in_progress": False,
        "progress": "",
        "resume": {},
    }


def refuse_bad_endpoint(module: AnsibleModule) -> None:
    endpoint = module.params["endpoint"] or {}
    if endpoint and not (endpoint.get("address") and endpoint.get("port")):
        module.fail_json(msg="endpoint needs an address and a port, as elasticache_cluster returns them.")
    if endpoint.get("state") == AFTER_APPLY and not module.check_mode:
        module.fail_json(
            msg="The endpoint is yet to be made, so no service can be proven to be on it: provision first."
        )


def shown_health_url(module: AnsibleModule) -> str:
    """The URL as it may be shown, which from now on stands for the option where the result repeats the options."""
    url, module.params["health_url"] = module.params["health_url"], ""
    if not url:
        return ""
    try:
        shown = health.shown(url)
    except health.HealthUrlError as error:
        module.fail_json(msg=f"{error} (migration_health_url).")
    module.params["health_url"] = shown
    return shown


def manager_from(module: AnsibleModule) -> Manager:
    params = module.params
    try:
        return manager_of(
            params["manager"],
            params["name"],
            params["supervisorctl"],
            lambda command: module.run_command(list(command), handle_exceptions=False),
        )
    except ServiceError as error:
        params["supervisorctl"] = params["supervisorctl"][:1]  # the result may repeat the options
        module.fail_json(msg=f"{error}.")
        raise


def main() -> None:
    module = UnloggedModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "manager": {"type": "str", "choices": ["systemd", "supervisor"], "default": "systemd"},
            "supervisorctl": {"type": "list", "elements": "str", "default": ["supervisorctl"]},
            "endpoint": {"type": "dict"},
            "leave": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "address": {"type": "str", "required": True},
                    "port": {"type": "int", "required": True},
                },
            },
            "health_url": {"type": "str"},
            "health_requests": {"type": "int", "default": 5},
            "restart": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
            "timeout": {"type": "float", "default": 60.0},
            "resume": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    params = dict(module.params)
    shown_url = shown_health_url(module)
    refuse_bad_endpoint(module)
    manager = manager_from(module)
    wanted, service = wanted_from(params, shown_url), service_from(params, manager)
    try:
        if module.check_mode:
            module.exit_json(**prediction(wanted, service.look()))
        resume = params["resume"]
        report = advance(wanted, Course(**resume) if resume else None, service)
    except ServiceError as error:
        module.fail_json(msg=f"{error}.")
    result = {**result_of(report.scene, report.course), **progress_of(report)}
    if report.open and report.failed:
        module.fail_json(msg=failure(report.open, report.seconds, manager.how_to_see_why()), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
