"""What others made is untouched: a rule in our group, a cluster of our name, tags of theirs, an adopted cluster."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

# a test is several runs, and on a busy machine each takes more than a minute
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
OWNER_TAG = "cache_migration:name"
THEIRS = [{"Key": "managed-by", "Value": "terraform"}]
OWN = {"migration_replication_group_id": "kempian-own"}


def tags_of(tags):
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


class Account:
    """What is in the account, described completely."""

    def __init__(self, stage):
        self.ec2, self.elasticache = stage.sandbox.client("ec2"), stage.sandbox.client("elasticache")

    def everything(self):
        """Every resource that a migration could touch, by its ARN: its description with its tags."""
        found = {}
        for group in self.elasticache.describe_replication_groups()["ReplicationGroups"]:
            found[group["ARN"]] = group
        for cluster in self.elasticache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]:
            found[cluster["ARN"]] = cluster
        for group in self.elasticache.describe_cache_subnet_groups()["CacheSubnetGroups"]:
            found[group["ARN"]] = group
        for group in self.elasticache.describe_cache_parameter_groups()["CacheParameterGroups"]:
            if not group["CacheParameterGroupName"].startswith("default."):
                name = group["CacheParameterGroupName"]
                values = self.elasticache.describe_cache_parameters(CacheParameterGroupName=name)["Parameters"]
                found[group["ARN"]] = {**group, "Parameters": values}
        for arn, each in found.items():
            listed = self.elasticache.list_tags_for_resource(ResourceName=arn)["TagList"]
            found[arn] = {**each, "Tags": tags_of(listed)}
        for group in self.ec2.describe_security_groups()["SecurityGroups"]:
            found[group["SecurityGroupArn"]] = {**group, "Tags": tags_of(group.get("Tags"))}
        return found

    def of_others(self):
        return {arn: each for arn, each in self.everything().items() if OWNER_TAG not in each["Tags"]}

    def instances(self):
        """The state and the tags of each, by its name."""
        listed = [each for page in self.ec2.describe_instances()["Reservations"] for each in page["Instances"]]
        return {tags_of(each["Tags"])["Name"]: (each["State"]["Name"], tags_of(each["Tags"])) for each in listed}

    def security_group(self, name):
        found = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])
        return found["SecurityGroups"][0]


def unchanged(account, before):
    """Compare what is others' with what it was; prints the counts."""
    now = account.of_others()
    same = sum(now.get(arn) == each for arn, each in before.items())
    print(f"of others: {len(before)} resources before, {same} unchanged, {len(set(now) - set(before))} new")
    assert now == before


@pytest.fixture(scope="module")
def account(stage):
    return Account(stage)


@pytest.fixture(scope="module")
def theirs(stage, account):
    """A cluster of the name that the inventory states, as the console or Terraform made it, with all that it needs."""
    ec2, elasticache = account.ec2, account.elasticache
    subnets = ec2.describe_subnets()["Subnets"]
    app = account.security_group("app")["GroupId"]
    group = ec2.create_security_group(GroupName="their-cache", Description="theirs", VpcId=subnets[0]["VpcId"])[
        "GroupId"
    ]
    ec2.create_tags(Resources=[group], Tags=THEIRS)
    pair = {"GroupId": app, "Description": "the app"}
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [pair]}],
    )
    elasticache.create_cache_subnet_group(
        CacheSubnetGroupName="their-cache",
        CacheSubnetGroupDescription="theirs",
        SubnetIds=[subnet["SubnetId"] for subnet in subnets[:2]],
        Tags=THEIRS,
    )
    elasticache.create_cache_parameter_group(
        CacheParameterGroupName="their-cache", CacheParameterGroupFamily="redis7", Description="theirs", Tags=THEIRS
    )
    elasticache.create_replication_group(
        ReplicationGroupId="kempian-cache",
        ReplicationGroupDescription="theirs",
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType="cache.t3.micro",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        AuthToken=token(stage),
        CacheParameterGroupName="their-cache",
        CacheSubnetGroupName="their-cache",
        SecurityGroupIds=[group],
        SnapshotRetentionLimit=5,
        Tags=THEIRS,
    )
    elasticache.get_waiter("replication_group_available").wait(
        ReplicationGroupId="kempian-cache", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    return account.of_others()


def token(stage):
    secrets = stage.sandbox.client("secretsmanager")
    return secrets.get_secret_value(SecretId="kempian/sandbox/cache-token")["SecretString"]


def run_module(stage, called, **options):
    """Run a module of ours on the controller, as a user does by hand."""
    command = [str(pathlib.Path(sys.executable).with_name("ansible")), "localhost", "-i", "localhost,"]
    command += ["-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    command += ["-m", f"kempian.cache_migration.{called}", "-a", json.dumps({"migration_name": "sandbox", **options})]
    env = {**os.environ, **stage.sandbox.env, "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    print(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done


def test_a_cluster_of_our_name_that_is_not_ours_is_refused_with_the_remedy(stage, account, theirs):
    run = stage.play("playbooks/provision.yml")
    assert run.code != 0
    assert "not this migration's" in run.said() and "adopt" in run.said()
    assert run.writes == []
    unchanged(account, theirs)


def test_a_security_group_of_our_name_that_is_not_ours_is_refused_with_the_remedy(stage, account, theirs):
    vpc = account.security_group("app")["VpcId"]
    made = account.ec2.create_security_group(GroupName="sandbox-cache", Description="theirs", VpcId=vpc)["GroupId"]
    before = account.of_others()
    refused = [stage.play("playbooks/provision.yml", **OWN), stage.play("playbooks/ingress.yml")]
    back = stage.play("playbooks/rollback.yml", migration_rollback_close_ingress=True, **OWN)
    unchanged(account, before)
    account.ec2.delete_security_group(GroupId=made)
    for run in refused:
        assert run.code != 0 and run.writes == []
        assert "sandbox-cache" in run.said() and "migration_security_group_ids" in run.said()
    assert back.code == 0 and back.writes == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("elasticache_cluster", {"replication_group_id": "kempian-cache", "skip_final_snapshot": True}),
        ("elasticache_subnet_group", {"cache_subnet_group_name": "their-cache"}),
        ("elasticache_parameter_group", {"cache_parameter_group_name": "their-cache"}),
        ("cache_security_group", {"name": "their-cache"}),
    ],
)
def test_no_module_removes_what_others_made_adopted_or_not(stage, account, theirs, name, options):
    adopting = {} if name == "cache_security_group" else {"adopt": True}
    for more in ({}, adopting):
        done = run_module(stage, name, state="absent", **options, **more)
        assert done.returncode != 0 and "never deleted" in done.stdout
    unchanged(account, theirs)


def test_an_adopted_cluster_is_used_and_given_back_as_it_was(stage, account, theirs):
    files = stage.environment_files()
    run = stage.migrate(migration_adopt=True)
    assert run.code == 0
    assert stage.on_new(), stage.connections()
    assert stage.all_healthy()
    assert set(run.writes) <= {"ssm.PutParameter", "ssm.DeleteParameter"}, (
        "the value, its original, the ledger, the lock"
    )
    unchanged(account, theirs)

    stage.sandbox.advance_clock(49 * 3600)
    instances = account.instances()
    asked = {"migration_decommission": True, "migration_decommission_waive": ["other_services"]}
    assert stage.play("playbooks/decommission.yml", migration_adopt=True, **asked).code == 0
    unchanged(account, theirs)
    retired = {name: state for name, (state, _tags) in account.instances().items() if state != instances[name][0]}
    assert retired == {"old-redis": "stopped"}

    back = stage.play(
        "playbooks/rollback.yml",
        migration_adopt=True,
        migration_rollback_delete_target=True,
        migration_rollback_close_ingress=True,
    )
    assert back.code == 0
    assert "replication group kempian-cache: stays" in back.said()
    assert stage.environment_files() == files
    assert stage.on_old()
    assert account.instances() == instances
    unchanged(account, theirs)


def test_an_adopted_cluster_that_is_not_as_stated_is_refused_and_not_changed(stage, account, theirs):
    run = stage.play("playbooks/provision.yml", migration_adopt=True, migration_snapshot_retention_limit=9)
    assert run.code != 0
    assert "snapshot_retention_limit is 5, stated 9" in run.said()
    assert run.writes == []
    unchanged(account, theirs)


MONITORING = {"CidrIp": "172.31.7.7/32", "Description": "monitoring"}


@pytest.fixture(scope="module")
def own(stage, account, theirs):
    """A target of ours beside theirs, to which others have added a rule and tags; the security group."""
    for name in ("provision", "ingress"):
        assert stage.play(f"playbooks/{name}.yml", **OWN).code == 0
    group = account.security_group("sandbox-cache")
    account.ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "IpRanges": [MONITORING]}],
    )
    account.ec2.create_tags(Resources=[group["GroupId"]], Tags=[{"Key": "cost-centre", "Value": "42"}])
    tagged = [arn for arn, each in account.everything().items() if OWNER_TAG in each["Tags"] and ":elasticache:" in arn]
    for arn in tagged:
        account.elasticache.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "cost-centre", "Value": "42"}])
    assert len(tagged) >= 3
    return group


def test_a_second_run_leaves_rules_and_tags_of_others_on_what_is_ours(stage, account, own):
    before = account.everything()
    for name in ("provision", "ingress"):
        again = stage.play(f"playbooks/{name}.yml", **OWN)
        assert again.code == 0 and again.writes == []
    assert account.everything() == before


def test_taking_down_leaves_the_group_with_the_rule_of_others_and_nothing_else_of_ours(stage, account, theirs, own):
    back = stage.play(
        "playbooks/rollback.yml", migration_rollback_delete_target=True, migration_rollback_close_ingress=True, **OWN
    )
    assert back.code == 0
    assert "security group sandbox-cache: stays" in back.said()
    left = {arn: each for arn, each in account.everything().items() if OWNER_TAG in each["Tags"]}
    assert list(left) == [own["SecurityGroupArn"]]
    [kept] = left.values()
    assert [item for rule in kept["IpPermissions"] for item in rule["IpRanges"]] == [MONITORING]
    assert not any(rule["UserIdGroupPairs"] for rule in kept["IpPermissions"])
    assert kept["Tags"]["cost-centre"] == "42"
    unchanged(account, theirs)
