"""The target is made from a dump of the old Redis in S3, compared with it, and refused where it is there already."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.e2e import world

pytestmark = pytest.mark.long

HOSTS = 2
BUCKET = "kempian-seeds"
DIGEST = "from sandbox import seed; print(seed.digest(r, 'legacy:*'))"


READING = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketAcl"]


def let_elasticache_read(stage) -> None:
    """As docs/transfer.md says it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "us-east-1.elasticache-snapshot.amazonaws.com"},
        "Action": READING,
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stage.sandbox.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy)


@pytest.fixture(scope="module")
def dumped(stage, load):
    """The settings of the run that follows."""
    stage.sandbox.client("s3").create_bucket(Bucket=BUCKET)
    let_elasticache_read(stage)
    run = stage.play("tests/e2e/programs/dump.yml", bucket=BUCKET)
    assert run.code == 0, run.text
    [arn] = set(re.findall(rf"arn:aws:s3:::{BUCKET}/[\w./:+-]+", run.text))
    return {"migration_transfer": "seed", "migration_snapshot_arns": [arn]}


@pytest.fixture(scope="module")
def migrated(stage, dumped):
    return stage.migrate(**dumped)


def digest_of_target(stage) -> str:
    query = f"?ssl_ca_certs={stage.sandbox.places.ca_certificate}"
    url = f"rediss://:{stage.token()}@{stage.primary_address()}:6379/0{query}\n".encode()
    code = f"import redis; r = redis.Redis.from_url(input())\n{DIGEST}"
    done = stage.sandbox.beside(stage.hosts[0], [sys.executable, "-c", code], input=url)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def test_without_a_dump_it_is_refused_with_what_to_state(stage, load):
    run = stage.migrate("--check", migration_transfer="seed")
    assert run.code != 0 and "state it in migration_snapshot_arns" in run.said()


def test_the_target_is_made_from_the_dump_and_compared_before_the_first_host_is_switched(stage, migrated):
    assert migrated.code == 0, migrated.text
    assert digest_of_target(stage) == stage.old_redis(DIGEST)
    said = migrated.said()
    assert said.index("Compared ") < said.index("app1: restarted")
    entry = world.ledger_of(stage, "transfer")
    assert entry["step"] == "finished" and entry["compared"]["compared"] > 500
    assert stage.on_new() and stage.all_healthy(), stage.connections()


def test_a_second_run_does_nothing(stage, dumped, migrated):
    again = stage.migrate(**dumped)
    assert again.code == 0 and again.writes == []


def test_after_a_rollback_a_target_that_is_there_is_not_seeded_again(stage, dumped, migrated):
    assert stage.play("playbooks/rollback.yml", **dumped).code == 0 and stage.on_old()
    run = stage.migrate(**dumped)
    assert run.code != 0 and "is not seeded again" in run.said()
    assert stage.on_old() and stage.all_healthy()


def test_no_request_failed(stage, migrated, load):
    figures = load()
    assert figures["failed"] == 0, figures["failures"]
