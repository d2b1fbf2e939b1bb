"""What an access key may do, where it was given a policy: POST /_sandbox/policy {"key": "operator", "policy": {…}}.

A key without one may do all, as may the sandbox itself. Effect, Action and Resource of statements are evaluated, with
wildcards. Conditions are not: a statement counts as if its conditions were met. Other elements are refused.
"""

from __future__ import annotations

import fnmatch
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.aws.asked import Asked, account_arn, asked_of
from sandbox.aws.calls import Call
from sandbox.aws.moto_side import error_reply
from sandbox.aws.wire import Reply

ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
ALWAYS = "sts:GetCallerIdentity"  # no policy can deny it
LONGEST = 6144  # characters of a managed policy, without white space


@dataclass(frozen=True)
class Statement:
    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, asked: Asked) -> bool:
        """AWS takes actions without case, and resources with it."""
        is_named = any(fnmatch.fnmatchcase(asked.action.lower(), action.lower()) for action in self.actions)
        return is_named and any(matches(asked.resource, resource) for resource in self.resources)


def matches(resource: str, pattern: str) -> bool:
    """IAM knows the wildcards `*` and `?` alone: a bracket is a bracket."""
    return fnmatch.fnmatchcase(resource, pattern.replace("[", "[[]"))


@dataclass(frozen=True)
class Policy:
    statements: tuple[Statement, ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Policy:
        """Raises ValueError for what AWS would refuse, and for what is not evaluated here."""
        if document.get("Version") != "2012-10-17":
            raise ValueError("a policy has the Version 2012-10-17")
        if len("".join(json.dumps(document).split())) > LONGEST:
            raise ValueError(f"a policy has at most {LONGEST} characters")
        return cls(tuple(_statement(each) for each in document["Statement"]))

    def allows(self, asked: Asked) -> bool:
        covering = [statement.allows for statement in self.statements if statement.covers(asked)]
        return bool(covering) and all(covering)


def _statement(told: Mapping[str, Any]) -> Statement:
    unknown = sorted(set(told) - ELEMENTS)
    if unknown:
        raise ValueError(f"this sandbox does not evaluate {', '.join(unknown)} of a statement")
    if told["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"Effect is Allow or Deny, not {told['Effect']!r}")
    return Statement(told["Effect"] == "Allow", _listed(told["Action"]), _listed(told["Resource"]))


def _listed(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


class Policies:
    """Which key is held to which policy. `roles` are the ids of the keys by what they are for."""

    def __init__(self, roles: Mapping[str, str]) -> None:
        self._roles = roles
        self._held: dict[str, Policy] = {}
        self._lock = threading.Lock()

    def give(self, order: Mapping[str, Any]) -> dict[str, int]:
        """Hold a key to a policy from now on, or to none; answers how many statements each has."""
        role, document = str(order["key"]), order["policy"]
        if role not in self._roles:
            raise ValueError(f"key is one of {', '.join(self._roles)}, not {role!r}")
        with self._lock:
            if document is None:
                self._held.pop(role, None)
            else:
                self._held[role] = Policy.of(document)
            return {name: len(policy.statements) for name, policy in self._held.items()}

    def refusal(self, call: Call) -> Reply | None:
        """The answer to a call of which something is not allowed; None where all is."""
        role = next((name for name, key in self._roles.items() if key == call.key), "")
        policy = self._held.get(role)
        if policy is None or call.internal:
            return None
        denied = next((asked for asked in asked_of(call) if asked.action != ALWAYS and not policy.allows(asked)), None)
        return refused(call, role, denied) if denied else None

    def may_not_tell(self, call: Call, reply: Reply) -> Reply:
        """S3 says that an object is not there only to who may list its bucket."""
        if call.service != "s3" or reply.status != 404 or call.action not in ("GetObject", "HeadObject"):
            return reply
        bucket = call.path.lstrip("/").partition("/")[0]
        role = next((name for name, key in self._roles.items() if key == call.key), "")
        listing, policy = Asked("s3:ListBucket", f"arn:aws:s3:::{bucket}"), self._held.get(role)
        return reply if policy is None or policy.allows(listing) else refused(call, role, listing)


def refused(call: Call, role: str, asked: Asked) -> Reply:
    """In AWS's words: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html."""
    on = f'"{asked.resource}"' if call.service == "s3" else asked.resource
    text = (
        f"User: {account_arn('iam', f'user/{role}', region='')} is not authorized to perform: {asked.action} on "
        f"resource: {on} because no identity-based policy allows the {asked.action} action"
    )
    if call.service == "ec2":
        reply = error_reply(
            call, 403, "UnauthorizedOperation", f"You are not authorized to perform this operation. {text}"
        )
    elif call.protocol == "json":
        reply = error_reply(call, 400, "AccessDeniedException", text)
    else:
        reply = error_reply(call, 403, "AccessDenied", text)
    is_head = call.action.startswith("Head")  # its answer has no body, so nothing is told
    return replace(reply, denied=asked.action, body=b"" if is_head else reply.body)
