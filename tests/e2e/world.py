"""All that a migration may change, as one value that can be compared, and the way to have it all back at once.

What a run of ansible-playbook finds is this alone, since it keeps nothing on the controller: from two equal worlds, two
runs go the same way.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress

ENV_FILE = "/opt/shop/.env"
STATE_DIR = "/var/lib/cache_migration"
LEDGER = "/cache_migration/sandbox/"
PARAMETER = "/kempian/sandbox/REDIS_URL"
OURS = "sandbox-cache"
GROUP = "kempian-cache"
SETTLED_SECONDS = 30


def look(stage) -> dict:
    """The world once nothing moves in it. Equal worlds have equal values, whatever ids AWS gave."""
    settle(stage)
    return {
        "hosts": {host: look_at_host(stage, host) for host in stage.hosts},
        "made": made(stage.sandbox),
        "old instance": old_instance(stage.sandbox)["State"]["Name"],
        "parameters": parameters(stage.sandbox.client("ssm")),
        "retired": ledger_of(stage, "decommission").get("step", ""),
    }


def look_at_host(stage, host: str) -> dict:
    journal = stage.sandbox.run(host, ["sh", "-c", f"cat {STATE_DIR}/*/journal.json 2>/dev/null"]).stdout
    originals = [entry.get("original") for entry in json.loads(journal or b"{}").get("entries", [])]
    connected = stage.connections()[host]
    return {
        "file": digest(stage.sandbox.read(host, ENV_FILE)),
        "journal": digest(repr(originals).encode()) if journal else "",
        "on": [where for where in ("old", "new") if connected[where]],
    }


def made(sandbox) -> dict[str, list]:
    """What is in the account of each kind that migrate.yml makes, the name of each once for each that there is."""
    ec2, elasticache = sandbox.client("ec2"), sandbox.client("elasticache")
    groups = [group for group in ec2.describe_security_groups()["SecurityGroups"] if group["GroupName"] == OURS]
    return {
        "security groups": [(group["GroupName"], tags(group.get("Tags", []))) for group in groups],
        "ingress rules": sorted(rule for group in groups for rule in rules_of(group)),
        "subnet groups": sorted(
            group["CacheSubnetGroupName"] for group in elasticache.describe_cache_subnet_groups()["CacheSubnetGroups"]
        ),
        "parameter groups": sorted(
            (group["CacheParameterGroupName"], values_of(elasticache, group["CacheParameterGroupName"]))
            for group in elasticache.describe_cache_parameter_groups()["CacheParameterGroups"]
            if not group["CacheParameterGroupName"].startswith("default.")
        ),
        "replication groups": sorted(
            (group["ReplicationGroupId"], group["Status"], len(group["MemberClusters"]))
            for group in elasticache.describe_replication_groups()["ReplicationGroups"]
        ),
    }


def tags(listed: list) -> list:
    return sorted((tag["Key"], tag["Value"]) for tag in listed)


def rules_of(group: dict) -> list[str]:
    sources = [
        (rule, pair.get("GroupId") or pair.get("CidrIp"))
        for rule in group["IpPermissions"]
        for pair in [*rule.get("UserIdGroupPairs", []), *rule.get("IpRanges", [])]
    ]
    return [f"{rule['IpProtocol']} {rule.get('FromPort')}-{rule.get('ToPort')} {source}" for rule, source in sources]


def values_of(elasticache, name: str) -> list:
    found = elasticache.describe_cache_parameters(CacheParameterGroupName=name, Source="user")["Parameters"]
    return sorted((each["ParameterName"], each.get("ParameterValue")) for each in found)


def parameters(ssm) -> dict[str, str]:
    """Each parameter with its value; of the ledger's that there is one, as times are in it. A lock belongs to a run."""
    pages = ssm.get_paginator("describe_parameters").paginate()
    names = sorted(each["Name"] for page in pages for each in page["Parameters"])
    return {
        name: "there" if name.startswith(LEDGER) else digest(value_of(ssm, name).encode())
        for name in names
        if name != LEDGER + "lock"
    }


def ledger_of(stage, entry: str) -> dict:
    """What the ledger holds under this name; empty where there is none."""
    ssm = stage.sandbox.client("ssm")
    with suppress(ssm.exceptions.ParameterNotFound):
        return json.loads(value_of(ssm, LEDGER + entry))
    return {}


def old_instance(sandbox) -> dict:
    return instance(sandbox, "old-redis")


def assert_no_more_than_a_failover(figures: dict) -> None:
    """Connections are dropped where a node is replaced, and what was under way on them fails."""
    print(f"in place: {figures['requests_total']} requests, {figures['failed']} failed")
    assert figures["requests_total"] > 100
    assert figures["failed"] < figures["requests_total"] / 20, figures["failures"]


def instance(sandbox, name: str) -> dict:
    filters = [{"Name": "tag:Name", "Values": [name]}]
    return sandbox.client("ec2").describe_instances(Filters=filters)["Reservations"][0]["Instances"][0]


def value_of(ssm, name: str) -> str:
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def until(is_so, seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)


def settle(stage) -> None:
    """Until nothing that a run began is still under way: its processes, what AWS makes or stops, an app that starts."""

    def has_ended():
        return not stage.left_running() and is_still(stage.sandbox) and stage.all_healthy()

    until(has_ended, SETTLED_SECONDS, "what the killed run began does not end")


def is_still(sandbox) -> bool:
    groups = sandbox.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    is_made = all(group["Status"] == "available" for group in groups)
    return is_made and old_instance(sandbox)["State"]["Name"] in ("running", "stopped", "terminated")


def reset(stage) -> None:
    """Have the world as it was before the first run: values, services, and nothing made."""
    put_back(stage)
    take_down_target(stage.sandbox)


def put_back(stage) -> None:
    """Have every host on the old Redis again, with no journal, ledger or shared value left; the target stays."""
    settle(stage)
    ssm = stage.sandbox.client("ssm")
    for name in parameters(ssm):
        if name.startswith(LEDGER):
            ssm.delete_parameter(Name=name)
    if value_of(ssm, PARAMETER) != stage.original_parameter:
        ssm.put_parameter(Name=PARAMETER, Value=stage.original_parameter, Type="SecureString", Overwrite=True)
    for host, original in stage.originals.items():
        stage.sandbox.run(host, ["rm", "-rf", STATE_DIR])
        if stage.sandbox.read(host, ENV_FILE) != original:
            stage.replace_file(host, ENV_FILE, original)
    if not stage.on_old():
        stage.restart_app()


def bring_old_redis_back(stage) -> None:
    """Have the old Redis serve again, and nothing said of it in the ledger."""
    settle(stage)
    ec2, ssm = stage.sandbox.client("ec2"), stage.sandbox.client("ssm")
    for entry in ("backup", "decommission"):
        with suppress(ssm.exceptions.ParameterNotFound):
            ssm.delete_parameter(Name=LEDGER + entry)
    ec2.start_instances(InstanceIds=[old_instance(stage.sandbox)["InstanceId"]])
    stage.old_redis(UNTIL_IT_ANSWERS)


UNTIL_IT_ANSWERS = f"""
import time
end = time.monotonic() + {SETTLED_SECONDS}
while True:
    try:
        r.ping()
        break
    except redis.RedisError:
        assert time.monotonic() < end
        time.sleep(0.1)
"""


def take_down_target(sandbox) -> None:
    ec2, elasticache = sandbox.client("ec2"), sandbox.client("elasticache")
    with suppress(elasticache.exceptions.ReplicationGroupNotFoundFault):
        elasticache.delete_replication_group(ReplicationGroupId=GROUP)
    until(
        lambda: not elasticache.describe_replication_groups()["ReplicationGroups"],
        SETTLED_SECONDS,
        "the replication group is not deleted",
    )
    with suppress(elasticache.exceptions.CacheSubnetGroupNotFoundFault):
        elasticache.delete_cache_subnet_group(CacheSubnetGroupName=OURS)
    with suppress(elasticache.exceptions.CacheParameterGroupNotFoundFault):
        elasticache.delete_cache_parameter_group(CacheParameterGroupName=OURS)
    for group in ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [OURS]}])["SecurityGroups"]:
        ec2.delete_security_group(GroupId=group["GroupId"])
