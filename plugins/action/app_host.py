# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One step of the way on an app host: look at it, move it, put it back. A result comes back whatever happens.

A host that fails or is lost stays in the play, as a decision over all results follows. Composes the modules
app_host_info, app_host_change, app_service and cache_probe.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.iam_token import (
    Credentials,
    Login,
    iam_token,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    AFTER_APPLY_ADDRESS,
    REDIS,
    REDIS_CLUSTER,
    Endpoint,
    EndpointError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import REDIS_PY
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration, Value
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import LIVE
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    made_of,
    rollback,
    to_original,
    transfer,
    words,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import (
    GOALS,
    NONE,
    ORIGINAL,
    TARGET,
    TOKEN,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import bringing, progress, queues, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import HELD, LOOK, RESULT, known_of
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.on_host import HostAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.trip import Trip

SERVICE_SECONDS = 86400.0  # the module keeps its own time, as its limit begins with the restart
PAUSE = 0.0  # a run of the module lasts for as long as it has something to wait for
HOST_STAGES = ("cutover", "state")  # whose options a step on a host reads, whatever the goal


class ActionModule(HostAction):
    """``step`` is look, survey, data, hold, move, let_go, finish, back or refused."""

    _VALID_ARGS = frozenset(("known", "step", "turn"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._vars, self._known = task_vars, known_of(self._task.args)
        self._goal = GOALS[self._known.goal]
        self._host = task_vars["inventory_hostname"]
        self.be_ready()
        settings = self.settings(task_vars, (*self._goal.stages, *HOST_STAGES))
        self._settings, self._migration = settings, Migration.from_settings(settings)
        steps = {"look": self.look, "survey": self.look, "move": self.move, "back": self.back, "refused": self.refused}
        of_the_data = {
            "data": bringing.bring,
            "hold": bringing.hold,
            "let_go": bringing.let_go,
            "finish": bringing.finish,
        }
        for step, brings in of_the_data.items():
            steps[step] = functools.partial(brings, self, self._known, settings, self._migration)
        return {**steps[self._task.args["step"]](), "run": self.this_run}

    def be_ready(self) -> None:
        if self._task.delegate_to:
            raise AnsibleActionFail("app_host works on the host itself: take delegate_to away from this task.")
        super().be_ready()

    @property
    def goes_on(self) -> bool:
        return bool(self._goal.goes_on)

    # --- looking ---

    def look(self) -> dict[str, Any]:
        """What there is on this host, as decide.look.Look reads it."""
        is_known = self._known.endpoint.get("state", "known") == "known"
        try:
            values = self.values_wanted()
        except EndpointError as error:
            return {"changed": False, "step": "look at its value", "why": f"{error}."}
        order = {
            **self.common(),
            **self.order_of_places(values),
            **({"find": True} if self.is_to_find() else self.caches_of_a_look(is_known)),
        }
        seen = self.module("app_host_info", {name: value for name, value in order.items() if value is not None})
        if why := batches.failure_reason(seen):
            return {
                "changed": False,
                "step": "look at the host",
                "why": why,
                "unreachable_host": bool(seen.get("unreachable")),
            }
        names = ("services", "other_clients", "found", "target", "old", "survey", "contents")
        told = {name: seen[name] for name in names if name in seen}
        if transfer.is_to_look(self._known) and self._host == transfer.host_of(self._known):
            told["transfer"] = bringing.look(self, self._known, self._settings, self._migration)
        if self.watched() and told.get("survey", {}).get("run_id") == self.watched().get("run_id"):
            told["survey"] = {**told["survey"], "now": self.watched()["now"]}
        if queues.come_along(self._settings):
            told["queues"] = queues.named(self._migration, self._settings)
        told["defined"], told["address"] = made_of.defined(self._settings), self._play_context.remote_addr
        return {"changed": False, "values": seen["stores"], **told}

    def caches_of_a_look(self, is_known: bool) -> dict[str, Any]:
        """Which caches are asked, and by whom."""
        return {
            "probe": {**self.probe(), "uses": self.uses()} if self.is_to_prove(is_known) else None,
            "old": self.old() if self.may_go_back() else None,
            "survey": self.survey() if self.is_surveyor() else None,
            "contents": self.contents() if self.is_to_count(is_known) else None,
            **self.interpreter(),
        }

    def order_of_places(self, values: list[dict[str, Any]]) -> dict[str, Any]:
        """What reads the ``values``, and where it is to be connected and where not."""
        return {
            "values": values,
            "state": "reverted" if self._goal.reverts else "present",
            "services": [self.service(one, self.restart_of_a_look()) for one in self._migration.services],
            "endpoint": self._known.endpoint if self._goal.destination != ORIGINAL else None,
            "leave": self.left_of_a_look(),
            "leave_cluster": self.cluster_left() if self._goal.destination == ORIGINAL else None,
        }

    def contents(self) -> dict[str, Any]:
        """How it is told what the app wrote to the target, and would leave behind."""
        token = self.token_of_probe()
        order = {"endpoint": self._known.endpoint, "sample": self._settings["sample"]}
        return {**order, "auth_token": token} if token else order

    def is_to_find(self) -> bool:
        """What the app reads, for a plan that proposes it."""
        return self._migration.reads_nothing and self._goal.finds_values

    def survey(self) -> dict[str, Any]:
        """How the old Redis is read, where another user than the app's own is to ask."""
        url = self.handed_over(self._settings["assess_url"])
        order = {"sample": self._settings["sample"], **({"watch": 0.0} if self.watched() else {})}
        return {**order, "url": url} if url else order

    def watched(self) -> Mapping[str, Any]:
        """What was seen of the old Redis earlier in this run, where its traffic was: that is not watched twice."""
        before: Mapping[str, Any] = self.earlier(LOOK).get("survey") or {}
        return before if before.get("now") else {}

    def may_go_back(self) -> bool:
        """Whether the old Redis is of interest: what becomes of the values is, and both ways may follow."""
        return self._goal.reads_values and self._goal.destination in (TARGET, ORIGINAL)

    def restart_of_a_look(self) -> str:
        return "never" if self._goal.destination in (NONE, TOKEN) else "auto"

    def left_of_a_look(self) -> list[dict[str, Any]]:
        """Where processes must not be connected any more, beside what the host's own values say."""
        if self._goal.destination == ORIGINAL:
            return self.target_place()
        return batches.locations_to_leave(self._known.shared, self._known.endpoint)

    def is_to_prove(self, is_known: bool) -> bool:
        is_open = not any(
            part["module"] == "cache_security_group" and part["seen"].get("plan") for part in self._known.parts
        )
        if transfer.is_read_only(self._known):
            return False  # it is proven by each host once it takes writes
        return not self._goal.reverts and is_known and is_open and self._goal.stages != ("assess",)

    def is_first(self) -> bool:
        return bool(self._known.present) and self._host == self._known.present[0]

    def is_surveyor(self) -> bool:
        return "assess" in self._goal.stages and self.is_to_look_closer()

    def is_to_count(self, is_known: bool) -> bool:
        return self._goal.destination == ORIGINAL and is_known and self.is_to_look_closer()

    def is_to_look_closer(self) -> bool:
        """One host is enough; where it is not, a plan names others."""
        return self.is_first() or self._task.args["step"] == "survey"

    # --- acting ---

    def move(self) -> dict[str, Any]:
        """To the target: prove it, change the values, restart, prove that every process is there and none elsewhere."""
        restart = "always" if self.is_to_restart() else "auto"
        order = {
            "values": self.values_wanted(),
            "written": self.written_when_approved(),
            "endpoint": self._known.endpoint,
            "leave": batches.locations_to_leave(self._known.shared, self._known.endpoint),
            "probe": {**self.probe(), "uses": self.uses()},
            "hold": self.held_turn(),
            **self.interpreter(),
        }
        with Trip(self._host) as trip:
            if why := self.why_not_held():
                trip.end(bringing.HOLD, why)
            self.change(trip, restart, order, self.queues_left())
            trip.other_clients = self.other_clients()
        return self.told(trip)

    def held_turn(self) -> dict[str, Any]:
        """Where all hosts are switched in one turn, while the old Redis's writes are held."""
        wanted = self.turn.get("hold") or {}
        if not wanted or self._task.args["step"] != ("back" if self._goal.destination == ORIGINAL else "move"):
            return {}
        probe = self.probe()
        login = {name: probe[name] for name in ("endpoint", "auth_token") if name in probe}
        return {"name": wanted["name"], "host": self._host, "limit": float(self._settings["hold_limit"]), **login}

    def why_not_held(self) -> str:
        """Where who is to hold them could not be told so; this host has not begun then."""
        wanted = self.turn.get("hold") or {}
        if not self.held_turn():
            return ""
        result = batches.result_of(self.registered(self._vars, [wanted["by"]], HELD)[wanted["by"]])
        return "" if result["state"] == "ok" else f"{wanted['by']}: {str(result['why']).rstrip('.')}"

    def other_clients(self) -> dict[str, Any]:
        """Who beside the services is on the old Redis even now, where there was anybody before."""
        before = self.earlier(LOOK).get("other_clients") or {}
        if self._goal.destination != TARGET or not (before.get("processes") or before.get("failure")):
            return {}
        seen = self.module("app_host_info", {**self.common(), **self.order_of_places(self.values_wanted())})
        if why := batches.failure_reason(seen):
            return {"processes": [], "failure": why}
        return dict(seen.get("other_clients") or before)

    def is_to_restart(self) -> bool:
        """An app may have read what it had before; where it reads what all share, that has been changed by then."""
        reads_shared = not self._migration.own and bool((self.turn.get("shared") or {}).get("changed"))
        return self._goal.destination == TOKEN or reads_shared

    def back(self) -> dict[str, Any]:
        """To what the values said before: restore them, restart, prove that every process has left the target."""
        restart = "always" if self.earlier(RESULT).get("restarted") else "auto"
        places = batches.locations_to_leave(self.looked_at(), self._known.endpoint)
        order = {
            "state": "reverted",
            "values": [self.value(value, dict.fromkeys(value.keys)) for value in self._migration.own],
            # What a run that failed puts back was written by itself.
            "written": self.written_when_approved() if self._goal.destination == ORIGINAL else {},
            "endpoint": batches.location_now(self.turn.get("shared_back") or (), places),
            "leave": self.target_place(),
            "leave_cluster": self.cluster_left(),
            "hold": self.held_turn(),
        }
        failure = str(self.turn.get("shared_failure") or "")
        with Trip(self._host) as trip:
            if failure and not self._migration.own:
                trip.end("Restart where needed and prove the connections", rollback.NOT_ONTO_SHARED.format(why=failure))
            if why := self.why_not_held():
                trip.end(bringing.CARRY, why)
            self.change(trip, restart, order, self.queues_of_target())
        return self.told(trip)

    def queues_left(self) -> queues.ByKey:
        """Where the queues are that are left, by the journal, on the last hosts that leave: jobs that are there before
        are done by the others. A new token leaves no cache, and where writes are held the jobs come along.
        """
        comes_along = self.turn.get("hold") or self._settings.get("transfer") == LIVE  # or is moved right after
        if comes_along or self._goal.destination != TARGET or not self.turn.get("is_last_batch"):
            return {}
        come_later = {"later_comes_along": True} if queues.come_along(self._settings) else {}
        return queues.by_key(
            (key, {"env_path": value.address, "env_key": key, "forms": forms_of(value), **self.common(), **come_later})
            for value in self._migration.own
            for key in value.keys
        )

    def queues_of_target(self) -> queues.ByKey:
        """The same on the way back; none of a target that is not known any more."""
        hosts = self.turn.get("put_back") or [self._host]
        if self._host != hosts[-1] or self.held_turn():
            return {}
        try:
            urls = [value.urls(self._known.endpoint, self.token(), self._settings) for value in self._migration.own]
        except EndpointError:
            return {}
        protocol = self._known.endpoint.get("protocol") or REDIS
        return queues.by_key(
            (key, {"url": url, "protocol": protocol}) for of_value in urls for key, url in of_value.items()
        )

    def change(self, trip: Trip, restart: str, order: dict[str, Any], left: queues.ByKey) -> None:
        """In one run on the host for as long as a service proves itself within it, and in more where it does not.

        ``left`` says where the queues of each key are.
        """
        is_left = queues.may_be_left(self._settings)
        may_leave_jobs = order.get("state") == "reverted" or is_left
        services = [
            {**self.service(one, restart), "queues": queues.of_service(one, left), "may_leave_jobs": may_leave_jobs}
            for one in self._migration.services
        ]
        order = {**self.common(), **order, "services": services}
        trip.step = "Change the host"
        done = self.module("app_host_change", {name: value for name, value in order.items() if value})
        self.tell(trip, done)
        if "stores" not in done:  # it came to no result of its own, and nobody can tell how far it was
            trip.changed = trip.restarted = True
        trip.take(trip.step, done)
        files = [{**value, "keys": list(value["keys"])} for value in order.get("values") or ()]
        for service, begun in zip_longest(services, done["services"]):
            if not begun or begun.get("in_progress"):
                self.restart(trip, {**service, **done["proof"], "values": files}, begun)

    def tell(self, trip: Trip, done: dict[str, Any]) -> None:
        for store in done.get("stores") or ():
            for key, one in store["changes"].items():
                if one.get("action") != "keep":
                    trip.lines.append(f"{self._host}: {store['path']} {key}: {one.get('before')} -> {one.get('after')}")
        for service in done.get("services") or ():
            if service.get("restarted"):
                trip.lines.append(f"{self._host}: restart {service['name']}")
            if not service.get("in_progress"):
                trip.count(service["name"], service)

    def restart(self, trip: Trip, order: dict[str, Any], begun: dict[str, Any] | None) -> None:
        """Restart and prove a service, which may have ``begun``: then that is the first answer."""
        answers = [begun] if begun else []
        order = {name: value for name, value in order.items() if name != "endpoint" or value}
        answer = progress.run_until_done(
            lambda args: answers.pop() if answers else self.module("app_service", dict(args), is_raised=True),
            order,
            timeout=SERVICE_SECONDS,
            interval=PAUSE,
            say=lambda line: say.lines([f"  [{self._host}] {line}"]),
            next_args=lambda args, result: {**args, "resume": result["resume"]},
        )
        if answer.get("restarted") and not (begun or {}).get("restarted"):
            trip.lines.append(f"{self._host}: restart {order['name']}")
        trip.count(order["name"], answer)
        trip.take("Restart where needed and prove the connections", answer)

    def looked_at(self) -> list[Mapping[str, Any]]:
        return [*(self.earlier(LOOK).get("values") or ()), *self._known.shared]

    def earlier(self, name: str) -> Mapping[str, Any]:
        """What an earlier step of this run has registered on this host; empty where there was none."""
        return self.registered(self._vars, [self._host], name)[self._host] or {}

    def refused(self) -> dict[str, Any]:
        """Whether the target refuses the token that was ended."""
        order = {**self.probe(), "auth_token": self.secret("old_token"), "write": False}
        seen = self.module("cache_probe", order)
        return {
            "changed": False,
            "kind": str((seen.get("failure") or {}).get("kind") or "none"),
            "msg": seen.get("msg") or "",
        }

    def told(self, trip: Trip) -> dict[str, Any]:
        result = trip.result()
        say.lines([words.of_host(self._host, result)])
        return result

    # --- what modules are given ---

    @property
    def turn(self) -> Mapping[str, Any]:
        return self._task.args.get("turn") or {}

    def common(self) -> dict[str, Any]:
        return {"migration_name": self._known.name, "state_dir": self._settings["state_dir"]}

    def interpreter(self) -> dict[str, Any]:
        """The app's own, as its user. Without a user there is none that root would run.

        Whether a token is valid is for all hosts, so that it is not for the app of one to say, before it is moved.
        """
        migration = self._migration
        if self._goal.destination == TOKEN and self._task.args["step"] == "look":
            return {}
        return {"python": migration.python, "user": migration.user} if migration.python and migration.user else {}

    def probe(self) -> dict[str, Any]:
        token = self.token_of_probe()
        order = {"endpoint": self._known.endpoint, "write": True}
        return {**order, "auth_token": token} if token else order

    def uses(self) -> list[dict[str, Any]]:
        """How the app uses the target."""
        usual = (int(self._settings.get("database") or 0), REDIS_PY)
        uses = self._migration.uses(self._settings) or [usual]
        return [{"database": number, "reader": reader} for number, reader in uses]

    def old(self) -> dict[str, Any]:
        """How the way back is asked: by the host's own values, or where it has none by what all share."""
        return {} if self._migration.own else {"url": self.secret("original")}

    @staticmethod
    def value(value: Value, wanted: Mapping[str, str | None]) -> dict[str, Any]:
        return {
            "store": value.store,
            "path": value.address,
            "keys": wanted,
            "dialect": list(value.dialect),
            "forms": forms_of(value),
        }

    def service(self, service: Any, restart: str) -> dict[str, Any]:
        return {
            "name": service.name,
            "manager": service.manager,
            "scope": service.scope,
            "user": service.user or self._migration.user or None,
            "supervisorctl": list(service.supervisorctl),
            "restart_command": list(service.restart_command),
            "pid_file": service.pid_file or None,
            "health_url": service.health_url or None,
            "health_headers": dict(service.health_headers),
            "health_requests": self._settings["health_requests"],
            "timeout": self._settings["timeout"],
            "queues_timeout": self._settings.get("queues_timeout"),
            "restart": restart,
        }

    def target_place(self) -> list[dict[str, Any]]:
        target = to_original.target_of(self._known)
        is_known = target.get("address") and target.get("address") != AFTER_APPLY_ADDRESS
        place = {name: target[name] for name in ("address", "port", "protocol", "nodes") if target.get(name)}
        return [place] if is_known else []

    def cluster_left(self) -> dict[str, Any] | None:
        """How a cluster is asked for its nodes, on the way back from it; it may be gone, or not take the token."""
        target = to_original.target_of(self._known)
        if target.get("protocol") != REDIS_CLUSTER or not self.target_place():
            return None
        token = self.token_of_probe()
        if (target.get("auth", "none") != "none") != bool(token):
            return None
        return {"endpoint": target, **({"auth_token": token} if token else {})}

    def values_wanted(self) -> list[dict[str, Any]]:
        """Raises EndpointError."""
        return [self.value(value, self.wanted(value)) for value in self._migration.own]

    def written_when_approved(self) -> dict[str, str]:
        """Of which files a plan was approved, by their paths; none where nobody approved one."""
        seen = self.earlier(LOOK).get("values") or () if self._settings.get("approve") else ()
        return {value.address: str(one.get("written") or "") for value, one in zip(self._migration.own, seen)}

    def wanted(self, value: Value) -> Mapping[str, str | None]:
        """What the keys are to hold; None where they go back."""
        if self._goal.reverts:
            return dict.fromkeys(value.keys)
        return value.held(self._known.endpoint, self.token(), self._settings)

    def token(self) -> str:
        return self.secret("token")

    def token_of_probe(self) -> str:
        """What a probe logs in by. A user of IAM has no password that stays: the controller's identity signs a token
        for each host anew, as that is good for 15 minutes. The app's own identity has to do the same by itself.
        """
        endpoint = Endpoint.from_dict(self._known.endpoint)
        if endpoint.auth != "iam" or not endpoint.is_known:
            return self.token()
        region = self._settings["region"]
        # No client tells its credentials otherwise, and what signs for AWS must be who the other calls are made by.
        signer = self.client(on_aws.MODULE, "sts", region)._request_signer
        held = signer._credentials.get_frozen_credentials()
        login = Login(endpoint.username, endpoint.name, region, **table.by_service(endpoint.service).iam_login)
        credentials = Credentials(held.access_key, held.secret_key, held.token or "")
        return self.handed_over(iam_token(login, credentials, datetime.datetime.now(datetime.timezone.utc)))

    def secret(self, name: str) -> str:
        return self.opened(self.turn.get(name) or self._task.args["known"].get(name) or "")


def forms_of(value: Value) -> dict[str, Any]:
    """For a module."""
    return {name: form.as_dict() for name, form in value.forms.items()}
