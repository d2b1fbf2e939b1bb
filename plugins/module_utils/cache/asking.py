# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A conversation that goes on where the server does not tell this user, and notes what that was."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    Connection,
    NotRedis,
    Reply,
    ServerError,
)

# What may be refused, by its name.
COMMANDS = frozenset(
    (
        *("CLIENT ID", "CLIENT LIST", "COMMAND INFO", "CONFIG GET", "DUMP", "FUNCTION LIST", "INFO", "MEMORY USAGE"),
        *("MODULE LIST", "PTTL", "PUBSUB CHANNELS", "SCAN", "SELECT", "TYPE", "XINFO GROUPS", "XLEN"),
    )
)


class Asking:
    """``not_told`` are those of COMMANDS that were refused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.not_told: list[str] = []

    def ask(self, *command: Argument) -> Reply:
        """The answer, or None where it is refused."""
        return self.ask_all([command])[0]

    def ask_all(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]:
        """The same of commands that are sent together."""
        replies = self._connection.execute_many(commands)
        return [self._told(command, reply) for command, reply in zip(commands, replies)]

    def text(self, *command: Argument) -> str:
        """Empty where it is refused."""
        reply = self.ask(*command)
        return text(reply) if reply is not None else ""

    def _told(self, command: Sequence[Argument], reply: Reply | ServerError) -> Reply:
        if not isinstance(reply, ServerError):
            return reply
        whole = " ".join(map(str, command[:2]))
        name = whole if whole in COMMANDS else str(command[0])
        if name not in self.not_told:
            self.not_told.append(name)
        return None


def fields_in(reply: object) -> dict[str, object]:
    """What is told as a list of names and values in turn. Raises NotRedis."""
    if not isinstance(reply, list) or len(reply) % 2:
        raise NotRedis("it tells of something without its fields")
    return dict(zip(map(text, reply[::2]), reply[1::2]))


def text(reply: object) -> str:
    return reply.decode("utf-8", "backslashreplace") if isinstance(reply, bytes) else str(reply)
