# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One look at all that the controller can see: the target, its token, the ledger, what consumers share. It changes
nothing.

For a goal that goes on, what cannot be seen is in the result; for another it ends the run with its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    Endpoint,
    EndpointError,
    after_apply,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import (
    Migration,
    SettingError,
    Value,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import PREFIX
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    approval,
    made_of,
    making,
    to_token,
    token_rotation,
    unnamed,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import ORIGINAL, TOKEN, Goal
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import decommission
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import contract, table, token_secret
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import approving
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    BotoCoreError = ClientError = Exception  # without it there is no client, which says so

Found = dict[str, Any]

# A network may have no way to it: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_STS = {"connect_timeout": 5, "read_timeout": 5, "retries": {"max_attempts": 1}}

READ_ON_HOSTS = ("values", "services", "assess_url")


class Looking:
    """What one run knows before it begins. ``known()`` has what decide.known.Known reads, and the token, sealed."""

    def __init__(
        self, action: EngineAction, goal: Goal, settings: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> None:
        self.action, self.goal, self.settings, self.task_vars = action, goal, settings, task_vars
        try:
            self.migration = Migration.from_settings(settings)
        except SettingError as error:
            raise AnsibleActionFail(f"{error}.") from None
        self.refuse_what_reads_nothing()
        self.course: Found = {}
        self.words = {
            name: playbooks.word(name, task_vars.get("playbook_dir", ""))
            for name in ("provision", "transfer", "cutover", "rollback", "rotate")
        }

    def known(self) -> Found:
        self.ledger = self.do("migration_ledger_info", migration_name=self.settings["name"])
        if self.ledger.get("failed") and not self.goal.goes_on:
            raise AnsibleActionFail(self.ledger["msg"])
        self.refuse_what_nobody_would_restart()
        found, endpoint, failure = self.target()
        if self.goal.destination == TOKEN and (
            why := to_token.not_ours(self.settings, endpoint.as_dict(), found or {})
        ):
            raise AnsibleActionFail(why)
        token = self.token(found)
        made = self.made(found, token)
        endpoint = self.predicted(endpoint, made)
        shared, original = self.shared(endpoint, token)
        present = list(self.task_vars["ansible_play_hosts_all"])
        everyone = list(self.task_vars["groups"].get("app") or present)
        self.refuse_a_part_of_what_is_shared(everyone, present)
        known: Found = {
            "goal": self.goal.name,
            # What is on hosts is read there anew: a URL or a command may hold more than its writer took for shown.
            "settings": {name: value for name, value in self.settings.items() if name not in READ_ON_HOSTS},
            "account": self.account(),
            "endpoint": endpoint.as_dict(),
            "everyone": everyone,
            "present": present,
            "ledger": {
                name: self.ledger[name] for name in ("entries", "journaled", "now", "msg") if name in self.ledger
            },
            "shared": shared,
            "target_failure": failure,
            "course": self.course,
            "words": {
                **self.words,
                "inventories": list(self.task_vars.get("ansible_inventory_sources") or []),
                "version": approving.version(),
            },
            "check_mode": bool(self.action._task.check_mode),
            "found": found or {},
            **made,
        }
        undoes = self.is_to_undo()
        if undoes:
            known["words"]["brings_back"] = decommission.brings_back(self.ledger["entries"]["decommission"])
            self.refuse_another_plan(known)
        return {
            **known,
            "token": seal(token),
            "original": seal(original),
            "looks": self.goal.looks_at_hosts,
            "undo": undoes and not self.settings["plan_out"],
        }

    def refuse_another_plan(self, known: Found) -> None:
        """Before the old Redis is brought back, which is looked at before the hosts can be."""
        parts = made_of.of_controller(Known.from_dict(known))
        approved = approving.Approved(self.settings, self.task_vars)
        if why := approved.refuse_drift(self.goal.name, approval.fingerprints(parts), parts):
            raise AnsibleActionFail(why)

    def refuse_what_nobody_would_restart(self) -> None:
        if self.goal.moves and not self.migration.services:
            raise AnsibleActionFail(
                "migration_services is empty, so nothing would be restarted, and nobody proven to be where its values "
                "lead: say what reads them, as [{name: shop, health_url: 'http://127.0.0.1:8000/healthz'}]."
            )

    def refuse_what_reads_nothing(self) -> None:
        """Unless it is yet to be found out by a look at the hosts. Whoever reads no services does not move either."""
        if self.migration.reads_nothing and "services" in self.settings and not self.goal.finds_values:
            raise AnsibleActionFail(f"{unnamed.NOTHING}: {unnamed.EXAMPLE}.")

    def account(self) -> str:
        """The id of the AWS account, as the same names may be in another. It needs no permission."""
        try:
            options = {**self.action.defaults_of(on_aws.MODULE), "region": self.settings["region"], "aws_config": _STS}
            return str(self.action.client_by(options, "sts").get_caller_identity()["Account"])
        except (BotoCoreError, ClientError, AnsibleActionFail) as error:
            if self.settings.get("plan_out") or self.settings.get("approve"):
                raise AnsibleActionFail(
                    f"Which AWS account this is cannot be told, and a plan is approved for one alone: {error}. Let the "
                    "controller reach STS, as by a VPC endpoint, or leave out migration_plan_out and migration_approve."
                ) from None
            return ""

    def is_to_undo(self) -> bool:
        """Whether the old Redis was retired, and must be brought back first."""
        return self.goal.destination == ORIGINAL and "decommission" in (self.ledger.get("entries") or {})

    def do(self, name: str, /, check_mode: bool = True, **args: Any) -> Found:
        """A look is never more than one, whatever the mode of the run."""
        return self.action.do(name, {"region": self.settings["region"], **args}, self.task_vars, check_mode)

    def client(self, service: str) -> Any:
        return self.action.client(on_aws.MODULE, service, self.settings["region"])

    def made(self, found: Found | None, token: str) -> Found:
        try:
            return making.look(
                self.goal, self.settings, found, self.make, token, version=self.course.get("version_id") or ""
            )
        except PlanRefused as refused:
            raise AnsibleActionFail(f"{refused.message}.") from None

    def predicted(self, endpoint: Endpoint, made: Found) -> Endpoint:
        """Of a target that is yet to be made: what its part says of TLS and of authentication."""
        told = next((part["seen"].get("endpoint") for part in made["parts"] if part["is_target"]), None)
        if not told or endpoint.is_known:
            return endpoint
        return contract.as_user(Endpoint.from_dict(told), self.settings)

    def make(self, module: str, args: Mapping[str, Any], setting: Callable[[str], str] = str) -> Found:
        """What making a part would do; a refusal ends the run, with the ``setting`` behind the option that it names."""
        seen = self.do(module, **args)
        if not seen.get("failed"):
            return seen
        option = str(seen.get("option") or "")
        ours = setting(option)
        is_told = ours.removeprefix(PREFIX) not in OPTIONS or ours == option or ours in seen["msg"]
        raise AnsibleActionFail(seen["msg"] if is_told else f"{seen['msg'].rstrip('.')}. {option} is {ours} here.")

    # --- the target ---

    def target(self) -> tuple[Found | None, Endpoint, str]:
        """The target as it is, how it is reached, and why that is not known. What is not there yet is a placeholder."""
        settings = self.settings
        try:
            if settings["endpoint"]:
                return None, table.stated_endpoint(settings["endpoint"]), ""
            row = table.target_of(settings)
            table.refuse_settings_of_others(row, settings)
        except EndpointError as error:
            raise AnsibleActionFail(f"migration_endpoint: {error}.") from None
        except PlanRefused as refused:
            raise AnsibleActionFail(f"{refused.message}.") from None
        look = row.look(settings)
        seen = self.do(look.module, **look.args)
        if seen.get("failed"):
            if not self.goal.goes_on:
                raise AnsibleActionFail(seen["msg"])
            return None, after_apply(row.service, str(settings.get(row.name_option) or "target")), str(seen["msg"])
        found = row.found_in(seen)
        endpoint = row.endpoint(settings, found)
        self.refuse_no_target(row, found, endpoint)
        return self.with_scaling(row, found) if found else None, endpoint, ""

    def with_scaling(self, row: contract.Target, found: Found) -> Found:
        """A state tells of the scaling that the settings are about, too."""
        if self.goal.stages != ("state",) or not (self.settings["scaling"] and row.scales):
            return dict(found)
        look = scaling.look(row, self.settings)
        return {**found, "scaling": self.do(look.module, **look.args)}

    def refuse_no_target(self, row: Any, found: Any, endpoint: Endpoint) -> None:
        """Where this run neither makes it nor only plans."""
        stages = set(self.goal.stages)
        if endpoint.is_known or "provision" in stages or self.goal.goes_on or stages == {"assess"}:
            return
        if self.action._task.check_mode and "rotate" not in stages:
            return
        what, provision = row.what(self.settings), self.words["provision"]
        if not found:
            raise AnsibleActionFail(
                f"There is no {what} in this account and region. Run {provision} first, or change "
                f"migration_{row.name_option}."
            )
        raise AnsibleActionFail(
            f"The {what} is {found.get('status')} and has no endpoint yet. Run {provision}, which waits until it is "
            "available."
        )

    # --- its token ---

    def token(self, found: Found | None) -> str:
        """The token that consumers are given; a placeholder where it is yet to be made."""
        secret = self.settings.get("auth_token_secret")
        if not secret or self.goal.stages == ("state",):
            return ""
        if self.goal.destination == ORIGINAL:
            return self.token_to_count_with(secret)
        seen = self.do(
            "cache_token",
            secret=secret,
            migration_name=self.settings["name"],
            generate=bool(self.settings.get("auth_token_generate")) and not self.settings["adopt"],
        )
        if seen.get("failed"):
            raise AnsibleActionFail(seen["msg"])
        if not seen["exists"]:
            self.refuse_to_write_json(secret)
        entry = ((self.ledger.get("entries") or {}).get("token") or {}) if self.is_token_of_target else {}
        if self.goal.destination == TOKEN:
            return self.rotated(secret, seen, entry)
        refusal = token_rotation.refusal(secret, seen, entry, [found] if found else [], self.words["rotate"])
        if refusal:
            raise AnsibleActionFail(f"{refusal}.")
        self.course = {"secret": secret, "version_id": seen["current_version_id"], "exists": seen["exists"]}
        return self.readable(secret, seen["current_version_id"]) if seen["exists"] else token_rotation.PLACEHOLDER

    @property
    def is_token_of_target(self) -> bool:
        """And no password of somebody's user, whose versions the ledger does not know."""
        return table.target_of(self.settings).gives_login(self.settings)

    def rotated(self, secret: str, seen: Found, entry: Found) -> str:
        before = entry.get("from_secret") or entry.get("secret") or secret
        ours = seen if before == secret else self.do("cache_token", secret=before, migration_name=self.settings["name"])
        facts = {**seen, "before": {"secret": before, "ours": bool(ours.get("ours"))}}
        try:
            self.course = token_rotation.course(secret, facts, entry, bool(self.settings["auth_token_new"]))
        except token_rotation.RotationRefused as refused:
            raise AnsibleActionFail(f"{refused}.") from None
        if self.course["generate"]:
            self.refuse_to_write_json(secret)
        self.refuse_without_the_password_before()
        version = self.course["to_version"]
        return self.readable(secret, version) if version else token_rotation.PLACEHOLDER

    def refuse_without_the_password_before(self) -> None:
        """A user keeps the password that hosts have for as long as AWS is told it beside the new one."""
        course = self.course
        if not course["needed"] or table.target_of(self.settings).login(self.settings).takes != contract.PASSWORDS:
            return
        if not course["prove"]:
            raise AnsibleActionFail(token_rotation.not_to_be_read(course["from_secret"], self.settings["username"]))
        self.readable(course["from_secret"], course["from_version"])

    def readable(self, secret: str, version: str) -> str:
        value = self.value_of(secret, version)
        if value is None:
            raise AnsibleActionFail(f"{cannot_be_read(secret, version)}.")
        return token_in(value, secret, self.settings)

    def token_to_count_with(self, secret: str) -> str:
        """What stays behind on the target is counted where it can be, and holds no rollback up."""
        try:
            return token_in(self.value_of(secret, "") or "", secret, self.settings)
        except AnsibleActionFail:
            return ""

    def refuse_to_write_json(self, secret: str) -> None:
        try:
            token_secret.refuse_to_write_json(secret, self.settings.get("auth_token_secret_key") or "")
        except PlanRefused as refused:
            raise AnsibleActionFail(f"{refused.message}.") from None

    def value_of(self, secret: str, version: str) -> str | None:
        return secret_value(self.action, self.settings["region"], secret, version)

    # --- what consumers share ---

    def shared(self, endpoint: Endpoint, token: str) -> tuple[list[Found], str]:
        """A look at each place that they share, and what the first held before, where a host must be able to ask it."""
        if not self.goal.reads_values:
            return [], ""
        for value in self.migration.own if not self.goal.goes_on else ():
            self.wanted(value, endpoint, token)  # what cannot be is refused once, and not by every host
        looks = [self.look_at(value, endpoint, token) for value in self.migration.shared]
        failed = next((look["failure"] for look in looks if look.get("failure")), "")
        if failed and not self.goal.goes_on:
            raise AnsibleActionFail(failed)
        is_told_by_hosts = self.migration.own or not self.migration.shared
        return looks, "" if failed or is_told_by_hosts else self.original_of(self.migration.shared[0])

    def look_at(self, value: Value, endpoint: Endpoint, token: str) -> Found:
        row = on_aws.STORES[value.store]
        told = {
            "store": value.store,
            "name": value.address,
            "keys": {name: asdict(key) for name, key in value.keys.items()},
            "words": row.words,
        }
        seen = self.do(
            on_aws.MODULE,
            store=value.store,
            state="reverted" if self.goal.reverts else "present",
            values=self.wanted(value, endpoint, token),
            keep_options=value.takes_options,
            migration_name=self.settings["name"],
        )
        if seen.get("failed"):
            return {**told, "failure": str(seen["msg"])}
        return {**told, "changes": seen["changes"], "version": seen.get("version") or {}}

    def wanted(self, value: Value, endpoint: Endpoint, token: str) -> dict[str, str]:
        if self.goal.reverts:
            return dict.fromkeys(value.keys, "")
        try:
            return value.held(endpoint.as_dict(), token, self.settings)
        except EndpointError as error:
            raise AnsibleActionFail(f"{error}.") from None

    def original_of(self, value: Value) -> str:
        """What it led to before the migration: by the journal, else what it says now.

        Empty where it cannot be read and the goal goes on: then no host can ask the old Redis, and says so.
        """
        row = on_aws.STORES[value.store]
        try:
            return row.original(self.client, self.settings["name"], value.address)
        except (BotoCoreError, ClientError, JournalError) as error:
            if self.goal.goes_on:
                return ""
            raise AnsibleActionFail(f"What {value.address} held before cannot be read: {error}.") from None

    def refuse_a_part_of_what_is_shared(self, everyone: list[str], present: list[str]) -> None:
        left_out = [host for host in everyone if host not in present]
        if not (left_out and self.migration.shared and self.goal.moves):
            return
        raise AnsibleActionFail(
            "migration_values has values that all hosts share ("
            + ", ".join(value.address for value in self.migration.shared)
            + f"), and --limit leaves out {', '.join(left_out)}. Run without --limit."
        )


def cannot_be_read(secret: str, version: str) -> str:
    return (
        f"{secret}: its version {version} cannot be read: it is not there any more, or the identity that runs "
        "this lacks the IAM action secretsmanager:GetSecretValue on it, as each stage's policy in docs/iam has it (and "
        "kms:Decrypt where a key of your own encrypts it)"
    )


def secret_value(action: EngineAction, region: str, secret: str, version: str) -> str | None:
    """What a version of a secret holds, the current one where none is named; None where it cannot be read."""
    asked = {"VersionId": version} if version else {"VersionStage": "AWSCURRENT"}
    try:
        client = action.client("cache_token", "secretsmanager", region)
        return str(client.get_secret_value(SecretId=secret, **asked)["SecretString"])
    except (BotoCoreError, ClientError, AnsibleActionFail):
        return None


def token_in(value: str, secret: str, settings: Mapping[str, Any]) -> str:
    """The token in it. A secret that holds something else ends the run, with its name."""
    try:
        return token_secret.token_in(value, secret, str(settings.get("auth_token_secret_key") or ""))
    except PlanRefused as refused:
        raise AnsibleActionFail(f"{refused.message}.") from None
