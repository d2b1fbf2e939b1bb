# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What comes next in retiring the old Redis, or why it must not. Pure: takes what was seen, gives every reason."""

from __future__ import annotations

import datetime
import re
import shlex
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import is_instance_id
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ledger import as_text, as_time, parameter
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.replication import counts_differ
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import transfer
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import failure_reason
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.checks import (
    Reason,
    Wishes,
    hosts_elsewhere,
    instance_reasons,
    is_in_place,
    kept_backup,
    protection,
    service_reasons,
    wrong_wishes,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.looks import (
    RedisLook,
    Seen,
    has_answer,
)

NOTHING, STOP, RETIRE, TERMINATE = "nothing", "stop", "retire", "terminate"

# Of the ledger's entry: what was begun, and how far it came.
STOPPING, STOPPED, TERMINATED = "stopping", "stopped", "terminated"

# A stop follows its note at once: one that came so much later was somebody else's.
_STOP_FOLLOWS_NOTE = datetime.timedelta(minutes=30)

# What a service's unit may be called: no option of systemctl, and no unit of another type.
_UNIT = re.compile(r"[A-Za-z0-9@_.:][A-Za-z0-9@_.:-]*")
_OTHER_UNIT = re.compile(r"[.](target|socket|timer|mount|automount|path|slice|scope|device|swap)\Z")


@dataclass(frozen=True)
class Decision:
    """``step`` is what comes next; with ``reasons`` it must not. ``line`` says it for a person."""

    step: str
    line: str
    reasons: tuple[Reason, ...] = ()
    wants_backup: bool = False
    keeps_backup: bool = False  # an earlier one counts, once it is proven against what the old Redis holds now
    forgets_backup: bool = False  # an earlier one that is not of what is retired now, where none is taken


def decide(wishes: Wishes, seen: Seen) -> Decision:
    wrong = tuple(wrong_wishes(wishes, seen))
    if wrong:
        return Decision(NOTHING, "", wrong)
    return _for_service(wishes, seen) if wishes.service else _for_instance(wishes, seen)


def _for_instance(wishes: Wishes, seen: Seen) -> Decision:
    state = seen.instance.state if seen.instance else "gone"
    step = seen.entry.get("step")
    if step and state in ("terminated", "shutting-down", "gone"):
        return _gone(wishes, seen)
    if step and state in ("stopping", "stopped"):
        return _on_hold(wishes, seen)
    reasons = tuple(instance_reasons(wishes, seen, state))
    line = f"stop the instance {wishes.instance_id}, and keep it for {wishes.hold:g} h"
    return _first_step(STOP, line, wishes, seen, reasons)


def _gone(wishes: Wishes, seen: Seen) -> Decision:
    if seen.entry.get("step") == TERMINATED:
        return Decision(NOTHING, f"{wishes.instance_id} is terminated. {where_backup_is(seen.backup)}")
    # Killed before that was written down, or done by somebody else.
    return Decision(
        TERMINATE, f"{wishes.instance_id} is terminated already: only the ledger is to be brought up to date"
    )


def _on_hold(wishes: Wishes, seen: Seen) -> Decision:
    ran = _ran_since(seen)
    if ran:
        sentence = (
            f"{wishes.instance_id} {ran}, after this migration had its backup: what was written meanwhile is in none. "
            f"Start it (aws ec2 start-instances --instance-ids {wishes.instance_id}) and run this again: it takes "
            "another backup, and the hold begins anew."
        )
        return Decision(NOTHING, "", (Reason("instance", sentence),))
    if seen.entry.get("step") == STOPPING:
        return Decision(STOP, f"{wishes.instance_id} was being stopped when an earlier run ended: finish that")
    until = as_time(str(seen.entry["time"])) + datetime.timedelta(hours=wishes.hold)
    line = f"{wishes.instance_id} is stopped since {seen.entry['time']}, and held until {as_text(until)}"
    if not wishes.terminate:
        asked = "set migration_decommission_terminate: true to have it terminated after that"
        return Decision(NOTHING, f"{line}; {asked}. rollback.yml starts it again")
    reasons = [*protection(wishes, seen), *hosts_elsewhere(seen), *_data_under_way(seen)]
    if seen.now < until:
        left = (until - seen.now).total_seconds() / 3600
        reasons.append(
            Reason(
                "hold",
                f"{line} ({left:.1f} h more, migration_decommission_hold: {wishes.hold:g}). Run it again after that.",
            )
        )
    reasons += kept_backup(wishes, seen)
    return Decision(TERMINATE, f"terminate the instance {wishes.instance_id}, for good", tuple(reasons))


def _ran_since(seen: Seen) -> str:
    """What tells that an instance which is stopped has run since the ledger's note; empty where nothing does."""
    noted, instance = as_time(str(seen.entry["time"])), seen.instance
    if instance and instance.launched and instance.launched.replace(microsecond=0) > noted:
        return f"was started again at {as_text(instance.launched)}"
    if instance and instance.stopped and instance.stopped > noted + _STOP_FOLLOWS_NOTE:
        return f"was stopped by somebody else at {as_text(instance.stopped)}"
    return ""


def _for_service(wishes: Wishes, seen: Seen) -> Decision:
    unit = seen.neighbours.unit if seen.neighbours else None
    step = seen.entry.get("step")
    if unit and step and not unit.active:
        if step == STOPPING:
            return Decision(RETIRE, f"{wishes.service} was being retired when an earlier run ended: finish that")
        return Decision(
            NOTHING,
            f"{wishes.service} is retired since {seen.entry['time']}, its host stays. rollback.yml brings it back",
        )
    line = f"retire the service {wishes.service}: stop, disable, mask; its host stays"
    return _first_step(RETIRE, line, wishes, seen, tuple(service_reasons(wishes, seen)))


def _first_step(step: str, line: str, wishes: Wishes, seen: Seen, reasons: tuple[Reason, ...]) -> Decision:
    is_whole = bool(seen.backup.get("sha256"))  # else it cannot be proven
    is_kept = is_whole and is_in_place(wishes, seen.backup) and is_current(seen.backup, seen.redis)
    is_waived = "backup" in wishes.waive
    return Decision(
        step,
        line,
        (*reasons, *_data_under_way(seen)),
        wants_backup=not is_waived and not is_kept,
        keeps_backup=not is_waived and is_kept,
        forgets_backup=is_waived and bool(seen.backup) and not is_kept,
    )


def _data_under_way(seen: Seen) -> Iterator[Reason]:
    """What is still read from the old Redis is not on the target yet."""
    if transfer.is_unfinished(seen.transfer):
        yield Reason(
            "transfer",
            f"the data is still on its way to the target (migration_transfer: {seen.transfer.get('strategy')}, on "
            f"{seen.transfer.get('host')}, {seen.transfer.get('step')} since {seen.transfer.get('time')}). Run "
            "migrate.yml to its end, which finishes it, first.",
        )


def is_current(backup: Mapping[str, Any], redis: RedisLook | None) -> bool:
    """Whether nobody wrote since a backup. Keys that expire meanwhile are no writes."""
    if not backup or redis is None or redis.failure or not redis.writes:
        return False
    return bool(backup.get("writes") == redis.writes)


def where_backup_is(backup: Mapping[str, Any]) -> str:
    if not backup:
        return "There is no backup of its data."
    return (
        f"Its data is in s3://{backup.get('bucket')}/{backup.get('key')} ({backup.get('size')} bytes, sha256 "
        f"{backup.get('sha256')})."
    )


def forget_command(migration_name: str, entry: str, region: str = "") -> str:
    """What a person types to delete an entry of the ledger."""
    return f"aws ssm delete-parameter{_in_region(region)} --name {parameter(migration_name, entry)}"


def _in_region(region: str) -> str:
    return f" --region {shlex.quote(region)}" if region else ""


def brings_back(entry: Mapping[str, Any]) -> str:
    """That what the ledger's entry names comes back, for a person."""
    what = f"{entry['service']} on {entry.get('host')}" if entry.get("service") else str(entry.get("instance_id"))
    return f"The old Redis was retired (since {entry.get('time')}): start {what} again"


def wrong_entry(
    entry: Mapping[str, Any], old_hosts: Sequence[str], instance_id: str, migration_name: str, region: str = ""
) -> str:
    """Why what the ledger's entry names must not be started; empty where it may. Others than we may have written it.

    ``old_hosts`` are those of the group old_redis, ``instance_id`` is what the inventory says. Where that is empty, the
    entry alone knows the instance, and is believed: there would be no way back else, and docs/iam/rollback.json lets a
    run start that one instance only.
    """
    name = parameter(migration_name, "decommission")
    whose = f"look who wrote the parameter {name} (aws ssm get-parameter-history{_in_region(region)} --name {name})"
    return next(_wrongs(entry, old_hosts, instance_id, whose), "")


def _wrongs(entry: Mapping[str, Any], old_hosts: Sequence[str], instance_id: str, whose: str) -> Iterator[str]:
    service, host, stopped = entry.get("service"), entry.get("host"), entry.get("instance_id")
    if ("service" in entry or "host" in entry) and not (_is_service(service) and host in old_hosts):
        yield (
            f"The ledger says that {service or 'a service without a name'} was retired on {host or 'no host'}, which "
            f"is no service of a host in the group old_redis. Put that host into the group, or {whose}."
        )
    if "instance_id" in entry and not is_instance_id(stopped):
        yield f"The ledger says that {stopped!r} was stopped, which is no id of an instance: {whose}."
    if "instance_id" in entry and instance_id and stopped != instance_id:
        yield (
            f"The ledger says that the instance {stopped} was stopped, and by the inventory the old Redis is "
            f"{instance_id} (migration_old_instance_id, or instance_id of the host in old_redis): nothing was started. "
            f"If the ledger is right, set migration_old_instance_id: {stopped}; else {whose}, and put back the version "
            "before."
        )


def _is_service(name: Any) -> bool:
    return isinstance(name, str) and bool(_UNIT.fullmatch(name)) and not _OTHER_UNIT.search(name)


def not_started(
    backup: Mapping[str, Any],
    entry: Mapping[str, Any],
    result: Mapping[str, Any],
    migration_name: str,
    region: str = "",
) -> str:
    """What to do where old_instance has failed to start it: it names an option where the instance is gone for good."""
    why = failure_reason(result).rstrip(".")
    if result.get("option"):
        return no_way_back(backup, entry, why, migration_name, region)
    return (
        f"The old Redis ({entry.get('instance_id')}) could not be started: {why}. Mend that and run this again: "
        "nothing was changed, and the app stays where it is."
    )


def no_way_back(
    backup: Mapping[str, Any], entry: Mapping[str, Any], why: str, migration_name: str, region: str = ""
) -> str:
    """What to do where the old Redis cannot be started again."""
    if backup:
        where = shlex.quote(f"s3://{backup.get('bucket')}/{backup.get('key')}")
        another = (
            "start a Redis of the same version or newer with that file as its dump.rdb (aws s3 cp"
            f"{_in_region(region)} {where} dump.rdb; appendonly no), reachable as {_host_of(backup)}"
        )
    else:
        another = "start another Redis, empty or with data of your own, reachable as the old URL names it"
    return (
        f"The old Redis ({entry.get('instance_id')}) cannot be brought back: {why}. {where_backup_is(backup)} The app "
        f"stays where it is. To go back all the same: {another}; delete the ledger's entry 'decommission' "
        f"({forget_command(migration_name, 'decommission', region)}), and run this again."
    )


def _host_of(backup: Mapping[str, Any]) -> str:
    return str((backup.get("source") or {}).get("host") or "the old URL names it")


def service_not_back(entry: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """What to do where the old Redis's service, by the result of its start, is not back; empty where it is."""
    why, service = failure_reason(result).rstrip().rstrip("."), entry.get("service")
    if not why:
        return ""
    return (
        f"The old Redis, the service {service} on {entry.get('host')}, could not be brought back, so the app stays "
        f"where it is: {why}. Mend that (can the host be reached? what does journalctl -u {service} say there?), and "
        "run this again."
    )


def not_back(hosts: Mapping[str, Mapping[str, Any]], backup: Mapping[str, Any], waive: Sequence[str]) -> str:
    """Why the app must not be put back onto the old Redis that was started again; empty where it may.

    ``hosts`` are what old_redis_info returned on each. One that asked it is enough: each proves its own way later.
    """
    answers = [look["redis"] for look in hosts.values() if has_answer(look)]
    if not answers:
        told = {host: failure_reason(look) or (look.get("redis") or {}).get("failure") for host, look in hosts.items()}
        listed = "; ".join(f"{host}: {why or 'it knows no old Redis'}" for host, why in told.items())
        return f"The old Redis was started and answers no host: {listed}. Look at its log, and run this again."
    is_compared = bool(backup.get("keyspace")) and "data" not in waive
    differing = counts_differ(backup["keyspace"], answers[0]["keyspace"]) if is_compared else []
    if not differing:
        return ""
    return (
        f"The old Redis answers, and its data is not what it was: {'; '.join(differing)}. The app was not put back "
        f"onto it. {where_backup_is(backup)} Restore it, or go on as it is: migration_decommission_waive: [data]."
    )
