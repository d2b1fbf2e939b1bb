"""Letting caches know the users of their groups, which takes its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from sandbox.aws import acl_syntax
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.rbac import ACTIVE, User, UserGroup
from sandbox.aws.elasticache.rules import value
from sandbox.aws.elasticache.state import MODIFYING
from sandbox.aws.engines import Binaries


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
            for tell in self.others:
                tell(group.id)
        with self._account.lock:
            then()
            for group in groups:
                group.status = ACTIVE
