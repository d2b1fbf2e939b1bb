from __future__ import annotations

import copy

import pytest

from sandbox.demo_result import connections_summary, faults, result_table

TARGET = {"address": "master.cache.test", "port": 6379, "tls": True, "auth": "token"}
PHASE = {"requests": 300, "failed": 0, "retried": 7, "latency_ms": {"p50": 4.1, "p99": 40.2, "max": 51.0}}
GOOD = {
    "hosts": ["app1", "app2"],
    "requests_total": 900,
    "requests_failed": 0,
    "requests_retried": 21,
    "failures": [],
    "served_by": {"app1": 450, "app2": 450},
    "phases": {"before": PHASE, "during": PHASE, "after": PHASE},
    "stages": {"assess": 2.1, "cutover": 9.4},
    "source": {"address": "old-redis.internal", "port": 6379, "data_untouched": True},
    "target": TARGET,
    "connections": {"app1": {"old": 0, "new": 4}, "app2": {"old": 0, "new": 3}},
}


def with_change(*path, value):
    summary = copy.deepcopy(GOOD)
    inner = summary
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return summary


def test_connections_are_counted_by_what_the_names_mean_on_the_host():
    seen = {
        "addresses": {"old-redis.internal": "172.31.3.1", "master.cache.test": "172.31.2.10"},
        "peers": [["172.31.2.10", 6379], ["172.31.2.10", 6379], ["172.31.2.11", 6379], ["172.31.3.1", 6379]],
    }
    old = ("old-redis.internal", 6379)
    assert connections_summary(seen, old, TARGET) == {"old": 1, "new": 2}
    assert connections_summary(seen, old, None) == {"old": 1, "new": 0}


def test_nothing_is_wrong_with_a_good_migration():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("connections", "app2"), {"old": 0, "new": 0}, "app2 has no connection to master.cache.test"),
        (("connections", "app2"), {"old": 1, "new": 2}, "app2 still has 1 connections to the old Redis"),
        (("connections",), {"app1": {"old": 0, "new": 1}}, "nothing is known of the connections of app2"),
        (("source", "data_untouched"), False, "the data in the old Redis is not what it was"),
    ],
)
def test_what_is_not_as_it_must_be_is_said(path, value, said):
    assert faults(with_change(*path, value=value)) == [said]


def test_a_failed_request_is_said_with_its_reason():
    summary = with_change("requests_failed", value=1)
    summary["failures"] = [{"at_seconds": 3.2, "phase": "during", "url": "http://h/p", "reason": "status 503"}]
    assert faults(summary) == [
        "1 of 900 requests failed, the first after 3.2 s (during): http://h/p: status 503",
    ]


def test_the_table_has_every_host_phase_and_stage():
    table = result_table(GOOD)
    for text in ("app1", "app2", "before", "during", "after", "assess", "cutover", "900 requests, 0 failed"):
        assert text in table
    assert max(map(len, table.splitlines())) < 100
