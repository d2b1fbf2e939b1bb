"""Whether what AWS has is what a scenario says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

# The peer's own record of what it sent last. AWS keeps and returns neither.
RECORDS_OF_THE_PEER = ("auth_token_update_strategy", "final_snapshot_identifier")


def differences(
    expected: Mapping[str, Any], read: Mapping[str, Any], special: Mapping[str, Callable[[Any], bool]]
) -> dict[str, tuple[Any, Any]]:
    """What differs, by name: what was expected, and what was read. ``special`` judges texts that are no value."""
    told = {name: value for name, value in expected.items() if name not in RECORDS_OF_THE_PEER}
    unknown = set(told) - set(read)
    assert not unknown, f"the scenario asserts {sorted(unknown)}, which its service does not read"
    return {name: (value, read[name]) for name, value in told.items() if not _fits(name, value, read[name], special)}


def _fits(name: str, expected: Any, found: Any, special: Mapping[str, Callable[[Any], bool]]) -> bool:
    if isinstance(expected, str) and expected in special:
        return special[expected](found)
    if expected is None:
        return found in (None, "", [], {})
    if expected == "set" or (isinstance(expected, str) and expected.startswith("set ")):
        return found not in (None, "", [], {})
    if isinstance(expected, str) and expected.startswith("…"):
        return str(found).endswith(expected[1:])
    if isinstance(expected, str) and expected.startswith("^"):
        found = found if isinstance(found, list) else [found]
        return bool(found) and all(re.search(expected, str(item)) for item in found)
    if isinstance(expected, int) and not isinstance(expected, bool) and isinstance(found, (list, tuple)):
        return len(found) == expected
    if name == "engine":
        return str(expected).lower() == str(found).lower()
    if name == "engine_version":
        return is_version(str(expected), str(found))
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        if name == "tags" or name.startswith("tags_") or name == "parameters":
            return dict(expected) == dict(found)
        return all(key in found and _fits(key, value, found[key], special) for key, value in expected.items())
    if isinstance(expected, list) and any(isinstance(item, Mapping) for item in expected):
        met = [any(_fits(name, item, one, special) for one in found) for item in expected]
        return len(expected) == len(found) and all(met)
    if isinstance(expected, list):
        return sorted(map(str, expected)) == sorted(map(str, found))
    return bool(expected == found)


def is_version(stated: str, full: str) -> bool:
    """Whether a full version is the one that a user states: 7.1 or 6.x or 5.0.6."""
    wanted, found = stated.split("."), full.split(".")
    return len(wanted) <= len(found) and all(part in ("x", have) for part, have in zip(wanted, found))
