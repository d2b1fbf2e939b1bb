"""What the account holds, and that its instances and security groups are real."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from sandbox.api import Sandbox
from sandbox.places import TOKEN_SECRET, URL_PARAMETER

pytestmark = pytest.mark.long  # each scenario rests on it

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 6379), 1).close(); print('open')"
KEY = "import redis, sys; r = redis.from_url(sys.stdin.readline().strip()); r.{}; print(r.get('test:kept'))"


def old_url(sandbox: Sandbox) -> bytes:
    return sandbox.read("app1", "/opt/shop/.env").partition(b"REDIS_URL=")[2].split()[0] + b"\n"


def reach_old_redis(sandbox: Sandbox) -> str:
    done = sandbox.run("app1", ["/opt/shop/venv/bin/python", "-c", CONNECT, "old-redis.internal"])
    return (done.stdout + done.stderr).decode().strip().splitlines()[-1]


def test_the_account_holds_the_instances_and_nothing_of_a_cache(sandbox: Sandbox) -> None:
    found = sandbox.client("ec2").describe_instances()["Reservations"]
    instances = {tag["Value"]: i for r in found for i in r["Instances"] for tag in i["Tags"] if tag["Key"] == "Name"}
    assert set(instances) == {*sandbox.hosts, "old-redis"}
    assert {name: instances[name]["PrivateIpAddress"] for name in sandbox.hosts} == sandbox.hosts
    cache = sandbox.client("elasticache")
    assert cache.describe_replication_groups()["ReplicationGroups"] == []
    assert cache.describe_cache_subnet_groups()["CacheSubnetGroups"] == []
    groups = sandbox.client("ec2").describe_security_groups()["SecurityGroups"]
    assert {group["GroupName"] for group in groups} == {"default", "app", "old-redis"}


def test_the_token_is_one_that_elasticache_takes(sandbox: Sandbox) -> None:
    token = sandbox.client("secretsmanager").get_secret_value(SecretId=TOKEN_SECRET)["SecretString"]
    assert len(token) == 32
    assert not set(token) & set('@"/ ')


def test_the_parameter_holds_the_url_that_the_hosts_have(sandbox: Sandbox) -> None:
    found = sandbox.client("ssm").get_parameter(Name=URL_PARAMETER, WithDecryption=True)["Parameter"]
    assert found["Value"].encode() == old_url(sandbox).strip()
    assert found["Type"] == "SecureString"


def test_a_fresh_sandbox_has_made_no_call_that_a_migration_would_be_blamed_for(sandbox: Sandbox) -> None:
    made = [call for call in sandbox.calls()["calls"] if call["access"] == "write" and not call.get("internal")]
    known = {"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress", "StopInstances", "StartInstances"}
    assert {call["action"] for call in made} <= known  # those of the other tests here


def test_without_its_rule_a_security_group_lets_a_new_connection_time_out(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["old-redis"]}])["SecurityGroups"]
    rule = {"GroupId": groups[0]["GroupId"], "IpPermissions": groups[0]["IpPermissions"]}
    assert reach_old_redis(sandbox) == "open"
    ec2.revoke_security_group_ingress(**rule)
    try:
        assert "timed out" in reach_old_redis(sandbox)
    finally:
        ec2.authorize_security_group_ingress(**rule)
    assert reach_old_redis(sandbox) == "open"


def test_the_old_redis_stops_with_its_instance_and_comes_back_with_its_data(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2")
    found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["old-redis"]}])["Reservations"]
    ids = [found[0]["Instances"][0]["InstanceId"]]
    beside = [sys.executable, "-c"]
    sandbox.beside("app1", [*beside, KEY.format("set('test:kept', 'yes')")], input=old_url(sandbox))
    ec2.stop_instances(InstanceIds=ids)
    try:
        assert reach_old_redis(sandbox) != "open"
    finally:
        ec2.start_instances(InstanceIds=ids)
    deadline = time.monotonic() + 10
    while reach_old_redis(sandbox) != "open":
        assert time.monotonic() < deadline
    done = sandbox.beside("app1", [*beside, KEY.format("ping()")], input=old_url(sandbox))
    assert done.stdout.strip() == b"b'yes'", done.stderr.decode()


def test_the_seeded_data_is_there_and_the_machine_itself_reaches_none_of_it(sandbox: Sandbox) -> None:
    digest = sandbox.beside("app1", [sys.executable, "-m", "sandbox.seed", "--digest"], input=old_url(sandbox))
    assert digest.returncode == 0, digest.stderr.decode()
    interfaces = {name for _, name in socket.if_nameindex()}
    assert "br0" not in interfaces
