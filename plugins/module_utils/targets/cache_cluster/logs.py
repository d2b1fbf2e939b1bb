# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where logs of a cache are delivered: the option, and AWS's words for it. Pure."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

_DETAILS = {
    "cloudwatch-logs": ("CloudWatchLogsDetails", "LogGroup"),
    "kinesis-firehose": ("KinesisFirehoseDetails", "DeliveryStream"),
}
_WORDS = ("log_type", "destination_type", "destination", "log_format")

Logs = Iterable[Mapping[str, Any]]


def are_so(there: Logs, wanted: Logs) -> bool:
    """Whether each log goes where it is wanted, and no other goes anywhere."""
    return _by_type(there) == _by_type(wanted)


def _by_type(logs: Logs) -> dict[str, tuple[Any, ...]]:
    return {log["log_type"]: tuple(log.get(word) for word in _WORDS) for log in logs}


def configurations_from(there: Logs, wanted: Logs) -> list[dict[str, Any]]:
    """What the API is told: those that are wanted, and each that is there and is not, as not enabled."""
    now, after = _by_type(there), {log["log_type"]: log for log in wanted}
    told = [
        _configuration(log) for log in after.values() if now.get(log["log_type"]) != _by_type([log])[log["log_type"]]
    ]
    return told + [{"LogType": log_type, "Enabled": False} for log_type in sorted(set(now) - set(after))]


def _configuration(log: Mapping[str, Any]) -> dict[str, Any]:
    details, name = _DETAILS[log["destination_type"]]
    return {
        "LogType": log["log_type"],
        "DestinationType": log["destination_type"],
        "DestinationDetails": {details: {name: log["destination"]}},
        "LogFormat": log["log_format"],
        "Enabled": True,
    }
