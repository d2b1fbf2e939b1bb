# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a migration is called, and where it is."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part

GENERAL = Part(
    "",
    (
        Option(
            "name",
            "The name of the migration: a letter, then letters, digits and single hyphens, 64 at most. What is "
            "made carries it as the tag C(cache_migration:name), and originals are kept under it.",
            required=True,
        ),
        Option("region", "The AWS region, such as us-east-1.", required=True),
        Option(
            "must_not_lose",
            "Nothing that was written may be lost when a node fails, as of sessions or orders. What "
            "C(playbooks/assess.yml) recommends then keeps each write in several zones before it answers.",
            "bool",
            False,
            stages=("assess",),
        ),
    ),
)
