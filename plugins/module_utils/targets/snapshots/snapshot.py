# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A snapshot of a cache: as it is, as it is wanted, and the steps between them. Pure.

What is in a snapshot never changes. So of one that is there the tags alone are converged, it may be exported, and other
options than it was made with are refused. What a copy was made of AWS does not tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.kinds import (
    MEMORYDB,
    NODE_BASED,
    OF_ELASTICACHE,
    Kind,
)

AVAILABLE, DELETING, FAILED = "available", "deleting", "failed"


@dataclass(frozen=True)
class Snapshot:
    name: str
    kind: Kind
    cache: Mapping[str, str]  # what it is of, by option: of replication groups with one shard AWS tells the node
    tags: Mapping[str, str] | None  # None while AWS tells none
    status: str = AVAILABLE
    source: str = "manual"  # automated, where AWS made it by itself
    engine: str = ""
    engine_version: str = ""
    kms_key_id: str = ""
    size: str = ""  # as AWS tells it
    create_time: str = ""
    arn: str = ""
    exported: tuple[str, ...] | None = None  # the keys in the bucket, None where no bucket was asked
    pending: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return self.status == AVAILABLE

    @property
    def is_going(self) -> bool:
        return self.status == DELETING

    @property
    def has_failed(self) -> bool:
        return self.status == FAILED

    @property
    def waits_for(self) -> str:
        return self.status or "it has no status yet"

    def as_options(self) -> dict[str, Any]:
        return {
            self.kind.name_option: self.name,
            **self.cache,
            "kms_key_id": self.kms_key_id,
            "tags": dict(self.tags or {}),
            "exported": list(self.exported or ()),
        }

    def facts(self) -> dict[str, Any]:
        nothing = dict.fromkeys(self.kind.cache_options, "")
        return {
            **nothing,
            **self.as_options(),
            "status": self.status,
            "snapshot_source": self.source,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "size": self.size,
            "create_time": self.create_time,
            "arn": self.arn,
            "tags": None if self.tags is None else dict(self.tags),
            "exported": None if self.exported is None else list(self.exported),
        }


def shape_node_based(told: Mapping[str, Any], tags: Mapping[str, str] | None) -> Snapshot:
    """Of DescribeSnapshots and ListTagsForResource."""
    cache = {"replication_group_id": told.get("ReplicationGroupId"), "cache_cluster_id": told.get("CacheClusterId")}
    nodes = told.get("NodeSnapshots") or ()
    times = sorted(_time(node["SnapshotCreateTime"]) for node in nodes if node.get("SnapshotCreateTime"))
    return Snapshot(
        name=told["SnapshotName"],
        kind=NODE_BASED,
        cache={option: name for option, name in cache.items() if name},
        tags=tags,
        status=str(told.get("SnapshotStatus", "")).lower(),
        source=told.get("SnapshotSource", ""),
        engine=told.get("Engine", ""),
        engine_version=told.get("EngineVersion", ""),
        kms_key_id=told.get("KmsKeyId", ""),
        size=", ".join(node["CacheSize"] for node in nodes if node.get("CacheSize")),
        create_time=times[0] if times else "",
        arn=told.get("ARN", ""),
    )


def shape_serverless(told: Mapping[str, Any], tags: Mapping[str, str] | None, kind: Kind) -> Snapshot:
    """Of DescribeServerlessCacheSnapshots and ListTagsForResource."""
    of = told.get("ServerlessCacheConfiguration") or {}
    name = of.get("ServerlessCacheName")
    return Snapshot(
        name=told["ServerlessCacheSnapshotName"],
        kind=kind,
        cache={"serverless_cache_name": name} if name else {},
        tags=tags,
        status=str(told.get("Status", "")).lower(),
        source=told.get("SnapshotType", ""),
        engine=of.get("Engine", ""),
        engine_version=of.get("MajorEngineVersion", ""),
        kms_key_id=told.get("KmsKeyId", ""),
        size=str(told.get("BytesUsedForCache") or ""),
        create_time=_time(told["CreateTime"]) if told.get("CreateTime") else "",
        arn=told.get("ARN", ""),
    )


def shape_memorydb(told: Mapping[str, Any], tags: Mapping[str, str] | None) -> Snapshot:
    """Of MemoryDB's DescribeSnapshots with ShowDetail, and ListTags."""
    of = told.get("ClusterConfiguration") or {}
    shards = of.get("Shards") or ()
    times = sorted(_time(shard["SnapshotCreationTime"]) for shard in shards if shard.get("SnapshotCreationTime"))
    return Snapshot(
        name=told["Name"],
        kind=MEMORYDB,
        cache={"cluster_name": of["Name"]} if of.get("Name") else {},
        tags=tags,
        status=str(told.get("Status", "")).lower(),
        source=told.get("Source", ""),
        engine=of.get("Engine", ""),
        engine_version=of.get("EngineVersion", ""),
        kms_key_id=told.get("KmsKeyId") or "",
        size=", ".join(shard["Size"] for shard in shards if shard.get("Size")),
        create_time=times[0] if times else "",
        arn=told.get("ARN", ""),
    )


def _time(value: Any) -> str:
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


@dataclass(frozen=True)
class Desired:
    """None, and an empty cache or source, mean that the option was left out."""

    name: str
    kind: Kind
    migration_name: str
    cache: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    kms_key_id: str | None = None
    bucket: str = ""
    exported_name: str = ""
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any], kinds: Sequence[Kind] = OF_ELASTICACHE) -> Desired:
        """``kinds`` are those of the service. Raises PlanRefused."""
        kind = _kind_of(params, kinds)
        migration_name = ownership.check_migration_name(params["migration_name"])
        name = _check_name(params[kind.name_option], kind.name_option)
        bucket = params.get("target_bucket") or ""
        return cls(
            name=name,
            kind=kind,
            migration_name=migration_name,
            cache={option: params[option].lower() for option in kind.cache_options if params.get(option)},
            source=(params.get(kind.source_option) or "").lower(),
            kms_key_id=params.get("kms_key_id") or None,
            bucket=bucket,
            exported_name=_exported_name(params, kind, name, bucket),
            tags=ownership.read_tags(params.get("tags"), migration_name),
            purge_tags=bool(params.get("purge_tags")),
            adopt=bool(params.get("adopt")),
        )

    def is_export(self, key: str) -> bool:
        """Whether an object is this snapshot's: AWS appends the number of the shard."""
        return bool(re.fullmatch(rf"{re.escape(self.exported_name)}(-\d{{4}})?\.rdb", key))


def _kind_of(params: Mapping[str, Any], kinds: Sequence[Kind]) -> Kind:
    kind = next(kind for kind in kinds if params.get(kind.name_option))
    others = [option for other in kinds if other is not kind for option in (*other.cache_options, other.source_option)]
    odd = [option for option in others if params.get(option)]
    if odd:
        raise PlanRefused(
            f"{odd[0]} is not for {kind.name_option}: snapshots of nodes and of serverless caches are two kinds, which "
            "cannot be made of each other",
            odd[0],
        )
    return kind


def _check_name(value: str, option: str) -> str:
    name = str(value).lower()
    if name.startswith("automatic."):
        raise PlanRefused(
            f"{option} is {value!r}, which AWS has made by itself and takes away by itself: copy it to a name of your "
            "own to keep it",
            option,
        )
    if len(name) > 255 or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name):
        raise PlanRefused(
            f"{option} is {value!r}: use 1 to 255 letters, digits and hyphens, the first a letter, without a hyphen at "
            "the end or two in a row",
            option,
        )
    return name


def _exported_name(params: Mapping[str, Any], kind: Kind, name: str, bucket: str) -> str:
    stated = params.get("target_snapshot_name") or ""
    if stated and not bucket:
        raise PlanRefused(
            "target_snapshot_name is the name in a bucket, and target_bucket is not stated: state both, or to copy a "
            f"snapshot state {kind.source_option}",
            "target_snapshot_name",
        )
    if stated and not kind.takes_a_name_in_the_bucket:
        raise PlanRefused(
            "target_snapshot_name is for snapshots of nodes: one of a serverless cache is exported under its own name",
            "target_snapshot_name",
        )
    return stated or name


def plan_present(current: Snapshot | None, desired: Desired, node: str = "") -> Plan:
    """``node`` is the one that a replication group without cluster mode is copied from, as AWS takes no such group.

    Raises PlanRefused.
    """
    if current is None or current.is_going:
        return _plan_creation(desired, node)
    _refuse_another(current, desired)
    tags_now = current.tags or {}
    ownership.refuse_foreign(f"The snapshot {current.name}", tags_now, desired.migration_name, desired.adopt)
    is_ours = ownership.is_ours(tags_now, desired.migration_name)
    tags = _tags_after(tags_now, desired) if is_ours else dict(tags_now)
    steps = ownership.tag_steps(current.arn, tags_now, tags, current.kind.tags)
    shown: dict[str, Any] = {"tags": tags} if tags != dict(tags_now) else {}
    if _is_to_be_exported(current, desired):
        steps.append(_export(desired))
        shown["exported"] = _keys_after(desired)
    return Plan(tuple(steps), {name: current.as_options()[name] for name in shown}, shown)


def predict(current: Snapshot | None, desired: Desired) -> Snapshot:
    """What the plan leads to."""
    if current is None or current.is_going:
        made = Snapshot(
            desired.name, desired.kind, desired.cache, _tags_after({}, desired), kms_key_id=desired.kms_key_id or ""
        )
        return replace(made, exported=_keys_after(desired) if desired.bucket else None)
    is_ours = ownership.is_ours(current.tags, desired.migration_name)
    return replace(
        current,
        tags=_tags_after(current.tags or {}, desired) if is_ours else current.tags,
        exported=_keys_after(desired) if _is_to_be_exported(current, desired) else current.exported,
    )


def refuse_unusable(current: Snapshot, desired: Desired) -> None:
    """What waiting does not mend. Raises PlanRefused."""
    if current.has_failed:
        raise PlanRefused(
            f"The snapshot {current.name} has failed, which cannot be mended: delete it (state: absent), and make it "
            f"again, or choose another {current.kind.name_option}",
            current.kind.name_option,
        )
    if current.tags is not None:
        _refuse_another(current, desired)


def _tags_after(tags: Mapping[str, str], desired: Desired) -> dict[str, str]:
    wanted = desired.tags if tags else desired.tags or {}
    return ownership.tags_after(tags, wanted, desired.migration_name, desired.purge_tags)


# --- making ---


def _plan_creation(desired: Desired, node: str) -> Plan:
    kind, made = desired.kind, predict(None, desired)
    ways = [
        *(option for option in kind.cache_options if option in desired.cache),
        *([kind.source_option] * bool(desired.source)),
    ]
    if len(ways) != 1:
        either = ", ".join((*kind.cache_options, kind.source_option))
        told = f"{' and '.join(ways)} are stated" if ways else "neither is stated"
        raise PlanRefused(
            f"There is no snapshot {desired.name}, and to make one it must be said of what: state one of {either} "
            f"({told})",
            ways[0] if ways else kind.cache_options[0],
        )
    more = {"Tags": ownership.as_tag_list(made.tags or {})}
    if desired.kms_key_id:
        more["KmsKeyId"] = desired.kms_key_id  # type: ignore[assignment]
    if desired.source:
        parameters = {kind.source_of_copy: desired.source, kind.name_of_copy: desired.name, **more}
        step = Step(kind.copy, parameters, f"there is no snapshot {desired.name}; {kind.source_option}")
    else:
        step = Step(kind.create, {**_of_what(desired, node), **more}, f"there is no snapshot {desired.name}; {ways[0]}")
    steps = [step, *([_export(desired)] if desired.bucket else [])]
    return Plan(tuple(steps), {}, made.as_options())


def _of_what(desired: Desired, node: str) -> dict[str, str]:
    kind = desired.kind
    of = {"cache_cluster_id": node} if node else desired.cache
    return {kind.parameters[option]: name for option, name in ((kind.name_option, desired.name), *of.items())}


# --- exporting ---


def _is_to_be_exported(current: Snapshot, desired: Desired) -> bool:
    return bool(desired.bucket) and not any(desired.is_export(key) for key in current.exported or ())


def _export(desired: Desired) -> Step:
    kind = desired.kind
    parameters = {kind.exports_as: desired.name, kind.bucket: desired.bucket}
    if kind.takes_a_name_in_the_bucket:
        parameters[kind.name_of_copy] = desired.exported_name
    return Step(kind.export, parameters, f"target_bucket: {desired.bucket} has no {desired.exported_name}.rdb")


def _keys_after(desired: Desired) -> tuple[str, ...]:
    """One for all shards, as nobody knows yet how many there will be."""
    return (f"{desired.exported_name}.rdb",)


# --- refusals ---


def _refuse_another(current: Snapshot, desired: Desired) -> None:
    """Of another cache, or with another key."""
    for option, name in desired.cache.items():
        if not _is_of(current, option, name):
            of = ", ".join(f"{known} {value}" for known, value in current.cache.items()) or "nothing that AWS tells"
            raise PlanRefused(
                f"{option} is {name}, and the snapshot {current.name} is there and is of {of}: choose another "
                f"{current.kind.name_option}, or leave {option} out",
                option,
            )
    if desired.kms_key_id and not _is_same_key(desired.kms_key_id, current.kms_key_id):
        raise PlanRefused(
            f"kms_key_id is {desired.kms_key_id}, and the snapshot {current.name} is encrypted with "
            f"{current.kms_key_id or 'a key of AWS'}, which cannot be changed: make a copy with the key under another "
            f"name ({current.kind.source_option})",
            "kms_key_id",
        )


def _is_of(current: Snapshot, option: str, name: str) -> bool:
    """A snapshot of a node is one of its replication group: <group>-001."""
    if current.cache.get(option, "").lower() == name:
        return True
    node = current.cache.get("cache_cluster_id", "").lower()
    is_node_of = option == "replication_group_id" and bool(re.fullmatch(rf"{re.escape(name)}-\d{{3}}", node))
    return is_node_of or not current.cache


def _is_same_key(one: str, other: str) -> bool:
    """An id, or the ARN of it."""
    return one.rpartition("/")[2] == other.rpartition("/")[2]


# --- away ---


def plan_absent(current: Snapshot | None, desired: Desired) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None or current.is_going:
        return Plan()
    if not ownership.is_ours(current.tags, desired.migration_name):
        ownership.refuse_deletion(f"The snapshot {current.name}", current.tags or {}, desired.migration_name)
    kind = current.kind
    step = Step(kind.delete, {kind.parameters[kind.name_option]: current.name}, "state: absent", disruptive=True)
    return Plan((step,), current.as_options(), {})


def node_to_copy(group: Mapping[str, Any] | None) -> str:
    """Of DescribeReplicationGroups: the node to make a snapshot of, empty where AWS takes the group itself.

    Without cluster mode AWS says "Please specify a cache cluster instead". A replica spares the primary the work.
    """
    if group is None or group.get("ClusterEnabled") or group.get("ClusterMode") == "enabled":
        return ""
    members: Sequence[Mapping[str, Any]] = [
        member for shard in group.get("NodeGroups") or () for member in shard.get("NodeGroupMembers") or ()
    ]
    replicas = sorted(one["CacheClusterId"] for one in members if one.get("CurrentRole") == "replica")
    return next(iter([*replicas, *sorted(group.get("MemberClusters") or ())]), "")
