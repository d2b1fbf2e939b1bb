# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way back: which hosts have something to put back, whether the old Redis serves, and what stays behind. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import AFTER_APPLY, MEMCACHED
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import by_reason

Result = Mapping[str, Any]
PATTERNS_SHOWN = 20
# It lets the app's user in. That it forbids or cannot take the key of a probe, the app has lived with before.
SERVES_ALL_THE_SAME = ("no_permission", "out_of_memory")
NOT_ONTO_SHARED = "the shared store is not back, and a restart would read the target from it again: {why}"
NOT_ASKED, CANNOT_ASK = "no_original", "unreadable"
# The old Redis is not there, or not reachable: nobody can say more of it, and so nobody can promise a way back.
SILENT = frozenset(("name_does_not_resolve", "refused", "timeout", "unreachable", "no_answer"))


def is_recorded(look: Result) -> bool:
    """Whether the journal has an original of any of the values that a revert looked at."""
    return any(value.get("original_location") for value in (look.get("changes") or {}).values())


def unproven(probes: Mapping[str, Result], endpoint: Mapping[str, Any]) -> dict[str, str]:
    """The hosts whose probe did not reach the old Redis, and why.

    One that could not be asked is not among them, nor one that asked the target, as no original is kept of its value:
    neither says anything of the old Redis. Where no host reached it, those that could not even ask are reasons too.
    """
    asked = _asked_it(probes, endpoint)
    failed = {host: _why(probe) for host, probe in asked.items() if not _serves(probe)}
    if len(failed) == len(asked):
        return failed
    own_trouble = unable(probes)
    return {host: why for host, why in failed.items() if host not in own_trouble}


def unable(probes: Mapping[str, Result]) -> dict[str, str]:
    """The hosts that could not even ask the old Redis, and why: a trouble of their own, as a damaged journal."""
    return {
        host: _why(probe)
        for host, probe in _asked(probes).items()
        if not probe.get("reached") and (not probe.get("failure") or _kind(probe) == CANNOT_ASK)
    }


def is_gone(probes: Mapping[str, Result], endpoint: Mapping[str, Any]) -> bool:
    """Whether the old Redis is silent for each host that asked it."""
    asked = _asked_it(probes, endpoint)
    return bool(asked) and all(_kind(probe) in SILENT for probe in asked.values())


def no_original(place: str, state_dir: str, services: Sequence[str]) -> str:
    """As of a host that came up on the target by itself, whose token was rotated since: that one may be refused."""
    return (
        f"{place} still leads to the target, and the journal under {state_dir} has no original for it: "
        "was it made under another migration_name, or by hand? Put the old URL there by hand, and restart "
        f"{', '.join(services)}."
    )


def _asked(probes: Mapping[str, Result]) -> dict[str, Result]:
    """The probes that came to an answer."""
    return {
        host: probe
        for host, probe in probes.items()
        if probe and not probe.get("unreachable") and _kind(probe) != NOT_ASKED
    }


def _asked_it(probes: Mapping[str, Result], endpoint: Mapping[str, Any]) -> dict[str, Result]:
    """The probes that say something of the old Redis, and not of the target."""
    return {host: probe for host, probe in _asked(probes).items() if _place(probe) != endpoint.get("address")}


def _serves(probe: Result) -> bool:
    return bool(probe.get("reached")) or _kind(probe) in SERVES_ALL_THE_SAME


def _kind(probe: Result) -> str:
    return str((probe.get("failure") or {}).get("kind") or "")


def _place(probe: Result) -> str:
    return str((probe.get("location") or {}).get("host") or "")


def _why(probe: Result) -> str:
    """What was found: the remedies of a probe are those for a target."""
    found = (probe.get("failure") or {}).get("found")
    return str(found or probe.get("msg") or "the probe gave no reason")


def refusal(reasons: Mapping[str, str], cutover: str) -> str:
    """The sentence of a rollback that would lead to a Redis that does not serve. ``cutover`` names that playbook."""
    told = "\n".join(f"{', '.join(hosts)}: {why}" for why, hosts in by_reason(reasons).items())
    return (
        "Nothing was touched: the old Redis must answer every app host before the app is put back on it, and it does "
        f"not. Going back to it would take the app down.\n{told}\nBring the old Redis back (start its instance or its "
        "service, open its security group) and run this playbook again; until then the app stays where it is. Where "
        "only these hosts are in trouble, let the others go back without them: --limit to the others, "
        "or, with values that hosts share, an inventory without them. Where the old Redis is gone for good, the way "
        f"left is forward: {cutover} switches every host that is not on the target yet, without asking the old Redis."
    )


def left_behind(contents: Result, endpoint: Mapping[str, Any], since: str = "") -> list[str]:
    """What of the app's writes stays on the target, and what that means. ``contents`` is of app_host_info."""
    name = endpoint.get("name") or endpoint.get("address")
    when = f" since the cutover ({since})" if since else " since the cutover"
    if endpoint.get("state") == AFTER_APPLY:
        return [f"The target {name} is not there: if the app wrote to it{when}, that is in no Redis of this migration."]
    if "total_keys" not in contents:
        why = contents.get("msg") or "no host could be asked"
        return [
            f"What the app wrote to {name}{when} cannot be told ({why}). It stays there: the old Redis has none of it."
        ]
    total, lasting = contents["total_keys"], contents["keys_without_ttl"]
    if not total:
        return [f"{name} holds no keys, so nothing stays behind."]
    if endpoint.get("protocol") == MEMCACHED:
        return [
            f"{name} holds {_count(total)}; Memcached tells neither which, nor how long they stay. What the app "
            f"wrote{when} is among them: it stays there, nothing is copied, and the app on the old Redis does not see "
            "it.",
            *_meaning(0),
        ]
    return [
        f"{name} holds {_count(total)}, {lasting} of them without TTL. What the app wrote{when} is among them: it "
        "stays there, nothing is copied, and the app on the old Redis does not see it.",
        *_pattern_lines(contents),
        *_meaning(lasting),
    ]


def fate_of_data(settings: Mapping[str, Any], endpoint: Mapping[str, Any]) -> list[str]:
    """Where what stays on the target is to be deleted with it."""
    if not settings["rollback_delete_target"] or settings["endpoint"]:
        return []
    last = settings.get("final_snapshot_identifier")
    kept = f"in the snapshot {last} alone" if last else "nowhere, as migration_final_snapshot_identifier is empty"
    return [
        f"Then {endpoint.get('name') or 'the target'} is deleted, where it is this migration's, once every host is off "
        f"it (migration_rollback_delete_target): what it holds is kept {kept}."
    ]


def _pattern_lines(contents: Result) -> list[str]:
    groups: Sequence[Mapping[str, Any]] = contents["key_groups"]
    lines = [
        f"- {group['pattern']} ({group['type']}, database {group['database']}): {_count(group['count'])}, "
        f"{group['without_ttl']} without TTL"
        for group in groups[:PATTERNS_SHOWN]
    ]
    if len(groups) > PATTERNS_SHOWN:
        lines.append(f"- and {len(groups) - PATTERNS_SHOWN} more patterns")
    if contents["sampled"] < contents["total_keys"]:
        lines.append(f"- counted among {contents['sampled']} keys that were looked at, of {contents['total_keys']}")
    return lines


def _meaning(lasting: int) -> list[str]:
    lines = [
        "The old Redis has what it had at the cutover: a session begun since is gone and its user logs in again, and a "
        "cached value that changed since is served as it was until its TTL ends."
    ]
    if lasting:
        lines.append(
            f"{_count(lasting)} without TTL will not come anew by themselves. Where one of these patterns is data and "
            "not a cache, keep the target and copy it; with the target deleted it is lost."
        )
    return lines


def _count(number: int) -> str:
    return f"{number} key{'' if number == 1 else 's'}"


def removal_lines(parts: Sequence[Mapping[str, Any]], planned: bool = False) -> list[str]:
    """What became of each part ``{what, result}`` of the target that was to be deleted."""
    return [f"{part['what']}: {_removal(part.get('result') or {}, planned)}" for part in parts]


def _removal(result: Result, planned: bool) -> str:
    if result.get("failed"):
        return f"stays. {result.get('msg') or 'No reason is given.'}"
    if result.get("skipped"):
        return f"stays, as {result['hangs_on']} does"
    if result.get("changed"):
        return "would be deleted" if planned else "deleted"
    return "is not there"
