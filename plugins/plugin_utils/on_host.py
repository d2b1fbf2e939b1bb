# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Modules of this collection on a host, by an action that returns a result whatever happens."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import printable
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import COLLECTION
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction

# By default ssh waits a quarter of an hour for a host that fell silent in the middle of a task.
NOTICE_A_LOST_HOST = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3"


PIPELINE = (
    "Use a connection that pipelines: ssh (where the hosts are reached by SSM alone, through it: ssh with "
    "`aws ssm start-session --document-name AWS-StartSSHSession` as its ProxyCommand), and sudo to become root."
)


class HostAction(EngineAction):
    """Base of an action that works on a host."""

    works_on_the_controller = False

    _opened: frozenset[str] | set[str] = frozenset()

    def be_ready(self) -> None:
        connection = self._connection
        with contextlib.suppress(KeyError, ValueError, AttributeError):
            connection.set_option("pipelining", True)  # so that no file on the host holds what a module is given
        if connection.transport in ("ssh", "ansible.builtin.ssh"):
            stated = connection.get_option("ssh_extra_args") or ""
            if "ServerAlive" not in stated:
                connection.set_option("ssh_extra_args", f"{stated} {NOTICE_A_LOST_HOST}".strip())

    def opened(self, sealed: str) -> str:
        return self.handed_over(super().opened(sealed))

    def handed_over(self, secret: str) -> str:
        """A secret that a module is given."""
        self._opened = {*self._opened, secret} - {""}
        return secret

    def looked_at_by(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """What a module would do, which is a look whatever the mode of the run."""
        mode, self._task.check_mode = self._task.check_mode, True
        try:
            return self.module(name, args)
        finally:
            self._task.check_mode = mode

    def module(self, name: str, args: dict[str, Any], is_raised: bool = False) -> dict[str, Any]:
        """The result of a module of this collection on this host. A lost connection is a result, too.

        Users of the host and its caches give names to what is told, which is shown on a terminal.
        """
        if self.would_leave_a_secret(args):
            if not self.goes_on:
                return {"failed": True, "msg": f"{self.as_a_file()}. {PIPELINE}"}
            Display().warning(f"{self._task_vars['inventory_hostname']}: {self.as_a_file()}.")
        try:
            return dict(printable(self._execute_module(f"{COLLECTION}.{name}", args, task_vars=self._task_vars)))
        except AnsibleConnectionFailure as lost:
            if is_raised:
                raise
            return {"unreachable": True, "msg": str(lost)}

    def on_controller(self, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The result of another action of this collection, where AWS is spoken to; then this host's again."""
        host = self._connection
        self._connection = self.local_connection()
        try:
            return self.do(name, args, self._task_vars)
        finally:
            self._connection = host

    @property
    def goes_on(self) -> bool:
        """Whether a secret in a file is less than what this step is for, as the way back."""
        return False

    def would_leave_a_secret(self, args: Mapping[str, Any]) -> bool:
        """Whether a file would hold one: a module that is not pipelined is copied with its arguments."""
        if self._is_pipelining_enabled("new"):
            return False
        text = json.dumps(args, ensure_ascii=False, default=str)
        return any(form in text for secret in self._opened for form in (secret, quote(secret, safe="")))

    def as_a_file(self) -> str:
        become = f" and {self._connection.become.name}" if self._connection.become else ""
        return (
            f"{self._connection.transport}{become} hand a module over as a file, which would hold a token or a "
            "password of the cache: on the host, and with aws_ssm in its S3 bucket"
        )

    def cleanup(self, force: bool = False) -> None:
        """A host that was lost cannot be cleaned up either, and that must not hide what is known of it."""
        with contextlib.suppress(AnsibleConnectionFailure):
            super().cleanup(force)
