"""TagResource, UntagResource, ListTags."""

from __future__ import annotations

from sandbox.aws.elasticache.tags import MOST_TAGS, shown, tags_given
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.rules import require_available
from sandbox.aws.memorydb.state import CREATING, Account
from sandbox.aws.wire import Params, Refusal, Result, operation


class Tags:
    def __init__(self, context: Context) -> None:
        self._account = context.account

    @operation("ListTags", "ResourceArn")
    def list_tags(self, params: Params) -> Result:
        with self._account.lock:
            arn = tagged(self._account, params["ResourceArn"])
            cluster = next((c for c in self._account.clusters.values() if c.arn == arn), None)
            if cluster and cluster.status == CREATING:
                raise Refusal("InvalidClusterStateFault", f"Cluster {cluster.id} is not in a valid state for this.")
            return shown(self._account.tags.get(arn, {}))

    @operation("TagResource", "ResourceArn", "Tags")
    def tag_resource(self, params: Params) -> Result:
        tags = tags_given(params)
        with self._account.lock:
            arn = self._writable(params["ResourceArn"])
            after = {**self._account.tags.get(arn, {}), **tags}
            if len(after) > MOST_TAGS:
                raise Refusal("TagQuotaPerResourceExceeded", f"A resource has at most {MOST_TAGS} tags.")
            self._account.tags[arn] = after
            return shown(after)

    @operation("UntagResource", "ResourceArn", "TagKeys")
    def untag_resource(self, params: Params) -> Result:
        with self._account.lock:
            arn = self._writable(params["ResourceArn"])
            now = self._account.tags.setdefault(arn, {})
            missing = [key for key in params["TagKeys"] if key not in now]
            if missing:
                raise Refusal("TagNotFoundFault", f"{arn} has no tag {', '.join(missing)}.")
            for key in params["TagKeys"]:
                now.pop(key)
            return shown(now)

    def _writable(self, arn: str) -> str:
        arn = tagged(self._account, arn)
        for cluster in self._account.clusters.values():
            if cluster.arn == arn:
                require_available(cluster)
        return arn


def tagged(account: Account, arn: str) -> str:
    """The ARN of a resource that exists."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "memorydb"] or "/" not in parts[5]:
        raise Refusal("InvalidARNFault", f"{arn} is not the ARN of a MemoryDB resource.")
    kind, _, name = parts[5].partition("/")
    finders = {
        "cluster": account.cluster,
        "subnetgroup": account.subnet_group,
        "parametergroup": account.parameter_group,
        "user": account.user,
        "acl": account.acl,
        "snapshot": account.snapshot,
    }
    if kind not in finders:
        raise Refusal("InvalidARNFault", f"{arn}: this sandbox has no resources of the kind {kind}.")
    return str(finders[kind](name).arn)  # type: ignore[operator]
