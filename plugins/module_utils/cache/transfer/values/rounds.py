# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is asked of two sides for one key, step after step, for many keys at once.

A program is a generator: it yields the commands for either side, and is given their answers. Programs of many keys go
in rounds, so that what they ask is sent together, and each is written as if it were alone.
"""

from __future__ import annotations

from typing import Any, Generator, Mapping, Sequence, Tuple, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import (
    Answer,
    Command,
    Reach,
)

SOURCE, TARGET = 0, 1

Commands = Sequence[Command]
Answers = Sequence[Answer]
T = TypeVar("T")
Program = Generator[Tuple[Commands, Commands], Tuple[Answers, Answers], T]
# The same with one side alone.
Reading = Generator[Commands, Answers, T]


def together(programs: Mapping[bytes, Program[T]], source: Reach, target: Reach) -> dict[bytes, T]:
    """What each comes to, by its key. Raises what one of them raises, and CacheError."""
    done: dict[bytes, T] = {}
    asked: dict[bytes, tuple[Commands, Commands]] = {}
    answers: Mapping[bytes, Any] = dict.fromkeys(programs)
    while answers:
        asked = {}
        for key, told in answers.items():
            try:
                asked[key] = programs[key].send(told)
            except StopIteration as end:
                done[key] = end.value
        first = _asked(source, {key: commands[0] for key, commands in asked.items()})
        second = _asked(target, {key: commands[1] for key, commands in asked.items()})
        answers = {key: (first[key], second[key]) for key in asked}
    return done


def _asked(side: Reach, commands: Mapping[bytes, Commands]) -> dict[bytes, Answers]:
    answers = iter(side.ask([(key, command) for key, several in commands.items() for command in several]))
    return {key: [next(answers) for _command in several] for key, several in commands.items()}


def at(side: int, reading: Reading[T]) -> Program[T]:
    """As a program that asks nothing of the other side."""
    told: Any = None
    while True:
        try:
            commands = reading.send(told)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        both = yield (commands, ()) if side == SOURCE else ((), commands)
        told = both[side]
