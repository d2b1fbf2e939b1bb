"""Create, describe, modify, reset and delete cache parameter groups, and DescribeCacheParameters."""

from __future__ import annotations

import re
from typing import Any

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.parameters import (
    CLUSTER_ENABLED,
    FAMILIES,
    RESERVED,
    RESERVED_PERCENT,
    Parameter,
    first_version,
)
from sandbox.aws.elasticache.state import ParameterGroup
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal, Result, operation, page

MOST_PARAMETERS = 20  # in one call
SOURCES = ("user", "system", "engine-default")


class ParameterGroups:
    def __init__(self, context: Context) -> None:
        self._account, self._fleet = context.account, context.fleet

    @operation(
        "CreateCacheParameterGroup", "CacheParameterGroupName", "CacheParameterGroupFamily", "Description", "Tags"
    )
    def create_cache_parameter_group(self, params: Params) -> Result:
        name, family = params["CacheParameterGroupName"], params["CacheParameterGroupFamily"]
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,254}", name) is None:
            raise rules.value(
                f"CacheParameterGroupName {name!r} must be a letter and then letters, digits and hyphens."
            )
        if family not in FAMILIES:
            raise rules.value(f"CacheParameterGroupFamily {family} is not one of {', '.join(FAMILIES)}.")
        name, tags = rules.identifier(name, "CacheParameterGroupName", 255), tags_given(params)
        with self._account.lock:
            if name in self._account.parameter_groups:
                raise Refusal("CacheParameterGroupAlreadyExists", f"Parameter group {name} already exists.")
            group = ParameterGroup(name, family, params["Description"])
            self._account.parameter_groups[name] = group
            self._account.tags[group.arn] = tags
            return {"CacheParameterGroup": describe.parameter_group(group)}

    @operation("DescribeCacheParameterGroups", "CacheParameterGroupName", "MaxRecords", "Marker")
    def describe_cache_parameter_groups(self, params: Params) -> Result:
        with self._account.lock:
            if "CacheParameterGroupName" in params:
                found = [self._account.parameter_group(params["CacheParameterGroupName"])]
            else:
                found = [group for _, group in sorted(self._account.parameter_groups.items())]
            return page([describe.parameter_group(group) for group in found], params, "CacheParameterGroups")

    @operation("DescribeCacheParameters", "CacheParameterGroupName", "Source", "MaxRecords", "Marker")
    def describe_cache_parameters(self, params: Params) -> Result:
        if params.get("Source", "user") not in SOURCES:
            raise rules.value(f"Source must be one of {', '.join(SOURCES)}.")
        with self._account.lock:
            group = self._account.parameter_group(params["CacheParameterGroupName"])
            found = [shown(parameter, group) for parameter in FAMILIES[group.family].values()]
        wanted = [p for p in found if params.get("Source", p["Source"]) == p["Source"]]
        answer = page(wanted, params, "Parameters")
        node_types = describe.node_type_values() if params.get("Source", "system") == "system" else []
        return {**answer, "CacheNodeTypeSpecificParameters": node_types}

    @operation("ModifyCacheParameterGroup", "CacheParameterGroupName", "ParameterNameValues")
    def modify_cache_parameter_group(self, params: Params) -> Result:
        changes = {p["ParameterName"]: p.get("ParameterValue", "") for p in params["ParameterNameValues"]}
        with self._account.lock:
            group = self._changeable(params["CacheParameterGroupName"])
            if not 1 <= len(changes) <= MOST_PARAMETERS:
                raise rules.value(
                    f"ParameterNameValues must have 1 to {MOST_PARAMETERS} parameters, not {len(changes)}."
                )
            for name, value in changes.items():
                check(group, name, value, self._users(group))
            for one, other in ((RESERVED, RESERVED_PERCENT), (RESERVED_PERCENT, RESERVED)):
                if one in changes and other not in changes:
                    group.values.pop(other, None)  # memory is reserved in one way
            group.values.update(changes)
        self._fleet.apply_parameter_group(group)
        return {"CacheParameterGroupName": group.name}

    @operation("ResetCacheParameterGroup", "CacheParameterGroupName", "ResetAllParameters", "ParameterNameValues")
    def reset_cache_parameter_group(self, params: Params) -> Result:
        named = [p["ParameterName"] for p in params.get("ParameterNameValues", [])]
        every = params.get("ResetAllParameters", False)
        if every == bool(named):
            raise rules.combination("Give either ResetAllParameters or ParameterNameValues.")
        with self._account.lock:
            group = self._changeable(params["CacheParameterGroupName"])
            for name in named:
                known(group, name)
                if name == RESERVED:
                    raise rules.value(f"Parameter {RESERVED} cannot be reset: set it to 0, or {RESERVED_PERCENT}.")
            for name in list(group.values) if every else named:
                group.values.pop(name, None)
        self._fleet.apply_parameter_group(group)
        return {"CacheParameterGroupName": group.name}

    @operation("DeleteCacheParameterGroup", "CacheParameterGroupName")
    def delete_cache_parameter_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._changeable(params["CacheParameterGroupName"])
            users = self._users(group)
            if users:
                raise Refusal("InvalidCacheParameterGroupState", f"{group.name} is in use by {', '.join(users)}.")
            del self._account.parameter_groups[group.name]
            self._account.tags.pop(group.arn, None)
            return {}

    def _users(self, group: ParameterGroup) -> list[str]:
        users = [g.id for g in self._account.replication_groups.values() if g.parameter_group == group.name]
        return users + [c.id for c in self._account.cache_clusters.values() if c.parameter_group == group.name]

    def _changeable(self, name: str) -> ParameterGroup:
        group = self._account.parameter_group(name)
        if group.is_default:
            raise Refusal("InvalidCacheParameterGroupState", f"{group.name} is a default group and cannot be changed.")
        return group


def known(group: ParameterGroup, name: str) -> Parameter:
    parameter = FAMILIES[group.family].get(name)
    if parameter is None:
        raise rules.value(f"Parameter {name} is not one of {group.family} that this sandbox knows.")
    return parameter


def check(group: ParameterGroup, name: str, value: str, used_by: list[str]) -> None:
    parameter = known(group, name)
    if not parameter.modifiable:
        raise rules.value(f"Parameter {name} cannot be modified.")
    if not parameter.accepts(value):
        raise rules.value(f"Parameter {name}: the value must be of {parameter.allowed}.")
    if name == CLUSTER_ENABLED and used_by and value != group.values.get(name, parameter.default):
        raise rules.value(f"Parameter {name} cannot be changed while {', '.join(used_by)} uses the group.")
    if not parameter.told and not parameter.kept and value != parameter.default:
        text = f"Parameter {name} can be set at AWS; this sandbox implements its default {parameter.default!r} alone."
        raise Refusal(NO_SUCH_PARAMETER, text)


def shown(parameter: Parameter, group: ParameterGroup) -> dict[str, Any]:
    return {
        "ParameterName": parameter.name,
        "ParameterValue": {**group.preset, **group.values}.get(parameter.name, parameter.default),
        "Description": parameter.name.replace("-", " "),
        "Source": "user" if parameter.name in group.values else "system",
        "DataType": parameter.data_type,
        "AllowedValues": parameter.allowed,
        "IsModifiable": parameter.modifiable,
        "MinimumEngineVersion": first_version(group.family),
        "ChangeType": parameter.change,
    }
