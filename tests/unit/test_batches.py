"""The order of a cutover, and what follows from the results of its steps."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import (
    BatchError,
    cutover_batches,
    failure_reason,
    hosts_to_put_back,
    is_changed_before,
    is_cutover_to,
    probe_failure,
    remembered_hosts,
    shared_failure,
    would_change,
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


def test_a_shared_store_is_not_back_while_any_of_its_values_leads_to_the_target():
    back, not_back = reverted("old-redis.internal")["changes"], reverted(TARGET["address"])["changes"]
    both = {"changes": {"/a": back["/shop/REDIS_URL"], "/b": not_back["/shop/REDIS_URL"]}}
    assert "no original" in shared_failure(both, TARGET)


def test_an_earlier_run_has_changed_a_value_whose_original_is_another_than_what_it_says():
    old, new = {"host": "old-redis.internal", "port": 6379}, {"host": TARGET["address"], "port": 6379}
    assert is_changed_before(reverted("x", action="keep", journaled=True, before_location=new, original_location=old))
    assert is_changed_before(reverted("x", action="write", journaled=True, before_location=new, original_location=old))
    assert not is_changed_before(reverted("x", action="keep", journaled=False))
    assert not is_changed_before({"skipped": True})


def test_a_value_that_this_run_would_change_first_was_not_changed_before():
    old = {"host": "old-redis.internal", "port": 6379}
    first = reverted("x", action="write", journaled=True, before_location=old, original_location=old)
    assert not is_changed_before(first), "a look calls journaled what the change would journal"


def test_a_run_has_something_to_do_where_any_look_found_it():
    kept, written = reverted("x", action="keep"), reverted("x", action="write")
    assert would_change([kept, {}, written])
    assert would_change([kept, {"restarted": True, "changed": False}])
    assert not would_change([kept, {}, {"skipped": True}, {"restarted": False}])


def test_a_failed_run_puts_back_what_it_changed_and_what_it_answers_for_of_a_cutover_that_never_ended():
    results = {"app1": {"changed": False}, "app2": {"changed": True}, "app3": {"changed": False}}
    assert hosts_to_put_back(results, [], settled=[]) == ["app2"]
    assert hosts_to_put_back(results, ["app1"], settled=[]) == ["app1", "app2"]


def test_a_host_that_was_only_restarted_where_it_was_settled_is_not_put_back():
    assert hosts_to_put_back({"app1": {"changed": True}, "app2": {"changed": True}}, [], ["app1"]) == ["app2"]


def test_the_ledger_remembers_hosts_on_one_target_only():
    assert remembered_hosts({"endpoint": TARGET, "hosts": ["app1"]}, TARGET) == ["app1"]
    another = {**TARGET, "address": "another.cache.amazonaws.com"}
    assert remembered_hosts({"endpoint": another, "hosts": ["app1"]}, TARGET) == []
    assert remembered_hosts({}, TARGET) == []


def test_a_cutover_is_to_an_endpoint_whatever_hosts_are_left_of_it():
    assert is_cutover_to({"endpoint": TARGET, "hosts": []}, TARGET)
    assert not is_cutover_to({"endpoint": {**TARGET, "port": 6380}, "hosts": ["app1"]}, TARGET)
    assert not is_cutover_to({}, TARGET)


def test_a_remedy_for_the_target_is_not_given_for_the_old_redis():
    failure = {"kind": "timeout", "found": "No answer.", "remedy": "Open the cache's security group."}
    probe = {"failed": True, "msg": "This host cannot use it: No answer. Open it.", "failure": failure}
    at_target, at_old = {"host": TARGET["address"]}, {"host": "old-redis.internal"}
    assert "Open it." in probe_failure({**probe, "location": at_target}, TARGET)
    assert probe_failure({**probe, "location": at_old}, TARGET) == "No answer."
    library = {**failure, "kind": "client_library"}
    assert "Open it." in probe_failure({**probe, "location": at_old, "failure": library}, TARGET)
    assert probe_failure({"reached": True, "failure": None, "location": at_old}, TARGET) == ""


def test_a_module_that_could_not_be_started_is_told_with_what_refused_it():
    result = {"failed": True, "msg": "Module result deserialization failed.", "module_stderr": "sudo: no way\n"}
    assert failure_reason(result) == "Module result deserialization failed (sudo: no way)"
    crashed = {**result, "module_stderr": "Traceback (most recent call last):\nValueError: redis://:secret@host"}
    assert failure_reason(crashed) == "Module result deserialization failed."
