"""AddTagsToResource, RemoveTagsFromResource, ListTagsForResource."""

from __future__ import annotations

from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.state import Account
from sandbox.aws.elasticache.work import require_available
from sandbox.aws.wire import Params, Refusal, Result, operation

MOST_TAGS = 50


def tags_given(params: Params) -> dict[str, str]:
    """The tags of a call, looked over."""
    tags = {tag["Key"]: tag.get("Value", "") for tag in params.get("Tags", [])}
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            text = (
                f"Tag {key[:128]!r}: a key has 1 to 128 characters and does not begin with aws:, a value at most 256."
            )
            raise Refusal("InvalidParameterValue", text)
    if len(tags) > MOST_TAGS:
        raise Refusal("TagQuotaPerResourceExceeded", f"A resource has at most {MOST_TAGS} tags.")
    return tags


def shown(tags: dict[str, str]) -> Result:
    return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}


class Tags:
    def __init__(self, context: Context) -> None:
        self._account = context.account

    @operation("ListTagsForResource", "ResourceName")
    def list_tags_for_resource(self, params: Params) -> Result:
        with self._account.lock:
            return shown(self._account.tags.get(tagged_arns(self._account, params["ResourceName"])[0], {}))

    @operation("AddTagsToResource", "ResourceName", "Tags")
    def add_tags_to_resource(self, params: Params) -> Result:
        with self._account.lock:
            arns = self._writable(params["ResourceName"])
            added = tags_given(params)
            if len({**self._account.tags.get(arns[0], {}), **added}) > MOST_TAGS:
                raise Refusal("TagQuotaPerResourceExceeded", f"A resource has at most {MOST_TAGS} tags.")
            for arn in arns:
                self._account.tags.setdefault(arn, {}).update(added)
            return shown(self._account.tags[arns[0]])

    @operation("RemoveTagsFromResource", "ResourceName", "TagKeys")
    def remove_tags_from_resource(self, params: Params) -> Result:
        with self._account.lock:
            arns = self._writable(params["ResourceName"])
            missing = [key for key in params["TagKeys"] if key not in self._account.tags.get(arns[0], {})]
            if missing:
                raise Refusal("TagNotFound", f"{arns[0]} has no tag {', '.join(missing)}.")
            for arn in arns:
                for key in params["TagKeys"]:
                    self._account.tags.get(arn, {}).pop(key, None)
            return shown(self._account.tags.get(arns[0], {}))

    def _writable(self, arn: str) -> list[str]:
        arns = tagged_arns(self._account, arn)
        kind, name = kind_and_name(arn)
        if kind == "replicationgroup":
            require_available(self._account.replication_group(name))
        if kind == "cluster" and name in self._account.cache_clusters:
            require_available(self._account.cache_cluster(name))
        if kind == "serverlesscache":
            require_available(self._account.serverless.cache(name))
        return arns


def kind_and_name(arn: str) -> tuple[str, str]:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "elasticache"]:
        raise Refusal("InvalidARN", f"{arn} is not the ARN of an ElastiCache resource.")
    return parts[5], parts[6]


def tagged_arns(account: Account, arn: str) -> list[str]:
    """The ARN of a resource that exists; a replication group's nodes have its tags too, as AWS copies them."""
    kind, name = kind_and_name(arn)
    if kind == "replicationgroup":
        group = account.replication_group(name)
        return [group.arn, *(member.arn for member in group.members)]
    if kind == "cluster" and name in account.cache_clusters:
        return [account.cache_cluster(name).arn]
    if kind == "cluster":
        return [account.member(name)[1].arn]
    if kind == "subnetgroup":
        return [account.subnet_group(name).arn]
    if kind == "parametergroup":
        return [account.parameter_group(name).arn]
    if kind == "user":
        return [account.rbac.user(name).arn]
    if kind == "usergroup":
        return [account.rbac.group(name).arn]
    if kind == "serverlesscache":
        return [account.serverless.cache(name).arn]
    if kind == "serverlesscachesnapshot":
        return [account.serverless.snapshot(name).arn]
    if kind == "snapshot":
        return [account.snapshot(name).arn]
    raise Refusal("InvalidARN", f"{arn}: this sandbox has no resources of the kind {kind}.")
