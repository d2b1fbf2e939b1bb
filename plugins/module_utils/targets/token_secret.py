# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The secret in Secrets Manager that holds the AUTH token, and what is to be done about its versions. Pure.

A plan never holds a token: who carries it out makes one (``generate``) at the moment of the call.
"""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
KEY_OPTION = "migration_auth_token_secret_key"

# ElastiCache takes 16 to 128 characters, of the special ones only ! & # $ ^ < > and -. Letters and digits need no
# quoting in any file and no encoding in any URL, and 64 of them hold 381 bits.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 64


def generate() -> str:
    return "".join(secrets.choice(_ALPHABET) for _sign in range(_LENGTH))


@dataclass(frozen=True)
class TokenSecret:
    """``versions`` maps the id of each labelled version to its labels; a version's value is not in here."""

    name: str
    arn: str
    tags: Mapping[str, str]
    versions: Mapping[str, tuple[str, ...]]

    @property
    def current_version_id(self) -> str:
        return self._labelled(CURRENT)

    @property
    def pending_version_id(self) -> str:
        """AWSPENDING may stay on a version that has become the current one: nothing is pending then."""
        found = self._labelled(PENDING)
        return "" if found == self.current_version_id else found

    def _labelled(self, label: str) -> str:
        return next((version for version, labels in self.versions.items() if label in labels), "")


@dataclass(frozen=True)
class Desired:
    """``version_id`` is for the state ``current`` alone."""

    name: str
    migration_name: str
    generate: bool = False
    version_id: str = ""
    tags: Mapping[str, str] | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Desired:
        if not params["secret"]:
            raise PlanRefused("secret is empty: name the secret in Secrets Manager that holds the token", "secret")
        return cls(
            name=params["secret"],
            migration_name=ownership.check_migration_name(params["migration_name"]),
            generate=bool(params.get("generate")),
            version_id=params.get("version_id") or "",
            tags=ownership.read_tags(params.get("tags"), params["migration_name"]),
        )


def shape(described: Mapping[str, Any]) -> TokenSecret:
    """Of DescribeSecret. Raises PlanRefused for a secret that is on its way out: it cannot be read, nor made anew."""
    name = described["Name"]
    if described.get("DeletedDate"):
        raise PlanRefused(
            f"The secret {name} is marked for deletion, so its token cannot be read: bring it back "
            f"(aws secretsmanager restore-secret --secret-id {name}), or name another in migration_auth_token_secret",
            "secret",
        )
    return TokenSecret(
        name=name,
        arn=described["ARN"],
        tags={tag["Key"]: tag.get("Value", "") for tag in described.get("Tags") or ()},
        versions={version: tuple(labels) for version, labels in (described.get("VersionIdsToStages") or {}).items()},
    )


def token_in(value: str, name: str, key: str) -> str:
    """The token in the value of a secret: all of it, or with ``key`` what a JSON object has under that name.

    The console of Secrets Manager makes such objects where one enters "key/value pairs"
    (https://docs.aws.amazon.com/secretsmanager/latest/userguide/create_secret.html). Raises PlanRefused.
    """
    held = _json_object(value)
    if key:
        token = _under(key, held, name)
    elif held is not None:
        raise PlanRefused(
            f"The secret {name} is a JSON object with {_names(held)}, and no token: name the key that holds it in "
            f"{KEY_OPTION}",
            KEY_OPTION,
        )
    else:
        token = value
    if token != token.strip():
        of_key = f"{key} of the" if key else "the"
        raise PlanRefused(
            f"What {of_key} secret {name} holds begins or ends with a blank or a line break, as a file or `echo` gives "
            "it, which no token has: put it in again without (printf %s instead of echo)",
            "secret",
        )
    return token


def _json_object(value: str) -> dict[str, Any] | None:
    try:
        held = json.loads(value)
    except ValueError:
        return None
    return held if isinstance(held, dict) else None


def _under(key: str, held: dict[str, Any] | None, name: str) -> str:
    if held is None:
        raise PlanRefused(
            f"The secret {name} is no JSON object, so it has no key {key}: leave {KEY_OPTION} empty where the secret "
            "is the token itself",
            KEY_OPTION,
        )
    token = held.get(key)
    if not isinstance(token, str) or not token:
        what = "which is no text" if key in held and token != "" else "which is empty" if key in held else "not there"
        raise PlanRefused(
            f"{KEY_OPTION} names {key} of the secret {name}, {what}: the JSON object has {_names(held)}", KEY_OPTION
        )
    return token


def _names(held: Mapping[str, Any]) -> str:
    return f"the keys {', '.join(sorted(held))}" if held else "no keys"


def refuse_to_write_json(name: str, key: str) -> None:
    """A generated token is the whole value of a secret; in an object it would take the place of what else is there."""
    if key:
        raise PlanRefused(
            f"A new token would be the whole secret {name}, of which {KEY_OPTION} says that it is a JSON object: put "
            "the new token into the object yourself, or name a secret that holds the token alone",
            KEY_OPTION,
        )


def plan_present(secret: TokenSecret | None, desired: Desired) -> Plan:
    """A secret that exists is used as it is, whoever made it."""
    if secret is not None:
        if not secret.current_version_id:
            raise PlanRefused(
                f"The secret {desired.name} has no value yet: put the token into it "
                f"(aws secretsmanager put-secret-value --secret-id {desired.name} --secret-string …)",
                "secret",
            )
        return Plan()
    if not desired.generate:
        raise PlanRefused(
            f"There is no secret {desired.name} in Secrets Manager of this account and region: make it, change "
            "migration_auth_token_secret, or let this migration make it by migration_auth_token_generate: true",
            "secret",
        )
    if desired.name.startswith("arn:"):
        raise PlanRefused(
            f"There is no secret {desired.name}, and one that is to be made needs a name, as AWS gives the ARN: put "
            "the name into migration_auth_token_secret",
            "secret",
        )
    parameters = {
        "Name": desired.name,
        "Description": f"AUTH token of the cache of the migration {desired.migration_name}",
        "Tags": ownership.as_tag_list(ownership.with_owner(desired.tags, desired.migration_name)),
    }
    return Plan(steps=(Step("CreateSecret", parameters, "make it, with a generated token"),))


def plan_pending(secret: TokenSecret | None, desired: Desired) -> Plan:
    """A version beside the current one, for a rotation: one that is pending already is that."""
    present = _ours(secret, desired, "put a new version into it")
    if present.pending_version_id:
        return Plan()
    step = Step(
        "PutSecretValue", {"SecretId": desired.name, "VersionStages": [PENDING]}, "put a generated token beside"
    )
    return Plan(steps=(step,))


def plan_current(secret: TokenSecret | None, desired: Desired) -> Plan:
    """``version_id`` becomes the one that readers get. The version before becomes AWSPREVIOUS, by AWS itself."""
    if secret is not None and secret.current_version_id == desired.version_id:
        return Plan()
    present = _ours(secret, desired, f"make its version {desired.version_id} the current one")
    if desired.version_id not in present.versions:
        raise PlanRefused(
            f"The secret {desired.name} has no labelled version {desired.version_id}: somebody has taken its label "
            f"{PENDING} away, and AWS may remove it",
            "version_id",
        )
    parameters = {
        "SecretId": desired.name,
        "VersionStage": CURRENT,
        "MoveToVersionId": desired.version_id,
        "RemoveFromVersionId": present.current_version_id,  # AWS refuses where it is not there any more
    }
    return Plan(steps=(Step("UpdateSecretVersionStage", parameters, f"{CURRENT} is {desired.version_id}"),))


def _ours(secret: TokenSecret | None, desired: Desired, what_for: str) -> TokenSecret:
    if secret is None:
        raise PlanRefused(
            f"There is no secret {desired.name} in Secrets Manager of this account and region: change "
            "migration_auth_token_secret",
            "secret",
        )
    if not ownership.is_ours(secret.tags, desired.migration_name):
        raise PlanRefused(
            f"The secret {desired.name} does not carry the tag {ownership.OWNER_TAG}={desired.migration_name}, so it "
            f"is somebody else's and this migration does not {what_for}. Put the new token there yourself "
            f"(aws secretsmanager put-secret-value --secret-id {desired.name} --secret-string …) and run "
            f"{playbooks.either('rotate')}, or give the secret that tag",
            "secret",
        )
    return secret


def facts(secret: TokenSecret | None, migration_name: str) -> dict[str, Any]:
    """What the module tells, never a value."""
    if secret is None:
        return {"exists": False, "ours": False, "current_version_id": "", "pending_version_id": "", "versions": {}}
    return {
        "exists": True,
        "ours": ownership.is_ours(secret.tags, migration_name),
        "current_version_id": secret.current_version_id,
        "pending_version_id": secret.pending_version_id,
        "versions": {version: list(labels) for version, labels in secret.versions.items()},
    }
