# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Modules of this collection on a host, by an action that returns a result whatever happens."""

from __future__ import annotations

import contextlib
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import COLLECTION
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction

# By default ssh waits a quarter of an hour for a host that fell silent in the middle of a task.
NOTICE_A_LOST_HOST = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3"


class HostAction(EngineAction):
    """Base of an action that works on a host."""

    works_on_the_controller = False

    def be_ready(self) -> None:
        connection = self._connection
        with contextlib.suppress(KeyError, ValueError, AttributeError):
            connection.set_option("pipelining", True)  # so that no file on the host holds what a module is given
        if connection.transport in ("ssh", "ansible.builtin.ssh"):
            stated = connection.get_option("ssh_extra_args") or ""
            if "ServerAlive" not in stated:
                connection.set_option("ssh_extra_args", f"{stated} {NOTICE_A_LOST_HOST}".strip())

    def module(self, name: str, args: dict[str, Any], is_raised: bool = False) -> dict[str, Any]:
        """The result of a module of this collection on this host. A lost connection is a result, too."""
        try:
            return dict(self._execute_module(f"{COLLECTION}.{name}", args, task_vars=self._task_vars))
        except AnsibleConnectionFailure as lost:
            if is_raised:
                raise
            return {"unreachable": True, "msg": str(lost)}

    def cleanup(self, force: bool = False) -> None:
        """A host that was lost cannot be cleaned up either, and that must not hide what is known of it."""
        with contextlib.suppress(AnsibleConnectionFailure):
            super().cleanup(force)
