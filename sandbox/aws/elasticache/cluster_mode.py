"""What AWS refuses about a change of cluster mode. Pure."""

from __future__ import annotations

from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.catalogue import COMPATIBLE, DISABLED, ENABLED, Version
from sandbox.aws.elasticache.parameters import CLUSTER_ENABLED, effective_values
from sandbox.aws.elasticache.state import ParameterGroup, ReplicationGroup

STEPS = {DISABLED: (COMPATIBLE,), COMPATIBLE: (DISABLED, ENABLED), ENABLED: ()}


def check(group: ReplicationGroup, version: Version, wanted: str) -> None:
    """Disabled, compatible, enabled: one step at a time, and from enabled there is no way back."""
    now = group.cluster_mode
    if wanted == now:
        return
    if not version.can_change_cluster_mode:
        raise rules.combination(f"Cluster mode cannot be changed at {version.full}; it can from 7.0 on.")
    if wanted not in STEPS[now]:
        text = "no way back" if now == ENABLED else f"a way by {COMPATIBLE} alone"
        raise rules.combination(f"From cluster mode {now} to {wanted} there is {text}.")
    if not group.failover or not group.replicas:
        raise rules.combination("A change of cluster mode needs automatic failover and at least one replica.")


def check_parameter_group(named: ParameterGroup, mode: str) -> None:
    is_on = effective_values(named).get(CLUSTER_ENABLED) == "yes"
    if is_on != (mode != DISABLED):
        wanted = "no" if mode == DISABLED else "yes"
        raise rules.combination(f"Cluster mode {mode} needs a parameter group with {CLUSTER_ENABLED} {wanted}.")
