# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a user, of whichever service. All raise PlanRefused and AnsibleAWSError."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import until_ready
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import result_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import user
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import User

Read = Callable[[str], "User | None"]
Act = Callable[[Step], Outcome]
Access = Tuple[Read, Act]  # how one is read by its id, and acted on


def make_present(read: Read, act: Act, desired: user.Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    as_set = replace(desired, passwords_update=user.KEEP)

    def shows(there: User) -> bool:
        is_told = desired.login is None or desired.login.leads_to == there.authentication
        return is_told and not user.plan_present(there, as_set).steps

    came = until_ready.make_present(
        lambda: read(desired.user_id),
        act,
        lambda current: user.plan_present(current, desired),
        shows,
        check_mode,
    )
    done = came.run.plan.steps if came.run.performed is None else came.run.performed
    sets = any(user.sets_passwords(step) for step in done)
    shown = user.predict(came.after, desired) if check_mode else came.after
    return {
        **result_of(desired.user_id, came.after, came.run),
        "passwords_changed": sets,
        "passwords_known": user.knows_passwords(desired, sets),
        **({"user": shown.facts()} if shown else {}),
    }


def make_absent(read: Read, act: Act, desired: user.Desired, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    came = until_ready.make_absent(
        lambda: read(desired.user_id), act, lambda current: user.plan_absent(current, desired), check_mode
    )
    return result_of(desired.user_id, came.after, came.run)
