# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way to the target."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part

WAY = Part(
    "The way",
    (
        Option(
            "vpc_id",
            "The VPC of the security group that is made. Left empty, the default VPC.",
            stages=("provision", "ingress", "rollback"),
        ),
        Option(
            "app_security_group_ids",
            "The app's security groups, which may reach the target. One of this and O(migration_app_cidrs) is needed.",
            "list",
            [],
            elements="str",
            stages=("ingress",),
        ),
        Option(
            "app_cidrs",
            "The app's addresses, which may reach the target; no range wider than /16.",
            "list",
            [],
            elements="str",
            stages=("ingress",),
        ),
        Option(
            "security_group_ids",
            "Security groups of yours for the target, used as they are. Left empty, one is made and opened for "
            "the app's hosts only.",
            "list",
            [],
            elements="str",
            stages=("provision", "ingress"),
        ),
        Option(
            "security_group_name",
            "The name of the security group that is made. Left empty, C(<name>-cache).",
            stages=("provision", "ingress", "rollback"),
        ),
        Option("manage_ingress", "Whether the rules of that group are ours to add.", "bool", True, stages=("ingress",)),
    ),
)
