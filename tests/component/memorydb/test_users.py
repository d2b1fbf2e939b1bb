"""Users and ACLs of MemoryDB against the local AWS."""

from __future__ import annotations

import json
import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    memorydb_acl,
    memorydb_acl_info,
    memorydb_cluster,
    memorydb_user,
    memorydb_user_info,
)

PASSWORD, OTHER = "a-password-of-sixteen", "another-of-sixteen"
STATED = {"access_string": "on allkeys allchannels +@all", "passwords": [PASSWORD], "passwords_version": "one"}


@pytest.fixture
def name():
    return f"u{uuid.uuid4().hex[:8]}"


def test_a_user_is_made_once_and_known_by_the_version_of_its_passwords(aws, run, converge, name):
    planned = run(memorydb_user.main, check_mode=True, user_name=name, **STATED)
    mark = aws.mark
    made = converge(memorydb_user.main, user_name=name, **STATED)
    assert made["plan"] == planned["plan"]
    assert PASSWORD not in json.dumps([made, planned])
    assert aws.writes_since(mark) == ["CreateUser"]
    mark = aws.mark
    again = run(memorydb_user.main, user_name=name, **STATED)
    assert (again["changed"], again["passwords_known"]) == (False, True)
    assert aws.writes_since(mark) == []
    [told] = run(memorydb_user_info.main, user_name=name)["users"]
    assert (told["ours"], told["acl_names"], told["access_string"]) == (True, [], "on ~* &* +@all")
    assert told["authentication"] == {"type": "password", "password_count": 1}
    both = {**STATED, "passwords": [PASSWORD, OTHER], "passwords_version": "two"}
    changed = converge(memorydb_user.main, user_name=name, **both)
    assert [step["action"] for step in changed["plan"]] == ["UpdateUser", "TagResource"]
    assert not run(memorydb_user.main, user_name=name, **both)["changed"]
    assert converge(memorydb_user.main, user_name=name, state="absent")["status"] == "absent"
    assert not run(memorydb_user.main, user_name=name, state="absent")["changed"]


@pytest.mark.long
def test_an_acl_has_the_users_that_are_stated_and_no_others(aws, run, converge, name):
    for user in (f"{name}-a", f"{name}-b"):
        converge(memorydb_user.main, user_name=user, **STATED)
    planned = run(memorydb_acl.main, check_mode=True, acl_name=name, user_names=[f"{name}-a"])
    mark = aws.mark
    made = converge(memorydb_acl.main, acl_name=name, user_names=[f"{name}-a"])
    assert made["plan"] == planned["plan"]
    assert aws.writes_since(mark) == ["CreateACL"]
    mark = aws.mark
    assert not run(memorydb_acl.main, acl_name=name, user_names=[f"{name}-a"])["changed"]
    assert aws.writes_since(mark) == []
    changed = converge(memorydb_acl.main, acl_name=name, user_names=[f"{name}-b"])
    assert [step["action"] for step in changed["plan"]] == ["UpdateACL"]
    [told] = run(memorydb_acl_info.main, acl_name=name)["acls"]
    assert (told["user_names"], told["ours"], told["status"]) == ([f"{name}-b"], True, "active")
    emptied = converge(memorydb_acl.main, acl_name=name, user_names=[])
    assert emptied["acl"]["user_names"] == []
    assert converge(memorydb_acl.main, acl_name=name, state="absent")["status"] == "absent"


@pytest.mark.long
def test_an_acl_that_a_cluster_has_is_not_deleted(aws, run, converge, name):
    converge(memorydb_acl.main, acl_name=name, user_names=[])
    small = {"node_type": "db.t4g.small", "num_replicas_per_shard": 0}
    made = converge(memorydb_cluster.main, cluster_name=name, acl_name=name, **small)
    assert made["endpoint"]["auth"] == "rbac"
    mark = aws.mark
    refused = run(memorydb_acl.main, acl_name=name, state="absent")
    assert refused["option"] == "state" and name in refused["msg"]
    assert aws.writes_since(mark) == []
    converge(memorydb_cluster.main, cluster_name=name, state="absent", skip_final_snapshot=True)
    assert converge(memorydb_acl.main, acl_name=name, state="absent")["status"] == "absent"


@pytest.mark.parametrize(
    ("main", "stated", "option"),
    [
        (memorydb_user.main, {"user_name": "default"}, "user_name"),
        (memorydb_user.main, {"user_name": "default", "state": "absent"}, "user_name"),
        (memorydb_user.main, {"user_name": "one"}, "access_string"),
        (memorydb_user.main, {"user_name": "one", "access_string": "on ~* +@all"}, "authentication_mode"),
        (memorydb_user.main, {"user_name": "one", "access_string": "on >secret"}, "access_string"),
        (memorydb_user.main, {"user_name": "one", "access_string": "on", "passwords": ["short"]}, "passwords"),
        (memorydb_acl.main, {"acl_name": "open-access"}, "acl_name"),
        (memorydb_acl.main, {"acl_name": "open-access", "state": "absent"}, "acl_name"),
        (memorydb_acl.main, {"acl_name": "a_b"}, "acl_name"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_any_call_that_writes(aws, run, main, stated, option):
    mark = aws.mark
    assert run(main, **stated)["option"] == option
    assert aws.writes_since(mark) == []


def test_a_user_that_is_not_there_is_told_by_the_option_to_change(run, name):
    failed = run(memorydb_acl.main, acl_name=name, user_names=["nobody"])
    assert failed["failed"] and "user_names" in failed["msg"]
