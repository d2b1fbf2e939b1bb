"""The last backup: a snapshot of a real engine over replication, to S3 by a presigned URL, loaded once and counted."""

from __future__ import annotations

import contextlib
import hashlib
import io
import subprocess
import threading
import time

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import replication, writes
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import keyspace, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.modules import backup_upload_url, backup_verify, cache_backup

from sandbox import seed

PASSWORD = "a-password-of-this-test"
DISKLESS = ("repl-diskless-sync yes", "repl-diskless-sync-delay 0")
BUCKET = "backups"


@pytest.fixture(params=["diskless", "by its disk"])
def old(request, start_engine):
    """The same data, sent in either form."""
    engine = start_engine(*(DISKLESS if request.param == "diskless" else ("repl-diskless-sync no",)), password=PASSWORD)
    seed.seed(redis.Redis.from_url(engine.url()))
    redis.Redis.from_url(engine.url(database=9)).set("elsewhere", "x")
    return engine


@pytest.fixture
def s3(connect):
    client = connect("s3")
    with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def back_up(run_module, moto_options, tmp_path):
    """Sign, take and send; returns the signed upload and the result."""

    def run(engine, bucket=BUCKET, peer="127.0.0.1", while_written=False, **options):
        signed = run_module(
            backup_upload_url.main,
            migration_name="shop",
            bucket=bucket,
            now="2026-11-25T20:00:00Z",
            **moto_options,
            **options,
        )
        taken = run_module(
            cache_backup.main,
            migration_name="shop",
            state_dir=str(tmp_path / "state"),
            urls=[{"name": "REDIS_URL", "original": engine.url()}],
            peer=peer,
            while_written=while_written,
            upload_url=signed["url"],
            upload_headers=signed["headers"],
        )
        assert PASSWORD not in repr(taken) and "X-Amz-Signature" not in repr(taken)
        return signed, taken

    return run


@pytest.fixture
def verify(run_module, moto_options):
    def run(signed, taken, **options):
        given = {"sha256": taken["sha256"], "keyspace": taken["keyspace"], **options}
        return run_module(backup_verify.main, bucket=BUCKET, key=signed["key"], **moto_options, **given)

    return run


def test_what_is_in_s3_is_what_the_old_redis_held(old, s3, back_up, verify):
    signed, taken = back_up(old)
    stored = s3.get_object(Bucket=BUCKET, Key=signed["key"])
    data = stored["Body"].read()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (taken["sha256"], taken["size"])
    assert stored["ServerSideEncryption"] == "AES256"
    proven = verify(signed, taken)
    assert proven.get("msg") is None
    assert proven["loaded"] == taken["keyspace"]
    assert {number: counts["count"] for number, counts in proven["loaded"].items()} == {
        "0": old.client.dbsize(),
        "9": 1,
    }


def test_another_than_the_one_that_was_looked_at_is_not_backed_up(start_engine, s3, back_up):
    s3.create_bucket(Bucket="of-another")
    _signed, refused = back_up(start_engine(password=PASSWORD), bucket="of-another", peer="192.0.2.1")
    assert "its name leads to 127.0.0.1 now, and led to 192.0.2.1" in refused["msg"]
    assert not s3.list_objects_v2(Bucket="of-another").get("Contents")


def test_nothing_of_it_is_left_on_the_host(old, s3, back_up, tmp_path):
    back_up(old)
    assert [path for path in (tmp_path / "state").rglob("*") if path.is_file()] == []


def read_writes(engine):
    with session(Question(engine.url(), expected_role="any")) as connection:
        return writes.read_writes(connection)


def test_it_tells_whether_anybody_wrote_since(old, s3, back_up):
    _signed, taken = back_up(old)
    old.client.get("one")
    assert read_writes(old) == taken["writes"]
    old.client.set("one", "more")
    assert read_writes(old) != taken["writes"]
    assert writes.since(taken["writes"], read_writes(old)) == {"set": 1}


def test_a_key_that_expires_is_no_write(old, s3, back_up):
    for seconds in (1, 5, 25):
        old.client.set(f"lives for {seconds} s", "", ex=seconds)
    _signed, taken = back_up(old)
    assert not taken.get("failed"), taken
    offset, living = old.client.info("replication")["master_repl_offset"], old.client.dbsize()
    end = time.monotonic() + 30
    while old.client.dbsize() == living:
        assert time.monotonic() < end, "none of them expired after the backup"
        time.sleep(0.05)
    assert old.client.info("replication")["master_repl_offset"] > offset, "its deletion goes to replicas"
    assert read_writes(old) == taken["writes"]


def test_one_that_was_started_again_has_another_life(start_engine):
    assert read_writes(start_engine())["life"] != read_writes(start_engine())["life"]


def test_a_key_of_ones_own_encrypts_it(start_engine, s3, back_up):
    signed, taken = back_up(start_engine(*DISKLESS), kms_key_id="alias/backups")
    assert not taken.get("failed"), taken
    assert s3.head_object(Bucket=BUCKET, Key=signed["key"])["ServerSideEncryption"] == "aws:kms"


@pytest.mark.parametrize("while_written", [False, True])
def test_one_to_which_somebody_writes_meanwhile_is_refused_unless_it_is_to_be_taken_then(
    old, s3, back_up, while_written
):
    stop = threading.Event()

    def write():
        with redis.Redis.from_url(old.url()) as client:
            while not stop.is_set():
                client.incr("busy")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        signed, taken = back_up(old, while_written=while_written)
    finally:
        stop.set()
        writer.join()
    if while_written:
        assert not taken.get("failed") and s3.head_object(Bucket=BUCKET, Key=signed["key"])["ContentLength"] > 0
        return
    assert taken["failed"]
    assert "somebody wrote to it while its snapshot was taken" in taken["msg"]


def test_one_that_is_too_large_for_one_upload_is_refused_with_the_way_to_do_it(old):
    question = Question(old.url(), expected_role="any")
    with session(question) as link, session(question) as beside, pytest.raises(replication.SnapshotRefused) as refused:
        replication.take(link, beside, io.BytesIO(), largest=1000)
    assert "redis-cli --rdb" in str(refused.value) and "waive" in str(refused.value)


def test_a_user_that_may_not_replicate_is_told_what_it_needs(start_engine, s3, run_module, tmp_path):
    engine = start_engine("user reader on >secret +@all -psync -replconf ~* &*")
    taken = run_module(
        cache_backup.main,
        migration_name="shop",
        state_dir=str(tmp_path / "state"),
        urls=[{"name": "REDIS_URL", "original": f"redis://reader:secret@127.0.0.1:{engine.port}/0"}],
        upload_url="http://127.0.0.1:9/never",
    )
    assert taken["failed"]
    assert "+psync +replconf" in taken["msg"] and "secret" not in taken["msg"]


def test_a_bucket_that_is_not_there_is_named_as_the_cause(start_engine, s3, back_up):
    _signed, taken = back_up(start_engine(*DISKLESS), bucket="nobodys")
    assert taken["failed"]
    assert "NoSuchBucket" in taken["msg"] and "migration_backup_bucket" in taken["msg"]


def test_an_s3_that_cannot_be_reached_is_told_with_the_ways_there(start_engine, s3, back_up):
    _signed, taken = back_up(start_engine(*DISKLESS), host_endpoint_url="http://127.0.0.1:9")
    assert taken["failed"]
    assert "migration_backup_endpoint_url" in taken["msg"]


def test_another_object_than_the_one_that_was_sent_is_refused(start_engine, s3, back_up, verify):
    signed, taken = back_up(start_engine(*DISKLESS))
    s3.put_object(Bucket=BUCKET, Key=signed["key"], Body=b"something else")
    assert "is not what was sent" in verify(signed, taken)["msg"]


def test_an_object_that_no_engine_loads_is_refused_and_no_engine_is_left(start_engine, s3, back_up, verify, tmp_path):
    signed, taken = back_up(start_engine(*DISKLESS))
    s3.put_object(Bucket=BUCKET, Key=signed["key"], Body=b"REDIS9999")
    refused = verify(signed, taken, sha256=hashlib.sha256(b"REDIS9999").hexdigest())
    assert "cannot be loaded" in refused["msg"] and "migration_backup_engine" in refused["msg"]
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "/cache_migration-" not in running


def test_an_earlier_backup_that_is_not_there_any_more_is_told_with_what_to_do(start_engine, s3, back_up, verify):
    signed, taken = back_up(start_engine(*DISKLESS))
    s3.delete_object(Bucket=BUCKET, Key=signed["key"])
    assert verify(signed, taken)["msg"].endswith(f"/{signed['key']} is not there. Run it again.")
    assert verify(signed, taken, remedy="Have another one.")["msg"].endswith("is not there. Have another one.")


def test_an_earlier_backup_of_less_than_the_old_redis_holds_now_is_refused_with_what_to_do(
    start_engine, s3, back_up, verify
):
    """Whatever the ledger says of it: the counts are those that the old Redis tells now."""
    engine = start_engine(*DISKLESS)
    engine.client.set("a", "1")
    signed, taken = back_up(engine)
    engine.client.set("b", "1")
    with session(Question(engine.url(), expected_role="any")) as connection:
        now = keyspace(parse_info(connection.ask("INFO")))
    told = {str(number): counts for number, counts in now.items()}
    refused = verify(signed, taken, keyspace=told, remedy="Have another one.")
    assert "does not hold what the old Redis held" in refused["msg"]
    assert refused["msg"].endswith("Have another one.")


def test_counts_that_differ_are_refused(start_engine, s3, back_up, verify):
    engine = start_engine(*DISKLESS)
    engine.client.set("a", "1")
    signed, taken = back_up(engine)
    refused = verify(signed, taken, keyspace={"0": {"count": 2, "expires": 0}})
    assert "database 0 had 2 keys, 2 of them without a TTL, and now 1 and 1" in refused["msg"]


def test_keys_that_expired_meanwhile_are_not_missed(start_engine, s3, back_up, verify):
    engine = start_engine(*DISKLESS)
    engine.client.set("lasting", "1")
    signed, taken = back_up(engine)
    proven = verify(signed, taken, keyspace={"0": {"count": 2, "expires": 1}})
    assert proven.get("msg") is None
    assert proven["loaded"] == {"0": {"count": 1, "expires": 0}}
