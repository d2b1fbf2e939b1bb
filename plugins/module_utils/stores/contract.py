# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is asked of a value, what follows from what is there, and how it is shown: the same for every store."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    MASK,
    EndpointError,
    UrlParts,
    mask_url,
    parse_url,
    with_options_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import LOGIN, URL, Form, urls
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry, check_migration_name

PRESENT = "present"
ABSENT = "absent"
REVERTED = "reverted"

KEEP = "keep"
WRITE = "write"
REMOVE = "remove"
RESTORE = "restore"


_MOST_SHOWN = 500  # signs of a value; a plan with more of them would be read by nobody

# Of AWS: makes the client of a service by boto3's name of it.
Clients = Callable[[str], Any]

# What both modules that change values take, beside what says where the values are (doc_fragments/value_change).
OPTIONS: dict[str, Any] = {
    "values": {"type": "dict", "required": True, "no_log": True},
    "expected": {"type": "dict", "no_log": True},
    "state": {"type": "str", "choices": [PRESENT, ABSENT, REVERTED], "default": PRESENT},
    "create": {"type": "bool", "default": False},
    "keep_options": {"type": "bool", "default": False},
    "migration_name": {"type": "str", "required": True},
}


class ChangeRefused(Exception):
    """Nothing was changed; the text is a sentence for the operator and holds no value."""


class NothingThere(ChangeRefused):
    """None of the keys that are to be there is."""


@dataclass(frozen=True)
class Request:
    """What the task asks for. ``values`` holds None where the state needs no value."""

    state: str
    values: Mapping[str, str | None] = field(repr=False)
    expected: Mapping[str, str | None] = field(repr=False)
    migration_name: str
    create: bool = False
    keep_options: bool = False
    dialect: tuple[str, ...] = ()  # who reads it, where a store has several readers; none named: all of them
    forms: Mapping[str, Form] = field(default_factory=dict)  # of keys that hold something else than a URL, or no value

    def may_be_missing(self, key: str) -> bool:
        return self.create or (key in self.forms and self.forms[key].added)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Request:
        check_migration_name(params["migration_name"])
        values = {str(key): _text("values", key, value) for key, value in params["values"].items()}
        expected = {str(key): _text("expected", key, value) for key, value in (params.get("expected") or {}).items()}
        if not values:
            raise ChangeRefused("values is empty: name at least one key")
        strangers = sorted(set(expected) - set(values))
        if strangers:
            raise ChangeRefused(f"expected names {', '.join(strangers)}, which values does not: give the same keys")
        if params["state"] == PRESENT:
            missing = sorted(key for key, value in values.items() if value is None)
            if missing:
                raise ChangeRefused(f"values gives no value for {', '.join(missing)}, which state: present needs")
        else:
            values = dict.fromkeys(values)
        return cls(
            state=params["state"],
            values=values,
            expected=expected,
            migration_name=params["migration_name"],
            create=bool(params["create"]),
            keep_options=bool(params.get("keep_options")),
            dialect=tuple(params.get("dialect") or ()),
            forms={str(key): Form.from_dict(form) for key, form in (params.get("forms") or {}).items()},
        )


def _text(option: str, key: Any, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ChangeRefused(f"{option} gives {key} as {type(value).__name__}: write it as a quoted string")
    return str(value)


@dataclass(frozen=True)
class Decision:
    """What to do about one key, without saying yet how the store does it. None stands for no value at all."""

    key: str
    action: str
    before: str | None = field(repr=False)
    after: str | None = field(repr=False)
    entry: Entry | None = field(default=None, repr=False)
    message: str = ""
    closes: bool = False  # the original is back, or never left: the entry is of no more use
    stays: bool = True  # what the journal has of it is the original after this change, too
    is_noted: bool = False  # with others of its group, though it is what it should be

    @property
    def original(self) -> str | None:
        """By the journal, as it is or as this change makes it."""
        if self.entry is None:
            return self.before if self.changes or self.is_noted else None
        return self.entry.original if self.action == RESTORE or self.stays else self.before

    @property
    def changes(self) -> bool:
        return self.action != KEEP


_ALREADY_BACK = "the original value is in place"
_NO_ENTRY = "the journal has no entry for this value, so there is nothing to put back"


def decide(request: Request, key: str, current: str | None, entry: Entry | None, where: str) -> Decision:
    """Raises ChangeRefused where the value is somebody else's. ``where`` names the store in that text."""
    if request.state == REVERTED:
        return _decide_reverted(request, key, current, entry, where)
    desired = _desired(request, key, current, where)
    _refuse_unexpected(request, key, current, desired, where)
    stays = entry is None or original_stays(entry, current, desired)
    if current == desired:
        return Decision(key, KEEP, current, current, entry, stays=stays)
    return Decision(key, REMOVE if desired is None else WRITE, current, desired, entry, stays=stays)


def as_groups(request: Request, decisions: Sequence[Decision], where: str) -> list[Decision]:
    """The decisions of one place, where keys that lead somewhere only together have their originals together, too.

    Raises ChangeRefused where somebody has since pointed half of them elsewhere.
    """
    groups: dict[str, list[Decision]] = {}
    for each in decisions:
        if each.key in request.forms and request.state != REVERTED:
            groups.setdefault(request.forms[each.key].group_of(each.key), []).append(each)
    settled = {each.key: each for of_group in groups.values() for each in _as_group(request, of_group, where)}
    return [settled.get(each.key, each) for each in decisions]


def _as_group(request: Request, group: Sequence[Decision], where: str) -> list[Decision]:
    theirs = urls(request.forms, {each.key: each.before for each in group})
    ours = urls(request.forms, {each.key: each.after for each in group})
    is_ours = all(each.entry is None or each.entry.knows(each.before) for each in group)
    if not is_ours and any(leads_elsewhere(theirs[each.key], ours[each.key]) for each in group):
        _refuse_half_a_place(request, group, where)
        return [replace(each, stays=False) for each in group]
    is_known = any(each.entry or each.changes for each in group)
    return [replace(each, is_noted=is_known and not each.entry and not each.changes) for each in group]


def _refuse_half_a_place(request: Request, group: Sequence[Decision], where: str) -> None:
    """Its address is somebody's, its password or its TLS still what this migration wrote: that is no original."""
    left = [
        each.key
        for each in group
        if each.entry and each.before != each.entry.original and each.entry.knows(each.before)
        if request.forms[each.key].parts <= LOGIN
    ]
    if left:
        others = [each.key for each in group if each.entry and not each.entry.knows(each.before)]
        raise ChangeRefused(
            f"{', '.join(others)} in {where} leads elsewhere since this migration wrote it, and {', '.join(left)} is "
            "still what it wrote: somebody has pointed the app elsewhere by half. Nothing was changed. Set all of them "
            "to that place, or put the former value back, then run again"
        )


def _desired(request: Request, key: str, current: str | None, where: str) -> str | None:
    desired = request.values[key]
    if not request.keep_options or desired is None or current is None:
        return desired
    form = request.forms.get(key)
    if form and not form.takes_options:
        return desired
    try:
        if form is None:
            return with_options_of(desired, current)
        new, old = form.read(desired), form.read(current)
        if not form.is_url or not new or not old:
            return desired
        return form.rendered({**new, URL: with_options_of(new[URL], old[URL])})
    except EndpointError as error:
        raise ChangeRefused(f"{key} in {where} was not changed: {error}. Correct it there, then run again")


def _decide_reverted(request: Request, key: str, current: str | None, entry: Entry | None, where: str) -> Decision:
    if entry is None:
        return Decision(key, KEEP, current, current, message=_NO_ENTRY)
    if current == entry.original:
        return Decision(key, KEEP, current, current, entry, _ALREADY_BACK, closes=True)
    if current not in entry.written:
        raise ChangeRefused(
            f"{key} in {where} holds neither the value that this migration wrote nor the original: somebody has "
            f"changed it since {entry.time}. Nothing was changed. Ask who did. To go back all the same, put the "
            "original there by hand and run this again: it is in the journal of this migration, for root only (a file "
            "under state_dir on the host; of a parameter a SecureString under "
            f"/cache_migration/{request.migration_name}/journal)"
        )
    _refuse_unexpected(request, key, current, entry.original, where)
    return Decision(key, RESTORE, current, entry.original, entry, closes=True)


def _refuse_unexpected(request: Request, key: str, current: str | None, desired: str | None, where: str) -> None:
    if key not in request.expected or current in (request.expected[key], desired):
        return
    found = "is not set" if current is None else f"holds {mask(current)}, another value"
    raise ChangeRefused(
        f"{key} in {where} {found}, where expected names {mask(request.expected[key]) or 'none'}: somebody has changed "
        "it. Nothing was changed. Look at who uses it, then put the value found into expected, or leave expected out"
    )


# --- recording ---


def now() -> str:
    """The time of an entry, by this machine's clock."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def extended(known: Entry | None, now: Entry, stays: bool | None = None) -> Entry:
    """What the journal is to say, where ``now`` is the entry as this change alone would have it. ``stays`` is what its
    decision says.
    """
    if known is None:
        return now
    written = now.written[-1]
    if original_stays(known, now.original, written) if stays is None else stays:
        return known.with_written(written)
    return replace(now, written=known.written).with_written(written)


def original_stays(known: Entry, found: str | None, written: str | None) -> bool:
    """Whether what is found is the original, ours, or an edit of ours.

    A cache URL that is none of these, and leads elsewhere than where the app is led now, was put there by somebody
    since: it is what this change takes away, and so what the way back must bring. The former one may be dead by now.
    """
    return known.knows(found) or not leads_elsewhere(found, written)


def leads_elsewhere(one: str | None, other: str | None) -> bool:
    """Whether both are cache URLs, of two places."""
    theirs, ours = cache_url(one), cache_url(other)
    return bool(theirs and ours and (theirs.host, theirs.port) != (ours.host, ours.port))


# --- showing, without secrets ---


def cache_url(value: str | None) -> UrlParts | None:
    """The value as a cache URL, or None where it is none."""
    try:
        return parse_url(value) if value else None
    except (EndpointError, ValueError):
        return None


def mask(value: str | None, form: Form | None = None) -> str | None:
    """Without secrets: by its form, as a cache URL, and any other value as nothing but the fact that it is there.

    So is what holds other signs than those of a place, which may look like something else, and the end of a long one.
    """
    if value is None:
        return None
    shown = form.shown(value) if form else mask_url(value) if cache_url(value) else MASK
    if shown is None or not re.fullmatch("[ -~]*", shown):
        return MASK
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}{MASK}"


def location(value: str | None) -> dict[str, Any] | None:
    """Where a cache URL points."""
    url = cache_url(value)
    return {"host": url.host, "port": url.port, "tls": url.tls, "database": url.database} if url else None


def shown(
    where: str, decisions: Sequence[Decision], journaled: Mapping[str, bool], forms: Mapping[str, Form] | None = None
) -> dict[str, Any]:
    """For a module's result."""
    forms = forms or {}
    led = {
        "before_location": urls(forms, {each.key: each.before for each in decisions}),
        "after_location": urls(forms, {each.key: each.after for each in decisions}),
        "original_location": urls(forms, {each.key: each.original for each in decisions}),
    }
    described = {
        each.key: {
            "action": each.action,
            "before": mask(each.before, forms.get(each.key)),
            "after": mask(each.after, forms.get(each.key)),
            **{name: location(of_keys[each.key]) for name, of_keys in led.items()},
            "journaled": journaled[each.key],
            **({"message": each.message} if each.message else {}),
        }
        for each in decisions
    }
    return {"changes": described, "diff": diff(where, decisions, forms)}


def diff(where: str, decisions: Iterable[Decision], forms: Mapping[str, Form]) -> dict[str, str]:
    """Only the keys that change."""
    changed = [decision for decision in decisions if decision.changes]
    return {
        "before_header": where,
        "after_header": where,
        "before": "".join(_line(each.key, mask(each.before, forms.get(each.key))) for each in changed),
        "after": "".join(_line(each.key, _shown_after(each, forms.get(each.key))) for each in changed),
    }


def _shown_after(decision: Decision, form: Form | None) -> str | None:
    after = mask(decision.after, form)
    return f"{after} (another secret)" if after is not None and after == mask(decision.before, form) else after


def _line(key: str, shown: str | None) -> str:
    return "" if shown is None else f"{key}={shown}\n"
