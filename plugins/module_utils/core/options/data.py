# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What becomes of the data."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import BRINGS, MOVES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import BRINGING, COLD

DATA = Part(
    "The data",
    (
        Option(
            "transfer",
            "What becomes of the data, which must be stated. C(cold): the target starts empty, and fills as the "
            "app works. C(seed): the target, which is yet to be made, is made from a dump of the old Redis in S3 "
            "(C(migration_snapshot_arns)); what was written since the dump stays behind. C(copy): all keys are copied "
            "while the app works, and compared; what the app writes while and after they are stays behind on the old "
            "Redis. C(live): what the app writes comes along, too, until the last host is switched. C(managed): AWS "
            "itself has the target follow the old Redis (online migration of ElastiCache) until the first host is "
            "switched; what the app writes to the old Redis from then on stays behind. The target has no TLS and asks "
            "for no password meanwhile, and neither does the old Redis.",
            stages=("assess", *BRINGS),
            choices=("", COLD, *BRINGING),
        ),
        Option(
            "transfer_host",
            "The host of the group C(app) that copies: one that reaches both, with two processors to spare. Left "
            "empty, the canary.",
            stages=BRINGS,
        ),
        Option(
            "transfer_processes",
            "How many processes copy at the same time.",
            "int",
            2,
            stages=BRINGS,
        ),
        Option(
            "transfer_rate",
            "The most keys a second that are copied. 0 is no limit.",
            "int",
            0,
            stages=BRINGS,
        ),
        Option(
            "transfer_latency_limit",
            "Milliseconds that the old Redis may take to answer while it is copied: above it the copy slows down "
            "by itself. 0 is no limit.",
            "float",
            10,
            stages=BRINGS,
        ),
        Option(
            "transfer_target_keys",
            "What becomes of keys that the target holds before: C(refuse) begins nothing where there are any, "
            "C(keep) leaves them as they are, C(replace) writes over those of the same name.",
            default="refuse",
            choices=("refuse", "keep", "replace"),
            stages=BRINGS,
        ),
        Option(
            "transfer_verify",
            "How what was copied is compared with what is there: C(full), every key; C(sample), as many keys of "
            "each database as C(migration_sample) says; C(none).",
            default="full",
            choices=("full", "sample", "none"),
            stages=BRINGS,
        ),
        Option(
            "queues_timeout",
            "Seconds that workers have for the jobs in the C(queues) of C(migration_services), before the last of them "
            "leave a cache. Left out, C(migration_timeout).",
            "float",
            None,
            stages=MOVES,
        ),
        Option(
            "queues_left",
            "What becomes of jobs that are still there by then. C(refuse): all is put back, and what is left is named. "
            "C(bring), where the data comes along: the last workers leave, too, and what is left is moved to the "
            "target after them, as is what is due later.",
            default="refuse",
            choices=("refuse", "bring"),
            stages=("cutover",),
        ),
        Option(
            "consistency",
            "How hosts are switched where others write meanwhile. C(eventual): batch by batch, so that for a while "
            "some write to the old Redis and some to the target, where both come together. C(strict): writes on "
            "the old Redis are held until the target has all of them and all hosts are switched, in one turn. It "
            "needs C(migration_transfer: live), a Redis of 6.2 or newer, and a user who may C(CLIENT PAUSE).",
            default="eventual",
            choices=("eventual", "strict"),
            stages=BRINGS,
        ),
        Option(
            "hold_limit",
            "With C(migration_consistency: strict), the most seconds that services may take to stop, and that writes "
            "on the old Redis are held then. They are let go after that, whoever is switched by that time. With "
            "C(migration_rollback_carries), how long services may take to stop, and to start.",
            "float",
            10,
            stages=(*BRINGS, "rollback"),
        ),
        Option(
            "transfer_abort",
            "End a transfer that was begun, and take away what it copied where the target was empty before. "
            "Refused once a host has moved.",
            "bool",
            False,
            stages=("transfer",),
            asked=("transfer",),
            for_one_run=True,
        ),
    ),
)
