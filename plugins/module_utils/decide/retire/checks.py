# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What stands against retiring the old Redis: each check gives its reasons. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import Instance
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.ledger import as_time
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import is_loopback
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.looks import (
    HostLook,
    Neighbours,
    RedisLook,
    Seen,
    led_apart,
    values_of,
)

# What can be waived by name. Everything else is refused whatever is said.
WAIVABLE = {
    "backup": "no backup is taken",
    "backup_load": "the backup is not loaded into an engine before the old Redis goes",
    "other_services": "what else listens on the instance goes with it",
    "persistence": "it comes back empty when it is started again",
    "data": "it is brought back without what its backup has",
}


@dataclass(frozen=True)
class Wishes:
    """Hours are whole or broken ones. ``service`` is the unit where only that is retired, and the instance stays.

    ``bucket`` and ``folder``, the beginning of a key there, are where a backup must be to count.
    """

    instance_id: str = ""
    service: str = ""
    min_age: float = 48.0
    hold: float = 72.0
    terminate: bool = False
    waive: frozenset[str] = frozenset()
    bucket: str = ""
    folder: str = ""


@dataclass(frozen=True)
class Reason:
    """Why not. ``check`` is its name, which may be waived where WAIVABLE has it."""

    check: str
    sentence: str


def wrong_wishes(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    unknown = sorted(wishes.waive - set(WAIVABLE))
    if unknown:
        yield Reason(
            "waive",
            f"migration_decommission_waive names {', '.join(unknown)}: what can be waived is {', '.join(WAIVABLE)}.",
        )
    if not wishes.service and not wishes.instance_id:
        yield Reason(
            "instance",
            "nobody says which instance it is: set migration_old_instance_id, or instance_id for the host in the group "
            "old_redis; or migration_decommission_service, where only the service is to go.",
        )
    if wishes.service and wishes.terminate:
        yield Reason(
            "terminate",
            f"migration_decommission_terminate is true, and with migration_decommission_service only {wishes.service} "
            "is retired while its host stays: leave one of them out.",
        )
    begun = seen.entry.get("service") or seen.entry.get("instance_id")
    if seen.entry and begun != (wishes.service or wishes.instance_id):
        begun = begun or "something without a name"
        yield Reason(
            "instance",
            f"the ledger says that {begun} was {seen.entry.get('step')} by this migration, and now "
            f"{wishes.service or wishes.instance_id} is meant. Name the same one, or bring {begun} back first "
            "(rollback.yml).",
        )


# --- an instance ---


def instance_reasons(wishes: Wishes, seen: Seen, state: str) -> Iterator[Reason]:
    if state != "running":
        yield Reason(
            "instance",
            f"{wishes.instance_id} is {state}, and this migration did not stop it, so nothing can be seen of it or "
            "backed up: look at migration_old_instance_id and migration_region, or start it and run this again.",
        )
        return
    yield from _identity(wishes, seen)
    yield from protection(wishes, seen)
    yield from _other_services(wishes, seen)
    yield from _common(wishes, seen)


def _identity(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    if seen.instance is None:
        return
    known = {*seen.instance.addresses, *seen.instance.names}
    elsewhere: dict[str, dict[str, None]] = {}
    for name, host in seen.known:
        if not _leads_into(known, host):
            led = f"{host.original['host']} ({', '.join(host.addresses) or 'no address'})"
            elsewhere.setdefault(led, {})[name] = None
    for led, names in elsewhere.items():
        yield Reason(
            "instance",
            f"{wishes.instance_id} has {', '.join(seen.instance.addresses)}, and the old URL leads from "
            f"{', '.join(names)} to {led}: that is another machine. Change migration_old_instance_id.",
        )
    if seen.redis and not seen.redis.failure and seen.redis.peer not in known:
        yield Reason("instance", _another_answered(seen.redis, wishes.instance_id))
    yield from _apart("instance", seen)
    yield from _lent(wishes, seen, seen.instance)
    group = seen.instance.auto_scaling_group
    if group:
        yield Reason(
            "instance",
            f"{wishes.instance_id} belongs to the Auto Scaling group {group}, which would replace it as soon as it is "
            "stopped: take it out of the group first.",
        )


def _leads_into(known: set[str], host: HostLook) -> bool:
    """With every address: which of them is taken is not ours to say."""
    return set(host.addresses) <= known if host.addresses else str(host.original["host"]) in known


def _another_answered(redis: RedisLook, what: str) -> str:
    return (
        f"the Redis that answered {redis.host or 'the app host'} is at {redis.peer or 'an unknown address'}, which is "
        f"none of {what}: what is seen of it says nothing of that. Look where the old URL leads from that host."
    )


def _apart(check: str, seen: Seen) -> Iterator[Reason]:
    led = led_apart(seen.hosts, seen.neighbours)
    if led:
        yield Reason(
            check,
            f"the hosts' old URLs do not all lead to one address and port: {'; '.join(led)}. One Redis is retired "
            "here, by what one host sees of it, and only that one is backed up: put the hosts of the others back "
            "(rollback.yml), and migrate and retire them with an inventory and a migration_name of their own.",
        )


def _lent(wishes: Wishes, seen: Seen, instance: Instance) -> Iterator[Reason]:
    lost = {
        name: known.original["host"]
        for name, known in seen.known
        if instance.is_lost_by_a_stop(known.original["host"], known.addresses)
    }
    host = next(iter(lost.values()), "")
    if host:
        lasting = [address for address in instance.addresses if address not in instance.released]
        yield Reason(
            "instance",
            f"the old URL of {', '.join(lost)} leads by {host} to a public address that AWS "
            f"lends to {wishes.instance_id} and takes back when it is stopped: there would be no way back. Put the app "
            f"back (rollback.yml), have its URL name the private address ({', '.join(lasting)}) or an Elastic IP, and "
            "migrate it again.",
        )


def protection(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    if seen.instance and seen.instance.protections:
        guards = " and ".join(seen.instance.protections)
        yield Reason(
            "protection",
            f"{wishes.instance_id} is protected by {guards}. That is never switched off here: somebody wanted it to "
            "stay, so ask them, and let them switch it off.",
        )


def _other_services(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    if "other_services" in wishes.waive:
        return
    if seen.neighbours is None:
        yield Reason(
            "other_services",
            "only the instance's id is known, so nobody can see what else listens on it: put its host into the "
            "inventory group old_redis, or, if you know that nothing does, waive this: migration_decommission_waive: "
            "[other_services].",
        )
    elif seen.neighbours.failure:
        yield Reason("other_services", f"nobody can see what else listens on it: {seen.neighbours.failure}")
    else:
        yield from _neighbours(seen, seen.neighbours)


def _neighbours(seen: Seen, neighbours: Neighbours) -> Iterator[Reason]:
    elsewhere = _elsewhere_than(neighbours, seen)
    if elsewhere:
        yield Reason("other_services", f"{elsewhere}, so nothing was seen.")
    others = neighbours.other_than(seen.port)
    if others:
        yield Reason(
            "other_services",
            f"something else listens on {neighbours.host}: {'; '.join(others)}. Move it away; or retire the service "
            "alone (migration_decommission_service); or, if it may go too, waive this: migration_decommission_waive: "
            "[other_services].",
        )


def _elsewhere_than(neighbours: Neighbours, seen: Seen) -> str:
    """That the old URLs lead to another machine, as a phrase; empty where they do not."""
    led: set[str] = set()
    for name, host in seen.known:
        own = neighbours.addresses if name == neighbours.host else ()
        led |= {address for address, _port in host.reached(name, own)}
    if not led or led - set(neighbours.addresses):
        return (
            f"the host {neighbours.host} in the group old_redis has {', '.join(neighbours.addresses)}, and the old URL "
            f"leads to {', '.join(sorted(led)) or 'no address'}: it is another machine"
        )
    return ""


# --- a service on a host that stays ---


def service_reasons(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    neighbours = seen.neighbours
    if neighbours is None or neighbours.failure:
        why = neighbours.failure if neighbours else "no host of the inventory is in the group old_redis."
        yield Reason("service", f"{wishes.service} cannot be retired where nobody can look: {why}")
        return
    elsewhere = _elsewhere_than(neighbours, seen)
    apart = list(_apart("service", seen))
    if apart:
        yield from apart
    elif elsewhere:
        yield Reason("service", f"{elsewhere}.")
    elif seen.redis and not seen.redis.failure and not _is_of(neighbours, seen.redis):
        yield Reason("service", _another_answered(seen.redis, neighbours.host))
    elif neighbours.unit is None or not neighbours.unit.active:
        yield Reason(
            "service",
            f"{wishes.service} does not run on {neighbours.host}, and this migration did not stop it: change "
            "migration_decommission_service.",
        )
    elif seen.port not in neighbours.unit.ports:
        yield Reason(
            "service",
            f"{wishes.service} on {neighbours.host} listens on {sorted(neighbours.unit.ports) or 'no port'}, and the "
            f"old URL leads to port {seen.port or '(unknown)'}: it is another service. Change "
            "migration_decommission_service.",
        )
    yield from _common(wishes, seen)


def _is_of(neighbours: Neighbours, redis: RedisLook) -> bool:
    return redis.peer in neighbours.addresses or (redis.host == neighbours.host and is_loopback(redis.peer))


# --- what both ask ---


def _common(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    yield from _age(wishes, seen)
    yield from hosts_elsewhere(seen)
    yield from _idle(seen)
    yield from _persistence(wishes, seen)
    yield from _backup(wishes, seen)


def _age(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    if not seen.cutover:
        yield Reason(
            "age",
            "the ledger has no cutover: none was completed, or a rollback has begun since. Run migrate.yml first.",
        )
        return
    target = (seen.cutover.get("endpoint") or {}).get("address", "")
    if seen.target_address and target != seen.target_address:
        yield Reason(
            "age",
            f"the ledger's cutover was to another target ({target or 'unknown'}). Run migrate.yml to its end first.",
        )
        return
    unknown = sorted(set(seen.hosts) - set(seen.cutover.get("hosts") or []))
    if unknown:
        yield Reason(
            "age",
            f"the ledger does not say since when these hosts are on the target: {', '.join(unknown)}. They came after "
            "the cutover, or a run that switched them again did not get to its end, or had a --limit. Run migrate.yml "
            "to its end first.",
        )
        return
    age = (seen.now - as_time(str(seen.cutover["time"]))).total_seconds() / 3600
    if age < wishes.min_age:
        yield Reason(
            "age",
            f"the cutover was {age:.1f} h ago ({seen.cutover['time']}), and {wishes.min_age:g} h are asked for "
            f"(migration_decommission_min_age): run this again in {wishes.min_age - age:.1f} h.",
        )


def hosts_elsewhere(seen: Seen) -> Iterator[Reason]:
    """Every host must be known to be on the target."""
    for name, host in values_of(seen.hosts):
        if host.failure:
            yield Reason("hosts", f"nobody knows where {name} is: {host.failure}")
        elif not seen.target_address or host.current.get("host") != seen.target_address:
            target = seen.target_address or "which is not there"
            yield Reason(
                "hosts",
                f"{name} is not on the target ({target}): its {host.value} leads to "
                f"{host.current.get('host', 'nowhere')}. Run migrate.yml first.",
            )
        elif not host.original:
            yield Reason(
                "hosts",
                f"{name} has no original of its {host.value} in the journal, so nobody can tell where its old URL led. "
                "If it came up on the target by itself, put the old URL there by hand and run migrate.yml again, "
                "which switches it and keeps that; else look whether it was migrated under another migration_name.",
            )


def _idle(seen: Seen) -> Iterator[Reason]:
    if seen.redis is None or seen.redis.failure:
        why = seen.redis.failure if seen.redis else "no host could look."
        yield Reason("clients", f"no host can see who is connected to the old Redis: {why}")
    elif seen.redis.clients:
        yield Reason(
            "clients",
            f"the old Redis is in use: {'; '.join(seen.redis.clients)}. Find out who they are, move or end them, and "
            "run this again.",
        )


def _persistence(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    if seen.redis and not seen.redis.failure and not seen.redis.survives_a_stop and "persistence" not in wishes.waive:
        yield Reason(
            "persistence",
            "the old Redis saves nothing when it ends (no save points, no append-only file) and has changes that are "
            "on no disk, so it would come back empty. Have it write them (redis-cli BGSAVE), or waive this: "
            "migration_decommission_waive: [persistence].",
        )


def _backup(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    if "backup" in wishes.waive:
        return
    if not wishes.bucket:
        yield Reason(
            "backup",
            "there is no bucket for the last backup: set migration_backup_bucket, or, if nothing of it is worth "
            "keeping, waive this: migration_decommission_waive: [backup].",
        )
    if not seen.engine and "backup_load" not in wishes.waive:
        yield Reason(
            "backup_load",
            "the controller has neither redis-server nor valkey-server, so the backup cannot be loaded once to be "
            "proven: install one, as new as the old Redis (Debian, Ubuntu: apt-get install redis-server; Fedora, RHEL: "
            "dnf install valkey), name it in migration_backup_engine, or waive this: migration_decommission_waive: "
            "[backup_load].",
        )


def is_in_place(wishes: Wishes, backup: Mapping[str, Any]) -> bool:
    """Whether the ledger's entry of a backup names a place where this migration puts one."""
    key = str(backup.get("key") or "")
    return bool(wishes.bucket) and backup.get("bucket") == wishes.bucket and key.startswith(wishes.folder)


def kept_backup(wishes: Wishes, seen: Seen) -> Iterator[Reason]:
    """Before the end of the instance: the backup that is to be what is left of it."""
    if "backup" in wishes.waive:
        return
    if not seen.backup:
        yield Reason(
            "backup",
            "the ledger has no entry of a backup, so terminating would end the only copy of its data. Bring it "
            "back (rollback.yml) and decommission it again, or waive this: "
            "migration_decommission_waive: [backup].",
        )
    elif not is_in_place(wishes, seen.backup):
        yield Reason(
            "backup",
            f"the ledger says that the backup is s3://{seen.backup.get('bucket')}/{seen.backup.get('key')}, and this "
            f"migration puts it under s3://{wishes.bucket or '(migration_backup_bucket is not set)'}/{wishes.folder}. "
            "Set migration_backup_bucket as it was when it was taken; or, if somebody else wrote that entry, bring the "
            "old Redis back (rollback.yml) and decommission it again.",
        )


def sentence(reasons: Sequence[Reason]) -> str:
    listed = "\n".join(f"- {reason.check}: {reason.sentence}" for reason in reasons)
    return f"Refused, and nothing was changed:\n{listed}"
