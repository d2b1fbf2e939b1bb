# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The lock of a migration: an entry of its ledger with a holder and an expiry, so that two runs do not meet.

Parameter Store has no precondition for a write, but it has creation without overwriting, and versions. A lock that is
there is written over only to renew it or to take one that has expired; who did that learns from the version whether
somebody else was faster, and then puts back what that one wrote.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks

ENTRY = "lock"
SECONDS = 300  # how long it lasts without being renewed
ATTEMPTS = 2  # to create one that others make and delete at the same time


@dataclass(frozen=True)
class Holder:
    """A run of ansible-playbook: who runs it where, its process with the time it started, and what it plays."""

    user: str
    host: str
    pid: int
    started: str
    what: str

    @property
    def run(self) -> tuple[str, str, int, str]:
        return (self.user, self.host, self.pid, self.started)


@dataclass(frozen=True)
class Lock:
    id: str
    holder: Holder
    since: datetime
    expires: datetime

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            **asdict(self.holder),
            "since": ledger.as_text(self.since),
            "expires": ledger.as_text(self.expires),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], migration_name: str) -> Lock:
        try:
            holder = Holder(**{name: stored[name] for name in ("user", "host", "pid", "started", "what")})
            return cls(stored["id"], holder, ledger.as_time(stored["since"]), ledger.as_time(stored["expires"]))
        except (KeyError, TypeError, ValueError):
            raise ledger.LedgerError(
                "the lock in the ledger does not hold what this collection writes there: delete the parameter "
                f"{ledger.parameter(migration_name, ENTRY)} when it is certain that no run is under way"
            )


class LockRefused(Exception):
    """Somebody else holds the lock; the text is for the operator."""

    def __init__(self, lock: Lock, now: datetime, migration_name: str) -> None:
        super().__init__(sentence(lock, now, migration_name))
        self.lock = lock


def sentence(lock: Lock, now: datetime, migration_name: str) -> str:
    """Who holds it, since when, and how to break it."""
    holder = lock.holder
    return (
        f"the migration {migration_name} is locked: {holder.user}@{holder.host} has been running {holder.what} "
        f"(process {holder.pid}) since {ledger.as_text(lock.since)}, {_duration(now - lock.since)} ago. Wait until "
        "that run has ended. If it is certain that nothing of it runs any more, its lock ends by itself at "
        f"{ledger.as_text(lock.expires)}, or at once by running the same command with -e migration_break_lock={lock.id}"
    )


def lost_sentence(migration_name: str) -> str:
    return (
        f"This run stops here, as it does not hold the lock of the migration {migration_name} any more, and another "
        "run may have changed things since. Nobody renewed the lock (this machine slept, or had no way to AWS), or it "
        "was broken. Nothing is put back. Run the same command again to go on; where it stands is told by "
        f"{playbooks.either('state')}."
    )


TAKE, TAKE_OVER, RENEW, OURS, REFUSE = "take", "take over", "renew", "ours", "refuse"


def decide(lock: Lock | None, me: Holder, now: datetime, seconds: int) -> str:
    """What to do in order to hold the lock. Pure."""
    if lock is None:
        return TAKE
    if lock.holder.run == me.run:
        return OURS if lock.expires - now > timedelta(seconds=seconds / 2) else RENEW
    return TAKE_OVER if lock.has_expired(now) else REFUSE


def look(client: Any, migration_name: str) -> tuple[Lock | None, datetime, int]:
    """The lock that is there, also an expired one; AWS's time; and its version."""
    found = ledger.read(client, migration_name, ENTRY)
    lock = None if found.value is None else Lock.from_dict(found.value, migration_name)
    return lock, found.now, found.version


def hold(client: Any, migration_name: str, me: Holder, seconds: int = SECONDS) -> tuple[Lock, bool]:
    """The lock, now ours; and whether it was not before. Raises LockRefused."""
    lock, now, version = look(client, migration_name)
    action = decide(lock, me, now, seconds)
    expires = now + timedelta(seconds=seconds)
    mine = Lock(uuid.uuid4().hex[:8], me, now, expires)
    if lock is None:
        return _create(client, migration_name, mine), True
    if action == REFUSE:
        raise LockRefused(lock, now, migration_name)
    if action == TAKE_OVER:
        return _over(client, migration_name, mine, version, now), True
    if action == RENEW:
        lock = _over(client, migration_name, replace(lock, expires=expires), version, now)
    return lock, False


def is_ours(client: Any, migration_name: str, me: Holder) -> bool:
    """Also an expired one: nobody has come for it."""
    lock, _now, _version = look(client, migration_name)
    return lock is not None and lock.holder.run == me.run


def renew(client: Any, migration_name: str, me: Holder, seconds: int = SECONDS) -> bool:
    """Renew the lock where that is due; False where it is not ours any more."""
    lock, now, version = look(client, migration_name)
    if lock is None or lock.holder.run != me.run:
        return False
    try:
        if decide(lock, me, now, seconds) == RENEW:
            _over(client, migration_name, replace(lock, expires=now + timedelta(seconds=seconds)), version, now)
    except LockRefused:
        return False
    return True


def release(client: Any, migration_name: str, me: Holder) -> None:
    """Let go of the lock, if it is still ours."""
    lock, _now, _version = look(client, migration_name)
    if lock and lock.holder.run == me.run:
        ledger.remove(client, migration_name, ENTRY)


def break_lock(client: Any, migration_name: str, lock_id: str, check_mode: bool = False) -> Lock | None:
    """Take away the lock with this id; None where another is there by now, or none."""
    lock, _now, _version = look(client, migration_name)
    if lock is None or lock.id != lock_id:
        return None
    if not check_mode:
        ledger.remove(client, migration_name, ENTRY)
    return lock


def _create(client: Any, migration_name: str, mine: Lock) -> Lock:
    for _attempt in range(ATTEMPTS):
        try:
            ledger.write(client, migration_name, ENTRY, mine.as_dict(), overwrite=False)
            return mine
        except client.exceptions.ParameterAlreadyExists:
            # boto3 repeats a call whose answer was lost, so that the one that is there may be ours.
            lock, now, _version = look(client, migration_name)
        if lock is not None:
            if lock.holder.run != mine.holder.run:
                raise LockRefused(lock, now, migration_name)
            return lock
        # Its holder has let go of it in between.
    raise ledger.LedgerError(
        f"the lock of the migration {migration_name} was there at each attempt to take it, and gone at each look: "
        "other runs are taking it and letting go of it. Run this again when they have ended"
    )


def _over(client: Any, migration_name: str, mine: Lock, read: int, now: datetime) -> Lock:
    """Write over the version that was read. Of several who do that at once, the first has the lock."""
    version = ledger.write(client, migration_name, ENTRY, mine.as_dict())
    if version in (read + 1, 1):
        return mine
    # Versions begin anew where the lock was deleted and made again in between.
    stored = ledger.read_version(client, migration_name, ENTRY, read + 1 if version > read else 1)
    first = Lock.from_dict(stored, migration_name) if stored else mine
    if first.holder.run == mine.holder.run:
        return mine
    ledger.write(client, migration_name, ENTRY, first.as_dict())
    raise LockRefused(first, now, migration_name)


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} minute{'s' if minutes != 1 else ''}"
