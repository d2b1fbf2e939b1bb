# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where a migration stands: each host, what is remembered, who is at work, and what a run would do next. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.lock import Lock
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import clients, transfer
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import unreachable_reason
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.rollback import is_recorded
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling

OLD, NEW, MIXED, UNKNOWN = "old", "new", "mixed", "unknown"

Result = Mapping[str, Any]


def host_standing(value: Result, service: Result, shared: Result, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """``{state, why, journaled}`` of a host.

    ``value`` and ``shared`` are results of env_update in check mode with ``state: reverted``, ``service`` is one of
    app_service. Each may be empty, where the app has no such store, or failed.
    """
    journaled = is_recorded(value)
    why = unreachable_reason([value, service]) or next(
        (str(result.get("msg")) for result in (value, shared, service) if result.get("failed")), ""
    )
    if why:
        return {"state": UNKNOWN, "why": why, "journaled": journaled}
    place = _place_before(value) or _place_before(shared)
    connections = service.get("connections") or {}
    is_ours = _is_to_restore(value if _place_before(value) else shared)  # also where that target is not there any more
    state, why = _judge(
        leads_to_target=is_ours or (bool(place) and place.get("host") == endpoint.get("address")),
        is_on_target=bool(service.get("is_proven") or int(connections.get("to_target", 0))),
        to_left=int(connections.get("to_left", 0)),
    )
    shown = f"{place['host']}:{place['port']}" if place else "no cache"
    return {"state": state, "why": f"its value leads to {shown}{why}", "journaled": journaled}


def _judge(leads_to_target: bool, is_on_target: bool, to_left: int) -> tuple[str, str]:
    if leads_to_target:
        if to_left:
            return MIXED, ", and its processes are still connected to the old Redis: it was not restarted"
        return (NEW, "") if is_on_target else (MIXED, ", and none of its processes is connected to it")
    if is_on_target:
        return MIXED, ", and its processes are connected to the target"
    return OLD, ""


def _is_to_restore(change: Result) -> bool:
    """Whether a value is one that this migration wrote."""
    return any(value.get("action") == "restore" for value in (change.get("changes") or {}).values())


def _place_before(change: Result) -> dict[str, Any]:
    for value in (change.get("changes") or {}).values():
        if value.get("before_location"):
            return dict(value["before_location"])
    return {}


def lines(known: Known, looks: Mapping[str, Look]) -> list[str]:
    """Where each consumer stands, what is remembered, and what a run would do next."""
    shared = {"failed": True, "msg": known.shared_failure} if known.shared_failure else known.shared_changes
    hosts = {host: host_standing(*_seen(look), shared, known.endpoint) for host, look in looks.items()}
    return state_lines(
        hosts,
        {
            **known.endpoint,
            "failure": known.target_failure,
            "status": known.found.get("status"),
            "scaling": scaling.lines(known.settings, known.found.get("scaling")),
        },
        known.ledger,
        known.name,
        [*clients.lines(clients.of(looks)), *transfer.standing_lines(known, looks)],
    )


def _seen(look: Look) -> tuple[Result, Result]:
    """Its values and its services, each as one result."""
    _step, why = look.failure
    failed = {"failed": True, "msg": why} if why else {}
    changes = {f"{value.get('path')} {key}": change for value, key, change in look.changes}
    counts = [service.get("connections") or {} for service in look.services]
    connections = {to: sum(int(count.get(to, 0)) for count in counts) for to in ("to_target", "to_left")}
    is_proven = any(service.get("proof") for service in look.services)
    return {"changes": changes, **failed}, {"connections": connections, "is_proven": is_proven}


def state_lines(
    hosts: Mapping[str, Mapping[str, Any]],
    endpoint: Mapping[str, Any],
    remembered: Mapping[str, Any],
    migration_name: str,
    others: Sequence[str] = (),
) -> list[str]:
    """``hosts`` maps each host to its standing; ``remembered`` is the result of migration_ledger_info. ``others`` tell
    of processes that belong to no service, and of the data on its way.
    """
    entries = remembered.get("entries") or {}
    lines = [_target_line(endpoint), *(endpoint.get("scaling") or ())]
    lines += [f"{host}: {one['state']}: {one['why']}" for host, one in hosts.items()]
    lines += others
    lines += [_journal_line(hosts, remembered)]
    lines += [_entry_line(name, value) for name, value in sorted(entries.items()) if name != "lock"]
    if "now" in remembered:
        lines += [_lock_line(entries.get("lock"), str(remembered["now"]), migration_name)]
    else:
        lines += [f"ledger and lock: unknown: {remembered.get('msg') or 'no reason given'}"]
    return lines + [f"next: {line}" for line in _next_lines(hosts, endpoint, remembered)]


def _target_line(endpoint: Mapping[str, Any]) -> str:
    if endpoint.get("failure"):
        return f"target: {endpoint.get('name')} could not be read: {endpoint['failure']}"
    if endpoint.get("state") != "known":
        status = endpoint.get("status")
        return f"target: {endpoint.get('name')} is {status + ', and has no endpoint yet' if status else 'not there'}"
    return f"target: {endpoint.get('name')} at {endpoint.get('address')}:{endpoint.get('port')}"


def _journal_line(hosts: Mapping[str, Mapping[str, Any]], remembered: Mapping[str, Any]) -> str:
    """A place that could not be looked at may hold an original: it is not said to have none."""
    kept = [*(host for host, one in hosts.items() if one["journaled"]), *(remembered.get("journaled") or [])]
    unseen = [host for host, one in hosts.items() if one["state"] == UNKNOWN and not one["journaled"]]
    unseen += [] if "now" in remembered else ["Parameter Store"]
    if not kept and not unseen:
        is_untouched = not remembered["entries"].get("cutover") and all(one["state"] == OLD for one in hosts.values())
        return "no originals are kept" + (": no value is changed" if is_untouched else "")
    said = [f"originals are kept of: {', '.join(kept)}"] if kept else []
    unknown = [f"whether originals are kept is unknown of: {', '.join(unseen)}"] if unseen else []
    return "; ".join([*said, *unknown])


def _entry_line(name: str, value: Mapping[str, Any]) -> str:
    rest = ", ".join(f"{key} {_brief(one)}" for key, one in sorted(value.items()) if key != "time")
    return f"{name}: {value.get('time', 'at an unknown time')}{': ' + rest if rest else ''}"


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("address") or value.get("name") or f"({len(value)} entries)")
    return ", ".join(map(_brief, value)) if isinstance(value, (list, tuple)) else str(value)


def _lock_line(stored: Mapping[str, Any] | None, now: str, migration_name: str) -> str:
    if not stored:
        return "lock: nobody is at work"
    try:
        lock = Lock.from_dict(stored, migration_name)
    except ledger.LedgerError as error:
        return f"lock: unknown: {error}"
    if lock.has_expired(ledger.as_time(now)):
        return f"lock: nobody is at work; what {lock.holder.user}@{lock.holder.host} held has expired"
    return (
        f"lock: {lock.holder.user}@{lock.holder.host} is running {lock.holder.what} (process {lock.holder.pid}) since "
        f"{ledger.as_text(lock.since)}; a run that would change something is refused until it ends"
    )


def _next_lines(
    hosts: Mapping[str, Mapping[str, Any]], endpoint: Mapping[str, Any], remembered: Mapping[str, Any]
) -> list[str]:
    entries = remembered.get("entries") or {}

    def of(*states: str) -> list[str]:
        return [host for host, one in hosts.items() if one["state"] in states]

    lines = []
    step = (entries.get("decommission") or {}).get("step")
    if of(UNKNOWN):
        lines.append(
            f"mend {', '.join(of(UNKNOWN))} first: until all can be looked at migrate.yml changes no host, and "
            "rollback.yml puts back the others alone"
        )
    may_be_shared = "now" not in remembered or remembered.get("journaled")  # then it is every host's original
    no_way_back = [host for host in of(NEW) if not hosts[host]["journaled"] and not may_be_shared]
    to_switch, to_put_back = of(OLD, MIXED), [host for host in of(NEW, MIXED) if host not in no_way_back]
    if to_switch:
        make = "wait for the target, and " if endpoint.get("status") else "make the target, and "
        make = "" if endpoint.get("state") == "known" else make
        lines.append(f"migrate.yml would {'then ' if of(UNKNOWN) else ''}{make}switch {', '.join(to_switch)}")
    elif not of(UNKNOWN):
        lines.append("migrate.yml would change no value")
    if step == "terminated":
        lines.append("the old Redis is terminated: rollback.yml cannot bring it back, and says where its backup is")
    elif to_put_back:
        lines.append(f"rollback.yml would put back {', '.join(to_put_back)}")
    elif not of(UNKNOWN):
        lines.append("rollback.yml would change no value")
    if no_way_back:
        lines.append(f"no original is kept of {', '.join(no_way_back)}: only by hand can its old value be put back")
    if (entries.get("token") or {}).get("rotating"):
        lines.append("rotate.yml would go on with the rotation of the token; migrate.yml is refused until it is done")
    if step and step != "terminated":
        lines.append(
            "decommission.yml goes on where it stopped, and after the hold, with "
            "-e migration_decommission_terminate=true, ends its instance; rollback.yml brings the old Redis back first"
        )
    return lines
