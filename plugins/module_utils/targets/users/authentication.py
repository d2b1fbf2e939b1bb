# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a user logs in: by passwords, by IAM, or without. Pure.

AWS tells how many passwords a user has, and never which. So it is known that they are others only where their number
differs, or where the user of the module says of which version they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

PASSWORD, IAM, NO_PASSWORD = "password", "iam", "no-password-required"
# AWS takes one word, and tells another.
_AS_STATED = {"no-password": NO_PASSWORD}
SHORTEST, LONGEST, MOST = 16, 128, 2


@dataclass(frozen=True)
class Authentication:
    """As AWS tells it: the type in the words in which it is stated, and how many passwords there are."""

    type: str
    password_count: int = 0

    @classmethod
    def shape(cls, told: Mapping[str, Any]) -> Authentication:
        word = str(told.get("Type") or "")
        return cls(_AS_STATED.get(word, word), int(told.get("PasswordCount") or 0))

    def facts(self) -> dict[str, Any]:
        return {"type": self.type, "password_count": self.password_count}


@dataclass(frozen=True)
class Login:
    """As it is wanted. ``version`` says of which version the passwords are, where that is stated."""

    type: str
    passwords: tuple[str, ...] = ()
    version: str = ""

    @property
    def leads_to(self) -> Authentication:
        return Authentication(self.type, len(self.passwords))

    def parameter(self) -> dict[str, Any]:
        """AuthenticationMode of CreateUser and ModifyUser."""
        return {"Type": self.type, **({"Passwords": list(self.passwords)} if self.passwords else {})}


def login_from(params: Mapping[str, Any]) -> Login | None:
    """Of authentication_mode, passwords and no_password_required, which say one thing. None where all are left out."""
    mode = params.get("authentication_mode") or {}
    stated = {
        "authentication_mode": bool(mode),
        "passwords": bool(params.get("passwords")),
        "no_password_required": params.get("no_password_required") is not None,
    }
    named = [name for name, is_stated in stated.items() if is_stated]
    if len(named) > 1:
        raise PlanRefused(f"{' and '.join(named)} say the same in two ways: state one of them", named[0])
    if not named:
        return None
    kind = str(mode["type"]) if mode else _type_of(params)
    passwords = tuple(dict.fromkeys(mode.get("passwords") or params.get("passwords") or ()))
    option = "authentication_mode" if mode else named[0]
    _check(kind, passwords, option)
    return Login(kind, passwords, str(params.get("passwords_version") or ""))


def _type_of(params: Mapping[str, Any]) -> str:
    if params.get("passwords"):
        return PASSWORD
    if params["no_password_required"]:
        return NO_PASSWORD
    raise PlanRefused(
        "no_password_required is false, which does not say how the user logs in: state passwords, or "
        "authentication_mode",
        "no_password_required",
    )


def _check(kind: str, passwords: tuple[str, ...], option: str) -> None:
    """Passwords are never in the message."""
    if kind == PASSWORD and not 1 <= len(passwords) <= MOST:
        raise PlanRefused(f"{option} has {len(passwords)} passwords: AWS takes one or two", option)
    if kind != PASSWORD and passwords:
        raise PlanRefused(f"{option} has passwords, which a user of type {kind} has not: leave them out", option)
    if any(not SHORTEST <= len(password) <= LONGEST for password in passwords):
        raise PlanRefused(
            f"{option} has a password that is too short or too long: AWS takes {SHORTEST} to {LONGEST} characters",
            option,
        )
