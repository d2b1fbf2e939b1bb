# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the modules of several services are told alike: security groups, and what becomes of the data. Pure."""

from __future__ import annotations

from typing import Iterable

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

# What a role hands in for a security group that a check-mode run could not make.
_PLACEHOLDERS = ("", "after-apply")


def security_groups(value: list[str] | None, allow_placeholders: bool) -> tuple[str, ...] | None:
    """The option ``security_group_ids``, each once and in order; None where it was left out. Raises PlanRefused.

    A cache of ElastiCache is never without one, so what is told of it takes an empty list for left out.
    """
    if value is None:
        return None
    if not allow_placeholders and has_placeholders(value):
        raise PlanRefused(
            "security_group_ids holds a placeholder (empty, or 'after-apply'): outside of check mode every item must "
            "be the id of a security group, as sg-…",
            "security_group_ids",
        )
    return tuple(sorted(set(value)))


def has_placeholders(security_group_ids: Iterable[str] | None) -> bool:
    return any(item in _PLACEHOLDERS for item in security_group_ids or ())


def gone_for_good(what: str, option: str) -> PlanRefused:
    """The refusal of a deletion of which nobody has said whether a last snapshot, by ``option``, is to be kept."""
    return PlanRefused(
        f"{what} would be deleted for good: state either {option}, the name of a last snapshot, or "
        "skip_final_snapshot: true, which gives its data up",
        option,
    )
