# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Permissions as an IAM policy, for one migration with its names. Pure."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, fields
from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import Permission, Place

LONGEST = 6144  # characters of a managed policy, without white space
_WORD = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Names:
    """What a migration is called in AWS. Where something is left empty, there is none, and nothing is granted for it.

    ``parameters`` are those of migration_values, ``keys`` the ids of KMS keys of your own; ``secrets`` are two while a
    token moves from one to the other. A ``username`` without ``user_groups`` has a group that is made for it.
    """

    name: str
    region: str
    account: str
    target: str
    secrets: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    bucket: str = ""
    instance: str = ""
    keys: tuple[str, ...] = ()
    subnet_group: str = ""
    parameter_group: str = ""
    user_groups: tuple[str, ...] = ()
    username: str = ""
    snapshot: str = ""
    partition: str = "aws"

    def values(self) -> Mapping[str, tuple[str, ...]]:
        """By the word that a resource has for it. The groups are called after the migration unless told otherwise."""
        stated = {field.name: getattr(self, field.name) for field in fields(self)}
        own = f"{self.name}-cache"
        single = {
            **stated,
            "subnet_group": self.subnet_group or own,
            "parameter_group": self.parameter_group or own,
            "own_default": f"{self.name}-default" if self.username else "",
        }
        several = {
            "parameter": tuple(one.lstrip("/") for one in self.parameters),
            "key": self.keys,
            "secret": self.secrets,
            "user_group": self.user_groups or ((own,) if self.username else ()),
        }
        return {**{word: (value,) for word, value in single.items() if isinstance(value, str) and value}, **several}


def document(permissions: Iterable[Permission], names: Names) -> dict[str, Any]:
    """The policy, with a statement for each place."""
    places: dict[Place, list[str]] = {}
    for one in permissions:
        places.setdefault(one.on, []).append(one.action)
    statements = [statement(place, actions, names) for place, actions in places.items()]
    return {"Version": "2012-10-17", "Statement": [one for one in statements if one["Resource"]]}


def statement(place: Place, actions: Iterable[str], names: Names) -> dict[str, Any]:
    where: dict[str, dict[str, str]] = {}
    for operator, key, value in place.where:
        where.setdefault(operator, {})[key] = value.format(name=names.name)
    return {
        "Sid": place.title,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": [arn for template in place.resources for arn in arns(template, names)],
        **({"Condition": where} if where else {}),
    }


def arns(template: str, names: Names) -> list[str]:
    """As many as there are names for its words; none where one of them is left empty."""
    if template == "*":
        return ["*"]
    values, words = names.values(), list(dict.fromkeys(_WORD.findall(template)))
    found = itertools.product(*(values.get(word, ()) for word in words))
    return [f"arn:{names.partition}:{template.format(**dict(zip(words, one)))}" for one in found]


def text(policy: Mapping[str, Any]) -> str:
    return json.dumps(policy, indent=2) + "\n"


def length(policy: Mapping[str, Any]) -> int:
    return len(json.dumps(policy, separators=(",", ":")))
