"""The security group of a target against the local AWS: only what the migration added is taken away."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import cache_security_group

OURS, OTHER = "cache_migration shop-prod", "monitoring"


@pytest.fixture
def ec2(aws):
    return aws.client("ec2")


@pytest.fixture
def group(request, ec2):
    """A group of this migration with one rule of its own, by the name of the test; yields its id."""
    name = request.node.name[:200]
    tags = [{"Key": "cache_migration:name", "Value": "shop-prod"}]
    made = ec2.create_security_group(
        GroupName=name,
        Description="Cache of the migration shop-prod",
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]
    admit(ec2, made, "10.0.1.7/32", OURS)
    return made


def admit(ec2, group, cidr, description):
    ranges = [{"CidrIp": cidr, **({"Description": description} if description else {})}]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "IpRanges": ranges}]
    )


def admitted(ec2, group):
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    kinds = ("IpRanges", "CidrIp"), ("UserIdGroupPairs", "GroupId")
    return sorted(item[name] for rule in found["IpPermissions"] for kind, name in kinds for item in rule[kind])


@pytest.fixture
def ask(request, run):
    name = request.node.name[:200]
    return lambda state, **more: run(cache_security_group.main, **{"name": name, "state": state, **more})


def test_only_the_rules_of_the_migration_go_and_a_second_time_nothing_does(aws, ask, ec2, group):
    admit(ec2, group, "10.0.2.1/32", OTHER)
    admit(ec2, group, "10.0.2.2/32", "")
    admit(ec2, group, "10.0.2.3/32", OURS + "-2")
    closed = ask("closed")
    assert closed["changed"] and "tcp 6379 from 10.0.1.7/32" in closed["plan"][0]["reason"]
    assert admitted(ec2, group) == ["10.0.2.1/32", "10.0.2.2/32", "10.0.2.3/32"]
    mark = aws.mark
    assert not ask("closed")["changed"]
    assert aws.writes_since(mark) == []


def test_a_security_group_that_is_admitted_is_shut_out_like_an_address(ask, ec2, group):
    pair = {"GroupId": group, "Description": OURS}
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [pair]}],
    )
    assert ask("closed")["changed"]
    assert admitted(ec2, group) == []


def test_a_rule_of_ours_in_a_group_of_others_goes_too_and_the_group_stays(ask, ec2, group):
    ec2.delete_tags(Resources=[group], Tags=[{"Key": "cache_migration:name"}])
    assert ask("closed")["changed"]
    assert admitted(ec2, group) == []
    refused = ask("absent")
    assert refused["option"] == "state" and "never deleted" in refused["msg"]


def test_check_mode_tells_the_rules_that_would_go_and_removes_none(aws, ask, ec2, group):
    mark = aws.mark
    told = ask("closed", check_mode=True)
    assert told["changed"] and told["diff"]["after"]["rules"] == []
    assert ask("absent", check_mode=True)["changed"]
    assert aws.writes_since(mark) == []
    assert admitted(ec2, group) == ["10.0.1.7/32"]


def test_a_group_of_ours_goes_with_our_rules_and_is_not_missed_the_second_time(ask, ec2, group):
    assert ask("absent")["changed"]
    assert not ask("absent")["changed"]
    assert not ask("closed")["changed"]


def test_a_group_of_ours_to_which_others_added_a_rule_is_refused_and_nothing_changes(aws, ask, ec2, group):
    admit(ec2, group, "10.0.2.1/32", OTHER)
    mark = aws.mark
    refused = ask("absent")
    assert refused["failed"] and refused["option"] == "state" and "tcp 6379 from 10.0.2.1/32" in refused["msg"]
    assert aws.writes_since(mark) == []


def test_two_groups_of_one_name_are_told_apart_by_their_vpc(ask, ec2, group):
    [found] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    elsewhere = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName=found["GroupName"], Description="theirs", VpcId=elsewhere)
    assert ask("closed")["option"] == "vpc_id"
    assert ask("closed", vpc_id=found["VpcId"])["changed"]


def test_what_was_taken_away_in_the_meantime_is_no_failure(aws, ask, ec2, group, monkeypatch):
    """As after an answer that was lost: the second attempt finds that it is done."""
    read = cache_security_group.read

    def read_and_revoke(client, name, vpc_id):
        found = read(client, name, vpc_id)
        ours = [rule.permission for rule in found.rules_of("shop-prod")]
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=ours)
        return found

    monkeypatch.setattr(cache_security_group, "read", read_and_revoke)
    assert not ask("closed").get("failed")
