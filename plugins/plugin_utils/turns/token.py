# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The turns of the goal ``token``: both tokens valid before the first host moves, the old one ended after the last."""

from __future__ import annotations

from dataclasses import replace

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, making, token_rotation
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import PASSWORDS, Part
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import (
    cannot_be_read,
    secret_value,
    token_in,
)
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns.turn import Stopped, Turn


def begin(turn: Turn) -> None:
    turn.take_lock()
    turn.refuse_what_has_changed()
    course = turn.known.course
    turn.state.update(version=course["to_version"], begun=True)
    if course["generate"]:
        put = turn.do("cache_token", "Put a new token beside the current one", secret=course["secret"], state="pending")
        turn.state["version"] = put["pending_version_id"]
        turn.state["token"] = seal(_value(turn, course["secret"], put["pending_version_id"]))
    _remember(turn, [], "Remember that a rotation is under way")
    _target(turn, "Wait until the target is at rest")
    # The target itself told, when it was looked at, whether an earlier run came this far. A second ROTATE might end the
    # token that hosts still use.
    if course["generate"] or not turn.plan.facts["is_accepted"]:
        _give(turn, "Make the new token valid beside the old one", _beside(turn))
    if turn.plan.facts["shared"]:  # both are valid, so that it does not matter when a host reads it
        changed = turn.change_shared(turn.plan.facts["shared"])
        if changed.get("failed"):
            raise Stopped("Change the shared value", changed["msg"])


def _value(turn: Turn, secret: str, version: str) -> str:
    value = secret_value(turn.action, turn.known.settings["region"], secret, version)
    if value is None:
        raise Stopped("Take the new token", cannot_be_read(secret, version))
    return token_in(value, secret, turn.known.settings)


def _remember(turn: Turn, hosts: list[str], step: str) -> None:
    entry = (turn.known.entries.get("token") or {}) if turn.known.entries else {}
    value = token_rotation.entry_under_way(entry, turn.known.course, turn.state["version"], hosts)
    turn.do("migration_ledger", step, entry="token", value=value)


def _target(turn: Turn, step: str) -> None:
    part = table.target_of(turn.known.settings).at_rest(turn.known.settings)
    turn.do(part.module, step, **part.args)


def _beside(turn: Turn) -> Part:
    """A user is told both passwords, the one before too."""
    part, course, before = _login(turn), turn.known.course, ""
    if part.takes == PASSWORDS:
        before = _before(turn)
        if not before:
            raise Stopped("Take the password before", cannot_be_read(course["from_secret"], course["from_version"]))
    return replace(part, args=making.args_beside(part, turn.token, turn.state["version"], before))


def _login(turn: Turn) -> Part:
    return table.target_of(turn.known.settings).login(turn.known.settings)


def _give(turn: Turn, step: str, part: Part) -> None:
    """A target takes its time to hear of what its user has by now."""
    turn.do(part.module, step, **part.args)
    if not part.is_target:
        _target(turn, step)


def after_batch(turn: Turn) -> None:
    """Also where one of them failed: who uses the new token is not asked again."""
    if not turn.moved or ("untried" in turn.state and turn.state.get("failure")):
        return
    _remember(turn, _moved(turn), "Remember which hosts use the new token")


def _moved(turn: Turn) -> list[str]:
    return [host for host, result in turn.results.items() if result.get("state") == "ok"]


def complete(turn: Turn) -> None:
    """End the token before, where nobody is left on it. Whoever reads the secret has a valid one at every moment."""
    course = turn.known.course
    if not turn.state["go"] or not course["needed"] or left(turn):
        return
    turn.keep_lock()
    if course["promote"]:
        turn.do(
            "cache_token",
            "Make the new version the current one",
            secret=course["secret"],
            state="current",
            version_id=turn.state["version"],
        )
    part = _login(turn)
    alone = replace(part, args=making.args_alone(part, turn.token, turn.state["version"]))
    _give(turn, "End the token before it", alone)
    turn.state["ended"] = True
    old = _before(turn) if course["prove"] else ""
    if old and old != turn.token:
        turn.state.update(old_token=seal(old), prove_on=turn.known.present[0])


def _before(turn: Turn) -> str:
    """The token before; empty where it cannot be told, which keeps nobody on it."""
    course, settings = turn.known.course, turn.known.settings
    value = secret_value(turn.action, settings["region"], course["from_secret"], course["from_version"])
    try:
        return token_in(value or "", course["from_secret"], settings)
    except AnsibleActionFail:
        return ""


def left(turn: Turn) -> list[str]:
    """Who may still use the token before."""
    moved = set(_moved(turn))
    return [*turn.plan.facts["left"], *(host for host in turn.plan.consumers if host not in moved)]


def undo(turn: Turn) -> None:
    """Nothing is put back: both tokens are valid."""
    failed = batches.failed_hosts(turn.results)
    turn.state["left"] = left(turn)
    turn.state["stopped"] = bool(failed or turn.state.get("failure"))
