"""cache_contents against real engines."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, after_apply
from ansible_collections.kempian.cache_migration.plugins.modules import cache_contents

TOKEN = "a-token-of-this-test!"


@pytest.fixture
def contents(run_module):
    def run(**params):
        result = run_module(cache_contents.main, **{"timeout": 2.0, **params})
        assert TOKEN not in repr(result)
        return result

    return run


@pytest.fixture
def target(start_engine):
    return start_engine(password=TOKEN)


def endpoint_of(engine):
    return Endpoint("elasticache", "shop", address="127.0.0.1", port=engine.port, auth="token").as_dict()


def test_keys_are_counted_by_pattern_with_and_without_ttl_and_no_name_is_told(contents, target):
    for number in range(20):
        target.client.set(f"session:{number}", "x", ex=100)
    target.client.hset("profile:jane@example.com", mapping={"a": 1})
    found = contents(endpoint=endpoint_of(target), auth_token=TOKEN)
    assert not found["changed"]
    assert (found["total_keys"], found["keys_without_ttl"], found["sampled"]) == (21, 1, 21)
    told = {(group["type"], group["pattern"]): (group["count"], group["without_ttl"]) for group in found["key_groups"]}
    assert told == {("string", "session:*"): (20, 0), ("hash", "profile:*.com"): (1, 1)}


def test_nothing_is_written(contents, target):
    target.client.set("page:1", "x", ex=100)
    changes = target.client.info("persistence")["rdb_changes_since_last_save"]
    contents(endpoint=endpoint_of(target), auth_token=TOKEN)
    assert target.client.info("persistence")["rdb_changes_since_last_save"] == changes


def test_a_target_that_does_not_answer_or_refuses_the_token_fails_with_the_reason(contents, target):
    assert contents(endpoint=endpoint_of(target), auth_token="wrong")["failure"]["kind"] == "auth_wrong"
    target.stop()
    assert contents(endpoint=endpoint_of(target), auth_token=TOKEN)["failure"]["kind"] == "refused"


def test_a_target_that_is_yet_to_be_made_fails_with_a_sentence(contents):
    failed = contents(endpoint=after_apply("elasticache", "shop").as_dict())
    assert failed["failed"] and "yet to be made" in failed["msg"]
