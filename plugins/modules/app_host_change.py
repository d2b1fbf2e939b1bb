#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: app_host_change
short_description: Change the values of an app host and restart its services in one run
version_added: 0.2.0
description:
  - Proves the target from this host, changes the values as M(kempian.cache_migration.env_update) does, and restarts
    and proves the services as M(kempian.cache_migration.app_service) does, in this order. What fails ends it.
  - It goes on without its controller, so that a host whose connection is lost in the middle is not left between its
    values and its services. Where that was lost before the first value is changed, nothing is.
  - With O(state=reverted) a value that still leads to a place of O(leave) afterwards is a failure, and a transfer of
    this host that follows (M(kempian.cache_migration.cache_transfer), C(strategy=live)) is ended.
  - A service that is not proven within some seconds is told as C(in_progress), and those after it are left alone.
    M(kempian.cache_migration.app_service) goes on with it, by what C(proof) and its C(resume) say.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.app_host
options:
  endpoint:
    description:
      - Where processes of the services are to be connected to, an C(address) and a C(port). Left out, no connection
        is demanded.
      - With O(state=reverted) that is where the values lead afterwards, and this where none of them says it.
    type: dict
  hold:
    description:
      - Stand ready, with the target proven, until all hosts do. Then the services stop, and when writes on the old
        Redis are held the values are changed, and the services started. Where writes are not held they are started as
        they were. What cannot be stopped by itself (a glob of units, V(manager=command)) is restarted in its place,
        while writes are held. With O(state=reverted) the same goes for the way back.
      - The hosts and who holds the writes (M(kempian.cache_migration.cache_transfer) with C(state=held), or
        C(strategy=carry)) tell each other in the target.
    type: dict
    suboptions:
      name:
        description: What the hold is called.
        type: str
        required: true
      host:
        description: What this host is called there.
        type: str
        required: true
      limit:
        description: The most seconds that its services may take to stop.
        type: float
        default: 10.0
      endpoint:
        description: The target, as M(kempian.cache_migration.elasticache_cluster) returns it.
        type: dict
        required: true
      auth_token:
        description: Its token.
        type: str
  written:
    description:
      - Of files that a plan was approved with, by the path in O(values), when each was written, as
        M(kempian.cache_migration.app_host_info) returned it. Where one was written since, nothing is changed.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Changes nothing, and tells what would be changed and restarted.
    support: full
  diff_mode:
    description: The changes say before and after.
    support: none
notes:
  - Use pipelining, so that Ansible leaves no file with the task's options on the host.
"""

EXAMPLES = r"""
- name: Move an app host
  kempian.cache_migration.app_host_change:
    migration_name: kempian-prod
    values:
      - path: /opt/shop/.env
        keys:
          REDIS_URL: "{{ new_url }}"
    services:
      - name: shop
        health_url: http://127.0.0.1:8000/healthz
    endpoint: "{{ cluster.endpoint }}"
    probe:
      endpoint: "{{ cluster.endpoint }}"
      auth_token: "{{ token }}"
    python: /opt/shop/venv/bin/python
    user: shop
  become: true
"""

RETURN = r"""
target:
  description: The target as M(kempian.cache_migration.cache_probe) returns it, with C(msg) where it cannot be used.
  returned: with O(probe)
  type: dict
stores:
  description: What was changed, one for each of O(values) that had its turn, in their order.
  returned: always
  type: list
  elements: dict
  contains:
    store:
      description: As given.
      type: str
    path:
      description: As given.
      type: str
    changes:
      description: As M(kempian.cache_migration.env_update) returns it.
      type: dict
proof:
  description: What was demanded of every service, as options of M(kempian.cache_migration.app_service).
  returned: when all values have had their turn
  type: dict
  contains:
    restart:
      description: V(always) where a value was changed; left out where each service has its own.
      type: str
    endpoint:
      description: Where it is to be connected to; empty where that is not demanded.
      type: dict
    leave:
      description: Where it must not be connected any more.
      type: list
      elements: dict
services:
  description: One for each of O(services) that had its turn, in their order, as M(kempian.cache_migration.app_service)
    returns it, with its C(name).
  returned: always
  type: list
  elements: dict
restarted:
  description: A service was restarted.
  returned: always
  type: bool
step:
  description: At which step it failed.
  returned: where it failed
  type: str
  sample: Change the value
"""

import functools
import select
import time
from typing import Any, Callable, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queues
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import host_options
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import LIVE
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import rollback
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import (
    leads_there,
    location_now,
    locations_to_leave,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import order as orders
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.course import advanced, predicted
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import (
    Manager,
    ServiceError,
    manager_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.order import Order
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import Course
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.standing_still import StandingStill
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_host
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import (
    JournalError,
    check_migration_name,
)

OPTIONS: dict[str, Any] = {
    **host_options.OPTIONS,
    "values": on_host.VALUES,
    "services": orders.SERVICES,
    "leave": orders.PLACES,
    "hold": {
        "type": "dict",
        "no_log": True,
        "options": {
            "name": {"type": "str", "required": True},
            "host": {"type": "str", "required": True},
            "limit": {"type": "float", "default": 10.0},
            "endpoint": {"type": "dict", "required": True},
            "auth_token": {"type": "str", "no_log": True},
        },
    },
    "written": {"type": "dict", "default": {}},
}
PROBE = "Probe the target"
CHANGE = "Change the value"
RESTORE = "Restore the value"
HOLD = "Wait until writes on the old Redis are held"
PROVE = "Restart where needed and prove the connections"
PROVE_SECONDS = 50.0  # in a turn with others, where nothing is held by then
OF_A_CHANGE = ("store", "path", "changes")


class Ended(Exception):
    """The first step that failed, and why, as a sentence. What was done before it stays."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(why)
        self.step, self.why = step, why


class Change:
    """The steps in their order. ``done`` is the result so far, so that one which fails hides nothing."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, self.params, self.check_mode = module, module.params, module.check_mode
        self.done: dict[str, Any] = {"changed": False, "restarted": False, "stores": [], "services": []}
        self.still: StandingStill | None = None
        self.files: list[dict[str, str]] = []  # what the files hold that lead to where the services are to be

    def carry_out(self) -> None:
        """Raises Ended."""
        if self.params["probe"]:
            self.prove_target(self.params["probe"])
        if self.params["leave_cluster"]:
            self.know_what_is_left(self.params["leave_cluster"])
        if self.params["hold"] and not self.check_mode:
            self.change_while_held(self.params["hold"])
        else:
            self.change_and_restart()

    def change_while_held(self, wanted: dict[str, Any]) -> None:
        """The services stand still meanwhile, and are started all the same where nothing is changed."""
        from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import board, ends

        at = {"endpoint": wanted["endpoint"], "token": wanted["auth_token"], "ca_certs": None}
        self.still = still = StandingStill(self.managers())
        try:
            target = ends.new({**at, "timeout": self.params["timeout"]})
            leave = functools.partial(still.stop, wanted["limit"])
            with board.in_turn(target, wanted["name"], wanted["host"], is_left_alone, leave) as turn:
                self.change_and_restart(turn.tell_changed if still.is_all else None)
                if any(service.get("in_progress") for service in self.done["services"]):
                    turn.lacking = "its services take longer to prove themselves than they are waited for"
        except (board.NotHeld, ServiceError, EndpointError) as error:
            self.start_again(still)
            raise Ended(HOLD, f"No value was changed: {str(error).rstrip('.')}.")
        except Ended:
            self.start_again(still)
            raise

    @staticmethod
    def start(still: StandingStill) -> None:
        try:
            still.start()
        except ServiceError as error:
            raise Ended(PROVE, f"{error}.")

    def start_again(self, still: StandingStill) -> None:
        """What stands still and was not started yet. The host counts as changed, so that it is put back, and proven."""
        if still.any and not still.started_at:
            self.done.update(changed=True, restarted=True)
            still.start()

    def managers(self) -> dict[str, Manager]:
        managed = [Order.from_params(service, None, []).managed for service in self.params["services"]]
        stated = zip(self.params["services"], managed)
        return {one["name"]: manager_of(each, self.run) for one, each in stated if one["restart"] != "never"}

    def change_and_restart(self, tell_changed: Callable[[], None] | None = None) -> None:
        """Raises Ended."""
        # Whoever gave up on this run may have put the host back by now, before there was anything to put back.
        if self.params["values"] and is_left_alone():
            raise Ended(self.changing, "The connection to the controller was lost: nothing was changed.")
        self.refuse_other_files()
        for value in self.params["values"]:
            self.change(value)
        if self.params["state"] == "reverted":
            self.refuse_what_still_leads_there()
            if not self.check_mode:
                self.end_following()
        self.done["proof"] = self.demanded()
        self.files = list(on_host.leading_to(self.params["values"], self.done["proof"]["endpoint"]))
        failed = None
        if tell_changed:
            tell_changed()
        if self.still:
            self.start(self.still)
        for service in self.params["services"]:
            try:
                if not self.is_proven(service):
                    break  # the controller goes on with it, and with those after it
            except Ended as ended:
                if self.params["state"] == "present":
                    raise
                failed = failed or ended  # on the way back one that does not start leaves no other behind
        if failed:
            raise failed

    def end_following(self) -> None:
        """Nobody goes to the target by what it has of the old Redis now: a cutover after this brings it anew."""
        # Compiled anew in each run of a module, and of no use on the way there.
        from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import contract, running
        from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs

        folder = jobs.folder_of(self.params["state_dir"], self.params["migration_name"])
        if jobs.kept(folder).get("strategy") == LIVE:
            try:
                running.stop(folder)
            except contract.TransferRefused as refused:
                self.module.warn(f"What is written to the old Redis goes on to the target: {refused}")

    # --- the target ---

    def prove_target(self, wanted: dict[str, Any]) -> None:
        # Compiled anew in each run of a module, and of no use on the way back.
        from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_interpreter, target_probe

        try:
            asked = target_probe.questions(wanted, self.params["timeout"], self.check_mode)
            answers = app_interpreter.ask(asked, app_interpreter.Interpreter.from_params(self.params), addresses=False)
        except (EndpointError, app_interpreter.InterpreterRefused) as error:
            raise Ended(PROBE, f"The target cannot be probed: {error}.")
        told = target_probe.told(wanted, asked, answers)
        self.done["target"] = told
        if "msg" in told:
            raise Ended(PROBE, told["msg"])
        if self.params["endpoint"]:
            # As this host was told them, a client of a cluster is connected to its nodes.
            known = self.params["endpoint"].get("nodes") or ()
            self.params["endpoint"] = {**self.params["endpoint"], "nodes": [*known, *told["nodes"]]}

    def know_what_is_left(self, wanted: dict[str, Any]) -> None:
        """On the way back, of a cluster."""
        from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.cluster_probe import with_nodes
        from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import places_of

        try:
            self.params["leave"] += places_of(with_nodes(wanted, self.params["timeout"]))
        except EndpointError as error:
            raise Ended(self.changing, f"The cluster that is left cannot be asked for its nodes: {error}.")

    # --- values ---

    @property
    def changing(self) -> str:
        return CHANGE if self.params["state"] == "present" else RESTORE

    def refuse_other_files(self) -> None:
        """Where a plan was approved, what is changed is what it was made of."""
        for value in self.params["values"]:
            approved = self.params["written"].get(value["path"])
            if approved and on_host.written(value) != approved:
                raise Ended(
                    self.changing,
                    f"{value['path']} was written since the plan that was approved: nothing was changed on this host. "
                    "Make a new plan with migration_plan_out, and have that approved.",
                )

    def change(self, value: dict[str, Any]) -> None:
        try:
            changed = on_host.change_value(self.params, value, self.check_mode)
        except (ChangeRefused, FileRefused, JournalError) as refused:
            raise Ended(self.changing, f"{refused}.")
        self.done["stores"].append({name: changed[name] for name in OF_A_CHANGE})
        self.done["changed"] = self.done["changed"] or changed["changed"]

    def refuse_what_still_leads_there(self) -> None:
        """A plan knows it before; by now somebody may have put it there."""
        services = [service["name"] for service in self.params["services"]]
        for change in self.done["stores"]:
            if any(leads_there(change, place) for place in self.params["leave"]):
                raise Ended(RESTORE, rollback.no_original(change["path"], self.params["state_dir"], services))

    # --- services ---

    def demanded(self) -> dict[str, Any]:
        """What is demanded of each service, as options of app_service."""
        endpoint, leave = self.params["endpoint"] or {}, list(self.params["leave"])
        if self.params["state"] == "reverted":
            endpoint = location_now(self.done["stores"], [endpoint] if endpoint else [])
        else:
            own = locations_to_leave(self.done["stores"], endpoint)
            leave += [place for place in own if place not in leave]
        restart = {"restart": "always"} if self.done["changed"] else {}
        return {"endpoint": endpoint, "leave": leave, **restart}

    def is_proven(self, service: dict[str, Any]) -> bool:
        """Restart it where that is needed, and prove it; False where it takes longer than a run of this module."""
        as_stated = {"restart": "never"} if service["restart"] == "never" else {}
        told = {"name": service["name"], **self.restarted({**service, **self.done["proof"], **as_stated})}
        self.done["services"].append(told)
        for name in ("changed", "restarted"):
            self.done[name] = self.done[name] or told[name]
        if "msg" in told:
            raise Ended(PROVE, told["msg"])
        return not told.get("in_progress")

    def restarted(self, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            order = Order.from_params(wanted, wanted["endpoint"], wanted["leave"], self.files)
            if self.check_mode:
                return predicted(order, self.run)
            jobs = functools.partial(queues.jobs, wanted["queues"], wanted["endpoint"])
            told = advanced(order, self.begun(wanted["name"]), self.run, jobs)
            while told["in_progress"] and (is_left_alone() or self.is_waited_for(wanted["name"])):
                told = advanced(order, Course(**told["resume"]), self.run, jobs)
        except ServiceError as error:
            raise Ended(PROVE, f"{error}.")
        return told

    def is_waited_for(self, name: str) -> bool:
        """By all hosts. Where nobody reads the result, nobody goes on with it either."""
        at = self.still.started_at.get(name) if self.still else None
        limit = self.params["hold"]["limit"] if self.still and not self.still.is_all else PROVE_SECONDS
        return at is not None and time.monotonic() - at < limit

    def begun(self, name: str) -> Course | None:
        """Where it was started by now, as it stood still before."""
        at = self.still.started_at.get(name) if self.still else None
        return Course(began=at, restarted_at=at, reason="it stood still while its value was changed") if at else None

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        return self.module.run_command(list(command), handle_exceptions=False)


def is_left_alone() -> bool:
    """Whether nobody reads the result any more: the connection was lost, or the run was ended."""
    poll = select.poll()
    poll.register(1, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _number, event in poll.poll(0))


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    tell_as_it_is(module)
    shown = {"invocation": {"module_args": options_shown(module.params, OPTIONS)}}
    change = Change(module)
    try:
        check_migration_name(module.params["migration_name"])
        if not module.check_mode:
            orders.refuse_what_is_yet_to_be_made(module.params["endpoint"])
        change.carry_out()
    except (ServiceError, JournalError) as error:
        module.fail_json(msg=f"The host cannot be changed: {error}.", **change.done, **shown)
    except Ended as ended:
        module.fail_json(msg=ended.why, step=ended.step, **change.done, **shown)
    module.exit_json(**change.done, **shown)


if __name__ == "__main__":
    main()
