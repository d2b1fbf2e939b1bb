# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was seen of the old Redis and of the hosts, as typed data of the results of tasks. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import Instance
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import is_loopback
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import failure_reason

# They belong to the machine itself, and go with it without being missed.
_OF_THE_SYSTEM = frozenset(
    [
        "sshd",
        "systemd",
        "systemd-resolve",
        "systemd-network",
        "systemd-timesyn",
        "chronyd",
        "ntpd",
        "dhclient",
        "dhcpcd",
    ]
)


@dataclass(frozen=True)
class HostLook:
    """Of old_redis_info on an app host: where its value led, the addresses of that there, and where it leads now.

    Where the app has several values, ``name`` is the one that is told of, and ``others`` are the rest.
    """

    failure: str = ""
    original: Mapping[str, Any] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    current: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    others: tuple[HostLook, ...] = ()

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> HostLook:
        values = list(result.get("stores") or ())
        first, *others = [cls._of_value(value, len(values) > 1) for value in values] or [cls()]
        return replace(first, failure=failure_reason(result), others=tuple(others))

    @classmethod
    def _of_value(cls, value: Mapping[str, Any], is_named: bool) -> HostLook:
        return cls(
            original=value.get("original") or {},
            addresses=tuple(value.get("addresses") or ()),
            current=value.get("current") or {},
            name=str(value["name"]) if is_named else "",
        )

    @property
    def value(self) -> str:
        """The value as a phrase."""
        return f"value {self.name}" if self.name else "value"

    @property
    def place(self) -> str:
        """Where its value led, as a phrase."""
        return f"{self.original['host']}:{self.original['port']} ({', '.join(self.addresses) or 'no address'})"

    def reached(self, own: str, own_addresses: Sequence[str] = ()) -> set[tuple[str, int]]:
        """The addresses and ports to which it led. Loopback is another machine on each host: ``own`` tells which."""
        found = set(self.addresses) or {str(self.original["host"])}
        local = set(filter(is_loopback, found))
        if local:
            found = (found - local) | (set(own_addresses) or {f"{own}: {address}" for address in local})
        return {(address, int(self.original["port"])) for address in found}


@dataclass(frozen=True)
class RedisLook:
    """Of a host that asked the old Redis itself. ``clients`` are phrases, one for each that is not ours.

    ``peer`` is the address that answered, which a name need not lead to a second time; ``host`` is who asked.
    """

    failure: str = ""
    peer: str = ""
    host: str = ""
    clients: tuple[str, ...] = ()
    survives_a_stop: bool = True
    writes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, host: str, result: Mapping[str, Any]) -> RedisLook | None:
        failure = failure_reason(result)
        found = result.get("redis") or {}
        if failure or not found:
            return cls(failure=failure) if failure else None
        if found.get("failure"):
            return cls(failure=str(found["failure"]))
        kept = found["persistence"]
        return cls(
            peer=str(found["peer"]),
            host=host,
            clients=tuple(map(_client_phrase, found["clients"])),
            survives_a_stop=bool(kept["appends"] or kept["saves"] or not kept["unsaved_changes"]),
            writes=dict(found["writes"]),
        )

    @classmethod
    def of_hosts(cls, results: Mapping[str, Mapping[str, Any]]) -> RedisLook | None:
        """The first answer; where there is none, why each host had none. None where no host asked."""
        looks = {host: look for host, result in results.items() if (look := cls.of(host, result))}
        answers = (look for look in looks.values() if not look.failure)
        why = "; ".join(f"{host}: {look.failure}" for host, look in looks.items())
        return next(answers, cls(failure=why) if why else None)


@dataclass(frozen=True)
class Unit:
    """A systemd unit; ``ports`` are those that its processes listen on."""

    name: str
    active: bool
    ports: frozenset[int]


@dataclass(frozen=True)
class Neighbours:
    """Of old_host_info: what listens on the host of the old Redis."""

    host: str
    failure: str = ""
    addresses: tuple[str, ...] = ()
    listeners: tuple[Mapping[str, Any], ...] = ()
    unit: Unit | None = None

    @classmethod
    def of(cls, host: str, result: Mapping[str, Any]) -> Neighbours:
        unit = result.get("unit") or {}
        return cls(
            host=host,
            failure=failure_reason(result),
            addresses=tuple(result.get("addresses") or ()),
            listeners=tuple(result.get("listeners") or ()),
            unit=Unit(unit["name"], bool(unit["active"]), frozenset(unit["ports"])) if unit.get("exists") else None,
        )

    def other_than(self, port: int | None) -> list[str]:
        """A phrase for each program that listens, but for the old Redis and what every machine runs.

        A place is told once, however many processes of a program share it.
        """
        found: dict[str, dict[str, None]] = {}
        for one in self.listeners:
            is_old_redis = one["protocol"] == "tcp" and one["port"] == port
            if not is_old_redis and one["program"] not in _OF_THE_SYSTEM:
                places = found.setdefault(one["program"] or "a program that cannot be seen", {})
                places[f"{one['protocol']} {one['address']}:{one['port']}"] = None
        return [f"{program} ({', '.join(places)})" for program, places in sorted(found.items())]


@dataclass(frozen=True)
class Seen:
    """``cutover``, ``entry``, ``backup`` and ``transfer`` are entries of the ledger, empty where there are none.

    The times of the first two are those of Contents.dated.
    """

    now: datetime.datetime
    hosts: Mapping[str, HostLook] = field(default_factory=dict)
    target_address: str = ""
    redis: RedisLook | None = None
    instance: Instance | None = None
    neighbours: Neighbours | None = None
    engine: str = ""
    cutover: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    backup: Mapping[str, Any] = field(default_factory=dict)
    transfer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> list[tuple[str, HostLook]]:
        """Each host with each of its values of which it is known where it led."""
        return [(name, host) for name, host in values_of(self.hosts) if host.original]

    @property
    def port(self) -> int | None:
        """That of the old Redis: the first host's, as nothing is retired where they led to several (led_apart)."""
        return next((int(host.original["port"]) for _name, host in self.known), None)


def values_of(hosts: Mapping[str, HostLook]) -> Iterator[tuple[str, HostLook]]:
    """Each host with each of its values."""
    for name, host in hosts.items():
        yield name, host
        for other in host.others:
            yield name, other


def led_apart(hosts: Mapping[str, HostLook], neighbours: Neighbours | None) -> list[str]:
    """Where the hosts' old URLs led, each place with its hosts; nothing where all led to one address and port."""
    known = [(name, host) for name, host in values_of(hosts) if host.original]
    reached = []
    for name, host in known:
        is_its_own = neighbours is not None and neighbours.host == name
        reached.append(host.reached(name, neighbours.addresses if neighbours and is_its_own else ()))
    if not reached or set.intersection(*reached):
        return []
    led: dict[str, dict[str, None]] = {}
    for name, host in known:
        led.setdefault(host.place, {})[name] = None
    return [f"{', '.join(names)} to {place}" for place, names in led.items()]


# --- the results of a run's tasks ---

_LEFT_OUT = {"unreachable": True, "msg": "it was left out of this run, or lost earlier in it"}
_KEPT = ("stores", "redis", "failed", "unreachable", "msg")

Result = Mapping[str, Any]


def of_run(looks: Mapping[str, Result | None], asked: Mapping[str, Result | None]) -> dict[str, dict[str, Any]]:
    """What old_redis_info returned on each host, failures too; a host without a result was left out.

    ``asked`` is what the one host that asked alone has heard. What the others heard is left out then, but for failures:
    they asked at the same time, so the old Redis told them of each other.
    """
    found = {host: asked.get(host) or _without_answer(look or _LEFT_OUT) for host, look in looks.items()}
    return {host: {name: look[name] for name in _KEPT if name in look} for host, look in found.items()}


def _without_answer(look: Result) -> Result:
    redis = look.get("redis") or {}
    return {**look, "redis": redis if redis.get("failure") else {}}


def of_old_host(result: Result | None) -> Result:
    """What old_host_info returned, a failure too."""
    return result or {"failed": True, "msg": "the old Redis does not answer, so its host was not looked at."}


def asker(looks: Iterable[tuple[str, Result | None]]) -> str:
    """The first host whose look had an answer of the old Redis; empty where none had. Looks at no more than that."""
    return next((host for host, look in looks if has_answer(look or {})), "")


def has_answer(result: Mapping[str, Any]) -> bool:
    """Whether old_redis_info had an answer of the old Redis."""
    redis = result.get("redis") or {}
    return not failure_reason(result) and bool(redis) and not redis.get("failure")


def _client_phrase(client: Mapping[str, Any]) -> str:
    what = "a replica" if client.get("replica") else f"{client['connections']} connections"
    named = f" named {client['name']}" if client.get("name") else ""
    commands = f", last {', '.join(client['commands'])}" if client.get("commands") else ""
    return f"{client['address']}{named} ({what}{commands})"
