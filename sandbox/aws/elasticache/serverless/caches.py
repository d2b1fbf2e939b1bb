"""CreateServerlessCache, ModifyServerlessCache, DescribeServerlessCaches, DeleteServerlessCache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.aws.access import Access
from sandbox.aws.elasticache import rbac_rules
from sandbox.aws.elasticache.admission import access_of
from sandbox.aws.elasticache.catalogue import Version
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.rules import combination, identifier, retention
from sandbox.aws.elasticache.serverless import describe, rules
from sandbox.aws.elasticache.serverless.fleet import Fleet
from sandbox.aws.elasticache.serverless.paging import page
from sandbox.aws.elasticache.serverless.snapshots import Snapshots, refuse_snapshot_of_memcached
from sandbox.aws.elasticache.serverless.state import MEMCACHED, ServerlessCache
from sandbox.aws.elasticache.state import AVAILABLE, CREATE_FAILED, CREATING, DELETING, MODIFYING, REGION
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.engines import EngineMissing
from sandbox.aws.iam_tokens import Cache
from sandbox.aws.wire import NO_SUCH_PARAMETER, Params, Refusal, Result, operation

MOST_SUBNETS = 3  # that AWS chooses where none are stated
# What no engine has to be told.
_PLAIN = {"Description": "description", "DailySnapshotTime": "snapshot_time", "SnapshotRetentionLimit": "retention"}


class Caches:
    def __init__(self, context: Context, fleet: Fleet, snapshots: Snapshots) -> None:
        self._context, self._fleet, self._snapshots = context, fleet, snapshots
        self._account, self._work, self._all = context.account, context.work, context.account.serverless

    @operation(
        "CreateServerlessCache",
        *("ServerlessCacheName", "Description", "Engine", "MajorEngineVersion", "CacheUsageLimits", "KmsKeyId"),
        *("SecurityGroupIds", "SnapshotArnsToRestore", "Tags", "UserGroupId", "SubnetIds", "SnapshotRetentionLimit"),
        "DailySnapshotTime",
        only={"NetworkType": ("ipv4",), "ConnectionType": ("vpc",)},
    )
    def create_serverless_cache(self, params: Params) -> Result:
        name = identifier(params["ServerlessCacheName"], "ServerlessCacheName", 40)
        tags = tags_given(params)
        with self._account.lock:
            if name in self._all.caches:
                raise Refusal("ServerlessCacheAlreadyExistsFault", f"Serverless cache {name} already exists.")
            version = rules.version(params["Engine"], params.get("MajorEngineVersion"))
            seed = self._snapshots.seed_of(params.get("SnapshotArnsToRestore", []), version)
            cache = self._new(name, version, params)
            self._check_users(cache.user_group, version)
            access = self._access_of(cache)
            self._all.caches[name] = cache
            self._account.tags[cache.arn] = dict(tags)
            self._work.begin(cache, CREATING, lambda: self._fleet.start(cache, access, seed))
            return {"ServerlessCache": describe.serverless_cache(cache)}

    def _new(self, name: str, version: Version, params: Params) -> ServerlessCache:
        vpc = self._context.vpc
        subnets = self._subnets(params.get("SubnetIds", []))
        groups = vpc.security_groups(params.get("SecurityGroupIds", []), subnets.vpc)
        if "KmsKeyId" in params:
            vpc.require_key(params["KmsKeyId"])
        rules.description(params.get("Description", ""))
        retention(params.get("SnapshotRetentionLimit", 0))
        rules.snapshot_time(params.get("DailySnapshotTime", "03:00"))
        self._require_engine(version)
        return ServerlessCache(
            id=name,
            description=params.get("Description", ""),
            version=version,
            limits=rules.limits(params.get("CacheUsageLimits", {})),
            kms_key=params.get("KmsKeyId", ""),
            security_groups=groups,
            subnets=list(subnets.subnets),
            user_group=params.get("UserGroupId", "").lower(),
            retention=params.get("SnapshotRetentionLimit", 0),
            snapshot_time=params.get("DailySnapshotTime", "03:00"),
            network_zone=self._context.network_zone,
        )

    def _subnets(self, ids: list[str]) -> Any:
        vpc = self._context.vpc
        if ids:
            return vpc.subnet_group("serverless", "", ids)
        found = vpc.default_subnet_group()
        found.subnets = dict(list(found.subnets.items())[:MOST_SUBNETS])
        return found

    def _check_users(self, user_group: str, version: Version) -> None:
        if user_group and version.engine == MEMCACHED:
            raise combination("UserGroupId is for Valkey and Redis OSS alone.")
        groups = [self._account.rbac.group(user_group)] if user_group else []
        for group in groups:
            rbac_rules.is_active(group)
        rbac_rules.attachments(groups, version, "required")

    def _require_engine(self, version: Version) -> None:
        try:
            self._fleet.require_engine(version.engine)
        except EngineMissing as missing:
            raise Refusal(NO_SUCH_PARAMETER, f"Engine {version.engine} is not implemented here: {missing}")

    # -- reading -------------------------------------------------------------------------------------------------
    @operation("DescribeServerlessCaches", "ServerlessCacheName", "MaxResults", "NextToken")
    def describe_serverless_caches(self, params: Params) -> Result:
        with self._account.lock:
            if "ServerlessCacheName" in params:
                found = [self._all.cache(params["ServerlessCacheName"])]
            else:
                found = [cache for _, cache in sorted(self._all.caches.items())]
            return page([describe.serverless_cache(cache) for cache in found], params, "ServerlessCaches")

    # -- changing ------------------------------------------------------------------------------------------------
    @operation(
        "ModifyServerlessCache",
        *("ServerlessCacheName", "Engine", "MajorEngineVersion", *rules.ONE_A_CALL),
    )
    def modify_serverless_cache(self, params: Params) -> Result:
        with self._account.lock:
            cache = self._all.cache(params["ServerlessCacheName"])
            require_available(cache)
            rules.modification(params)
            act = self._change(cache, params)
            self._work.begin(cache, MODIFYING, act)
            return {"ServerlessCache": describe.serverless_cache(cache)}

    def _change(self, cache: ServerlessCache, params: Params) -> Callable[[], None]:
        """What is looked over at once, and done in a while."""
        if "Engine" in params or "MajorEngineVersion" in params:
            return self._change_of_engine(cache, params)
        if "UserGroupId" in params or params.get("RemoveUserGroup"):
            return self._change_of_users(cache, params.get("UserGroupId", "").lower())
        if "CacheUsageLimits" in params:
            limits = rules.limits(params["CacheUsageLimits"], cache.limits)
            return self._then(cache, {"limits": limits}, lambda: self._fleet.apply_limits(cache))
        if "SecurityGroupIds" in params:
            vpc = self._subnets(cache.subnets).vpc
            groups = self._context.vpc.security_groups(params["SecurityGroupIds"], vpc)
            return self._then(cache, {"security_groups": groups}, self._fleet.apply_security_groups)
        rules.description(params.get("Description", ""))
        rules.snapshot_time(params.get("DailySnapshotTime", cache.snapshot_time))
        retention(params.get("SnapshotRetentionLimit", cache.retention))
        return self._then(cache, {_PLAIN[name]: params[name] for name in _PLAIN if name in params}, lambda: None)

    def _then(self, cache: ServerlessCache, values: dict[str, Any], apply: Callable[[], None]) -> Callable[[], None]:
        def act() -> None:
            with self._account.lock:
                for name, value in values.items():
                    setattr(cache, name, value)
            apply()

        return act

    def _change_of_engine(self, cache: ServerlessCache, params: Params) -> Callable[[], None]:
        now, engine = cache.version, params.get("Engine", cache.version.engine)
        wanted = rules.version(engine, params["MajorEngineVersion"])
        rules.engine_change(now, wanted)
        if (wanted.engine, wanted.number[0]) == (now.engine, now.number[0]):
            raise combination("No modifications were requested.")
        self._require_engine(wanted)
        self._check_users(cache.user_group, wanted)

        def act() -> None:
            self._fleet.change_engine(cache, wanted.engine)
            with self._account.lock:
                cache.version = wanted

        return act

    def _change_of_users(self, cache: ServerlessCache, user_group: str) -> Callable[[], None]:
        self._check_users(user_group, cache.version)
        return self._then(cache, {"user_group": user_group}, lambda: self.readmit(cache))

    def readmit(self, cache: ServerlessCache) -> None:
        """Let its engines know whom its user group admits by now."""
        self._fleet.admit(cache, self._access_of(cache))

    def _access_of(self, cache: ServerlessCache) -> Access:
        return access_of(self._account.rbac, cache.user_groups, Cache(cache.id, REGION, is_serverless=True))

    def readmit_all(self, user_group: str) -> None:
        for cache in self._all.users_of(user_group):
            if cache.engines is not None:
                self.readmit(cache)

    # -- deleting ------------------------------------------------------------------------------------------------
    @operation("DeleteServerlessCache", "ServerlessCacheName", "FinalSnapshotName")
    def delete_serverless_cache(self, params: Params) -> Result:
        with self._account.lock:
            cache = self._all.cache(params["ServerlessCacheName"])
            final = params.get("FinalSnapshotName", "")
            if cache.status == CREATE_FAILED and not final:
                cache.status = AVAILABLE  # it may be deleted as it is; there is nothing to keep
            require_available(cache)
            if final:
                refuse_snapshot_of_memcached(cache.version)
            name = self._snapshots.new_name(final) if final else ""
            self._work.begin(cache, DELETING, lambda: self._delete(cache, name))
            return {"ServerlessCache": describe.serverless_cache(cache)}

    def _delete(self, cache: ServerlessCache, final: str) -> None:
        if final:
            self._snapshots.write(cache, self._snapshots.enter(cache, final, "", {}))
        self._work.take_time()
        self._fleet.stop(cache)
        with self._account.lock:
            del self._all.caches[cache.id]
            self._account.tags.pop(cache.arn, None)
