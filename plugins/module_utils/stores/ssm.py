# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Values in AWS Systems Manager Parameter Store, with their journal in the same store.

The journal of a parameter is a SecureString of its own under ``/cache_migration/<migration_name>/journal/``. It is
created without overwriting, so that of two runs at once the first original stays.

Rests on https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html: a write has no
precondition but returns its version, tags cannot be sent with an overwrite and stay, policies stay unless sent, and a
KeyId that is left out means the default key.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    Permission,
    Place,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import (
    ChangeRefused,
    Clients,
    Decision,
    Request,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry, JournalError

STORE = "ssm"
_NAME = re.compile(r"[A-Za-z0-9_.\-/]+\Z")
TITLE = "Parameter Store"
_PARAMETERS = Place("Values", ("ssm:{region}:{account}:parameter/{parameter}",))
_KEY = Place("Key", ("kms:{region}:{account}:key/{key}",))
_BY_SSM = "Parameter Store makes this call with the caller's permission"
LOOK = (
    Permission("ssm:GetParameter", "what a parameter holds that the app reads", _PARAMETERS),
    Permission("ssm:DescribeParameters", "its type, tier and key, so that a write changes nothing but the value"),
    Permission("kms:Decrypt", "a key of your own encrypts it", _KEY, unseen=_BY_SSM),
)
RECORD = (Permission("ssm:ListTagsForResource", "its tags, which the journal keeps", _PARAMETERS),)
WRITE = (
    Permission("ssm:PutParameter", "to write where it leads", _PARAMETERS),
    Permission("kms:Encrypt", "a key of your own encrypts it, and its journal", _KEY, unseen=_BY_SSM),
    Permission("kms:GenerateDataKey", "the same, of an advanced parameter", _KEY, unseen=_BY_SSM),
)


@dataclass(frozen=True)
class Parameter:
    """What a write must send again, so that nothing but the value changes."""

    name: str
    value: str = field(repr=False)
    version: int
    type: str
    tier: str
    data_type: str
    key_id: str
    description: str
    allowed_pattern: str
    policies: str

    def settings(self) -> dict[str, Any]:
        """For PutParameter. Policies stay by themselves, and sending them would start their times anew."""
        optional = {
            "KeyId": self.key_id if self.type == "SecureString" else "",
            "Description": self.description,
            "AllowedPattern": self.allowed_pattern,
            "DataType": self.data_type,
            "Tier": self.tier,
        }
        return {"Type": self.type, **{name: value for name, value in optional.items() if value}}


@dataclass(frozen=True)
class ParameterPlan:
    decision: Decision
    current: Parameter | None
    is_journaled: bool
    version: int | None


def plan(request: Request, clients: Clients, now: str) -> list[ParameterPlan]:
    """Read every parameter and its journal, and see what is to be done. Writes nothing."""
    client = clients("ssm")
    return [_plan_parameter(request, client, name) for name in request.values]


def carry_out(request: Request, clients: Clients, now: str) -> list[ParameterPlan]:
    """Everything is read and decided before the first write, so that a refusal changes nothing."""
    client = clients("ssm")
    return [_apply(request, client, planned, now) for planned in plan(request, clients, now)]


def original(clients: Clients, migration_name: str, name: str) -> str:
    """What a parameter held before the migration: by the journal, else what it holds now."""
    entry = read_entry(clients("ssm"), migration_name, name)
    if entry and entry.original:
        return entry.original
    return current(clients, name) or ""


def current(clients: Clients, name: str) -> str | None:
    return read_value(clients("ssm"), name)


def _plan_parameter(request: Request, client: Any, name: str) -> ParameterPlan:
    _check_name(name)
    current = read_parameter(client, name)
    entry = read_entry(client, request.migration_name, name)
    if request.state == contract.PRESENT and current is None and not request.create:
        raise ChangeRefused(
            f"the parameter {name} does not exist in {TITLE}, so no app reads it there. Look at its name, the region "
            "and the account, or set create: true to make it"
        )
    if request.state == contract.PRESENT and not request.values[name]:
        raise ChangeRefused(f"the value for {name} is empty, which {TITLE} cannot hold: use state: absent to remove it")
    decision = contract.decide(request, name, current.value if current else None, entry, TITLE)
    will_be_journaled = (entry is not None or decision.changes) and not decision.closes
    return ParameterPlan(decision, current, will_be_journaled, current.version if current else None)


def _check_name(name: str) -> None:
    if not _NAME.match(name):
        raise ChangeRefused(
            f"{name!r} is no parameter's name: use letters, digits, '_', '-', '.' and '/', without a version or label"
        )


# --- reading ---


def read_value(client: Any, name: str) -> str | None:
    found = _get(client, name)
    return str(found["Value"]) if found else None


def _get(client: Any, name: str) -> dict[str, Any] | None:
    try:
        return dict(client.get_parameter(Name=name, WithDecryption=True)["Parameter"])
    except client.exceptions.ParameterNotFound:
        return None


def read_parameter(client: Any, name: str) -> Parameter | None:
    found = _get(client, name)
    if found is None:
        return None
    filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    pages = client.get_paginator("describe_parameters").paginate(ParameterFilters=filters)
    described: dict[str, Any] = next((each for page in pages for each in page["Parameters"]), {})
    policies = [json.loads(policy["PolicyText"]) for policy in described.get("Policies") or []]
    return Parameter(
        name=name,
        value=found["Value"],
        version=found["Version"],
        type=found["Type"],
        tier=described.get("Tier", ""),
        data_type=found.get("DataType") or "",
        key_id=described.get("KeyId") or "",
        description=described.get("Description") or "",
        allowed_pattern=described.get("AllowedPattern") or "",
        policies=json.dumps(policies) if policies else "",
    )


def read_entry(client: Any, migration_name: str, name: str) -> Entry | None:
    entry_name = journal_name(migration_name, name)
    stored = read_value(client, entry_name)
    if stored is None:
        return None
    try:
        return Entry.from_dict(json.loads(stored))
    except (TypeError, KeyError, ValueError):
        raise JournalError(
            f"the parameter {entry_name} holds no journal entry, so the original of {name} is not known and "
            "nothing was changed. Look at its history, and put back the version that the collection wrote"
        ) from None


def journal_name(migration_name: str, name: str) -> str:
    """One level for every parameter, whatever the depth of its name: no two names give the same one."""
    encoded = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found.group()):02X}", name)
    return f"/cache_migration/{migration_name}/journal/{encoded}"


# --- writing ---


def _apply(request: Request, client: Any, planned: ParameterPlan, now: str) -> ParameterPlan:
    decision, current, version = planned.decision, planned.current, planned.version
    if decision.action in (contract.WRITE, contract.REMOVE):
        _record(client, request.migration_name, planned, now)
    if decision.action == contract.KEEP:
        pass
    elif decision.after is None:
        _delete_if_there(client, decision.key)
        version = None
    elif current is None:
        version = _create(client, decision, decision.after)
    else:
        version = _overwrite(client, current, decision.after)
    if decision.closes:
        _delete_if_there(client, journal_name(request.migration_name, decision.key))
    return ParameterPlan(decision, current, planned.is_journaled, version)


def _record(client: Any, migration_name: str, planned: ParameterPlan, now: str) -> None:
    decision, current = planned.decision, planned.current
    restore: dict[str, Any] = {}
    if current:
        restore = {
            "settings": current.settings(),
            "policies": current.policies,
            "tags": client.list_tags_for_resource(ResourceType="Parameter", ResourceId=current.name)["TagList"],
            "version": current.version,
        }
    entry = Entry(STORE, "", decision.key, decision.before, (decision.after,), restore, now)
    if decision.entry is None and _create_entry(client, migration_name, entry):
        return
    # One is recorded already, perhaps by a run that began together with this one.
    recorded = decision.entry or read_entry(client, migration_name, decision.key)
    extended = contract.extended(recorded, entry)
    if extended != recorded:
        _put_entry(client, migration_name, extended, overwrite=True)


def _create_entry(client: Any, migration_name: str, entry: Entry) -> bool:
    try:
        _put_entry(client, migration_name, entry, overwrite=False)
    except client.exceptions.ParameterAlreadyExists:
        return False
    return True


def _put_entry(client: Any, migration_name: str, entry: Entry, overwrite: bool) -> None:
    key_id = entry.restore.get("settings", {}).get("KeyId")
    client.put_parameter(
        Name=journal_name(migration_name, entry.key),
        Value=json.dumps(entry.as_dict()),
        Type="SecureString",
        Overwrite=overwrite,
        Tier="Intelligent-Tiering",  # an original of 4 KB does not fit into a standard parameter beside the rest
        **({"KeyId": key_id} if key_id else {}),
    )


def _overwrite(client: Any, current: Parameter, value: str) -> int:
    version = _put(client, current.name, value, current.settings(), Overwrite=True)
    # boto3 repeats a request whose answer was lost, so that a version in between may also be this same write.
    between = range(current.version + 1, version)
    strangers = [each for each in between if _value_of_version(client, current.name, each) != value]
    if strangers:
        raise ChangeRefused(
            f"{current.name} was written by somebody else between reading its version {current.version} and writing "
            f"version {version}: version {strangers[0]} of its history holds what they wrote, and the new value is on "
            "top of it. Find out who writes there and which value is right; then run again"
        )
    return version


def _value_of_version(client: Any, name: str, version: int) -> str | None:
    try:
        found = client.get_parameter(Name=f"{name}:{version}", WithDecryption=True)
    except (client.exceptions.ParameterVersionNotFound, client.exceptions.ParameterNotFound):
        return None
    return str(found["Parameter"]["Value"])


def _create(client: Any, decision: Decision, value: str) -> int:
    """A new parameter is a SecureString; one that was removed comes back as it was."""
    restore = decision.entry.restore if decision.entry else {}
    settings = {
        **(restore.get("settings") or {"Type": "SecureString"}),
        **({"Policies": restore["policies"]} if restore.get("policies") else {}),
        **({"Tags": restore["tags"]} if restore.get("tags") else {}),
    }
    try:
        return _put(client, decision.key, value, settings)
    except client.exceptions.ParameterAlreadyExists:
        raise ChangeRefused(f"{decision.key} was made by somebody else just now; it was not changed. Run again")


def _put(client: Any, name: str, value: str, settings: dict[str, Any], **more: Any) -> int:
    try:
        return int(client.put_parameter(Name=name, Value=value, **settings, **more)["Version"])
    except client.exceptions.ParameterPatternMismatchException:
        raise ChangeRefused(
            f"{name} was not changed: its AllowedPattern {settings['AllowedPattern']} does not admit the new value. "
            "Change the pattern of the parameter, then run again"
        )
    except client.exceptions.ParameterMaxVersionLimitExceeded:
        raise ChangeRefused(
            f"{name} was not changed: its history is full and its oldest version has a label. Move or remove that "
            "label (aws ssm unlabel-parameter-version), then run again"
        )


def _delete_if_there(client: Any, name: str) -> None:
    with suppress(client.exceptions.ParameterNotFound):
        client.delete_parameter(Name=name)
