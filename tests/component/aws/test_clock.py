"""The sandbox's time runs ahead, and what the product counts from goes along with it."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger

HOUR = datetime.timedelta(hours=1)


def test_an_entry_of_the_ledger_is_as_old_as_the_clock_has_run_since(aws: Any) -> None:
    """Whether moto's own times run ahead or not: one that is behind the entry's does not count."""
    ssm = aws.client("ssm")

    def written(entry: str) -> datetime.datetime:
        now = ledger.read(ssm, "clock", entry).now
        ledger.write(ssm, "clock", entry, {"time": ledger.as_text(now)})
        return now

    first = written("cutover")
    aws.control("clock", {"advance_seconds": 49 * 3600})
    second = written("decommission")
    assert 49 * HOUR <= second - first < 50 * HOUR
    aws.control("clock", {"advance_seconds": 73 * 3600})
    known = ledger.read_all(ssm, "clock")
    ages = {
        entry: known.now - ledger.as_time(known.dated("clock", entry)["time"]) for entry in ("cutover", "decommission")
    }
    assert 122 * HOUR <= ages["cutover"] < 123 * HOUR
    assert 73 * HOUR <= ages["decommission"] < 74 * HOUR
