# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What came of the data that was brought: whether it is proven to be there, and what is said of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import writes
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import pattern_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import COPY, SEED

Seen = Mapping[str, Any]

REFUSE, KEEP, REPLACE = "refuse", "keep", "replace"  # what becomes of keys that the target held before
_NAMES_SHOWN = 5
_KINDS = ("missing", "extra", "different")
_COUNTS = ("compared", *_KINDS, "changing", "unknown", "unseen", "sampled")


@dataclass(frozen=True)
class Wanted:
    """How it was to be brought, as ``migration_transfer`` and ``migration_transfer_target_keys`` say."""

    strategy: str = COPY
    target_keys: str = REFUSE

    @property
    def tells(self) -> tuple[str, ...]:
        """The kinds of differences that tell something, where the target held keys of its own."""
        return {KEEP: ("missing",), REPLACE: ("missing", "different")}.get(self.target_keys, _KINDS)


def result(progress: Seen, compared: Seen, written: int | None, wanted: Wanted) -> dict[str, Any]:
    """The result of the host that brought it: whether hosts may be switched to it, and why not.

    ``written`` is how many keys at most the old Redis was told to change since it began; None where nobody knows. More
    keys that differ than that were not copied as they are. With what follows no key that is at rest may differ.
    """
    told: dict[str, Any] = {"keys": int(progress.get("keys_done") or 0), "lines": copied(progress, wanted.strategy)}
    if not compared:
        told["lines"].append("Nothing was compared (migration_transfer_verify: none): what is there is not proven.")
        return told
    counts = {name: int(compared.get(name) or 0) for name in _COUNTS}
    whole = {name: bool(compared.get(name)) for name in ("equal", "complete")}
    told["compared"] = {**counts, **whole}
    why = _unproven(compared, counts) or _wrong(compared, counts, written, wanted)
    if why:
        return {**told, "state": "failed", "step": "Compare what was brought", "why": why}
    told["lines"].append(_told(compared, counts, wanted))
    return told


def _unproven(compared: Seen, counts: Mapping[str, int]) -> str:
    """Why it is not known what is there, where that is so."""
    if counts["unseen"]:
        return f"{counts['unseen']:,} keys that are there by their number were not seen, so nothing is proven"
    if counts["unknown"]:
        return f"{counts['unknown']:,} keys could not be compared ({_names(compared, ('unknown',))})"
    if compared.get("in_progress") or not (compared.get("complete") or counts["sampled"] or counts["changing"]):
        return "not all keys could be compared, so it is not proven that they are there"
    return ""


def _wrong(compared: Seen, counts: Mapping[str, int], written: int | None, wanted: Wanted) -> str:
    """Why they are not there as they are, where that is certain."""
    differ = sum(counts[name] for name in wanted.tells)
    if libraries := compared.get("libraries"):
        return "libraries of functions differ: " + "; ".join(
            f"{name}: {why}" for name, why in sorted(libraries.items())
        )
    if wanted.strategy == SEED and differ < counts["compared"]:
        return ""
    if not differ or (wanted.strategy == COPY and (written is None or differ <= written)):
        return ""
    since = "what is written to it is followed"
    if wanted.strategy == SEED:
        since = "not one is as it is there: the target was made from another dump"
    if wanted.strategy == COPY:
        since = f"it was told to change {written:,} at most since the copy began"
    return (
        f"of {counts['compared']:,} keys {differ:,} are otherwise on the target than on the old Redis "
        f"({_found(counts, wanted.tells)}; {_names(compared, wanted.tells)}), and {since}: "
        "they were not copied as they are"
    )


def _told(compared: Seen, counts: Mapping[str, int], wanted: Wanted) -> str:
    of = "a sample of " if counts["sampled"] else ""
    begun = f"Compared {of}{counts['compared']:,} keys"
    if not sum(counts[name] for name in (*_KINDS, "changing")):
        return f"{begun}: equal on both sides." if compared.get("equal") else f"{begun}: not proven to be equal."
    parts = []
    differ = [name for name in wanted.tells if counts[name]]
    if differ:
        found = f"{_found(counts, differ)} ({_names(compared, differ)})"
        parts.append(f"{found}: {_since(wanted)}; what they hold there stays behind")
    if counts["changing"]:
        parts.append(f"{counts['changing']:,} were written all the while, and are not proven")
    others = [name for name in _KINDS if counts[name] and name not in wanted.tells]
    if others:
        parts.append(f"{_found(counts, others)}, as the target held keys before (migration_transfer_target_keys)")
    return f"{begun}: {'; '.join(parts)}."


def _since(wanted: Wanted) -> str:
    if wanted.strategy == SEED:
        return "written on the old Redis since the dump was taken, or not in it, of which nothing tells"
    return "written on the old Redis since they were copied, as far as can be told"


def _found(counts: Mapping[str, int], names: Iterable[str]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in names if counts[name])


def copied(progress: Seen, strategy: str = COPY) -> list[str]:
    """What is told before it is compared."""
    if strategy == SEED:
        return [f"The target holds {int(progress.get('keys_done') or 0):,} keys of the dump."]
    seconds = max(0.0, float(progress.get("now") or 0) - float(progress.get("began") or 0))
    left_out = int(progress.get("left_out_count") or 0)
    line = f"Copied {int(progress.get('keys_done') or 0):,} keys in {seconds:.0f} s."
    return [line, *([_left_out(left_out, progress)] if left_out else [])]


def _left_out(count: int, progress: Seen) -> str:
    shown = "; ".join(dict.fromkeys(map(_name, progress.get("left_out") or ())))
    return f"{count:,} keys were left out: {shown or 'no reason given'}."


def _names(compared: Seen, kinds: Iterable[str]) -> str:
    named = compared.get("names") or {}
    names = list(dict.fromkeys(_name(one) for kind in kinds for one in named.get(kind) or ()))
    return f"as {'; '.join(names[:_NAMES_SHOWN])}" if names else "their names are not told"


def _name(one: Seen) -> str:
    """As a pattern, since the name of a key may hold personal data, as a session does."""
    where = f" of database {one['database']}" if one.get("database") is not None else ""
    why = f": {one['why']}" if one.get("why") else ""
    return f"{pattern_of(str(one.get('key')).encode())}{where}{why}"


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
