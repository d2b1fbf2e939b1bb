# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a run goes."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import CHANGES

RUN = Part(
    "The run",
    (
        Option(
            "canary",
            "The host that is moved first, alone. Left empty, the first of those that are to be moved.",
            stages=("transfer", "cutover", "rotate"),
            asked=("cutover", "rotate"),
        ),
        Option(
            "batch_size",
            "How many hosts are moved at once after it, as a number or a percentage of those that are to be moved.",
            default="50%",
            stages=("cutover", "rotate"),
            asked=("cutover", "rotate"),
        ),
        Option(
            "check_command",
            "A check of your own, as a string or a list of program and arguments. It runs on the controller "
            "after the canary and after the last batch, by no shell, where C(ansible-playbook) was started. "
            "Ends it with another status than 0, all is put back. It finds in its environment "
            "C(MIGRATION_PHASE) (C(canary) or C(all)), C(MIGRATION_HOSTS) and C(MIGRATION_ADDRESSES) (those "
            "moved by then, by name and by C(ansible_host) where they have one, with commas), "
            "C(MIGRATION_NAME) and C(MIGRATION_ENDPOINT). It runs only where something is to be moved. A plan "
            "shows it: what is secret it reads itself.",
            "raw",
            "",
            stages=("cutover",),
        ),
        Option(
            "check_timeout",
            "Seconds that the check may take each time. Then it is ended, and has failed.",
            "int",
            600,
            stages=("cutover",),
        ),
        Option(
            "unknown_clients",
            "C(refuse) stops where the old Redis has clients that are no host of the inventory, or processes of "
            "its hosts that are in no C(migration_services), and C(warn) tells of them.",
            default="warn",
            choices=("warn", "refuse"),
            stages=("assess", "cutover"),
            asked=("assess", "cutover"),
        ),
        Option(
            "assess_url",
            "A URL of the old Redis by which it is assessed, of a user that may ask C(INFO), C(CLIENT LIST), "
            "C(CONFIG GET) and C(SCAN) where the app's own may not. It names the same host and port, and the ssl_* "
            "options that it needs. A secret, for a vault, which what listens there is told: with 127.0.0.1 that "
            "may be anything of the app's user. Left empty, the app's own; all else is done by that.",
            stages=("assess",),
            asked=("assess",),
            is_secret=True,
        ),
        Option(
            "sample",
            "Keys looked at in each database, of the old Redis and before a rollback of the target; with "
            "C(migration_transfer_verify: sample) also of what was copied.",
            "int",
            1000,
            stages=("assess", "transfer", "rollback"),
            asked=("assess", "rollback"),
        ),
        Option(
            "price_list_url",
            "Where AWS's public price list is, which C(playbooks/assess.yml) reads where it may not ask the Price "
            "List API. Empty: nowhere, and what the collection knows of it counts, with its date.",
            default="https://pricing.us-east-1.amazonaws.com",
            stages=("assess",),
        ),
        Option(
            "wait_timeout",
            "Seconds that a change of the target may take.",
            "int",
            3600,
            stages=("provision", "rotate", "rollback"),
        ),
        Option(
            "rollback_throttle",
            "Hosts that are put back at once.",
            "int",
            1,
            stages=("cutover", "rollback"),
        ),
        Option(
            "rollback_carries",
            "Whether a rollback carries back what the app wrote to the target. All services stand still for that, as a "
            "managed cache lets nobody follow it: what is gone there is deleted on the old Redis, all keys are copied "
            "over it, and both are compared; then all hosts go back in one turn. Without it that stays on the target.",
            "bool",
            False,
            stages=("rollback",),
            asked=("rollback",),
        ),
        Option(
            "rollback_delete_target",
            "Delete the target after a rollback, with the groups that were made for it.",
            "bool",
            False,
            stages=("rollback",),
            asked=("rollback",),
        ),
        Option(
            "final_snapshot_identifier",
            "The snapshot taken before the target is deleted. Left empty: none, and its data is gone.",
            stages=("rollback",),
            asked=("rollback",),
        ),
        Option(
            "rollback_close_ingress",
            "Remove the rules that were added to its security group after a rollback.",
            "bool",
            False,
            stages=("rollback",),
            asked=("rollback",),
        ),
        Option(
            "plan_out",
            "The file on the controller to which the plan is written, with its digest; for one run, by C(-e). That "
            "run changes nothing, with C(--check) or without. Data, where its name ends in C(.json), and a page of "
            "Markdown else.",
            stages=CHANGES,
        ),
        Option(
            "approve",
            "The digest of a plan, or the file that O(migration_plan_out) wrote; for one run, by C(-e). The run "
            "does exactly this, and is refused where AWS, a host or the definition is another one since. With "
            "O(migration_plan_out) it is ignored.",
            stages=CHANGES,
            asked=CHANGES,
            for_one_run=True,
        ),
        Option(
            "require_approval",
            "Refuse to change anything without O(migration_approve), whoever starts the run. A plan is made all "
            "the same, what is done already is left alone, and a rollback is never kept up.",
            "bool",
            False,
            stages=("provision", "ingress", "cutover", "rotate", "decommission"),
        ),
        Option(
            "break_lock",
            "The id of a lock to break, as the message of a refused run names it; for one run, by C(-e).",
            asked=CHANGES,
            for_one_run=True,
        ),
        Option(
            "report_dir",
            "The folder on the controller where records go. Left empty, none is written.",
            default="build/report",
        ),
    ),
)
