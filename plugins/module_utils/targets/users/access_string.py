# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Access strings: what a user may do, in the words of Redis's ACLs. Pure.

AWS tells one in other words than it was given (``allkeys`` as ``~*``), so two are compared by what they grant.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

# Passwords are parameters of their own at AWS, and `reset` would take them away.
_OF_PASSWORDS = ("nopass", "resetpass", "reset")
# Commands that the service keeps from everybody: AWS refuses a string that names one.
_DENIED = (
    *("bgrewriteaof", "bgsave", "config", "debug", "migrate", "psync", "replicaof", "save", "slaveof", "shutdown"),
    "sync",
)
_LONG_WORDS = {"allkeys": "~*", "allchannels": "&*", "allcommands": "+@all", "nocommands": "-@all"}


@dataclass(frozen=True)
class Grant:
    """What an access string comes to. Where nothing is said, nothing is granted."""

    is_on: bool = False
    keys: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    commands: tuple[str, ...] = ()  # in their order, from the last `+@all` or `-@all` on
    others: tuple[str, ...] = ()  # selectors, and how payloads are looked over


def grant_of(text: str) -> Grant:
    is_on = False
    keys: set[str] = set()
    channels: set[str] = set()
    commands: list[str] = []
    others: list[str] = []
    for word in words_of(text):
        small = word.lower()
        if small in ("on", "off"):
            is_on = small == "on"
        elif small == "resetkeys":
            keys.clear()
        elif small == "resetchannels":
            channels.clear()
        elif small in ("+@all", "-@all"):
            commands = ["+@all"] if small == "+@all" else []
        elif word[0] in "~%":
            keys.add(word)
        elif word[0] == "&":
            channels.add(word)
        elif word[0] in "+-":
            commands.append(small)
        else:
            others.append(word)
    return Grant(is_on, _covered(keys, "~*"), _covered(channels, "&*"), tuple(commands), tuple(others))


def words_of(text: str) -> list[str]:
    """The rules of a string; a selector ``(…)`` is one. Long words in their short form."""
    found: list[str] = re.findall(r"\([^)]*\)|\S+", text)
    return [_LONG_WORDS.get(word.lower(), word) for word in found]


def _covered(patterns: set[str], everything: str) -> frozenset[str]:
    return frozenset((everything,)) if everything in patterns else frozenset(patterns)


def are_same(one: str, other: str) -> bool:
    return grant_of(one) == grant_of(other)


def check(text: str) -> str:
    """The string with single spaces. Raises PlanRefused for what AWS takes in no access string."""
    if not text.strip():
        raise PlanRefused("access_string is empty: state one, as 'off -@all' for a user that may do nothing", _OPTION)
    for word in text.replace("(", " ").replace(")", " ").split():
        _refuse_password(word)
        _refuse_denied(word)
    return " ".join(text.split())


_OPTION = "access_string"


def _refuse_password(word: str) -> None:
    """The word itself may be a password, so it is not in the message."""
    if word[0] in "><#!" or word.lower() in _OF_PASSWORDS:
        raise PlanRefused(
            "access_string has a rule of passwords (>, <, #, !, nopass, resetpass or reset), which AWS takes in no "
            "access string: leave it out, and say how the user logs in by authentication_mode",
            _OPTION,
        )


def _refuse_denied(word: str) -> None:
    command = word[1:].partition("|")[0].lower() if word[0] in "+-" else ""
    if command in _DENIED:
        raise PlanRefused(
            f"access_string has {word}, and the service keeps {command} from everybody: leave it out",
            _OPTION,
        )
