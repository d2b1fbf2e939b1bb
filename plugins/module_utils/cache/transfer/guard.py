# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How much may be copied when: a rate that a user set, and the source's latency, which comes first. Pure.

What is decided here is how long to rest before a batch. The latency is measured beside the copy, by one who asks for
nothing else: that is how an app meets the source.
"""

from __future__ import annotations

LATENCY = "the source answers slower than the limit (migration_transfer_latency_limit)"
RATE = "the rate that was set (migration_transfer_rate)"

MEASURE_EVERY = 0.02  # seconds
_FIRST_REST, _LONGEST_REST = 0.005, 2.0
_SHRINKS_BY = 0.75

# Of a batch, so that what is asked of a key first is still near in the engine's caches when the rest is asked.
MOST_KEYS, _FEWEST_KEYS = 256, 16
_KEYS_PER_MS = 100  # that an engine gives away in a millisecond, at least


class Guard:
    """``limit_ms`` 0: none. ``rest`` is in seconds, before each batch."""

    def __init__(self, limit_ms: float) -> None:
        self._limit = limit_ms
        self.rest = 0.0

    def measured(self, latency_ms: float) -> float:
        """The rest from now on: doubled while the source is slow, and shrinking while it is not."""
        if self._limit and latency_ms > self._limit:
            self.rest = min(_LONGEST_REST, max(_FIRST_REST, self.rest * 2))
        else:
            self.rest = self.rest * _SHRINKS_BY if self.rest > _FIRST_REST / 4 else 0.0
        return self.rest


class Pace:
    """``rate`` in keys a second, 0 for none. It owes nothing for a time in which less was copied."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._free_at = now

    def rest(self, keys: int, now: float) -> float:
        """How long to rest before so many keys more."""
        if not self._rate:
            return 0.0
        rest = max(0.0, self._free_at - now)
        self._free_at = max(self._free_at, now) + keys / self._rate
        return rest


def most_keys(limit_ms: float) -> int:
    """In a batch, which an engine serves as a whole before it turns to somebody else."""
    if not limit_ms:
        return MOST_KEYS
    return max(_FEWEST_KEYS, min(MOST_KEYS, int(limit_ms * _KEYS_PER_MS)))
