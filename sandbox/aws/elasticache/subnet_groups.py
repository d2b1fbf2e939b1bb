"""CreateCacheSubnetGroup, DescribeCacheSubnetGroups, ModifyCacheSubnetGroup, DeleteCacheSubnetGroup."""

from __future__ import annotations

import re

from sandbox.aws.elasticache import describe, rules
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import SubnetGroup
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.elasticache.vpc import DEFAULT_SUBNET_GROUP
from sandbox.aws.wire import Params, Refusal, Result, operation, page


class SubnetGroups:
    def __init__(self, context: Context) -> None:
        self._account, self._vpc = context.account, context.vpc

    @operation("CreateCacheSubnetGroup", "CacheSubnetGroupName", "CacheSubnetGroupDescription", "SubnetIds", "Tags")
    def create_cache_subnet_group(self, params: Params) -> Result:
        name = params["CacheSubnetGroupName"].lower()
        if not re.fullmatch(r"[a-z0-9-]{1,255}", name) or name == DEFAULT_SUBNET_GROUP:
            raise rules.value(f"CacheSubnetGroupName {name!r} must be letters, digits and hyphens, and not 'default'.")
        tags = tags_given(params)
        if not params["SubnetIds"]:
            raise rules.value("SubnetIds must name at least one subnet.")
        with self._account.lock:
            if name in self._account.subnet_groups:
                raise Refusal("CacheSubnetGroupAlreadyExists", f"Cache subnet group {name} already exists.")
            group = self._vpc.subnet_group(name, params["CacheSubnetGroupDescription"], params["SubnetIds"])
            self._account.subnet_groups[name] = group
            self._account.tags[group.arn] = tags
            return {"CacheSubnetGroup": describe.subnet_group(group)}

    @operation("DescribeCacheSubnetGroups", "CacheSubnetGroupName", "MaxRecords", "Marker")
    def describe_cache_subnet_groups(self, params: Params) -> Result:
        with self._account.lock:
            if "CacheSubnetGroupName" in params:
                found = [self._account.subnet_group(params["CacheSubnetGroupName"])]
            else:
                found = [group for _, group in sorted(self._account.subnet_groups.items())]
            return page([describe.subnet_group(group) for group in found], params, "CacheSubnetGroups")

    @operation("ModifyCacheSubnetGroup", "CacheSubnetGroupName", "CacheSubnetGroupDescription", "SubnetIds")
    def modify_cache_subnet_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.subnet_group(params["CacheSubnetGroupName"])
            if params.get("SubnetIds"):
                after = self._vpc.subnet_group(group.name, group.description, params["SubnetIds"])
                self._refuse_losing_nodes(group, after)
                group.vpc, group.subnets = after.vpc, after.subnets
            group.description = params.get("CacheSubnetGroupDescription", group.description)
            return {"CacheSubnetGroup": describe.subnet_group(group)}

    def _refuse_losing_nodes(self, group: SubnetGroup, after: SubnetGroup) -> None:
        """A subnet where a node lies cannot leave the group."""
        users = [g for g in self._account.replication_groups.values() if g.subnet_group == group.name]
        lone = [c for c in self._account.cache_clusters.values() if c.subnet_group == group.name]
        if (users or lone) and after.vpc != group.vpc:
            raise Refusal("InvalidSubnet", f"{group.name} is in use in {group.vpc}; the subnets are in {after.vpc}.")
        zones = {member.zone for user in users for member in user.members}
        zones |= {zone for cluster in lone for zone in cluster.zones}
        lost = sorted(zones - set(after.zones))
        if lost:
            raise Refusal("SubnetInUse", f"The subnet in {', '.join(lost)} is in use by a node.")

    @operation("DeleteCacheSubnetGroup", "CacheSubnetGroupName")
    def delete_cache_subnet_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._account.subnet_group(params["CacheSubnetGroupName"])
            users = [g.id for g in self._account.replication_groups.values() if g.subnet_group == group.name]
            users += [c.id for c in self._account.cache_clusters.values() if c.subnet_group == group.name]
            if users:
                raise Refusal("CacheSubnetGroupInUse", f"{group.name} is in use by {', '.join(users)}.")
            if group.name == DEFAULT_SUBNET_GROUP:
                raise rules.value("The default subnet group cannot be deleted.")
            del self._account.subnet_groups[group.name]
            self._account.tags.pop(group.arn, None)
            return {}
