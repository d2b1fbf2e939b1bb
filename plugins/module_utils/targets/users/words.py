# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What each service calls a user. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership


@dataclass(frozen=True)
class Words:
    """A service's names for it: of our options, of its calls, and of what it answers."""

    id_option: str
    needs: tuple[str, ...]  # options without which none can be made, beside its login
    id: str
    answered_id: str
    modify: str
    answered_groups: str
    groups: str  # as they are told
    tags: ownership.TagCalls

    @property
    def has_name_of_its_own(self) -> bool:
        """Beside the id; it is of an engine then, too."""
        return self.id_option != "user_name"


ELASTICACHE = Words(
    id_option="user_id",
    needs=("engine", "access_string"),
    id="UserId",
    answered_id="UserId",
    modify="ModifyUser",
    answered_groups="UserGroupIds",
    groups="user_group_ids",
    tags=ownership.ELASTICACHE,
)
MEMORYDB = Words(
    id_option="user_name",
    needs=("access_string",),
    id="UserName",
    answered_id="Name",
    modify="UpdateUser",
    answered_groups="ACLNames",
    groups="acl_names",
    tags=ownership.MEMORYDB,
)
