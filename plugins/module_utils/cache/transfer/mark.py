# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a transfer that follows keeps in the target, under a key of its own (job.MARK): how much of the source is there.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

_SNAPSHOT, _STREAM = "snapshot", "stream"


@dataclass(frozen=True)
class Mark:
    """Up to where the target has ``history``: ``at`` is a place in the snapshot's file, or a position in the stream;
    ``database`` is the one that is selected there.
    """

    history: str
    at: int
    database: int = 0
    in_stream: bool = False

    def __str__(self) -> str:
        return f"{self.history} {_STREAM if self.in_stream else _SNAPSHOT} {self.at} {self.database}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        history, part, at, database = text.split(" ")
        return cls(history, int(at), int(database), part == _STREAM)
