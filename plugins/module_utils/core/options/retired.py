# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The old Redis retired."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part

RETIRED = Part(
    "The old Redis retired",
    (
        Option(
            "decommission",
            "Asked for: without it C(playbooks/decommission.yml) does nothing.",
            "bool",
            False,
            stages=("decommission",),
            asked=("decommission",),
            for_one_run=True,
        ),
        Option(
            "old_instance_id",
            "The EC2 instance of the old Redis. Left empty, C(instance_id) of the host in C(old_redis).",
            stages=("assess", "decommission", "rollback"),
        ),
        Option(
            "decommission_service",
            "Its systemd unit, where that alone is retired and its host (in the group C(old_redis)) stays.",
            stages=("decommission",),
        ),
        Option("decommission_min_age", "Hours that the cutover must be ago.", "float", 48, stages=("decommission",)),
        Option("decommission_hold", "Hours between stop and terminate.", "float", 72, stages=("decommission",)),
        Option(
            "decommission_terminate",
            "Terminate after the hold.",
            "bool",
            False,
            stages=("decommission",),
            asked=("decommission",),
            for_one_run=True,
        ),
        Option(
            "decommission_waive",
            "Checks that are waived by name: C(backup), C(backup_load), C(other_services), C(persistence), C(data).",
            "list",
            [],
            elements="str",
            stages=("decommission", "rollback"),
            choices=("backup", "backup_load", "other_services", "persistence", "data"),
            asked=("decommission", "rollback"),
        ),
        Option(
            "decommission_wait_timeout",
            "Seconds that instance, Redis and the backup's load may take, each.",
            "int",
            900,
            stages=("decommission", "rollback"),
        ),
        Option("backup_bucket", "The S3 bucket of the last backup.", stages=("decommission",)),
        Option(
            "backup_kms_key_id",
            "The KMS key that encrypts it. Left empty, S3's own.",
            stages=("decommission",),
        ),
        Option(
            "backup_endpoint_url",
            "The address by which hosts reach S3. Left empty, AWS's own.",
            stages=("decommission",),
        ),
        Option(
            "backup_engine",
            "The program on the controller that loads the backup once. Left empty, C(redis-server) or "
            "C(valkey-server).",
            stages=("decommission",),
        ),
    ),
)
