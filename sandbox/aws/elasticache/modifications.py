"""ModifyReplicationGroup: what applies at once, what waits for the maintenance window, and the token by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.aws.elasticache import access, cluster_mode, describe, features, rbac_rules, rules, shape, windows
from sandbox.aws.elasticache.access import ACCESS
from sandbox.aws.elasticache.catalogue import COMPATIBLE, ENABLED, Version
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import AVAILABLE, MODIFYING, ReplicationGroup
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Refusal, Result, operation

# Asynchronously, but without waiting for a window.
AT_ONCE = (
    *("ReplicationGroupDescription", "SecurityGroupIds", "PreferredMaintenanceWindow", "CacheParameterGroupName"),
    *("AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow", "SnapshottingClusterId"),
    *("PrimaryClusterId", *features.MODIFY),
)
# In the maintenance window, unless ApplyImmediately.
QUEUED = (
    *("CacheNodeType", "Engine", "EngineVersion", "AutomaticFailoverEnabled", "MultiAZEnabled"),
    *("TransitEncryptionEnabled", "TransitEncryptionMode", "ClusterMode", features.DURABILITY),
)
# Each in a call of its own; a change of cluster mode may bring its parameter group.
ALONE = {"ClusterMode": ("CacheParameterGroupName",), features.DURABILITY: ()}
SCALING = {"CacheNodeType", "Engine", "EngineVersion"}


def current_values(group: ReplicationGroup) -> dict[str, Any]:
    """The group in the words of ModifyReplicationGroup."""
    return {
        "ReplicationGroupDescription": group.description,
        "SecurityGroupIds": group.security_groups,
        "PreferredMaintenanceWindow": group.maintenance_window,
        "CacheParameterGroupName": group.parameter_group,
        "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
        "SnapshotRetentionLimit": group.retention,
        "SnapshotWindow": group.snapshot_window,
        "SnapshottingClusterId": group.snapshotting_member,
        "CacheNodeType": group.node_type,
        "Engine": group.version.engine,
        "EngineVersion": group.version.label,
        "AutomaticFailoverEnabled": group.failover,
        "MultiAZEnabled": group.multi_az,
        "TransitEncryptionEnabled": bool(group.transit_mode),
        "TransitEncryptionMode": group.transit_mode,
        "ClusterMode": group.cluster_mode,
        "PrimaryClusterId": group.primary.name if group.cluster_mode != ENABLED else "",
        "NotificationTopicArn": group.features.topic,
        "NotificationTopicStatus": group.features.topic_status,
        "LogDeliveryConfigurations": group.features.logs,
        "IpDiscovery": group.features.ip_discovery,
        "Durability": group.features.durability_asked,
    }


class Modifications:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._account, self._fleet, self._work = context.account, context.fleet, context.work

    @operation("ModifyReplicationGroup", "ReplicationGroupId", "ApplyImmediately", *AT_ONCE, *QUEUED, *ACCESS)
    def modify_replication_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.replication_group(params["ReplicationGroupId"])
            require_available(group)
            if any(name in params for name in ACCESS):
                self._modify_access(group, params)
            else:
                self._modify_options(group, params)
            return {"ReplicationGroup": describe.replication_group(group)}

    def _modify_access(self, group: ReplicationGroup, params: Params) -> None:
        others = [name for name in (*AT_ONCE, *QUEUED) if name in params]
        if others:
            raise rules.combination(f"Who may log in is changed by a call of its own, without {', '.join(others)}.")
        if not params.get("ApplyImmediately"):
            raise rules.combination("Who may log in can be changed with ApplyImmediately true only.")
        access.change(self._account, self._work, group, params)

    # -- everything else -----------------------------------------------------------------------------------------
    def _modify_options(self, group: ReplicationGroup, params: Params) -> None:
        wanted = self._validated(group, {name: params[name] for name in (*AT_ONCE, *QUEUED) if name in params})
        current, immediately = current_values(group), params.get("ApplyImmediately", False)
        is_there = all(current[name] == value for name, value in wanted.items())
        flushes = immediately and bool(group.pending)
        if is_there and not flushes and not withdraws(group, wanted):
            raise rules.combination("No modifications were requested.")
        changes = {**group.pending, **wanted}
        waits = set() if immediately else waiting_names(group, wanted)
        group.pending = {n: value for n, value in changes.items() if n in waits and value != current[n]}
        changes = {name: value for name, value in changes.items() if name not in waits}
        if changes:
            self._work.begin(group, MODIFYING, lambda: self._apply(group, changes))

    def _validated(self, group: ReplicationGroup, wanted: Params) -> Params:
        """The values as AWS stores them; whatever cannot be is refused before anything changes."""
        after = {**current_values(group), **group.pending, **wanted}
        version = self._version(group, wanted, after)
        rules.node_type(after["CacheNodeType"])
        rules.runs_on(version, after["CacheNodeType"])
        features.node_type_keeps_tiering(group.node_type, after["CacheNodeType"])
        for name, beside in ALONE.items():
            others = sorted(set(wanted) - {name, *beside})
            if name in wanted and others:
                raise rules.combination(f"{name} is changed by a call of its own, without {', '.join(others)}.")
        if group.cluster_mode == COMPATIBLE and SCALING & set(wanted):
            raise rules.combination(
                f"In cluster mode compatible {', '.join(sorted(SCALING & set(wanted)))} stays as it is."
            )
        fewest = min(len(group.replicas_of(shard)) for shard in group.shards)
        automatic, multi_az = after["AutomaticFailoverEnabled"], after["MultiAZEnabled"]
        rules.failover(fewest, automatic, multi_az, group.cluster_mode)
        if "ClusterMode" in wanted:
            cluster_mode.check(group, version, after["ClusterMode"])
        wanted = {**wanted, **self._features(group, wanted, after, version, fewest)}
        if "PrimaryClusterId" in wanted:
            self._check_primary(group, wanted["PrimaryClusterId"])
        if "TransitEncryptionEnabled" in wanted or "TransitEncryptionMode" in wanted:
            kept = group.transit_mode or "required"
            mode = wanted.get("TransitEncryptionMode", kept if after["TransitEncryptionEnabled"] else "")
            rules.transit_change(group.version, group.transit_mode, after["TransitEncryptionEnabled"], mode)
            if not after["TransitEncryptionEnabled"] and group.access.digests:
                raise rules.combination("Transit encryption stays while there is an AUTH token.")
            after["TransitEncryptionMode"] = mode
            wanted = {**wanted, "TransitEncryptionEnabled": bool(mode), "TransitEncryptionMode": mode}
        groups = [self._account.rbac.group(name) for name in group.user_groups]
        rbac_rules.attachments(groups, version, after["TransitEncryptionMode"])
        rules.retention(after["SnapshotRetentionLimit"])
        windows.check(after["SnapshotWindow"], after["PreferredMaintenanceWindow"])
        if "SnapshottingClusterId" in wanted and group.cluster_mode == ENABLED:
            raise rules.combination("SnapshottingClusterId cannot be set in cluster mode.")
        if "SnapshottingClusterId" in wanted and wanted["SnapshottingClusterId"] not in [m.name for m in group.members]:
            raise Refusal("CacheClusterNotFound", f"{wanted['SnapshottingClusterId']} is no node of {group.id}.")
        stored = {
            **wanted,
            "EngineVersion": version.label,
            "PreferredMaintenanceWindow": after["PreferredMaintenanceWindow"].lower(),
        }
        if "SecurityGroupIds" in wanted:
            vpc = self._account.subnet_group(group.subnet_group).vpc
            stored["SecurityGroupIds"] = self._context.vpc.security_groups(wanted["SecurityGroupIds"], vpc)
        if {"CacheParameterGroupName", "EngineVersion", "ClusterMode"} & set(wanted):
            stored["CacheParameterGroupName"] = self._parameter_group(group, wanted, version)
            wanted = {**wanted, "CacheParameterGroupName": stored["CacheParameterGroupName"]}
        return {name: stored[name] for name in wanted}

    def _version(self, group: ReplicationGroup, wanted: Params, after: Params) -> Version:
        """The engine and the version that it will be, which must be one that the group can become in place."""
        if after["Engine"] != group.version.engine:
            rules.engine_version_is_stated("EngineVersion" in {**group.pending, **wanted})
        version = rules.version(after["Engine"], after["EngineVersion"])
        rules.engine_change(group.version, version)
        return version

    def _parameter_group(self, group: ReplicationGroup, wanted: Params, version: Version) -> str:
        """An upgrade to another family, and another cluster mode, move a default group along; a custom one is named."""
        named = self._account.parameter_group(wanted.get("CacheParameterGroupName", group.parameter_group))
        mode = wanted.get("ClusterMode", group.cluster_mode)
        if named.is_default and "CacheParameterGroupName" not in wanted:
            return shape.default_parameter_group(mode, version)
        rules.parameter_group_family(named.family, version)
        cluster_mode.check_parameter_group(named, mode)
        return named.name

    def _features(
        self, group: ReplicationGroup, wanted: Params, after: Params, version: Version, fewest: int
    ) -> Params:
        """What of them is wanted, as it is stored."""
        stored: Params = {}
        if "NotificationTopicArn" in wanted:
            stored["NotificationTopicArn"] = features.topic(wanted["NotificationTopicArn"])
            if wanted["NotificationTopicArn"]:
                self._context.vpc.require_topic(wanted["NotificationTopicArn"])
            stored["NotificationTopicStatus"] = "active" if wanted["NotificationTopicArn"] else ""
        if "NotificationTopicStatus" in wanted:
            stored["NotificationTopicStatus"] = features.topic_status(wanted["NotificationTopicStatus"])
        if "IpDiscovery" in wanted:
            features.ip_discovery(group.features.network_type, wanted["IpDiscovery"])
        if "LogDeliveryConfigurations" in wanted:
            asked = wanted["LogDeliveryConfigurations"]
            stored["LogDeliveryConfigurations"] = features.logs_after(group.features.logs, asked, version)
        asked = wanted.get(features.DURABILITY, group.features.durability)
        tls = bool(after["TransitEncryptionEnabled"])
        footing = features.Footing(
            version,
            after["CacheNodeType"],
            group.cluster_mode,
            after["MultiAZEnabled"],
            fewest,
            tls,
            group.features.data_tiering,
        )
        features.durability(asked, footing)  # also where it is another change that would take its ground away
        return stored

    def _check_primary(self, group: ReplicationGroup, name: str) -> None:
        if group.cluster_mode == ENABLED:
            raise rules.combination("PrimaryClusterId cannot be set in cluster mode: see TestFailover.")
        if name not in [member.name for member in group.members]:
            raise Refusal("CacheClusterNotFound", f"{name} is no node of {group.id}.")
        if group.failover and name != group.primary.name:
            raise rules.combination("PrimaryClusterId cannot be set while automatic failover is enabled.")

    def _apply(self, group: ReplicationGroup, changes: Params) -> None:
        replaces = any(
            name in changes and changes[name] != current_values(group)[name]
            for name in ("CacheNodeType", "Engine", "EngineVersion")
        )
        fleet = self._fleet.of(group)
        if "TransitEncryptionMode" in changes:
            fleet.change_transit_encryption(group, changes["TransitEncryptionMode"])
        if changes.get("PrimaryClusterId", group.primaries.get(group.shards[0])) != group.primaries[group.shards[0]]:
            fleet.make_primary(group, changes["PrimaryClusterId"])
        with self._account.lock:
            for name, value in changes.items():
                if name in SETTERS:
                    SETTERS[name](group, value)
            if "EngineVersion" in changes:
                engine = changes.get("Engine", group.version.engine)
                group.version = rules.version(engine, changes["EngineVersion"])
        if changes.get("ClusterMode", group.cluster_mode) != group.cluster_mode:
            self._fleet.change_cluster_mode(group, changes["ClusterMode"])
        elif replaces:
            fleet.replace_nodes(group)
        elif "CacheParameterGroupName" in changes:
            fleet.apply_parameters(group)
        self._fleet.of(group).publish(group)

    # -- the maintenance window ----------------------------------------------------------------------------------
    def maintenance_window(self) -> list[str]:
        """Run the window of every group that is available and has something pending; answers their names."""
        with self._account.lock:
            waiting = [g for g in self._account.replication_groups.values() if g.pending and g.status == AVAILABLE]
            for group in waiting:
                changes, group.pending = group.pending, {}
                self._work.begin(group, MODIFYING, self._application(group, changes))
        return [group.id for group in waiting]

    def _application(self, group: ReplicationGroup, changes: Params) -> Callable[[], None]:
        return lambda: self._apply(group, changes)


def waiting_names(group: ReplicationGroup, wanted: Params) -> set[str]:
    """What waits for the window, unless ApplyImmediately."""
    waits = set(QUEUED)
    if {"EngineVersion", "ClusterMode"} & {*wanted, *group.pending}:
        waits.add("CacheParameterGroupName")  # it is of the new version's family
    if not wanted.get("MultiAZEnabled", True) or group.failover:
        waits.discard("MultiAZEnabled")  # no member shows it as pending; it waits only for a failover that waits
    return waits


def withdraws(group: ReplicationGroup, wanted: Params) -> bool:
    """Whether the call takes back something that is pending."""
    return any(name in group.pending and group.pending[name] != value for name, value in wanted.items())


def _set(attribute: str) -> Callable[[ReplicationGroup, Any], None]:
    return lambda group, value: setattr(group, attribute, value)


def _set_feature(attribute: str) -> Callable[[ReplicationGroup, Any], None]:
    return lambda group, value: setattr(group.features, attribute, value)


def _set_durability(group: ReplicationGroup, asked: str) -> None:
    group.features.durability_asked = asked
    group.features.durability = asked if asked in ("sync", "async") else ""
    group.at_rest = group.at_rest or bool(group.features.durability)


SETTERS: dict[str, Callable[[ReplicationGroup, Any], None]] = {
    "ReplicationGroupDescription": _set("description"),
    "SecurityGroupIds": _set("security_groups"),
    "PreferredMaintenanceWindow": _set("maintenance_window"),
    "CacheParameterGroupName": _set("parameter_group"),
    "AutoMinorVersionUpgrade": _set("auto_minor_version_upgrade"),
    "SnapshotRetentionLimit": _set("retention"),
    "SnapshotWindow": _set("snapshot_window"),
    "SnapshottingClusterId": _set("snapshotting_member"),
    "CacheNodeType": _set("node_type"),
    "AutomaticFailoverEnabled": _set("failover"),
    "MultiAZEnabled": _set("multi_az"),
    "NotificationTopicArn": _set_feature("topic"),
    "NotificationTopicStatus": _set_feature("topic_status"),
    "LogDeliveryConfigurations": _set_feature("logs"),
    "IpDiscovery": _set_feature("ip_discovery"),
    "Durability": _set_durability,
}
