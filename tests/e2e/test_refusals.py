"""What cannot work ends with a clear message, and no host is changed."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def provisioned(stage):
    """A target that is there and open to the app, while every host is still on the old Redis."""
    assert stage.play("playbooks/provision.yml").code == 0
    assert stage.play("playbooks/ingress.yml").code == 0
    return stage


@pytest.fixture
def untouched(provisioned):
    """Whatever the test does, every host must be as it was before."""
    files, parameter, services = provisioned.environment_files(), provisioned.parameter(), service_starts(provisioned)
    yield provisioned
    assert provisioned.environment_files() == files
    assert provisioned.parameter() == parameter
    assert service_starts(provisioned) == services, "a service was restarted"
    assert provisioned.all_healthy()
    assert provisioned.on_old(), provisioned.connections()


def service_starts(stage):
    """The processes of the app on each host, by the time they started."""
    find = "for p in $(pgrep -f '[a]pp.serve'); do cut -d' ' -f22 /proc/$p/stat; done | sort"
    return {host: stage.sandbox.run(host, ["sh", "-c", find]).stdout for host in stage.sandbox.hosts}


def test_a_closed_security_group_is_named_as_the_cause_of_a_timeout(untouched):
    ec2 = untouched.sandbox.client("ec2")
    [group] = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["sandbox-cache"]}])[
        "SecurityGroups"
    ]
    rules = [rule for rule in group["IpPermissions"] if rule.get("FromPort") == 6379]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=rules)
    try:
        run = untouched.migrate(migration_manage_ingress=False)
    finally:
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=rules)
    assert run.code != 0
    assert "security group" in run.said()


@pytest.fixture
def another_token(untouched):
    """The secret has a new current version, which nobody has told the target of."""
    name = {"SecretId": "kempian/sandbox/cache-token"}
    secrets = untouched.sandbox.client("secretsmanager")
    given = secrets.get_secret_value(**name)["VersionId"]
    value = "not-the-token-of-this-target"
    put = secrets.put_secret_value(**name, SecretString=value)["VersionId"]
    yield value
    secrets.update_secret_version_stage(
        **name, VersionStage="AWSCURRENT", MoveToVersionId=given, RemoveFromVersionId=put
    )


@contextmanager
def forgotten(stage):
    """The ledger does not say which token the target was given, as with one that this migration did not make."""
    ssm, name = stage.sandbox.client("ssm"), "/cache_migration/sandbox/token"
    entry = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    ssm.delete_parameter(Name=name)
    yield
    ssm.put_parameter(Name=name, Value=entry, Type="String")


def test_a_token_that_the_target_was_not_given_goes_to_no_host(untouched, another_token):
    run = untouched.migrate()
    assert run.code != 0
    assert "the app would get a token that the target does not know" in run.said()
    assert "Run playbooks/rotate.yml" in run.said()
    assert another_token not in run.text
    assert run.writes == []

    with forgotten(untouched):
        wrong = untouched.migrate()
    assert wrong.code != 0
    assert "token" in wrong.said() and "wrong" in wrong.said().lower(), "a wrong one is told from a missing one"
    assert another_token not in wrong.text


def test_a_plain_url_to_a_tls_target_is_recognised(untouched):
    run = untouched.migrate(
        migration_endpoint={"address": untouched.primary_address(), "port": 6379, "tls": False, "auth": "token"}
    )
    assert run.code != 0
    assert "TLS" in run.said()


def test_a_replicas_endpoint_is_refused(untouched):
    reader = untouched.group()["NodeGroups"][0]["ReaderEndpoint"]["Address"]
    run = untouched.migrate(migration_endpoint={"address": reader, "port": 6379, "tls": True, "auth": "token"})
    assert run.code != 0
    assert "replica" in run.said()


def test_an_environment_file_without_the_key_stops_the_run_before_any_host(untouched):
    host = untouched.hosts[2]
    content = untouched.sandbox.read(host, "/opt/shop/.env")
    untouched.sandbox.write(host, "/opt/shop/.env", content.replace(b"REDIS_URL=", b"CACHE_LOCATION="))
    try:
        run = untouched.play("playbooks/cutover.yml")
    finally:
        untouched.sandbox.write(host, "/opt/shop/.env", content)
    assert run.code != 0
    assert host in run.said() and "REDIS_URL" in run.said() and "/opt/shop/.env" in run.said()


# The last one: Redis forgets the peak of its memory only when it restarts.
def test_a_target_that_is_too_small_is_refused_before_anything_is_made(untouched):
    untouched.old_redis(FILL)
    try:
        run = untouched.migrate()
    finally:
        untouched.old_redis(EMPTY)
    assert run.code != 0
    assert "cache.t3.micro" in run.said()
    assert run.writes == []


FILL = "r.config_set('maxmemory', 0)\nfor n in range(42): r.set(f'filler:{n}', b'x' * 10 * 1024 * 1024)"
EMPTY = "r.delete(*(f'filler:{n}' for n in range(42)))\nr.config_set('maxmemory', '256mb')"
