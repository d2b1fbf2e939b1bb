# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The option node_group_configuration: what may stand in it, and what a group that is there can have of it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Mapping, NoReturn, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import (
    MOST_REPLICAS,
    Layout,
    Shard,
    WantedShard,
    in_order,
)

SLOTS = 16384

CONFIGURATION: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "node_group_id": {"type": "str"},
        "slots": {"type": "str"},
        "replica_count": {"type": "int"},
        "primary_availability_zone": {"type": "str"},
        "replica_availability_zones": {"type": "list", "elements": "str"},
    },
}


def read_configuration(stated: Sequence[Mapping[str, Any]] | None) -> tuple[WantedShard, ...]:
    """Raises PlanRefused for what no group can be laid out by."""
    wanted = tuple(
        WantedShard(
            item.get("node_group_id") or None,
            item.get("slots") or None,
            item.get("replica_count"),
            tuple(
                zone
                for zone in (item.get("primary_availability_zone"), *(item.get("replica_availability_zones") or ()))
                if zone
            ),
        )
        for item in stated or ()
    )
    _check_ids(wanted)
    _check_slots([item.slots for item in wanted])
    for item, raw in zip(wanted, stated or ()):
        _check_zones(item, raw)
    return wanted


def _refuse(message: str) -> NoReturn:
    raise PlanRefused(f"node_group_configuration {message}", "node_group_configuration")


def _check_ids(wanted: Sequence[WantedShard]) -> None:
    ids = [item.node_group_id for item in wanted if item.node_group_id]
    wrong = [name for name in ids if not re.fullmatch(r"[A-Za-z0-9]{1,4}", name)]
    if wrong:
        _refuse(f"has the node_group_id {', '.join(wrong)}: it is 1 to 4 letters and digits, as '0001' (in quotes)")
    if len(ids) != len(set(ids)):
        _refuse("names a node_group_id twice: name each shard once")
    if ids and len(ids) != len(wanted):
        _refuse("has a node_group_id for some shards and none for others: state it for each, or for none")


def _check_slots(slots: Sequence[str | None]) -> None:
    stated = [item for item in slots if item]
    if not stated:
        return
    if len(stated) != len(slots):
        _refuse("has slots for some shards and none for others: state them for each, or for none")
    ranges = sorted(found for item in stated for found in _ranges(item))
    ends = [0, *(last + 1 for _first, last in ranges)]
    if [first for first, _last in ranges] != ends[:-1] or ends[-1] != SLOTS:
        _refuse(f"has slots that are not 0 to {SLOTS - 1}, each once: {', '.join(stated)}")


def _ranges(slots: str) -> list[tuple[int, int]]:
    found = [re.fullmatch(r"\s*(\d+)-(\d+)\s*", part) for part in slots.split(",")]
    if not all(found):
        _refuse(f"has the slots {slots!r}: write them as 0-8191")
    return [(int(item.group(1)), int(item.group(2))) for item in found if item]


def _check_zones(item: WantedShard, raw: Mapping[str, Any]) -> None:
    zones = raw.get("replica_availability_zones")
    if zones and not raw.get("primary_availability_zone"):
        _refuse("has replica_availability_zones without a primary_availability_zone: state both, or none")
    if zones and item.replica_count is not None and len(zones) != item.replica_count:
        _refuse(f"names {len(zones)} replica_availability_zones for a replica_count of {item.replica_count}")
    if item.replica_count is not None and not 0 <= item.replica_count <= MOST_REPLICAS:
        _refuse(f"has a replica_count of {item.replica_count}: it is 0 to {MOST_REPLICAS}")


# --- a group that is there ---


def check(what: str, current: Sequence[Shard], layout: Layout) -> None:
    """Shards keep their ids and slots but for what AWS moves itself, and nodes do not move. Raises PlanRefused."""
    if layout.configuration:
        _check_configuration(what, current, layout.configuration)
    option = "node_group_configuration" if layout.configuration else "preferred_cache_cluster_azs"
    for number, (is_now, will) in enumerate(zip(in_order(current), layout.after(current))):
        zones = layout.zones_of(is_now, number)
        if zones and is_now.zones and len(zones) == will.replica_count + 1 and not _can_be_in(is_now, zones):
            raise PlanRefused(
                f"{what} has nodes in {', '.join(is_now.zones)}, and {option} asks for {', '.join(zones)}: nodes do "
                "not move to another zone. State the zones as they are, or make a new one beside it and migrate",
                option,
            )


def _can_be_in(shard: Shard, zones: Sequence[str]) -> bool:
    """By adding replicas to what is there, or by taking some away, but never the primary."""
    is_now, wanted = Counter(shard.zones), Counter(zones)
    if len(zones) >= len(shard.zones):
        return not is_now - wanted
    gone = Counter(zone for _name, zone in shard.replicas)
    return not wanted - is_now and not (is_now - wanted) - gone


def _check_configuration(what: str, current: Sequence[Shard], wanted: Sequence[WantedShard]) -> None:
    if len(wanted) != len(current):
        _refuse(
            f"has {len(wanted)} shards, and {what} has {len(current)}: shards come and go by num_node_groups alone, "
            "as AWS moves the slots itself. State num_node_groups, and leave node_group_configuration out"
        )
    there = {shard.node_group_id: shard for shard in in_order(current)}
    for item, placed in zip(wanted, there):
        if item.node_group_id and item.node_group_id not in there:
            _refuse(
                f"names the shard {item.node_group_id}, and {what} has {', '.join(sorted(there))}: ids are given when "
                "a group is made. State these, or make a new one beside it and migrate"
            )
        is_now = there[item.node_group_id or placed]
        if item.slots and is_now.slots and _normal(item.slots) != _normal(is_now.slots):
            _refuse(
                f"asks for the slots {item.slots} in {is_now.node_group_id}, where {what} has {is_now.slots}: they are "
                "laid out when a group is made. Leave slots out, or make a new one beside it and migrate"
            )


def _normal(slots: str) -> list[tuple[int, int]]:
    return sorted(_ranges(slots))
