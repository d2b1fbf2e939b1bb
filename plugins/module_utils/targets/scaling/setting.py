# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The setting ``scaling`` of a migration: which counts of its target AWS changes by itself, and between which. Pure.

A row says by ``scales`` what is scaled of it, and by ``becomes`` what it will be, which decides whether it can be. What
the setting does not name is left as it is.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    Found,
    Part,
    Settings,
    Target,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import (
    DIMENSIONS,
    Cache,
    refuse_unscalable,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.scaling import Desired

MODULE, INFO_MODULE = "cache_scaling", "cache_scaling_info"
SETTING = "scaling"
ITEM = OPTIONS[SETTING].options
RENAMED = dict.fromkeys((name for name in ITEM if name != "state"), SETTING)
"""Of a row that scales: the options of the module, which are those of an item of the setting."""


def _items(settings: Settings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """By dimension."""
    for item in settings.get(SETTING) or ():
        yield item["scalable_dimension"], item


def _is_taken_away(item: Mapping[str, Any]) -> bool:
    return item.get("state") == "absent"


def bounds(settings: Settings) -> dict[str, tuple[int, int]]:
    """The least and the most of each dimension that AWS is to scale."""
    return {
        word: (int(item.get("min_capacity") or 1), int(item.get("max_capacity") or 1))
        for word, item in _items(settings)
        if not _is_taken_away(item)
    }


def most(row: Target, settings: Settings, option: str) -> int:
    """Up to how many AWS makes of what the option counts; 0 where it does not scale that."""
    return next((most for word, (_least, most) in bounds(settings).items() if _counts(row, word) == option), 0)


def _counts(row: Target, word: str) -> str:
    return row.scales[word][0] if word in row.scales else ""


# --- what is refused before anything is made ---


def refuse(row: Target, settings: Settings, found: Found | None) -> None:
    """What AWS does not scale of this target, as it will be, and what does not go together. Raises PlanRefused."""
    seen: set[str] = set()
    for word, item in _items(settings):
        if word not in row.scales:
            instead = row.scales_instead or f"of one it scales {' and '.join(row.scales)}"
            raise PlanRefused(
                f"migration_scaling has {word}, which AWS does not scale by itself of a {row.noun}: {instead}", SETTING
            )
        if word in seen:
            raise PlanRefused(f"migration_scaling has {word} twice: state each scalable_dimension once", SETTING)
        seen.add(word)
        if not _is_taken_away(item):
            _refuse_item(row, word, item, settings, found)


def _refuse_item(row: Target, word: str, item: Mapping[str, Any], settings: Settings, found: Found | None) -> None:
    least, most = item.get("min_capacity"), item.get("max_capacity")
    if least is None or most is None or least > most:
        raise PlanRefused(
            f"migration_scaling has {word} with a min_capacity of {least} and a max_capacity of {most}: state both, "
            "the least and the most that there may be",
            SETTING,
        )
    cache = Cache.that_will_be(str(settings[row.name_option]), row.becomes(settings, found))
    try:
        Desired.from_params(_args(row, word, item, settings))
        if cache.node_type:
            refuse_unscalable(cache, word)
    except PlanRefused as refused:
        raise PlanRefused(f"migration_scaling has {word}: {refused.message}", SETTING) from None
    option, count = row.scales[word][0], _stated_count(row, word, settings)
    if count is not None and not least <= count <= most:
        raise PlanRefused(
            f"migration_{option} is {count}, and migration_scaling has {least} to {most} for {word}: state a number "
            "within these, or leave it out",
            option,
        )


# --- the counts ---


def _stated_count(row: Target, word: str, settings: Settings) -> int | None:
    """A setting that equals its default counts as left out, as Ansible does not tell the two apart."""
    option = row.scales[word][0]
    count = settings.get(option)
    return None if count is None or count == OPTIONS[option].default else int(count)


def counted(row: Target, settings: Settings, found: Found | None) -> dict[str, Any]:
    """The settings without the counts that AWS changes by itself.

    A new target has what is stated, else the least. Of one that is there a count within the bounds is as AWS has made
    it, and is left alone; one outside of them becomes what is stated, else the nearest bound.
    """
    counts: dict[str, Any] = {}
    for word, (least, most) in bounds(settings).items():
        if word not in row.scales:
            continue
        option, *others = row.scales[word]
        count = _stated_count(row, word, settings)
        if found is None:
            is_laid_out = any(settings.get(other) for other in others)
            counts[option] = count if count is not None or is_laid_out else least
            continue
        there = int(found.get(option) or 0)
        counts.update(dict.fromkeys(others))
        counts[option] = None if least <= there <= most else min(max(there if count is None else count, least), most)
    return {**settings, **counts}


def passing(row: Target, settings: Settings) -> frozenset[str]:
    """What of a target that is found AWS changes by itself."""
    return frozenset(name for word in bounds(settings) for name in row.scales.get(word, ()))


# --- parts ---


def before(row: Target, settings: Settings) -> list[Part]:
    """What is taken away, before its count is changed by hand again."""
    return [
        _gone(row, word, settings) for word, item in _items(settings) if word in row.scales and _is_taken_away(item)
    ]


def after(row: Target, settings: Settings, found: Found | None) -> list[Part]:
    """What is registered, once the target is there and as it is stated."""
    becomes = dict(row.becomes(settings, found))
    return [
        Part(_what(word), MODULE, {**_args(row, word, item, settings), "will_be": becomes})
        for word, item in _items(settings)
        if word in row.scales and not _is_taken_away(item)
    ]


def removal(row: Target, settings: Settings) -> list[Part]:
    """With the target, and before it."""
    return [_gone(row, word, settings) for word, _item in _items(settings) if word in row.scales]


def look(row: Target, settings: Settings) -> Part:
    """How it is read."""
    (option,) = {DIMENSIONS[word].option for word in row.scales}
    args = {option: settings[row.name_option], "migration_name": settings["name"]}
    return Part(f"scaling of the {row.what(settings)}", INFO_MODULE, args)


def _what(word: str) -> str:
    return f"scaling of its {DIMENSIONS[word].noun}"


def _gone(row: Target, word: str, settings: Settings) -> Part:
    return Part(_what(word), MODULE, {**_named(row, word, settings), "state": "absent"})


def _args(row: Target, word: str, item: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    return {**stated(item, {name: name for name in ITEM}), **_named(row, word, settings)}


def _named(row: Target, word: str, settings: Settings) -> dict[str, Any]:
    cache = {DIMENSIONS[word].option: settings[row.name_option]}
    return {"scalable_dimension": word, **cache, "migration_name": settings["name"]}


# --- what is said ---


def lines(settings: Settings, seen: Mapping[str, Any] | None) -> list[str]:
    """Each dimension that is scaled, and each that should be. ``seen`` is the result of the info module; None where it
    was not asked.
    """
    if seen is None:
        return []
    if seen.get("failed"):
        return [f"scaling: could not be read: {seen.get('msg') or 'no reason given'}"]
    there, wanted = seen.get("scaling") or {}, bounds(settings)
    told = [_line(word, one, wanted.get(word)) for word, one in there.items()]
    return told + [
        f"scaling: {word} is not scaled by AWS yet, and migration_scaling has {least} to {most}"
        for word, (least, most) in wanted.items()
        if word not in there
    ]


def _line(word: str, there: Mapping[str, Any], wanted: tuple[int, int] | None) -> str:
    least, most = there["min_capacity"], there["max_capacity"]
    policies = [
        f"{policy['predefined_metric_type']} at {policy['target_value']:g}" for policy in there.get("policies") or ()
    ]
    by = f" by {', '.join(policies)}" if policies else ", by no policy of its own"
    is_other = wanted is not None and wanted != (least, most)
    other = f"; migration_scaling has {wanted[0]} to {wanted[1]}" if wanted and is_other else ""
    return f"scaling: {word} from {least} to {most}{by}{other}"
