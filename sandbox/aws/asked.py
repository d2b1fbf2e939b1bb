"""Which permissions a call needs, and on what: also those that AWS asks for without a call of their own. Pure.

Where a call does not tell what it is about, its resource is `*`, which a statement allows that names `*` alone.
What only shows at AWS is not here: a service-linked role, the use of a KMS key, a role that is passed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.aws.calls import Call

ACCOUNT, REGION = "123456789012", "us-east-1"


@dataclass(frozen=True)
class Asked:
    action: str
    resource: str


def account_arn(service: str, resource: str, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def asked_of(call: Call) -> list[Asked]:
    """In the order in which AWS would name what is missing: the call itself first."""
    service = _SERVICES.get(call.service)
    if service is None:
        return [Asked(f"{call.service}:{call.action}", "*")]
    return list(dict.fromkeys(service(call)))


# --- ElastiCache ---

# Parameters of its calls, and the kind of resource that each names.
_ELASTICACHE = {
    "ReplicationGroupId": "replicationgroup",
    "CacheClusterId": "cluster",
    "CacheSubnetGroupName": "subnetgroup",
    "CacheParameterGroupName": "parametergroup",
    "UserId": "user",
    "UserGroupId": "usergroup",
    "SnapshotName": "snapshot",
    "SourceSnapshotName": "snapshot",
    "TargetSnapshotName": "snapshot",
    "FinalSnapshotIdentifier": "snapshot",
    "ServerlessCacheName": "serverlesscache",
    "ServerlessCacheSnapshotName": "serverlesscachesnapshot",
    "SourceServerlessCacheSnapshotName": "serverlesscachesnapshot",
    "TargetServerlessCacheSnapshotName": "serverlesscachesnapshot",
    "FinalSnapshotName": "serverlesscachesnapshot",
}
_NOT_NARROWED = re.compile(r"Describe|ListAllowed")  # AWS knows resources for them, and we ask for all


def _elasticache(call: Call) -> Iterator[Asked]:
    told, action = call.parameters, f"elasticache:{call.action}"
    arns = [account_arn("elasticache", f"{kind}:{told[name]}") for name, kind in _ELASTICACHE.items() if told.get(name)]
    arns += [str(value) for name, value in told.items() if name.startswith("SnapshotArnsToRestore.")]
    if "ResourceName" in told:
        arns = [str(told["ResourceName"])]
    if _NOT_NARROWED.match(call.action) or not arns:
        arns = ["*"]
    yield from (Asked(action, arn) for arn in arns)
    if _has_tags(told) and call.action.startswith(("Create", "Copy")):
        yield Asked("elasticache:AddTagsToResource", _made(call.action, told))
    if told.get("FinalSnapshotIdentifier"):
        snapshot = account_arn("elasticache", f"snapshot:{told['FinalSnapshotIdentifier']}")
        yield Asked("elasticache:CreateSnapshot", snapshot)
        of = next(name for name in ("ReplicationGroupId", "CacheClusterId") if name in told)
        yield Asked("elasticache:CreateSnapshot", account_arn("elasticache", f"{_ELASTICACHE[of]}:{told[of]}"))

    if told.get("FinalSnapshotName"):
        yield from (Asked("elasticache:CreateServerlessCacheSnapshot", arn) for arn in arns)


def _made(action: str, told: Mapping[str, str]) -> str:
    name = {
        "CreateCacheSubnetGroup": "CacheSubnetGroupName",
        "CreateCacheParameterGroup": "CacheParameterGroupName",
        "CreateUser": "UserId",
        "CreateUserGroup": "UserGroupId",
        "CreateCacheCluster": "CacheClusterId",
        "CreateSnapshot": "SnapshotName",
        "CopySnapshot": "TargetSnapshotName",
        "CreateServerlessCache": "ServerlessCacheName",
        "CreateServerlessCacheSnapshot": "ServerlessCacheSnapshotName",
        "CopyServerlessCacheSnapshot": "TargetServerlessCacheSnapshotName",
    }
    of = name.get(action, "ReplicationGroupId")
    return account_arn("elasticache", f"{_ELASTICACHE[of]}:{told[of]}")


def _has_tags(told: Mapping[str, object]) -> bool:
    return any(name == "Tags" or name.startswith(("Tags.", "TagSpecification.")) for name in told)


# --- MemoryDB ---

_MEMORYDB = {
    "ClusterName": "cluster",
    "SubnetGroupName": "subnetgroup",
    "ParameterGroupName": "parametergroup",
    "ACLName": "acl",
    "UserName": "user",
    "SnapshotName": "snapshot",
    "SourceSnapshotName": "snapshot",
    "TargetSnapshotName": "snapshot",
    "FinalSnapshotName": "snapshot",
}
_USER_LISTS = ("UserNames", "UserNamesToAdd", "UserNamesToRemove")
_MADE = {
    "CreateCluster": "ClusterName",
    "CreateSubnetGroup": "SubnetGroupName",
    "CreateParameterGroup": "ParameterGroupName",
    "CreateACL": "ACLName",
    "CreateUser": "UserName",
    "CreateSnapshot": "SnapshotName",
    "CopySnapshot": "TargetSnapshotName",
}


def _memorydb(call: Call) -> Iterator[Asked]:
    told, action = call.parameters, f"memorydb:{call.action}"
    names = [(kind, told[name]) for name, kind in _MEMORYDB.items() if told.get(name)]
    names += [("user", user) for name in _USER_LISTS for user in told.get(name) or ()]
    arns = [account_arn("memorydb", f"{kind}/{name}") for kind, name in names]
    if "ResourceArn" in told:
        arns = [str(told["ResourceArn"])]
    if _NOT_NARROWED.match(call.action) or not arns:
        arns = ["*"]
    yield from (Asked(action, arn) for arn in arns)
    made = _MADE.get(call.action)
    if told.get("Tags") and made:
        yield Asked("memorydb:TagResource", account_arn("memorydb", f"{_MEMORYDB[made]}/{told[made]}"))
    if told.get("FinalSnapshotName"):
        yield from (Asked("memorydb:CreateSnapshot", arn) for arn in arns)


# --- EC2 ---


def _ec2(call: Call) -> Iterator[Asked]:
    told, action = call.parameters, f"ec2:{call.action}"
    if call.action.startswith("Describe"):
        yield Asked(action, "*")
        return
    arns = []
    if call.action == "CreateSecurityGroup":
        arns.append(account_arn("ec2", "security-group/*"))
        arns += [account_arn("ec2", f"vpc/{told['VpcId']}")] if told.get("VpcId") else []
    elif told.get("GroupId"):
        arns.append(account_arn("ec2", f"security-group/{told['GroupId']}"))
    arns += [account_arn("ec2", f"instance/{value}") for name, value in told.items() if name.startswith("InstanceId")]
    yield from (Asked(action, arn) for arn in arns or ["*"])
    if _has_tags(told):
        yield Asked("ec2:CreateTags", arns[0] if arns else "*")


# --- Systems Manager, Secrets Manager ---


def _ssm(call: Call) -> Iterator[Asked]:
    told, action = call.parameters, f"ssm:{call.action}"
    name = told.get("Name") or told.get("Path") or told.get("ResourceId")
    if not isinstance(name, str):
        yield Asked(action, "*")
        return
    yield Asked(action, _parameter(name))
    if told.get("Tags"):
        yield Asked("ssm:AddTagsToResource", _parameter(name))


def _parameter(name: str) -> str:
    """Without a version or label; AWS names the parameter as its path has it."""
    return account_arn("ssm", f"parameter/{name.partition(':')[0].lstrip('/')}")


def _secretsmanager(call: Call) -> Iterator[Asked]:
    told, action = call.parameters, f"secretsmanager:{call.action}"
    name = told.get("SecretId") or told.get("Name")
    if not isinstance(name, str):
        yield Asked(action, "*")
        return
    arn = name if name.startswith("arn:") else account_arn("secretsmanager", f"secret:{name}")
    yield Asked(action, arn)
    if call.action == "CreateSecret" and told.get("Tags"):
        yield Asked("secretsmanager:TagResource", arn)


# --- S3 ---

# Operations whose permission has another name, and those that are about a bucket.
_S3 = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
}
_OF_A_BUCKET = ("ListBucket", "CreateBucket", "DeleteBucket")


def _s3(call: Call) -> Iterator[Asked]:
    action = _S3.get(call.action, call.action)
    bucket, _, key = call.path.lstrip("/").partition("/")
    if action == "ListBuckets":
        yield Asked("s3:ListAllMyBuckets", "*")
    else:
        yield Asked(f"s3:{action}", f"arn:aws:s3:::{bucket}" + ("" if action in _OF_A_BUCKET else f"/{key}"))


_SERVICES: Mapping[str, Callable[[Call], Iterator[Asked]]] = {
    "elasticache": _elasticache,
    "memorydb": _memorydb,
    "ec2": _ec2,
    "ssm": _ssm,
    "secretsmanager": _secretsmanager,
    "s3": _s3,
}
