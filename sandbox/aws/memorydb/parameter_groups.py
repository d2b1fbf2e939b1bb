"""Create, describe, update, reset and delete parameter groups, DescribeParameters and DescribeEngineVersions."""

from __future__ import annotations

from sandbox.aws.elasticache.parameters import Parameter
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.memorydb import describe, rules
from sandbox.aws.memorydb.catalogue import VERSIONS, default_version
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.parameters import FAMILIES
from sandbox.aws.memorydb.state import APPLYING, IN_SYNC, ParameterGroup
from sandbox.aws.wire import Params, Refusal, Result, operation

MOST_PARAMETERS = 20  # in one call


class ParameterGroups:
    def __init__(self, context: Context) -> None:
        self._account, self._fleet = context.account, context.fleet

    @operation("CreateParameterGroup", "ParameterGroupName", "Family", "Description", "Tags")
    def create_parameter_group(self, params: Params) -> Result:
        name, family = rules.name(params["ParameterGroupName"], "ParameterGroupName", 255), params["Family"]
        if family not in FAMILIES:
            raise rules.value(f"Family {family} is not one of {', '.join(FAMILIES)}.")
        tags = tags_given(params)
        with self._account.lock:
            if name in self._account.parameter_groups:
                raise Refusal("ParameterGroupAlreadyExistsFault", f"Parameter group {name} already exists.")
            group = ParameterGroup(name, family, params.get("Description", ""))
            self._account.parameter_groups[name] = group
            self._account.tags[group.arn] = tags
            return {"ParameterGroup": describe.parameter_group(group)}

    @operation("DescribeParameterGroups", "ParameterGroupName", "MaxResults", "NextToken")
    def describe_parameter_groups(self, params: Params) -> Result:
        with self._account.lock:
            if "ParameterGroupName" in params:
                found = [self._account.parameter_group(params["ParameterGroupName"])]
            else:
                found = [group for _, group in sorted(self._account.parameter_groups.items())]
            return rules.page([describe.parameter_group(group) for group in found], params, "ParameterGroups")

    @operation("DescribeParameters", "ParameterGroupName", "MaxResults", "NextToken")
    def describe_parameters(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.parameter_group(params["ParameterGroupName"])
            found = [describe.parameter(parameter, group) for parameter in FAMILIES[group.family].values()]
        return rules.page(found, params, "Parameters")

    @operation("UpdateParameterGroup", "ParameterGroupName", "ParameterNameValues")
    def update_parameter_group(self, params: Params) -> Result:
        changes = {p["ParameterName"]: p.get("ParameterValue", "") for p in params["ParameterNameValues"]}
        with self._account.lock:
            group = self._changeable(params["ParameterGroupName"])
            if not 1 <= len(changes) <= MOST_PARAMETERS:
                raise rules.value(f"ParameterNameValues must have 1 to {MOST_PARAMETERS} items, not {len(changes)}.")
            for name, value in changes.items():
                check(group, name, value)
            group.values.update(changes)
        self._apply(group)
        return {"ParameterGroup": describe.parameter_group(group)}

    @operation("ResetParameterGroup", "ParameterGroupName", "AllParameters", "ParameterNames")
    def reset_parameter_group(self, params: Params) -> Result:
        named, every = params.get("ParameterNames", []), params.get("AllParameters", False)
        if every == bool(named):
            raise rules.combination("Give either AllParameters or ParameterNames.")
        with self._account.lock:
            group = self._changeable(params["ParameterGroupName"])
            for name in named:
                known(group, name)
            for name in list(group.values) if every else named:
                group.values.pop(name, None)
        self._apply(group)
        return {"ParameterGroup": describe.parameter_group(group)}

    @operation("DeleteParameterGroup", "ParameterGroupName")
    def delete_parameter_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._changeable(params["ParameterGroupName"])
            users = [c.id for c in self._account.clusters.values() if c.parameter_group == group.name]
            if users:
                raise Refusal("InvalidParameterGroupStateFault", f"{group.name} is in use by {', '.join(users)}.")
            del self._account.parameter_groups[group.name]
            self._account.tags.pop(group.arn, None)
            return {"ParameterGroup": describe.parameter_group(group)}

    @operation(
        "DescribeEngineVersions",
        *("Engine", "EngineVersion", "ParameterGroupFamily", "DefaultOnly", "MaxResults", "NextToken"),
    )
    def describe_engine_versions(self, params: Params) -> Result:
        told = {"Engine": "engine", "EngineVersion": "label", "ParameterGroupFamily": "family"}
        found = [v for v in VERSIONS if all(getattr(v, told[k]) == params[k] for k in told if k in params)]
        if params.get("DefaultOnly"):
            found = [version for version in found if version == default_version(version.engine)]
        shown = [
            {
                "Engine": version.engine,
                "EngineVersion": version.label,
                "EnginePatchVersion": version.full,
                "ParameterGroupFamily": version.family,
            }
            for version in found
        ]
        return rules.page(shown, params, "EngineVersions")

    def _apply(self, group: ParameterGroup) -> None:
        """Tell the engines of every cluster that uses it."""
        for cluster in list(self._account.clusters.values()):
            if cluster.parameter_group == group.name and cluster.engines is not None:
                cluster.parameter_status = APPLYING
                self._fleet.apply_parameters(cluster)
                cluster.parameter_status = IN_SYNC

    def _changeable(self, name: str) -> ParameterGroup:
        group = self._account.parameter_group(name)
        if group.is_default:
            raise Refusal("InvalidParameterGroupStateFault", f"{group.name} is a default group and cannot be changed.")
        return group


def known(group: ParameterGroup, name: str) -> Parameter:
    parameter = FAMILIES[group.family].get(name)
    if parameter is None:
        raise rules.value(f"Parameter {name} is not one of {group.family} that this sandbox knows.")
    return parameter


def check(group: ParameterGroup, name: str, value: str) -> None:
    parameter = known(group, name)
    if not parameter.accepts(value):
        raise rules.value(f"Parameter {name}: the value must be of {parameter.allowed}.")
    if not parameter.told and value != parameter.default:
        raise rules.not_here(
            f"Parameter {name} can be set at AWS; this sandbox implements its default {parameter.default!r} alone."
        )
