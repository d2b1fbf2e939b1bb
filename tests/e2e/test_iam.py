"""Each stage under its own IAM policy: it passes with it, and without any one permission of it, it says which."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import STAGES

from sandbox.api import Sandbox
from sandbox.places import BACKUP_BUCKET, MIGRATION_NAME
from tests.e2e import policies, world

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
HOUR = 3600
FIRST, SECOND = "kempian/sandbox/generated-token", "kempian/sandbox/second-token"
LOCK = f"/cache_migration/{MIGRATION_NAME}/lock"


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    """One host, as a process: what is asked of AWS is the same, and a run takes seconds."""
    yield from with_one_host("e2eiam", stage_of, tmp_path_factory)


@pytest.fixture
def untouched(stage_of, tmp_path_factory):
    yield from with_one_host("e2eiamstory", stage_of, tmp_path_factory)


def with_one_host(name, stage_of, tmp_path_factory):
    sandbox = Sandbox.up(name, hosts=1, kind="processes", creating_seconds=0.5)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("iam"))
    finally:
        if not os.environ.get("KEEP"):
            sandbox.down()


def token_of(secret: str) -> dict:
    return {"migration_auth_token_secret": secret, "migration_auth_token_generate": True}


@dataclass(frozen=True)
class Move:
    """A stage's playbook in one situation. `needs` are the permissions that it has a use for there, in the order of
    use: it is run without each, and what it did before it missed that one is done then. At last it is run with all.
    """

    stage: str
    needs: Sequence[str] = ()
    variables: dict | Callable = field(default_factory=dict)  # or what makes them of the stage
    arguments: Sequence[str] = ()
    before: Callable = lambda stage: None
    secret: str = FIRST
    refuses: str = ""  # with all of them it ends with this, as the situation is one to be refused

    def play(self, stage, permissions):
        playbook = "migrate.yml" if self.stage in ("migrate", "plan") else f"playbooks/{self.stage}.yml"
        more = self.variables(stage) if callable(self.variables) else self.variables
        with policies.held_to(stage, permissions, policies.names_of(stage, self.secret)):
            return stage.play(playbook, *self.arguments, **{**token_of(self.secret), **more})


def name_of(permission) -> str:
    return f"{permission.action} on {permission.on.title}"


def provable(stage: str) -> dict:
    """The permissions of a stage that a call can show, by their names."""
    return {name_of(one): one for one in STAGES[stage] if not one.unseen}


def on(place: str, service: str, *actions: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action} on {place}" for action in actions)


LEDGER = (*on("Ledger", "ssm", "GetParameter"), *on("LedgerFolder", "ssm", "GetParametersByPath"))
TARGET = on("Read", "elasticache", "DescribeReplicationGroups")
TARGET_THERE = on("Read", "elasticache", "DescribeCacheClusters", "ListTagsForResource", "DescribeCacheParameters")
SECRET, TOKEN = on("Token", "secretsmanager", "DescribeSecret"), on("Token", "secretsmanager", "GetSecretValue")
VALUES = (*on("Values", "ssm", "GetParameter"), *on("Read", "ssm", "DescribeParameters"))
LOOK = (*LEDGER, *TARGET, *TARGET_THERE, *SECRET, *TOKEN)
WAY = on("Read", "ec2", "DescribeSecurityGroups")
GROUPS = on("Read", "elasticache", "DescribeCacheSubnetGroups", "DescribeCacheParameterGroups")
VERSIONS = on("Read", "elasticache", "DescribeCacheEngineVersions")
NODE_TYPES = on("Read", "elasticache", "ListAllowedNodeTypeModifications")
TAKE_LOCK, LET_GO = on("Ledger", "ssm", "PutParameter"), on("Ledger", "ssm", "DeleteParameter")
WRITE_VALUES = on("Values", "ssm", "ListTagsForResource", "PutParameter")
INSTANCE_SIZE = on("Read", "ec2", "DescribeInstances", "DescribeVolumes")
INSTANCE = on("Read", "ec2", "DescribeInstances", "DescribeInstanceAttribute")
MAKE = (
    *TAKE_LOCK,
    *on("Token", "secretsmanager", "CreateSecret", "TagResource"),
    *TOKEN,
    *on("WayNew", "ec2", "CreateSecurityGroup"),
    *on("WayNewTags", "ec2", "CreateTags"),
)
MAKE_TARGET = (
    *on("TargetNew", "elasticache", "CreateCacheSubnetGroup"),
    *on("TargetTags", "elasticache", "AddTagsToResource"),
    *on("Read", "elasticache", "ListTagsForResource"),
    *on("TargetNew", "elasticache", "CreateCacheParameterGroup"),
    *on("TargetOurs", "elasticache", "ModifyCacheParameterGroup"),
    *on("TargetNew", "elasticache", "CreateReplicationGroup"),
    *on("Read", "elasticache", "DescribeCacheClusters"),
)
NEW = (*LEDGER, *TARGET, *SECRET, *WAY, *GROUPS, *on("Read", "elasticache", "DescribeCacheParameters"))
COPY = {"migration_transfer": "copy"}
LARGER = {
    "migration_num_cache_clusters": 3,
    "migration_cache_node_type": "cache.t3.small",
    "migration_parameters": {"maxmemory-policy": "allkeys-lfu"},
}
SMALLER_WITH_AWS_PARAMETERS = {
    **LARGER,
    "migration_num_cache_clusters": 2,
    "migration_parameters": {},
    "migration_parameter_group_name": "default.redis7",
}
RETIRE = {"migration_decommission": True, "migration_decommission_waive": ["other_services"]}
TERMINATE = {**RETIRE, "migration_decommission_terminate": True}


def making(stage_name: str, secret: str, way: Sequence[str] = (), after: Sequence[str] = ()) -> list[Move]:
    """A target is made, and then changed in all that can be changed. `way` is what its security group is opened by, and
    `after` what a run that makes it goes on to.
    """
    last = on("TargetParameters", "elasticache", "ModifyReplicationGroup")
    return [
        Move(stage_name, (*NEW, *MAKE, *way, *MAKE_TARGET, *after), secret=secret),
        Move(
            stage_name,
            on("TargetOurs", "elasticache", "ModifyCacheSubnetGroup"),
            fewer_subnets,
            secret=secret,
        ),
        Move(
            stage_name,
            (
                *NODE_TYPES,
                *on("TargetOurs", "elasticache", "IncreaseReplicaCount", "ModifyReplicationGroup"),
                *LET_GO,
                *VERSIONS,
            ),
            LARGER,
            secret=secret,
        ),
        Move(
            stage_name,
            (*last, *on("TargetOurs", "elasticache", "DecreaseReplicaCount")),
            SMALLER_WITH_AWS_PARAMETERS,
            secret=secret,
        ),
        Move(stage_name, secret=secret),
    ]


def fewer_subnets(stage) -> dict:
    found = stage.sandbox.client("ec2").describe_subnets()["Subnets"]
    return {"migration_subnet_ids": [each["SubnetId"] for each in found][:2]}


OPEN = on("WayOurs", "ec2", "AuthorizeSecurityGroupIngress")
STOP = (
    *on("LastBackup", "s3", "PutObject", "GetObject"),
    *on("OldInstance", "ec2", "StopInstances"),
    *LET_GO,
)
CLOSE = {"migration_rollback_close_ingress": True}
DELETE = {"migration_rollback_delete_target": True}
LAST_SNAPSHOT = {"migration_final_snapshot_identifier": "the-last"}


def hours(count: int) -> Callable:
    return lambda stage: stage.sandbox.advance_clock(count * HOUR)


def cut_over(stage) -> None:
    assert stage.play("playbooks/cutover.yml", **token_of(FIRST)).code == 0


def make_target(stage) -> None:
    assert stage.play("playbooks/provision.yml", **token_of(FIRST)).code == 0


def lose_backup(stage) -> None:
    hours(73)(stage)
    move_backup(stage, "", ".lost")


def find_backup(stage) -> None:
    move_backup(stage, ".lost", "")


def move_backup(stage, old: str, new: str) -> None:
    s3, key = stage.sandbox.client("s3"), world.ledger_of(stage, "backup")["key"]
    s3.copy_object(Bucket=BACKUP_BUCKET, Key=key + new, CopySource={"Bucket": BACKUP_BUCKET, "Key": key + old})
    s3.delete_object(Bucket=BACKUP_BUCKET, Key=key + old)


STORY: list[Move] = [
    *making("provision", FIRST),
    Move("ingress", (*LOOK, *WAY, *TAKE_LOCK, *OPEN, *LET_GO)),
    Move("plan", (*LOOK, *WAY, *GROUPS, *NODE_TYPES, *VALUES, *VERSIONS), LARGER, ["--check"]),
    Move("assess", (*LOOK, *VALUES, *INSTANCE_SIZE, *on("Read", "pricing", "GetProducts"))),
    Move("transfer", (*LOOK, *VALUES, *TAKE_LOCK, *LET_GO), COPY),
    Move("transfer", variables={**COPY, "migration_transfer_abort": True}),
    Move("cutover", (*LOOK, *VALUES, *TAKE_LOCK, *WRITE_VALUES, *LET_GO)),
    Move("state", (*LEDGER, *TARGET, *TARGET_THERE, *VALUES)),
    Move(
        "rotate",
        (
            *(one for one in (*LOOK, *VALUES, *TAKE_LOCK) if one not in TOKEN),
            *on("Token", "secretsmanager", "PutSecretValue", "GetSecretValue"),
            *on("TargetOurs", "elasticache", "ModifyReplicationGroup"),
            *WRITE_VALUES,
            *on("Token", "secretsmanager", "UpdateSecretVersionStage"),
            *LET_GO,
        ),
        {"migration_auth_token_new": True},
    ),
    Move("decommission", (*LEDGER, *TARGET, *TARGET_THERE, *INSTANCE, *TAKE_LOCK, *STOP), RETIRE, before=hours(49)),
    Move("rollback", (*INSTANCE, *on("OldInstance", "ec2", "StartInstances"))),
    Move("rollback", (*LEDGER, *TARGET, *TARGET_THERE, *TOKEN, *VALUES), before=cut_over),
    *(Move("rollback", (row,), before=cut_over) for row in (*TAKE_LOCK, *WRITE_VALUES[1:], *LET_GO)),
    Move("rollback", (*WAY, *on("WayOurs", "ec2", "RevokeSecurityGroupIngress")), CLOSE),
    Move(
        "rollback",
        (
            *on("TargetSnapshotOf", "elasticache", "CreateSnapshot"),
            *on("TargetSnapshot", "elasticache", "DeleteReplicationGroup"),
            *on("TargetOurs", "elasticache", "DeleteReplicationGroup"),
            *GROUPS[:1],
            *on("TargetOurs", "elasticache", "DeleteCacheSubnetGroup"),
        ),
        {**DELETE, **LAST_SNAPSHOT},
    ),
    Move(
        "rollback",
        (*GROUPS[1:], *on("TargetOurs", "elasticache", "DeleteCacheParameterGroup")),
        DELETE,
        before=make_target,
    ),
    Move("rollback", on("WayOurs", "ec2", "DeleteSecurityGroup"), DELETE, before=make_target),
    *making("migrate", SECOND, OPEN, (*VALUES, *WRITE_VALUES)),
    Move("decommission", (), RETIRE, before=hours(49), secret=SECOND),
    Move(
        "decommission",
        on("LastBackupBucket", "s3", "ListBucket"),
        TERMINATE,
        before=lose_backup,
        secret=SECOND,
        refuses="the backup is not what the ledger says (it is not there)",
    ),
    Move(
        "decommission",
        on("OldInstance", "ec2", "TerminateInstances"),
        TERMINATE,
        before=find_backup,
        secret=SECOND,
    ),
]


def outcome(run, missing) -> str:
    """What is not as the table has it of a run that lacks a permission; empty where all is."""
    lacked = set(policies.denied(run))
    if missing.action not in lacked:
        return "no call asked for it"
    if lacked != {missing.action}:
        return f"calls asked for {', '.join(sorted(lacked))}"
    is_told = missing.action in run.said() and "docs/iam" in run.said()
    if missing.without:
        return "" if run.code == 0 or is_told else "it failed, and does not name the action and its policy"
    if run.code == 0:
        return "it passed"
    if not is_told:
        return "its words do not name the action and its policy"
    return f"it went on to {', '.join(later(run))}" if later(run) else ""


def later(run) -> list[str]:
    """What was changed in AWS after the first denial, but for what the run takes back: its lock, a journal's entry."""
    first = next(number for number, call in enumerate(run.calls) if call.get("denied"))
    return [
        f"{call['service']}.{call['action']}"
        for call in run.calls[first:]
        if call["access"] == "write" and call["status"] < 400 and not is_taken_back(call)
    ]


def is_taken_back(call) -> bool:
    name = str(call["request_summary"].get("Name"))
    return call["action"] == "DeleteParameter" and (name == LOCK or name.startswith(f"{world.LEDGER}journal/"))


def whole(stage, move) -> list[str]:
    """Runs with all of the permissions: one that does what is to be done, and one that finds it done."""
    wrong = []
    for _attempt in range(1 if move.refuses or move.stage == "rotate" else 2):
        run = move.play(stage, STAGES[move.stage])
        is_as_told = move.refuses in run.said() if move.refuses else run.code == 0
        if not is_as_told or policies.denied(run):
            wrong.append(f"{move.stage} with all: code {run.code}, denied {policies.denied(run)}: {run.said()[-900:]}")
    return wrong


def unlock(stage) -> None:
    ssm = stage.sandbox.client("ssm")
    with suppress(ssm.exceptions.ParameterNotFound):
        ssm.delete_parameter(Name=LOCK)


@pytest.mark.long
def test_each_stage_passes_under_its_own_policy(stage):
    """The others do so in the scenarios of a migration, of a retirement and of AWX."""
    stated = {"transfer": COPY, "cutover": COPY, "rotate": {"migration_auth_token_new": True}}
    for name in ("provision", "ingress", "assess", "transfer", "cutover", "rotate"):
        run = Move(name, variables=stated.get(name, {})).play(stage, STAGES[name])
        assert (run.code, policies.denied(run)) == (0, []), run.text
        assert bool(run.writes) is (name != "assess")


@pytest.mark.long
def test_an_inventory_of_ec2_needs_its_policy_and_no_more(stage):
    (permission,) = STAGES["inventory"]
    command = [str(pathlib.Path(sys.executable).with_name("ansible-inventory")), "--list"]
    command += ["-i", "inventories/prod/aws_ec2.yml"]

    def read(permissions):
        with policies.held_to(stage, permissions, policies.names_of(stage)):
            env = {**os.environ, **stage.sandbox.env, "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1"}
            return subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)

    assert read([permission]).returncode == 0
    denied = read([])
    assert denied.returncode != 0 and permission.action in denied.stderr


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_run_without_any_one_permission_of_its_stage_says_which_and_touches_nothing_more(untouched):
    stage = untouched
    cells, wrong = {}, []
    for move in STORY:
        move.before(stage)
        rows = provable(move.stage)
        for name in move.needs:
            run = move.play(stage, [one for one in STAGES[move.stage] if one is not rows[name]])
            problem = outcome(run, rows[name])
            if move.stage == "rollback" and rows[name].without and not stage.on_old():
                problem = problem or "the hosts are not back"
            cells[move.stage, name] = problem
            told = cells[move.stage, name] or ("goes on" if rows[name].without else "refused")
            print(f"{move.stage} without {name}: {told}", flush=True)
            unlock(stage)
        wrong += whole(stage, move)
    every = {(name, row) for name in STAGES if name != "inventory" for row in provable(name)}
    wrong += [f"{name} without {row}: {problem}" for (name, row), problem in cells.items() if problem]
    wrong += [f"{name} without {row}: not tried" for name, row in sorted(every - set(cells))]
    print("\n".join(["", *wrong]))
    stages, actions = {name for name, _ in every}, {provable(name)[row].action for name, row in every}
    as_expected = sum(not problem for problem in cells.values())
    print(f"{len(stages)} stages, {len(actions)} actions, {len(every)} cells, {as_expected} as expected")
    assert not wrong
