# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One parameter of an engine as AWS knows it, and which values it takes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence


@dataclass(frozen=True)
class Parameter:
    """One parameter as AWS knows it. ``is_set`` where somebody gave it a value of its own."""

    name: str
    value: str = ""
    is_set: bool = False
    allowed: str = ""
    data_type: str = "string"
    is_modifiable: bool = True
    needs_reboot: bool = False

    @classmethod
    def shape(cls, item: Mapping[str, Any]) -> Parameter:
        return cls(
            name=item["ParameterName"],
            value=str(item.get("ParameterValue") or ""),
            is_set=item.get("Source") == "user",
            allowed=item.get("AllowedValues") or "",
            data_type=str(item.get("DataType") or "string").lower(),
            is_modifiable=bool(item.get("IsModifiable", True)),
            needs_reboot=item.get("ChangeType") == "requires-reboot",
        )

    def takes(self, value: str) -> bool:
        """Whether AWS takes the value, as far as AllowedValues tells: a list, or ranges as ``0,20-`` and ``-1-60``."""
        choices = [item.strip() for item in self.allowed.split(",") if item.strip()]
        ranges = [re.fullmatch(_RANGE, item) for item in choices]
        if self.data_type != "integer":
            return len(choices) < 2 or value in choices or any(ranges)
        if not re.fullmatch(r"-?\d+", value):
            return False
        return (
            not all(ranges) or not ranges or any(_is_within(int(value), *found.groups()) for found in ranges if found)
        )


_RANGE = r"(-?\d+)(-)?(-?\d+)?"


def _is_within(number: int, low: str, dash: str | None, high: str | None) -> bool:
    if not dash:
        return number == int(low)
    return int(low) <= number and (high is None or number <= int(high))


def shape_parameters(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Parameter]:
    """Of DescribeCacheParameters, which tells of each where its value is from."""
    return {item["ParameterName"]: Parameter.shape(item) for item in parameters}


def shape_beside_default(
    parameters: Sequence[Mapping[str, Any]], defaults: Sequence[Mapping[str, Any]]
) -> dict[str, Parameter]:
    """Of MemoryDB's DescribeParameters, which tells no source: what differs from the family's default group was set."""
    usual = {item["Name"]: str(item.get("Value") or "") for item in defaults}
    return {
        item["Name"]: Parameter(
            name=item["Name"],
            value=str(item.get("Value") or ""),
            is_set=str(item.get("Value") or "") != usual.get(item["Name"], ""),
            allowed=item.get("AllowedValues") or "",
            data_type=str(item.get("DataType") or "string").lower(),
        )
        for item in parameters
    }
