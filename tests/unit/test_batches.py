"""The order of a cutover, and the sentence that a failed one ends with."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.batches import (
    BatchError,
    cutover_batches,
    is_journaled,
    shared_failure,
    verdict,
)
from hypothesis import given
from hypothesis import strategies as st

HOSTS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=12, unique=True)


@given(HOSTS, st.data())
def test_every_host_is_in_exactly_one_batch_and_the_canary_is_alone_in_the_first(hosts, data):
    canary = data.draw(st.sampled_from(hosts))
    size = data.draw(st.one_of(st.integers(1, 9), st.integers(1, 100).map("{}%".format)))
    batches = cutover_batches(hosts, canary, size)
    assert batches[0] == [canary]
    assert sorted(host for batch in batches for host in batch) == sorted(hosts)


def test_the_first_host_is_the_canary_where_none_is_named():
    assert cutover_batches(["app1", "app2", "app3"], batch_size=2) == [["app1"], ["app2", "app3"]]


def test_a_percentage_counts_all_hosts_and_is_at_least_one_host():
    assert cutover_batches(list("abcdef"), "a", "50%") == [["a"], ["b", "c", "d"], ["e", "f"]]
    assert cutover_batches(["a", "b", "c"], "a", "1%") == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize("size", [0, -1, "0%", "half", ""])
def test_a_batch_size_that_is_no_positive_number_is_refused(size):
    with pytest.raises(BatchError, match="batch size"):
        cutover_batches(["a", "b"], batch_size=size)


def test_a_canary_that_is_no_host_is_refused_by_the_name_of_its_option():
    with pytest.raises(BatchError, match="migration_canary"):
        cutover_batches(["a", "b"], canary="c")


def test_the_verdict_names_the_failed_host_its_cause_and_where_every_host_is_now():
    said = verdict(
        {
            "app1": {"state": "ok", "changed": True},
            "app2": {"state": "failed", "changed": True, "step": "restart", "why": "the service did not come back."},
            "app3": {"state": "untouched", "changed": False},
        },
        {"app1": {"state": "ok"}, "app2": {"state": "ok"}, "app3": {"state": "untouched"}},
        {},
    )
    assert "app2 failed at the step 'restart': the service did not come back." in said
    assert "Put back to the old Redis, restarted and healthy: app1, app2." in said
    assert "Never touched by this run: app3." in said
    assert "run the same command again" in said
    assert "NOT" not in said


def test_the_verdict_never_claims_that_a_host_was_put_back_which_was_not():
    said = verdict(
        {"app1": {"state": "failed", "changed": True, "step": "restart", "why": "unreachable"}},
        {"app1": {"state": "failed", "why": "unreachable"}},
        {"state": "failed", "why": "AccessDenied"},
    )
    assert "NOT put back: app1: unreachable" in said
    assert "shared store was NOT put back: AccessDenied" in said
    assert "rollback.yml" in said
    assert "Put back to the old Redis" not in said


TARGET = {"address": "master.shop.x.use1.cache.amazonaws.com", "port": 6379}


def reverted(host, **more):
    return {"changes": {"/shop/REDIS_URL": {"after_location": {"host": host, "port": 6379}, **more}}}


def test_a_shared_store_is_back_where_it_leads_elsewhere_than_to_the_target():
    assert shared_failure(reverted("old-redis.internal"), TARGET) == ""
    assert shared_failure({"skipped": True}, TARGET) == ""


def test_a_shared_store_that_could_not_be_written_is_not_back():
    assert shared_failure({"failed": True, "msg": "Rate exceeded"}, TARGET) == "Rate exceeded"


def test_a_shared_store_without_an_original_that_still_leads_to_the_target_is_not_back():
    assert "no original" in shared_failure(reverted(TARGET["address"]), TARGET)


def test_a_value_is_journaled_where_an_earlier_run_has_changed_it():
    assert is_journaled(reverted("x", journaled=True))
    assert not is_journaled(reverted("x", journaled=False))
    assert not is_journaled({"skipped": True})
