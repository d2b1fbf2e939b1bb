"""What AWS refuses of serverless caches. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.aws.elasticache.catalogue import VERSIONS, Version
from sandbox.aws.elasticache.rules import combination, value
from sandbox.aws.elasticache.serverless.state import MEMCACHED, major_of

ENGINES = ("redis", "valkey", MEMCACHED)
COMMON = 7  # the major version that Redis OSS and Valkey both have
SMALLEST = {"redis": (7,), "valkey": (7,), MEMCACHED: (1, 6)}  # before, there was no Serverless
DATA, RATE = (1, 5000), (1000, 15_000_000)  # GB, ECPU a second


def version(engine: str, major: str | None) -> Version:
    """The newest release of that major version, as AWS chooses it; of the newest where none is stated."""
    if engine not in ENGINES:
        raise value(f"Engine {engine!r} cannot make a serverless cache here; {' and '.join(ENGINES)} can.")
    offered = [one for one in VERSIONS if one.engine == engine and one.number >= SMALLEST[engine]]
    found = [one for one in offered if major in (None, major_of(one))]
    if not found:
        raise combination(f"Cannot find MajorEngineVersion {major} for {engine}.")
    return found[-1]


def engine_change(now: Version, wanted: Version) -> None:
    """Redis OSS and Valkey become each other where both have the major version; it goes up under Valkey alone."""
    if MEMCACHED in (now.engine, wanted.engine):
        raise combination(f"Cannot change {now.engine} {now.label} to {wanted.engine} {wanted.label}.")
    majors = (now.number[0], wanted.number[0])
    if (now.engine, wanted.engine) == ("valkey", "redis") and majors != (COMMON, COMMON):
        raise combination(f"Cannot change valkey {now.label} to redis {wanted.label}: only Valkey 7.2 goes back.")
    if majors[1] < majors[0]:
        raise combination(f"Cannot downgrade from MajorEngineVersion {majors[0]} to {majors[1]}.")


def limits(stated: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """As AWS keeps them. A 0 takes away a limit that is there; what is not stated stays."""
    kept: dict[str, Any] = {}
    for part, (least, most) in {"DataStorage": DATA, "ECPUPerSecond": RATE}.items():
        was = dict((before or {}).get(part) or {})
        asked = {name: number for name, number in (stated.get(part) or {}).items() if name != "Unit"}
        for name, number in asked.items():
            if not (number == 0 and name in was) and not least <= number <= most:
                raise value(f"CacheUsageLimits: {part} {name} must be between {least} and {most}, not {number}.")
        after = {name: number for name, number in {**was, **asked}.items() if name != "Unit" and number}
        if after.get("Minimum", 0) > after.get("Maximum", most):
            raise combination(f"CacheUsageLimits: {part} has a minimum above its maximum.")
        if after:
            kept[part] = {**after, **({"Unit": "GB"} if part == "DataStorage" else {})}
    return kept


def snapshot_time(text: str) -> None:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise value(f"DailySnapshotTime must be hh:mm in 24 hours, not {text!r}.")


def description(text: str) -> None:
    if len(text) > 255:
        raise value("Description has at most 255 characters.")


ONE_A_CALL = (
    *("Description", "CacheUsageLimits", "SecurityGroupIds", "SnapshotRetentionLimit", "DailySnapshotTime"),
    *("UserGroupId", "RemoveUserGroup"),
)


def modification(params: Mapping[str, Any]) -> None:
    """One field a call; the engine and its version are one."""
    asked = [name for name in ONE_A_CALL if name in params and params[name] is not False]
    asked += ["Engine"] if {"Engine", "MajorEngineVersion"} & set(params) else []
    if not asked:
        raise combination("No modifications were requested.")
    if len(asked) > 1:
        raise combination(  # in AWS's own words, as users report them; also where a field is what it is already
            "Serverless Cache modifications only support modifying one field per request"
        )
    if "Engine" in params and "MajorEngineVersion" not in params:
        raise combination("MajorEngineVersion must be specified where Engine is changed.")
