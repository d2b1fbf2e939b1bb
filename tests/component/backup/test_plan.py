"""What decommission_plan reads of AWS itself before it lets an instance go: how it is reached, and its backup; moto."""

from __future__ import annotations

import datetime
import hashlib

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.modules import decommission_plan
from moto.ec2.models.elastic_network_interfaces import NetworkInterface

TARGET = "master.cache.example"
VALUE = {
    "name": "REDIS_URL",
    "original": {"host": "10.0.0.9", "port": 6379},
    "addresses": ["10.0.0.9"],
    "current": {"host": TARGET, "port": 6379},
}
ON_TARGET = {"stores": [VALUE]}
BUCKET, KEY = "last-backups", "cache_migration/shop/20261122T110000Z.rdb"
DATA = b"REDIS0011 what it held"


@pytest.fixture
def instance(connect):
    """One that was stopped."""
    ec2 = connect("ec2")
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[made])
    return made


@pytest.fixture
def plan_of(run_module, moto_options):
    def run(instance, **options):
        asked = {"migration_name": "shop", "hosts": {"app1": ON_TARGET}, "target_address": TARGET, **options}
        return run_module(decommission_plan.main, instance_id=instance, **asked, **moto_options)

    return run


@pytest.fixture
def plan(plan_of, connect, instance):
    """What comes of asking for its end, with a backup of which the ledger says this."""
    s3, ssm = connect("s3"), connect("ssm")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=DATA)

    def run(*, hold=0.0, **differs):
        kept = {"bucket": BUCKET, "key": KEY, "size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest(), **differs}
        ledger.write(ssm, "shop", "backup", kept)
        stopped = {"step": "stopped", "instance_id": instance, "time": "2026-01-01T00:00:00Z"}
        ledger.write(ssm, "shop", "decommission", stopped)
        return plan_of(instance, hold=hold, terminate=True, bucket=BUCKET)

    return run


def test_an_instance_that_is_reached_by_an_address_that_aws_lends_is_not_stopped(
    plan_of, connect, instance, monkeypatch
):
    ec2 = connect("ec2")
    ec2.start_instances(InstanceIds=[instance])
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    place = {"host": found["PublicDnsName"], "port": 6379}
    hosts = {"app1": {"stores": [{**VALUE, "original": place, "addresses": [found["PrivateIpAddress"]]}]}}

    assert "instance" not in plan_of(instance, migration_name="other", hosts=hosts)["reasons"], (
        "here all are Elastic IPs"
    )
    own = NetworkInterface.association.fget
    lent = property(lambda self: {**own(self), "ipOwnerId": "amazon"})
    monkeypatch.setattr(NetworkInterface, "association", lent)
    refused = plan_of(instance, migration_name="other", hosts=hosts)
    assert "instance" in refused["reasons"]
    assert f"to a public address that AWS lends to {instance}" in refused["msg"]


def test_the_object_that_was_sent_lets_it_end(plan):
    assert plan()["step"] == "terminate"
    assert plan(size=str(len(DATA)))["step"] == "terminate", "as ansible-core before 2.19 wrote it"


def test_another_object_of_the_same_size_does_not(plan, connect):
    other = DATA.replace(b"what", b"that")
    connect("s3").put_object(Bucket=BUCKET, Key=KEY, Body=other)
    refused = plan()
    assert refused["reasons"] == ["backup"]
    assert f"its sha256 is {hashlib.sha256(other).hexdigest()} there" in refused["msg"]
    assert "rollback.yml" in refused["msg"]


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"size": 9}, f"it has {len(DATA)} bytes there"),
        ({"size": None}, f"it has {len(DATA)} bytes there"),
        ({"sha256": None}, "its sha256 is "),
        ({"key": "cache_migration/shop/none.rdb"}, "it is not there"),
    ],
)
def test_an_entry_of_something_else_does_not(plan, differs, why):
    refused = plan(**differs)
    assert refused["reasons"] == ["backup"] and why in refused["msg"]


def test_one_that_somebody_stopped_later_is_not_ended(plan, instance, monkeypatch):
    monkeypatch.setattr(decommission_plan.decommission, "_STOP_FOLLOWS_NOTE", datetime.timedelta(hours=-1))
    refused = plan()
    assert refused["reasons"] == ["instance"]
    assert f"{instance} was stopped by somebody else at " in refused["msg"]


def test_what_is_refused_anyway_is_not_read_as_a_whole(plan, monkeypatch):
    monkeypatch.setattr(decommission_plan.last_backup, "stored_digest", None)
    assert plan(hold=1e6)["reasons"] == ["hold"]
    assert plan(hold=1e6, size=9)["reasons"] == ["backup", "hold"]
