#!/usr/bin/env python3
"""Write the table of docs/choosing.md: the services side by side, for three old Redises."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.comparison import (
    Comparison,
    compare,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import Load, Wishes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import PriceList

PAGE = Path(__file__).resolve().parent.parent / "docs/choosing.md"
BEGIN, END = "<!-- comparison -->", "<!-- end of comparison -->"
MIB, GIB = 2**20, 2**30
WAYS = {
    "A small cache: 100 MiB at its peak, 50 commands a second": (
        Load(80 * MIB, 100 * MIB, 50.0, 20_000.0, 0.01, (0,), ("hash", "string"), (), ()),
        Wishes(),
    ),
    "A queue: Celery with 2 GiB in databases 0 and 1, 800 commands a second": (
        Load(2 * GIB, 2 * GIB, 800.0, 800_000.0, 0.06, (0, 1), ("hash", "list", "string"), ("Celery",), ()),
        Wishes(),
    ),
    "Sessions that must not be lost: 300 MiB, 200 commands a second, `migration_must_not_lose: true`": (
        Load(300 * MIB, 300 * MIB, 200.0, 150_000.0, 0.03, (0,), ("string",), (), ()),
        Wishes(must_not_lose=True),
    ),
}


def _table(found: Comparison) -> list[str]:
    rows = ["| service | what | USD a month | fits | in the app |", "|---|---|---|---|---|"]
    for offer, cost in found.rows:
        name = f"**{offer.name}**" if offer.name == found.recommended else offer.name
        paid = "unknown" if cost.usd is None else f"{cost.usd:.2f}"
        rows.append(
            f"| {name} | {offer.what} | {paid} | {'; '.join(offer.why_not) or 'yes'} | "
            f"{offer.app if offer.fits else ''} |"
        )
    return rows


def tables() -> str:
    told: list[str] = []
    for title, (load, wishes) in WAYS.items():
        found = compare(load, wishes, PriceList("us-east-1"))
        told += [f"### {title}", "", *_table(found), "", f"Recommended: **{found.recommended}**: {found.why}.", ""]
    return "\n".join(told)


def page() -> str:
    """The page with its tables made anew."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{tables()}{END}", PAGE.read_text(), flags=re.DOTALL)


def main() -> int:
    if page() == PAGE.read_text():
        return 0
    if "--check" in sys.argv:
        print("stale: run make docs: docs/choosing.md")
        return 1
    PAGE.write_text(page())
    print("written: docs/choosing.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
