"""The one call that leads an instance to a state, or none."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.instance import (
    Instance,
    check_instance_id,
    plan_state,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

ID = "i-0123456789abcdef0"


def actions(state, wanted, **more):
    current = Instance(ID, state, **more) if state else None
    return [(step.action, step.parameters) for step in plan_state(current, ID, wanted).steps]


@pytest.mark.parametrize(
    ("state", "wanted", "action"),
    [
        ("running", "stopped", "StopInstances"),
        ("stopped", "running", "StartInstances"),
        ("stopped", "terminated", "TerminateInstances"),
        ("running", "terminated", "TerminateInstances"),
    ],
)
def test_one_call_names_one_instance(state, wanted, action):
    assert actions(state, wanted) == [(action, {"InstanceIds": [ID]})]


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        *[("running", "running"), ("pending", "running"), ("stopped", "stopped"), ("stopping", "stopped")],
        *[("terminated", "terminated"), ("shutting-down", "terminated"), (None, "terminated")],
        ("stopping", "running"),  # EC2 refuses a start until it has stopped: the next run does it
    ],
)
def test_what_is_there_or_on_its_way_needs_no_call(state, wanted):
    assert actions(state, wanted) == []


@pytest.mark.parametrize("state", [None, "terminated", "shutting-down"])
def test_what_is_gone_cannot_be_started(state):
    with pytest.raises(PlanRefused, match="cannot be running any more"):
        actions(state, "running")


@pytest.mark.parametrize("wanted", ["stopped", "terminated"])
@pytest.mark.parametrize("guard", ["disableApiTermination", "disableApiStop"])
def test_a_protected_one_is_left_alone_whoever_asks(wanted, guard):
    with pytest.raises(PlanRefused, match=guard):
        actions("running", wanted, protections=(guard,))


def test_all_its_addresses_and_names_are_known():
    found = shape(
        {
            "InstanceId": ID,
            "State": {"Name": "running"},
            "PrivateIpAddress": "10.0.0.9",
            "PrivateDnsName": "ip-10-0-0-9.ec2.internal",
            "PublicIpAddress": "192.0.2.9",
            "NetworkInterfaces": [
                {
                    "PrivateIpAddresses": [
                        {"PrivateIpAddress": "10.0.0.9", "Association": {"PublicIp": "192.0.2.9"}},
                        {"PrivateIpAddress": "10.0.0.10"},
                    ],
                    "Ipv6Addresses": [{"Ipv6Address": "fd00::9"}],
                }
            ],
        }
    )
    assert found.addresses == ("10.0.0.9", "192.0.2.9", "10.0.0.10", "fd00::9")
    assert found.names == ("ip-10-0-0-9.ec2.internal",)


LENT, ELASTIC = "192.0.2.9", "198.51.100.9"
LENT_NAME, ELASTIC_NAME = (f"ec2-{one.replace('.', '-')}.compute-1.amazonaws.com" for one in (LENT, ELASTIC))


def associated(address, name, owner):
    """As EC2 tells it of an instance with one interface, which has a second private address too."""
    association = {"PublicIp": address, "PublicDnsName": name, "IpOwnerId": owner}
    private = [{"PrivateIpAddress": "10.0.0.9", "Association": association}, {"PrivateIpAddress": "10.0.0.10"}]
    return shape(
        {
            "InstanceId": ID,
            "State": {"Name": "running"},
            "PrivateIpAddress": "10.0.0.9",
            "PrivateDnsName": "ip-10-0-0-9.ec2.internal",
            "PublicIpAddress": address,
            "PublicDnsName": name,
            "NetworkInterfaces": [{"Association": association, "PrivateIpAddresses": private}],
        }
    )


def test_a_stop_takes_away_what_aws_lends_and_leaves_an_elastic_ip():
    assert associated(LENT, LENT_NAME, "amazon").released == (LENT, LENT_NAME)
    assert associated(ELASTIC, ELASTIC_NAME, "123456789012").released == ()


@pytest.mark.parametrize(
    ("host", "addresses", "is_lost"),
    [
        (LENT, [LENT], True),
        (LENT_NAME, [LENT], True),
        (LENT_NAME, ["10.0.0.9"], True),  # as the name resolves within the VPC
        (LENT_NAME.upper(), ["10.0.0.9"], True),
        ("redis.example.com", [LENT], True),
        ("redis.example.com", ["10.0.0.9"], False),
        ("redis.example.com", [LENT, "10.0.0.9"], False),
        ("10.0.0.9", ["10.0.0.9"], False),
        ("ip-10-0-0-9.ec2.internal", ["10.0.0.9"], False),
        ("elsewhere.example.com", ["10.9.9.9"], False),  # another machine: that is told by itself
    ],
)
def test_what_leads_there_by_what_aws_lends_is_lost_by_a_stop(host, addresses, is_lost):
    assert associated(LENT, LENT_NAME, "amazon").is_lost_by_a_stop(host, addresses) is is_lost


def test_what_leads_there_by_an_elastic_ip_is_not_lost():
    found = associated(ELASTIC, ELASTIC_NAME, "123456789012")
    assert not found.is_lost_by_a_stop(ELASTIC, [ELASTIC]) and not found.is_lost_by_a_stop(ELASTIC_NAME, [ELASTIC])


def test_an_id_that_is_none_is_refused():
    with pytest.raises(PlanRefused, match="migration_old_instance_id"):
        check_instance_id("old-redis")


def test_when_it_was_launched_and_last_stopped():
    launched = datetime.datetime(2026, 11, 20, 8, tzinfo=datetime.timezone.utc)
    found = {"InstanceId": ID, "State": {"Name": "stopped"}, "LaunchTime": launched}
    by_user = shape({**found, "StateTransitionReason": "User initiated (2026-11-22 11:00:03 GMT)"})
    assert by_user.launched == launched
    assert by_user.stopped == datetime.datetime(2026, 11, 22, 11, 0, 3, tzinfo=datetime.timezone.utc)
    for untold in ("", "Server.InternalError"):
        assert shape({**found, "StateTransitionReason": untold}).stopped is None
