#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: app_service
short_description: Restart an app's service where needed, and prove which cache its processes are connected to
version_added: 0.1.0
description:
  - Looks at all processes of a service of systemd, supervisor or a command, and at the TCP connections that they
    hold, in C(/proc).
  - Restarts the service where needed, and then asks it for its health until it is proven that it runs, that it answered
    a number of requests in a row, that all its serving processes have a connection to the new cache, and that none of
    its processes has one to the place that it was to leave.
  - A process serves if it listens on a TCP port, unless a child of it holds the same socket, as a worker of uvicorn or
    gunicorn does. Where no process listens, as with a worker of Celery, one process of each tree must have been seen
    with a connection to the new cache since the restart. That is enough for a tree that serves, too, where one of its
    processes was seen with a connection that it then closed, as an app does that opens one for each request.
  - What does not listen and opens no connection within 10 seconds or half of O(timeout), as a scheduler, is proven
    where each of its processes was started with what a file of O(values) holds, in its environment.
  - Progress is shown while this lasts, and a wait that was killed is continued by running the task again.
  - In check mode it only looks, and says whether it would restart. Where a service runs and has no connection to the
    new cache, it is asked for its health and watched for some seconds, as its connections may be short.
author:
  - The cache_migration authors (@cache-migration)
options:
  name:
    description:
      - The service, such as C(shop) or C(shop.service); with supervisor a program, or a group as C(shop:*).
      - A glob (C(web@*)) means every service of systemd that matches and is loaded, each proven.
      - Of a timer nothing is restarted, as what it starts reads its values anew. It is proven when nothing that it
        started is connected to a place of O(leave).
    type: str
    required: true
  manager:
    description: What runs the service.
    type: str
    choices: [systemd, supervisor, command]
    default: systemd
  scope:
    description:
      - Whose systemd runs it, as M(ansible.builtin.systemd_service) has it. V(user) is that of O(user), which must run
        without a login (C(loginctl enable-linger)). It is asked as that user.
    type: str
    choices: [system, user]
    default: system
    version_added: 0.2.0
  user:
    description: Whose units with O(scope=user), or who runs O(restart_command). Who is not root is nobody else.
    type: str
    version_added: 0.2.0
  supervisorctl:
    description:
      - The command for supervisor with its options, for instance C([supervisorctl, -c, /etc/shop.conf]).
      - A password belongs into the file of C(-c), as C(password) of its section C([supervisorctl]). With C(-p) all
        users of the host would see it among the processes, so that is refused.
    type: list
    elements: str
    default: [supervisorctl]
  restart_command:
    description:
      - With O(manager=command), the program and its arguments that restart the service, by no shell and as O(user).
        Root does not run what that user may be able to write; who needs root names C(sudo).
      - It is proven by the processes alone. Those that belonged to the service must all have ended.
      - Nothing but its program is ever shown or logged.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  pid_file:
    description: With O(manager=command), the file with the number of the first process. Its children and its process
      group belong to the service.
    type: path
    version_added: 0.2.0
  endpoint:
    description:
      - Where the serving processes must be connected to, with C(address) and C(port); a whole endpoint will do. Where
        its C(protocol) is another than V(redis), a connection to one of its C(nodes) is one to it.
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
      protocol:
        description: What it speaks. With another than V(redis) connections to O(leave[].nodes) count too.
        type: str
        default: redis
      nodes:
        description: The nodes of a cluster, each with C(address) and C(port).
        type: list
        elements: dict
        default: []
  values:
    description:
      - The files that the app reads. Where all keys of one lead to O(endpoint), a process that was started with them in
        its environment is known by that.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      store:
        description: As M(kempian.cache_migration.env_update) has it.
        type: str
        choices: [dotenv]
        default: dotenv
      path:
        description: The file that the app reads.
        type: path
        required: true
      keys:
        description: The names of the values.
        type: list
        elements: str
        required: true
      dialect:
        description: As M(kempian.cache_migration.env_update) has it.
        type: list
        elements: str
        default: []
      forms:
        description: As M(kempian.cache_migration.app_host_change) has it.
        type: dict
        default: {}
  health_url:
    description:
      - What to ask for the app's health, by GET from the host itself. Left out, nothing is asked.
      - It holds no user name and no password. Its query is asked for, but never shown or logged.
      - C(%i) in it is the instance of each unit, as in a unit file.
    type: str
  health_headers:
    description:
      - Headers of these requests, for an app that refuses a host name that it does not know, or redirects to https.
      - They are never shown or logged.
    type: dict
    default: {}
    version_added: 0.2.0
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
  queues:
    description:
      - Queues whose jobs the service does, in the cache that it leaves. It is restarted when they are empty, which is
        waited for within O(queues_timeout), as long as it is connected to a place of O(leave).
      - What leads to O(endpoint) is not left, and not waited for.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      names:
        description:
          - The names of the keys, as C(celery) and C(unacked) of Celery, or C(rq:queue:default) and
            C(rq:wip:default) of RQ. An empty key is gone for Redis.
        type: list
        elements: str
        required: true
      url:
        description: The URL of the cache, with the database.
        type: str
      protocol:
        description: What that cache speaks, V(redis) or V(redis-cluster).
        type: str
        default: redis
      env_path:
        description: Or the file that has it; with O(queues[].migration_name), what it had before that migration.
        type: path
      env_key:
        description: The key of that file.
        type: str
      forms:
        description: The forms of its keys, where that is one of several parts, as O(values[].forms) has them.
        type: dict
        default: {}
      migration_name:
        description: The migration in whose journal on this host the original is.
        type: str
      state_dir:
        description: The directory with the journals.
        type: path
        default: /var/lib/cache_migration
      later_comes_along:
        description: Not to wait for jobs in C(unacked) of Celery that are due later (C(eta)), as they are moved.
        type: bool
        default: false
  queues_timeout:
    description: How long the jobs of O(queues) may take, in seconds. Left out, as long as O(timeout).
    type: float
    version_added: 0.2.0
  may_leave_jobs:
    description: Restart it after that time all the same, as on a way back that nothing holds up. RV(jobs) says so.
    type: bool
    default: false
    version_added: 0.2.0
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
jobs:
  description: What O(queues) held when it was restarted all the same, as a phrase, or that nobody can tell; else empty.
  returned: always
  type: str
  sample: 12 in celery
proof:
  description:
    - By what it is proven that the service is on its new cache, V(connections) that it has, those that it was V(seen)
      with, or the V(environment) that processes were started with.
    - Empty where it is not, or where that is not demanded.
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
      description:
        - C(serving), C(working), C(parent) or C(other).
        - Each serving one must be connected to the target, and one working one of each C(tree).
      type: str
    tree:
      description: The process at the root of its tree in the service.
      type: int
    unit:
      description: The number of its unit or program, where the name means several.
      type: int
    to_target:
      description: Connections to the endpoint.
      type: int
    to_left:
      description: Connections to places of O(leave).
      type: int
    was_on_target:
      description: Connections to the endpoint that it was seen with since the look before, be they for a moment.
      type: int
    was_on_left:
      description: The same to places of O(leave), where it had none at that look.
      type: int
    is_given:
      description: It was started with what a file of O(values) holds that leads to the endpoint.
      type: bool
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

from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queues
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import order as orders
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.course import advanced, predicted
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import ServiceError
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.order import Order
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import Course, Jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_host

OPTIONS: dict[str, Any] = {
    **orders.OPTIONS,
    "endpoint": {"type": "dict"},
    "leave": orders.PLACES,
    "values": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **on_host.VALUES["options"],
            "keys": {"type": "list", "elements": "str", "required": True, "no_log": False},  # names
        },
    },
    "resume": {"type": "dict"},
}


class UnloggedModule(AnsibleModule):
    """Leaves the log of the host alone, where its users read a command and a URL that their writers took for hidden.

    The constructor's ``no_log`` does not: each task hands over its own, which takes that one's place. The ``no_log`` of
    an option would mask its words wherever they stand in the result.
    """

    def log(self, msg: Any, log_args: Any = None) -> None:
        pass


def order_of(module: AnsibleModule) -> Order:
    """Raises ServiceError. The result may repeat the options, so what of them is not to be shown goes out of them."""
    params = dict(module.params)
    shown = {name: params[name][:1] for name in ("supervisorctl", "restart_command")}
    module.params.update(health_url="", health_headers=None, **shown)
    files = list(on_host.leading_to(params["values"], params["endpoint"] or {}))
    order = Order.from_params(params, params["endpoint"], params["leave"], files)
    module.params.update(health_url=order.health_url_shown, supervisorctl=params["supervisorctl"])
    if not module.check_mode:
        orders.refuse_what_is_yet_to_be_made(params["endpoint"])
    return order


def main() -> None:
    module = UnloggedModule(argument_spec=OPTIONS, supports_check_mode=True)

    def run(command: Sequence[str]) -> tuple[int, str, str]:
        return module.run_command(list(command), handle_exceptions=False)

    def jobs() -> Jobs:
        return queues.jobs(module.params["queues"], module.params["endpoint"])

    try:
        order = order_of(module)
        if module.check_mode:
            module.exit_json(**predicted(order, run), in_progress=False, progress="", resume={})
        resume = module.params["resume"]
        told = advanced(order, Course(**resume) if resume else None, run, jobs)
    except ServiceError as error:
        module.fail_json(msg=f"{error}.")
    if "msg" in told:
        module.fail_json(**told)
    module.exit_json(**told)


if __name__ == "__main__":
    main()
