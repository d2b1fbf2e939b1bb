# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a server would let us follow it, by the commands of its replicas. Asked without following: reads only.

A server that does not let this user ask of rights tells nothing, and then that is not known.
"""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asking import text
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    Connection,
    Reply,
    ServerError,
)

YES, NO, UNKNOWN = "yes", "no", "unknown"
WORDS = (YES, NO, UNKNOWN)

_COMMANDS = ("psync", "replconf")
_RIGHTS_SINCE, _DRY_RUNS_SINCE = 6, 7  # https://redis.io/docs/latest/commands/acl-dryrun/


def may_follow(connection: Connection, major: int) -> str:
    """A word of WORDS, for a server of that major version. Raises CacheError, but not where it refuses to tell."""
    known = _asked(connection, "COMMAND", "INFO", *_COMMANDS)
    if isinstance(known, list) and len(known) == len(_COMMANDS):
        if None in known or [] in known:  # renamed away, or none of a managed cache's
            return NO
    elif known is None:
        return UNKNOWN
    if major < _RIGHTS_SINCE:
        return YES
    user = _asked(connection, "ACL", "WHOAMI")
    if user is None:
        return UNKNOWN
    return _dry_run(connection, text(user)) if major >= _DRY_RUNS_SINCE else _by_rights(connection, text(user))


def _dry_run(connection: Connection, user: str) -> str:
    orders = (("PSYNC", "?", "-1"), ("REPLCONF", "listening-port", "0"))
    told = [_asked(connection, "ACL", "DRYRUN", user, *order) for order in orders]
    if None in told:
        return UNKNOWN
    return YES if all(text(one) == "OK" for one in told) else NO


def _by_rights(connection: Connection, user: str) -> str:
    """All commands, or what would take the server itself to tell."""
    told = _asked(connection, "ACL", "GETUSER", user)
    rights = dict(zip(map(text, told[::2]), told[1::2])) if isinstance(told, list) else {}
    return YES if text(rights.get("commands", "")) == "+@all" else UNKNOWN


def _asked(connection: Connection, *command: Argument) -> Reply | None:
    """None where it is refused."""
    [reply] = connection.execute_many([command])
    return None if isinstance(reply, ServerError) else reply
