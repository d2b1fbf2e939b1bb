# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ids and engines of users and their groups. Pure."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

DEFAULT_USER = "default"
ENGINES = ("redis", "valkey")
ACTIVE, DELETING = "active", "deleting"


def check_id(value: Any, option: str) -> str:
    """The id as AWS stores it. Raises PlanRefused."""
    name = str(value).lower()
    if not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name) or len(name) > 40:
        raise PlanRefused(
            f"{option} is {value!r}: use 1 to 40 letters, digits and hyphens, the first a letter, without a hyphen at "
            "the end or two in a row",
            option,
        )
    return name


def check_engine(value: Any) -> str | None:
    """The engine as AWS stores it, None where it was left out. Raises PlanRefused."""
    engine = str(value or "").lower()
    if engine and engine not in ENGINES:
        raise PlanRefused(f"engine is {value!r}: users and their groups are of {' or '.join(ENGINES)}", "engine")
    return engine or None
