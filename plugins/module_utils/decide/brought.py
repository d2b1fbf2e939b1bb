# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What came of the data that was brought: whether it is proven to be there, and what is said of it. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import writes

Seen = Mapping[str, Any]

_NAMES_SHOWN = 5


def result(progress: Seen, compared: Seen, written: int | None) -> dict[str, Any]:
    """The result of the host that brought it: whether hosts may be switched to it, and why not.

    ``written`` is how many keys at most the old Redis was told to change since it began; None where nobody knows. More
    keys that differ than that were not copied as they are.
    """
    keys, left_out = int(progress.get("keys") or 0), int(progress.get("left_out_count") or 0)
    told: dict[str, Any] = {"keys": keys, "lines": [_copied(keys, progress)]}
    if left_out:
        told["lines"].append(_left_out(left_out, progress))
    if not compared:
        told["lines"].append("Nothing was compared (migration_transfer_verify: none): what is there is not proven.")
        return told
    counts = {name: int(compared.get(name) or 0) for name in ("compared", "missing", "extra", "different")}
    told["compared"] = {**counts, "equal": bool(compared.get("equal")), "complete": bool(compared.get("complete"))}
    differ = counts["missing"] + counts["extra"] + counts["different"]
    names = _names(compared)
    if not compared.get("complete"):
        return {**told, **_failed("not all keys could be compared, so it is not proven that they are there")}
    if compared.get("equal") and not differ:
        told["lines"].append(f"Compared {counts['compared']:,} keys: equal on both sides.")
        return told
    found = ", ".join(f"{counts[name]:,} {name}" for name in ("missing", "extra", "different") if counts[name])
    if written is not None and differ > written:
        why = (
            f"of {counts['compared']:,} keys {differ:,} differ on the target ({found}; {names}), and the old Redis was "
            f"told to change {written:,} at most since the copy began: they were not copied as they are"
        )
        return {**told, **_failed(why)}
    since = "written" if written is not None else "written (as far as can be told: the copy was gone on with)"
    told["lines"].append(
        f"Compared {counts['compared']:,} keys: {differ:,} differ ({found}; {names}). They were {since} on the old "
        "Redis since they were copied; what they hold there stays behind."
    )
    return told


def _failed(why: str) -> dict[str, Any]:
    return {"state": "failed", "step": "Compare what was brought", "why": why}


def _copied(keys: int, progress: Seen) -> str:
    seconds = max(0.0, float(progress.get("now") or 0) - float(progress.get("began") or 0))
    return f"Copied {keys:,} keys in {seconds:.0f} s."


def _left_out(count: int, progress: Seen) -> str:
    shown = "; ".join(f"{one.get('key')}: {one.get('why')}" for one in progress.get("left_out") or ())
    return f"{count:,} keys were left out: {shown or 'no reason given'}."


def _names(compared: Seen) -> str:
    named = compared.get("names") or {}
    names = [str(name) for kind in ("missing", "different", "extra") for name in named.get(kind) or ()]
    return f"among them {', '.join(names[:_NAMES_SHOWN])}" if names else "their names are not told"


# Commands that change as many keys as they are told to.
_OF_MANY_KEYS = frozenset(("del", "unlink", "mset", "msetnx", "flushall", "flushdb", "swapdb", "migrate", "delifeq"))
_KEYS_OF_A_COMMAND = 2  # at most, of any other: RENAME and LMOVE have two


def most_written(before: Seen, now: Seen) -> int | None:
    """How many keys the writes between two readings of a server's counts can have changed; None where that is unknown,
    as after a restart.
    """
    if not before.get("life") or before.get("life") != now.get("life"):
        return None
    calls = writes.since(before, now)
    if _OF_MANY_KEYS & {name.split("|")[0] for name in calls}:
        return None
    return _KEYS_OF_A_COMMAND * sum(calls.values())
