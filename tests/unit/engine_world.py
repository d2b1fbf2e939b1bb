"""A world for the engine's pure parts: hosts with values, journals and connections, a shared value, a ledger.

What a look says and what a change does to a value is decided by the real rooms of the stores. What the model adds is
who is connected where, and that an app reads its own file before the shared value.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, engine, judge
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, ORIGINAL
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry

OLD, FOREIGN = "redis://:pw@old.internal:6379/0", "redis://:pw@foreign.internal:6379/0"
NEW, NEWER = "rediss://:token@target.internal:6379/0", "rediss://:newer@target.internal:6379/0"
PATH, SHARED_NAME = "/opt/shop/.env", "/shop/REDIS_URL"
ENDPOINT = Endpoint("elasticache", "shop-cache", address="target.internal", tls=True, auth="token").as_dict()
SETTINGS = {name: option.default for name, option in OPTIONS.items()}
SETTINGS.update(name="shop", region="us-east-1", auth_token_secret="shop/token", replication_group_id="shop-cache")
WORDS = {name: f"playbooks/{name}.yml" for name in ("provision", "transfer", "cutover", "rollback", "rotate")}
WORDS["inventories"] = ["inv"]


@dataclass(frozen=True)
class Held:
    """A value where it is held, and its entry in the journal."""

    value: str
    entry: Entry | None = None

    @classmethod
    def written_over(cls, original: str, value: str) -> Held:
        """As a run before has left it."""
        return cls(value, Entry("dotenv", PATH, "REDIS_URL", original, (value,), {}, "earlier"))

    def decide(self, state: str, wanted: str) -> contract.Decision:
        """Raises ChangeRefused."""
        params = {"state": state, "values": {"REDIS_URL": wanted}, "migration_name": "shop", "create": False}
        request = contract.Request.from_params({**params, "keep_options": state == "present"})
        return contract.decide(request, "REDIS_URL", self.value, self.entry, PATH)

    def look(self, state: str, wanted: str) -> dict[str, Any]:
        """As env_update tells it in check mode."""
        try:
            decision = self.decide(state, wanted)
        except contract.ChangeRefused as refused:
            return {"changes": {}, "failure": str(refused)}
        journaled = (self.entry is not None or decision.changes) and not decision.closes
        return {"changes": contract.shown("", [decision], {decision.key: journaled})["changes"]}

    def changed(self, state: str, wanted: str) -> tuple[Held, dict[str, Any]]:
        """What it is after a run of env_update, and its result."""
        told = self.look(state, wanted)
        if "failure" in told:
            return self, {"failed": True, "msg": told["failure"], "changed": False}
        decision = self.decide(state, wanted)
        entry = self.entry
        if decision.action == contract.WRITE:
            now = Entry("dotenv", PATH, "REDIS_URL", decision.before, (decision.after,), {}, "now")
            entry = contract.extended(entry, now)
        after = Held(str(decision.after), None if decision.closes else entry)
        return after, {**told, "changed": decision.changes}


@dataclass(frozen=True)
class Host:
    """``own`` is what its file holds; ``connected`` is the host that its app is connected to, empty where to none."""

    own: Held | None
    connected: str = "old.internal"


@dataclass(frozen=True)
class World:
    hosts: dict[str, Host]
    shared: Held | None = None
    ledger: dict[str, Any] = field(default_factory=dict)
    present: tuple[str, ...] = ()
    secret: dict[str, Any] = field(default_factory=dict)  # as cache_token returns it
    accepted: frozenset[str] = frozenset({"token"})  # the tokens that the target takes

    # --- looking ---

    def known(self, goal: str, **more: Any) -> Known:
        state, wanted = wants(goal)
        shared = []
        if self.shared:
            seen = self.shared.look(state, wanted)
            seen["changes"] = dict(zip([SHARED_NAME], seen["changes"].values()))
            shared = [
                {
                    "store": "ssm",
                    "name": SHARED_NAME,
                    "keys": {SHARED_NAME: {"form": "url", "database": None}},
                    "words": "SSM parameter",
                    "version": {},
                    **seen,
                }
            ]
        return Known(
            **{
                "goal": goal,
                "settings": SETTINGS,
                "endpoint": ENDPOINT,
                "everyone": list(self.hosts),
                "present": list(self.present or self.hosts),
                "shared": shared,
                "ledger": {"entries": self.ledger, "now": "2026-11-30T07:00:00Z", "journaled": []},
                "words": WORDS,
                **more,
            }
        )

    def looks(self, goal: str) -> dict[str, Look]:
        return {host: self.look(host, goal) for host in self.present or self.hosts}

    def look(self, name: str, goal: str) -> Look:
        host, (state, wanted) = self.hosts[name], wants(goal)
        values = [{"store": "dotenv", "path": PATH, **host.own.look(state, wanted)}] if host.own else []
        service = {
            "name": "shop",
            "restarted": goal not in ("state", "rotate") and self.would_restart(name, goal),
            "connections": {"to_target": int(host.connected == ENDPOINT["address"]), "to_left": 0},
        }
        url = contract.cache_url(self.original_of(name))
        old = {"reached": True, "location": {"host": url.host, "port": url.port}, "failure": None} if url else {}
        token = parse_url(wanted).password if wanted else ""
        target = {"reached": True} if token in self.accepted else {"reached": False, "failure": {"kind": "auth_wrong"}}
        return Look(name, tuple(values), (service,), target, old if url and url.host != ENDPOINT["address"] else {})

    def reads(self, name: str) -> str:
        held = self.hosts[name].own or self.shared
        return held.value if held else ""

    def original_of(self, name: str) -> str:
        held = self.hosts[name].own or self.shared
        return str(held.entry.original if held and held.entry else self.reads(name))

    def would_restart(self, name: str, goal: str) -> bool:
        connected = self.hosts[name].connected
        if GOALS[goal].destination == ORIGINAL:
            return connected == ENDPOINT["address"]
        return connected != ENDPOINT["address"]

    def plan(self, goal: str, **more: Any) -> Plan:
        return engine.plan(self.known(goal, **more), self.looks(goal))

    # --- acting ---

    def with_host(self, name: str, host: Host) -> World:
        return replace(self, hosts={**self.hosts, name: host})

    def with_shared(self, state: str, wanted: str) -> tuple[World, dict[str, Any]]:
        if not self.shared:
            return self, {}
        after, told = self.shared.changed(state, wanted)
        return replace(self, shared=after), told

    def moved(self, name: str, state: str, wanted: str, shared: dict[str, Any], ends: str) -> tuple[World, dict]:
        """One host on its way, as app_host has it. ``ends`` is the step at which it fails, or at which it is lost."""
        host, changed, restarted = self.hosts[name], False, False
        if ends == "probe":
            return self, failed(changed, restarted)
        own, told = host.own.changed(state, wanted) if host.own else (None, {})
        if told.get("failed"):
            return self, failed(changed, restarted)
        changed = bool(told.get("changed"))
        world = self.with_host(name, replace(host, own=own))
        if ends == "value":  # written, and the host lost before it could say so
            return world, failed(True, True)
        leads_to = str(parse_url(world.reads(name)).host)
        is_always = changed or (not host.own and bool(shared.get("changed")))
        if is_always or host.connected != leads_to:
            changed = restarted = True
            world = world.with_host(name, replace(world.hosts[name], connected=leads_to))
        if ends == "service":
            return world, failed(changed, restarted)
        return world, {"state": "ok", "changed": changed, "restarted": restarted}

    def to_target(self, plan: Plan, ends: dict[str, str], check: str = "") -> tuple[World, dict[str, Any], dict]:
        """The whole run of a cutover: the world, its turn and its results. ``check`` is the phase that fails."""
        state, wanted = wants("cutover")
        world, turn = self, {"checks": []}
        if plan.facts["forgets"]:
            entry = {**self.ledger["cutover"], "hosts": plan.facts["stay"]}
            kept = {name: value for name, value in self.ledger.items() if name != "cutover"}
            world = replace(world, ledger={**kept, "cutover": entry} if plan.facts["was_complete"] else kept)
        world, shared = world.with_shared(state, wanted)
        turn["shared"] = shared
        found: dict[str, Any] = {}
        for number, batch in enumerate(plan.batches):
            for name in batch:
                world, found[name] = world.moved(name, state, wanted, shared, ends.get(name, ""))
            if batches.failed_hosts(found):
                break
            phase = {0: "canary", len(plan.batches) - 1: "all"}.get(number, "")
            if phase and phase == check:
                turn["checks"] = [{"passed": False}]
                break
        known = self.known("cutover")
        results = judge.results_of({host: found.get(host) for host in known.present}, list(found))
        return world, turn, results

    def remembered(self) -> World:
        hosts = list(self.present or self.hosts)
        return replace(self, ledger={**self.ledger, "cutover": {"endpoint": ENDPOINT, "hosts": hosts, "time": "now"}})

    def put_back(self, names: list[str], is_shared_back: bool) -> World:
        """As app_host has it: no restart onto a shared value that is not back."""
        world, told = self.with_shared("reverted", "") if is_shared_back else (self, {})
        failure = batches.shared_failure(told, ENDPOINT)
        for name in names:
            if world.hosts[name].own or not failure:
                world, _result = world.moved(name, "reverted", "", {}, "")
        return world

    def to_original(self, plan: Plan) -> World:
        kept = {name: value for name, value in self.ledger.items() if name != "cutover" or not plan.facts["forgets"]}
        return replace(self, ledger=kept).put_back(plan.consumers, bool(self.shared))


def wants(goal: str) -> tuple[str, str]:
    if GOALS[goal].reverts:
        return "reverted", ""
    return "present", NEWER if goal == "rotate" else NEW


def failed(changed: bool, restarted: bool) -> dict[str, Any]:
    return {"state": "failed", "changed": changed, "restarted": restarted, "step": "a step", "why": "a reason"}
