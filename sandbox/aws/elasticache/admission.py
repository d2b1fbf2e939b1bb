"""Letting caches know the users of their groups, which takes its time."""

from __future__ import annotations

import datetime
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from sandbox.aws import acl_syntax
from sandbox.aws.access import Access, digest_of
from sandbox.aws.access import User as EngineUser
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.rbac import ACTIVE, IAM, NO_PASSWORD, Rbac, User, UserGroup
from sandbox.aws.elasticache.rules import value
from sandbox.aws.elasticache.state import MODIFYING, REGION, Account, ReplicationGroup
from sandbox.aws.engines import Binaries
from sandbox.aws.iam_tokens import Cache, fault_of
from sandbox.aws.wire import Refusal


def access_of(rbac: Rbac, group_ids: Iterable[str], cache: Cache) -> Access:
    """Whom the cache with these user groups admits: anybody where there are none, and then alone."""
    users = [user for name in group_ids for user in rbac.members(rbac.group(name))]
    known = tuple(_known(user, rbac, cache) for user in users)
    return Access(is_open=not known, users=known)


def _known(user: User, rbac: Rbac, cache: Cache) -> EngineUser:
    known = EngineUser(user.name, user.access_string, tuple(user.digests), user.kind == NO_PASSWORD)
    if user.kind != IAM:
        return known
    by_gate = secrets.token_hex(32)

    def takes(token: str) -> bool:
        return not fault_of(token, user.name, cache, rbac.key_secrets, datetime.datetime.now(datetime.timezone.utc))

    return replace(known, digests=(digest_of(by_gate),), by_gate=by_gate, takes=takes)


def readmit(account: Account, cache: ReplicationGroup) -> None:
    """Let its engines know whom its user groups admit by now; who is gone is logged out."""
    access = access_of(account.rbac, cache.user_groups, Cache(cache.id, REGION))
    for member in cache.started:
        member.running.admit(access)
    with account.lock:
        cache.access = access


class Admission:
    def __init__(self, context: Context, binaries: Binaries) -> None:
        self._account, self._work, self._binaries = context.account, context.work, binaries
        self.others: list[Callable[[str], None]] = []  # told the id of a user group whose users are others now

    def refuse_what_no_engine_takes(self, access_string: str) -> None:
        fault = acl_syntax.fault_of(access_string, self._binaries)
        if fault:
            raise value(f"Access String: {fault}")

    def change(
        self, thing: User | UserGroup, status: str, groups: Iterable[UserGroup], then: Callable[[], None]
    ) -> None:
        """Show `status` now and, after a while, let `groups` have the users that they are to have, and do `then`."""
        concerned = list(groups)
        for group in concerned:
            group.status = MODIFYING
        thing.status = status
        threading.Thread(target=self._run, args=(concerned, then), daemon=True).start()

    def _run(self, groups: list[UserGroup], then: Callable[[], None]) -> None:
        self._work.take_time()
        with self._account.lock:
            for group in groups:
                group.user_ids = [u for u in (*group.user_ids, *group.added) if u not in group.removed]
                group.added, group.removed = [], []
        for group in groups:
            for cache in self._account.users_of(group.id):
                self._readmit_as_aws(cache)
            for tell in self.others:
                tell(group.id)
        with self._account.lock:
            then()
            for group in groups:
                group.status = ACTIVE

    def _readmit_as_aws(self, cache: ReplicationGroup) -> None:
        """In a modification where the cache is free for one, and else at once."""
        try:
            self._work.begin(cache, MODIFYING, lambda: readmit(self._account, cache))
        except Refusal:
            readmit(self._account, cache)
