"""DescribeEvents: what has become of caches, as their makers are told."""

from __future__ import annotations

import datetime
from typing import Any

from sandbox.aws.clock import now
from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.state import CREATING, DELETING, Account
from sandbox.aws.wire import Params, Result, operation, page

# The kind in an ARN → the SourceType of its events.
SOURCES = {"replicationgroup": "replication-group", "cluster": "cache-cluster", "serverlesscache": "serverless-cache"}
DONE = {CREATING: "created", DELETING: "deleted"}
USUAL_MINUTES = 60
LONGEST_MINUTES = 14 * 24 * 60


class Events:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._all: list[dict[str, Any]] = []

    def done(self, thing: Any, status: str) -> None:
        kind = source_type(thing)
        self._tell(thing, f"{kind.replace('-', ' ').capitalize()} {DONE.get(status, 'changed')} ({status} ended)")

    def failed(self, thing: Any, status: str, failure: Exception) -> None:
        self._tell(thing, f"{status.capitalize()} failed: {failure}")

    def _tell(self, thing: Any, message: str) -> None:
        event = {"SourceIdentifier": thing.id, "SourceType": source_type(thing), "Message": message, "Date": now()}
        with self._account.lock:
            self._all.append(event)

    @operation(
        "DescribeEvents",
        *("SourceIdentifier", "SourceType", "StartTime", "EndTime", "Duration", "MaxRecords", "Marker"),
    )
    def describe_events(self, params: Params) -> Result:
        """Of the last hour, unless it is asked for more."""
        if "SourceIdentifier" in params and "SourceType" not in params:
            raise rules.combination("SourceIdentifier needs SourceType.")
        minutes = params.get("Duration", USUAL_MINUTES)
        if not 1 <= minutes <= LONGEST_MINUTES:
            raise rules.value(f"Duration must be between 1 and {LONGEST_MINUTES} minutes, not {minutes}.")
        end = params.get("EndTime", now())
        begin = params.get("StartTime", end - datetime.timedelta(minutes=minutes))
        with self._account.lock:
            found = [
                event
                for event in self._all
                if params.get("SourceIdentifier", event["SourceIdentifier"]).lower() == event["SourceIdentifier"]
                and params.get("SourceType", event["SourceType"]) == event["SourceType"]
                and begin <= event["Date"] <= end
            ]
        return page(found, params, "Events")


def source_type(thing: Any) -> str:
    return SOURCES[thing.arn.split(":")[5]]
