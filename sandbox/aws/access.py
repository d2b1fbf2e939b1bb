"""Who may log in to an engine as the application, and what the application may not do there. Pure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

# Needed by name between nodes, or denied in part only: kept from every user of the application by ACL, which answers
# NOPERM. All of it takes away, so that it can stand at the end of any user's rules.
DENIED = " ".join(
    f"-{command}"
    for command in (
        *("psync", "sync", "replconf", "failover"),
        *(f"acl|{part}" for part in ("setuser", "deluser", "load", "save", "list", "users", "getuser", "log")),
        *(f"acl|{part}" for part in ("dryrun", "genpass")),
        *(f"cluster|{part}" for part in ("addslots", "addslotsrange", "bumpepoch", "count-failure-reports")),
        *(f"cluster|{part}" for part in ("delslots", "delslotsrange", "failover", "flushslots", "forget", "links")),
        *(f"cluster|{part}" for part in ("meet", "replicas", "replicate", "reset", "saveconfig", "set-config-epoch")),
        *(f"cluster|{part}" for part in ("setslot", "slaves")),
    )
)
# What a serverless cache refuses beyond that; CONFIG is hidden everywhere, and SELECT is cluster mode's own.
SERVERLESS_DENIED = " ".join(
    f"-{command}"
    for command in (
        *(f"client|{part}" for part in ("list", "kill", "pause", "unpause", "no-evict", "unblock", "getredir")),
        *("latency", "slowlog", "monitor", "swapdb", "move", "lastsave"),
    )
)
EVERYTHING = "~* &* +@all"
DEFAULT_USER = "default"
NOBODYS = secrets.token_hex(32)  # a password that no user has


@dataclass(frozen=True)
class User:
    """One user of the application: an access string as AWS takes it, and its passwords as digests.

    `needs_no_password` admits whoever names the user. Where it logs in by IAM, `takes` says of a token whether it is
    right, and the digest is of a password that a gate alone knows (`by_gate`).
    """

    name: str
    access_string: str = f"on {EVERYTHING}"
    digests: tuple[str, ...] = ()
    needs_no_password: bool = False
    takes: Callable[[str], bool] | None = None
    by_gate: str = field(default="", repr=False)

    def rules(self, denied: str = "") -> list[str]:
        """What ACL SETUSER is told after the name, from nothing."""
        passwords = [*(f"#{d}" for d in self.digests), *(["nopass"] if self.needs_no_password else [])]
        return ["reset", *passwords, *self.access_string.split(), *DENIED.split(), *denied.split()]


NOBODY = User(DEFAULT_USER, "off -@all")


@dataclass
class Access:
    """Who may log in as the application.

    Without `users`, the default user: anybody (`is_open`), and whoever has one of the tokens, kept as digests.
    With `users`, these alone; a default user that is not among them is off. `denied` takes commands from all of them,
    as `-name` or `-name|part`.
    """

    is_open: bool = True
    digests: list[str] = field(default_factory=list)
    users: tuple[User, ...] = ()
    denied: str = ""

    @property
    def needs_gate(self) -> bool:
        return any(user.takes for user in self.users)

    def exchange(self, name: str, token: str) -> str | None:
        """The password for a user's token, one that nobody has where the token is wrong; None of other users."""
        user = next((one for one in self.users if one.name == name and one.takes), None)
        if user is None or user.takes is None:
            return None
        return user.by_gate if user.takes(token) else NOBODYS

    def rules(self) -> dict[str, list[str]]:
        """By the name of the user."""
        default = User(DEFAULT_USER, digests=tuple(self.digests), needs_no_password=self.is_open)
        users = {user.name: user for user in (NOBODY, *self.users)} if self.users else {DEFAULT_USER: default}
        return {name: user.rules(self.denied) for name, user in users.items()}


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
