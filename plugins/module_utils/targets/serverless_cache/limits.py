# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How much a serverless cache may hold and do, and how much it is kept ready for. Pure.

0 is no limit. What is stated changes what it names, and leaves the rest as it is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

OPTION = "cache_usage_limits"

# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html: ECPUs a second, and GB of data.
LEAST_ECPU, MOST_ECPU = 1000, 15_000_000
LEAST_DATA, MOST_DATA = 1, 5000

# A part of the option, the API's name for it, and by which field each of its values is known.
_PARTS = {
    "data_storage": ("DataStorage", {"maximum": "data_maximum", "minimum": "data_minimum"}),
    "ecpu_per_second": ("ECPUPerSecond", {"maximum": "ecpu_maximum", "minimum": "ecpu_minimum"}),
}


@dataclass(frozen=True)
class UsageLimits:
    """GB of data, and ElastiCache Processing Units a second. A minimum is paid for, whether it is used or not."""

    data_maximum: int = 0
    data_minimum: int = 0
    ecpu_maximum: int = 0
    ecpu_minimum: int = 0

    @classmethod
    def from_api(cls, limits: Mapping[str, Any] | None) -> UsageLimits:
        """AWS leaves out what has no limit, or says 0."""
        return cls(
            **{
                held: int(((limits or {}).get(part) or {}).get(value.capitalize()) or 0)
                for part, values in _PARTS.values()
                for value, held in values.items()
            }
        )

    def is_like(self, other: UsageLimits) -> bool:
        """Whether both mean the same: the most that AWS has is no limit, and it tells of that where none was stated."""
        return self._without_most() == other._without_most()

    def _without_most(self) -> tuple[int, ...]:
        data = 0 if self.data_maximum == MOST_DATA else self.data_maximum
        ecpu = 0 if self.ecpu_maximum == MOST_ECPU else self.ecpu_maximum
        return data, self.data_minimum, ecpu, self.ecpu_minimum

    def as_option(self) -> dict[str, Any]:
        """In the words of the option, without what has no limit."""
        told = {
            part: {value: getattr(self, held) for value, held in values.items() if getattr(self, held)}
            for part, (_api, values) in _PARTS.items()
        }
        told = {part: values for part, values in told.items() if values}
        return {part: {**values, **({"unit": "GB"} if part == "data_storage" else {})} for part, values in told.items()}

    def as_api(self, before: UsageLimits | None = None) -> dict[str, Any]:
        """All limits, and 0 for those that were there ``before`` and are to go."""
        was = before or NO_LIMITS
        sent: dict[str, Any] = {}
        for part, values in _PARTS.values():
            named = {
                value.capitalize(): getattr(self, held)
                for value, held in values.items()
                if getattr(self, held) or getattr(was, held)
            }
            if named:
                sent[part] = {**named, **({"Unit": "GB"} if part == "DataStorage" else {})}
        return sent


NO_LIMITS = UsageLimits()


@dataclass(frozen=True)
class StatedLimits:
    """The option: None is what it does not name."""

    data_maximum: int | None = None
    data_minimum: int | None = None
    ecpu_maximum: int | None = None
    ecpu_minimum: int | None = None

    @classmethod
    def from_option(cls, option: Mapping[str, Any] | None) -> StatedLimits | None:
        """None where nothing is named. Raises PlanRefused."""
        stated = {
            held: _whole(f"{part}.{value}", (option or {}).get(part), value)
            for part, (_api, values) in _PARTS.items()
            for value, held in values.items()
        }
        limits = cls(**stated)
        if limits == cls():
            return None
        _check_range("data_storage", (limits.data_maximum, limits.data_minimum), LEAST_DATA, None, "GB")
        _check_range("ecpu_per_second", (limits.ecpu_maximum, limits.ecpu_minimum), LEAST_ECPU, MOST_ECPU, "ECPUs")
        return limits

    def over(self, current: UsageLimits) -> UsageLimits:
        """What there will be. Raises PlanRefused where a minimum would be above its maximum."""
        stated = {item.name: getattr(self, item.name) for item in fields(self)}
        after = UsageLimits(**{**asdict(current), **{name: one for name, one in stated.items() if one is not None}})
        for part, least, most in (
            ("data_storage", after.data_minimum, after.data_maximum),
            ("ecpu_per_second", after.ecpu_minimum, after.ecpu_maximum),
        ):
            if most and least > most:
                raise PlanRefused(
                    f"{OPTION} would have a minimum of {least} above its maximum of {most} in {part}: state both, the "
                    "minimum not above the maximum (0 takes one away)",
                    OPTION,
                )
        return after


def said(limits: UsageLimits) -> str:
    """As a plan says it: ``at most 10 GB, at least 1000 ECPU a second``."""
    words = [
        f"{how} {getattr(limits, held)} {unit}"
        for held, how, unit in (
            ("data_maximum", "at most", "GB"),
            ("data_minimum", "at least", "GB"),
            ("ecpu_maximum", "at most", "ECPU a second"),
            ("ecpu_minimum", "at least", "ECPU a second"),
        )
        if getattr(limits, held)
    ]
    return ", ".join(words) or "none"


def _whole(name: str, part: Any, value: str) -> int | None:
    if part is not None and not isinstance(part, Mapping):
        raise PlanRefused(f"{OPTION} has {name.partition('.')[0]}: {part!r}, which is a mapping of limits", OPTION)
    stated = (part or {}).get(value)
    if stated is None or stated == "":
        return None
    try:
        return int(str(stated))
    except ValueError:
        raise PlanRefused(f"{OPTION} has {name}: {stated!r}, which is no whole number", OPTION)


def _check_range(part: str, values: tuple[int | None, ...], least: int, most: int | None, unit: str) -> None:
    wrong = [one for one in values if one and (one < least or (most is not None and one > most))]
    if wrong:
        upto = f" to {most}" if most is not None else " or more"
        raise PlanRefused(f"{OPTION} has {wrong[0]} in {part}: it is {least}{upto} {unit}, or 0 for no limit", OPTION)
