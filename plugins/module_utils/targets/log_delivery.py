# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where ElastiCache sends the logs of a cache: as it is stated, as AWS tells it, and what changes it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

CLOUDWATCH, FIREHOSE = "cloudwatch-logs", "kinesis-firehose"

SPEC: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "log_type": {"type": "str", "choices": ["slow-log", "engine-log"], "required": True},
        "destination_type": {"type": "str", "choices": [CLOUDWATCH, FIREHOSE], "required": True},
        "destination": {"type": "str", "required": True},
        "log_format": {"type": "str", "choices": ["text", "json"], "default": "json"},
    },
}

_GOING = ("disabling", "disabled")


@dataclass(frozen=True, order=True)
class LogDelivery:
    """One log and where it goes: a log group of CloudWatch Logs, or a delivery stream of Firehose, by name."""

    log_type: str
    destination_type: str
    destination: str
    log_format: str

    def as_option(self) -> dict[str, str]:
        return dict(vars(self))

    def as_api(self) -> dict[str, Any]:
        details = (
            {"CloudWatchLogsDetails": {"LogGroup": self.destination}}
            if self.destination_type == CLOUDWATCH
            else {"KinesisFirehoseDetails": {"DeliveryStream": self.destination}}
        )
        return {
            "LogType": self.log_type,
            "DestinationType": self.destination_type,
            "DestinationDetails": details,
            "LogFormat": self.log_format,
            "Enabled": True,
        }

    def __str__(self) -> str:
        return f"{self.log_type} to {self.destination_type} {self.destination} as {self.log_format}"


def read(stated: Sequence[Mapping[str, Any]] | None) -> tuple[LogDelivery, ...] | None:
    """The option, sorted; None where it is left out. Raises PlanRefused."""
    if stated is None:
        return None
    deliveries = tuple(
        sorted(
            LogDelivery(
                item["log_type"], item["destination_type"], item["destination"], item.get("log_format") or "json"
            )
            for item in stated
        )
    )
    types = [delivery.log_type for delivery in deliveries]
    if len(types) != len(set(types)):
        raise PlanRefused(
            f"log_delivery_configurations names {', '.join(types)}: a log goes to one destination, so state each "
            "log_type once",
            "log_delivery_configurations",
        )
    return deliveries


def shape(told: Sequence[Mapping[str, Any]] | None) -> tuple[LogDelivery, ...]:
    """Of LogDeliveryConfigurations, without what is being ended."""
    return tuple(
        sorted(
            LogDelivery(
                str(item.get("LogType", "")),
                str(item.get("DestinationType", "")),
                _destination(item.get("DestinationDetails") or {}),
                str(item.get("LogFormat", "")),
            )
            for item in told or ()
            if str(item.get("Status", "")).lower() not in _GOING
        )
    )


def failures(told: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """What AWS says of logs that it cannot deliver, as phrases."""
    return [
        f"{item.get('LogType')}: {item.get('Message') or 'AWS says error, and not why'}"
        for item in told or ()
        if str(item.get("Status", "")).lower() == "error"
    ]


def changes(current: Sequence[LogDelivery], wanted: Sequence[LogDelivery]) -> list[dict[str, Any]]:
    """What to send: all that is new or other, and each log that is not wanted any more with Enabled false."""
    kept = {delivery.log_type for delivery in wanted}
    return [
        *(delivery.as_api() for delivery in wanted if delivery not in current),
        *({"LogType": item.log_type, "Enabled": False} for item in current if item.log_type not in kept),
    ]


def plain(value: Any) -> Any:
    """A value of any option as plain data, for a diff."""
    if not isinstance(value, tuple):
        return value
    return [item.as_option() if isinstance(item, LogDelivery) else item for item in value]


def _destination(details: Mapping[str, Any]) -> str:
    of_logs = (details.get("CloudWatchLogsDetails") or {}).get("LogGroup")
    return str(of_logs or (details.get("KinesisFirehoseDetails") or {}).get("DeliveryStream") or "")
