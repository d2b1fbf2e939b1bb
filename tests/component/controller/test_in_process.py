"""What AWS modules do in the controller's own process is what they do in one of their own."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

NAME = "acted"
HERE = "kempian.cache_migration."
PARAMETER = "/kempian/prod/REDIS_URL"
OLD, NEW = "redis://:hush-4711@old.internal:6379/0", "rediss://:hush-0815@new.internal:6379/0"
INFO = {f"{HERE}migration_ledger_info": {"migration_name": NAME}}


def ledger(**options: Any) -> dict[str, Any]:
    return {f"{HERE}migration_ledger": {"migration_name": NAME, "entry": "cutover", **options}}


def token(**options: Any) -> dict[str, Any]:
    return {f"{HERE}cache_token": {"secret": "kempian/token", "migration_name": NAME, **options}}


def value(**options: Any) -> dict[str, Any]:
    given = {"store": "ssm", "values": {PARAMETER: NEW}, "migration_name": NAME}
    return {f"{HERE}aws_env_update": {**given, **options}}


NOBODY = {"endpoint_url": "http://127.0.0.1:9", "aws_config": {"retries": {"max_attempts": 0}}}
WORK = [
    {**ledger(value={"hosts": ["app1"], 6379: "{{ now() }}"}), "check_mode": True},
    ledger(value={"hosts": ["app1"], "batch": "{{ 1 + 1 }}"}),
    ledger(value={"hosts": ["app1"], "batch": "{{ 1 + 1 }}"}),
    INFO,
    token(generate="yes"),
    token(state="pending"),
    value(),
    value(state="reverted"),
    value(values={"/kempian/prod/OTHER": "x"}),
    {f"{HERE}old_instance": {"instance_id": "i-0123456789abcdef0", "state": "stopped"}},
    {f"{HERE}cache_security_group": {"name": "none", "migration_name": NAME, "state": "closed"}},
    {f"{HERE}backup_upload_url": {"migration_name": NAME, "bucket": "b", "now": "2026-11-25T20:00:00Z"}},
    {f"{HERE}backup_verify": {"bucket": "no-such-bucket", "key": "k", "sha256": "0", "keyspace": {0: {}}}},
]
REFUSED = [
    ledger(value={}, colour="red"),
    ledger(),
    ledger(state="nowhere"),
    token(tags="no mapping"),
    {f"{HERE}migration_lock": {"migration_name": NAME, "state": "broken"}},
    {f"{HERE}migration_ledger_info": {"migration_name": NAME, "aws_region": "us-east-1", "profile": "nobody"}},
    {f"{HERE}migration_ledger_info": {"migration_name": NAME, "aws_region": "us-east-1", **NOBODY}},
    value(**NOBODY),
    value(values={PARAMETER: ""}),
]


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """Without what is another in every run: times, ids, and how it came about."""
    own = ("exception", "invocation", "response_metadata", "ansible_parsed")  # the last from ansible-core 2.22 on
    known = {key: part for key, part in result.items() if key not in own}
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.]*Z?|[0-9a-f]{8}-[0-9a-f-]{27}", "?", json.dumps(known))
    return dict(json.loads(re.sub(r"X-Amz-[A-Za-z]+=[^&\"]*", "?", text)))


@pytest.mark.parametrize("tasks", [WORK, REFUSED], ids=["work", "refusals"])
@pytest.mark.long
def test_the_result_is_the_same_where_the_controller_has_no_boto3(play, clean, connect_ssm, tasks):
    runs = []
    for boto3 in (True, False):
        clean()
        connect_ssm().put_parameter(Name=PARAMETER, Value=OLD, Type="SecureString")
        runs.append(play(tasks, "--diff", boto3=boto3))
    for task, here, elsewhere in zip(tasks, runs[0].results, runs[1].results):
        assert comparable(here) == comparable(elsewhere), task
    assert not any(secret in run.said for run in runs for secret in ("hush-4711", "hush-0815"))
    if tasks is WORK:
        assert [bool(result.get("failed")) for result in runs[0].results[:8]] == [False] * 8
        assert all("+REDIS_URL" not in run.said and "***@new.internal" in run.said for run in runs), "the diff"


def test_an_environment_of_a_play_counts_and_ends_with_its_task(play, clean, moto_options):
    access = {name: moto_options[name] for name in ("access_key", "secret_key")}
    stated = {"AWS_URL": moto_options["endpoint_url"], "AWS_REGION": "us-east-1", "PORT": 1}
    tasks = [{**INFO, "environment": stated}, INFO]
    with_it, without = play(tasks, options=access).results
    assert with_it["entries"] == {}
    assert "region" in without["msg"]


def test_a_profile_and_aliases_count(play, clean, moto_options, tmp_path):
    (tmp_path / "credentials").write_text(
        f"[shop]\naws_access_key_id={moto_options['access_key']}\naws_secret_access_key={moto_options['secret_key']}\n"
    )
    given = {"profile": "shop", "aws_region": "us-east-1", "aws_endpoint_url": moto_options["endpoint_url"]}
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    assert play([INFO], options=given, environ=environ).results[0]["entries"] == {}


def test_for_another_user_it_is_a_process_of_its_own_as_that_one_has_other_credentials(play, clean):
    nobody = {
        "become": True,
        "become_user": "nobody",
        "become_method": "ansible.builtin.su",
        "become_exe": "/bin/false",
    }
    assert play([{**INFO, **nobody}]).results[0]["failed"]


def test_the_requests_that_are_logged_for_debugging_are_not_in_ansibles_own_log(play, clean, connect_ssm, tmp_path):
    connect_ssm().put_parameter(Name=PARAMETER, Value=OLD, Type="SecureString")
    log = tmp_path / "ansible.log"
    (changed,) = play(
        [value(debug_botocore_endpoint_logs=True)], "-vvvvv", environ={"ANSIBLE_LOG_PATH": str(log)}
    ).results
    assert changed["changed"]
    assert "resource_actions" in changed
    assert "aws_env_update" in log.read_text()
    assert "hush" not in log.read_text()


def test_nothing_of_a_result_becomes_a_variable(play, clean):
    tell = {"ansible.builtin.debug": {"msg": "{{ ansible_facts | default({}) }} {{ now_of_it is defined }}"}}
    assert play([INFO, tell]).results[1]["msg"].endswith("{} False")


@pytest.mark.long
def test_a_task_may_go_on_behind_the_play(play, clean, tmp_path):
    (told,) = play([{**INFO, "async": 30, "poll": 1}], environ={"ANSIBLE_ASYNC_DIR": str(tmp_path / "jobs")}).results
    assert told.get("entries") == {}, told
