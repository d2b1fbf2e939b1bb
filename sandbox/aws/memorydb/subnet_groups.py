"""CreateSubnetGroup, DescribeSubnetGroups, UpdateSubnetGroup, DeleteSubnetGroup."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.elasticache.vpc import DEFAULT_SUBNET_GROUP
from sandbox.aws.memorydb import describe, rules
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.state import SubnetGroup
from sandbox.aws.wire import Params, Refusal, Result, operation


class SubnetGroups:
    def __init__(self, context: Context) -> None:
        self._context, self._account = context, context.account

    @operation("CreateSubnetGroup", "SubnetGroupName", "Description", "SubnetIds", "Tags")
    def create_subnet_group(self, params: Params) -> Result:
        name = params["SubnetGroupName"].lower()
        if not re.fullmatch(r"[a-z0-9-]{1,255}", name) or name == DEFAULT_SUBNET_GROUP:
            raise rules.value(f"SubnetGroupName {name!r} must be letters, digits and hyphens, and not 'default'.")
        tags = tags_given(params)
        if not params["SubnetIds"]:
            raise Refusal("InvalidSubnet", "SubnetIds must name at least one subnet.")
        with self._account.lock:
            if name in self._account.subnet_groups:
                raise Refusal("SubnetGroupAlreadyExistsFault", f"Subnet group {name} already exists.")
            group = self._group(name, params.get("Description", ""), params["SubnetIds"])
            self._account.subnet_groups[name] = group
            self._account.tags[group.arn] = tags
            return {"SubnetGroup": describe.subnet_group(group)}

    def _group(self, name: str, description: str, subnet_ids: Sequence[str]) -> SubnetGroup:
        found = self._context.vpc.subnet_group(name, description, subnet_ids)
        return SubnetGroup(found.name, found.description, found.vpc, found.subnets)

    @operation("DescribeSubnetGroups", "SubnetGroupName", "MaxResults", "NextToken")
    def describe_subnet_groups(self, params: Params) -> Result:
        with self._account.lock:
            if "SubnetGroupName" in params:
                found = [self._account.subnet_group(params["SubnetGroupName"])]
            else:
                found = [group for _, group in sorted(self._account.subnet_groups.items())]
            return rules.page([describe.subnet_group(group) for group in found], params, "SubnetGroups")

    @operation("UpdateSubnetGroup", "SubnetGroupName", "Description", "SubnetIds")
    def update_subnet_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.subnet_group(params["SubnetGroupName"])
            if params.get("SubnetIds"):
                after = self._group(group.name, group.description, params["SubnetIds"])
                self._refuse_losing_nodes(group, after)
                group.vpc, group.subnets = after.vpc, after.subnets
            group.description = params.get("Description", group.description)
            return {"SubnetGroup": describe.subnet_group(group)}

    def _refuse_losing_nodes(self, group: SubnetGroup, after: SubnetGroup) -> None:
        """A subnet where a node lies cannot leave the group."""
        users = [c for c in self._account.clusters.values() if c.subnet_group == group.name]
        if users and after.vpc != group.vpc:
            raise Refusal("InvalidSubnet", f"{group.name} is in use in {group.vpc}; the subnets are in {after.vpc}.")
        zones = {node.zone for user in users for nodes in user.nodes.values() for node in nodes}
        lost = sorted(zones - set(after.zones))
        if lost:
            raise Refusal("SubnetInUse", f"The subnet in {', '.join(lost)} is in use by a node.")

    @operation("DeleteSubnetGroup", "SubnetGroupName")
    def delete_subnet_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.subnet_group(params["SubnetGroupName"])
            users = [c.id for c in self._account.clusters.values() if c.subnet_group == group.name]
            if users or group.name == DEFAULT_SUBNET_GROUP:
                of = ", ".join(users) or "the account: it is the default one"
                raise Refusal("SubnetGroupInUseFault", f"{group.name} is in use by {of}.")
            del self._account.subnet_groups[group.name]
            self._account.tags.pop(group.arn, None)
            return {"SubnetGroup": describe.subnet_group(group)}
