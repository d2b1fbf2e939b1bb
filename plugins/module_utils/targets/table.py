# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The services that an app can be moved to: a row for each, and none of them is known by name anywhere else. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    PROTOCOLS,
    REDIS,
    Endpoint,
    EndpointError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import PREFIX
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.target import CACHE_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import Settings, Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.target import MEMORYDB
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.target import (
    REPLICATION_GROUP,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.target import (
    SERVERLESS_CACHE,
)

TARGETS: Mapping[str, Target] = {
    row.service: row for row in (REPLICATION_GROUP, SERVERLESS_CACHE, CACHE_CLUSTER, MEMORYDB)
}
DEFAULT = REPLICATION_GROUP


def target_of(settings: Settings) -> Target:
    """The row whose name is stated: what the target is called says which service it is of. Raises PlanRefused."""
    named = [row for row in TARGETS.values() if settings.get(row.name_option)]
    if len(named) > 1:
        options = " and ".join(row.setting(row.name_option) for row in named)
        raise PlanRefused(
            f"{options} name a target each, and there is one: leave out what is not meant, with the options that go "
            "with it",
            named[1].name_option,
        )
    return named[0] if named else DEFAULT


def refuse_settings_of_others(row: Target, settings: Settings) -> None:
    """What is stated, and is of another service than the target's: all of it at once. Raises PlanRefused.

    A setting that equals its default counts as left out, as Ansible does not tell the two apart.
    """
    mine = {row.name_option, *row.options}
    theirs: dict[str, list[str]] = {}
    for other in TARGETS.values():
        for option in (name for name in other.options if name not in mine):
            if settings.get(option) not in (None, "", [], {}, OPTIONS[option].default):
                theirs.setdefault(other.title, []).append(f"{PREFIX}{option}")
                mine.add(option)  # said once, of the first service that has it
    if not theirs:
        return
    named = "; ".join(
        f"{', '.join(options)} {'is' if len(options) == 1 else 'are'} of {title}" for title, options in theirs.items()
    )
    options = [option for of_one in theirs.values() for option in of_one]
    them = "it" if len(options) == 1 else "them"
    raise PlanRefused(
        f"{named}, and the target is the {row.what(settings)}: leave {them} out, or name another target",
        options[0].removeprefix(PREFIX),
    )


def by_service(service: str) -> Target:
    """The row of a service, as an endpoint names it. Raises PlanRefused."""
    if service not in TARGETS:
        raise PlanRefused(f"migration_endpoint is of the service {service!r}: use {', '.join(TARGETS)}", "endpoint")
    return TARGETS[service]


def stated_endpoint(mapping: Mapping[str, Any]) -> Endpoint:
    """The whole endpoint from the part of it that a person stated, for a target of theirs. Raises EndpointError."""
    usual = asdict(PROTOCOLS.get(str(mapping.get("protocol")), PROTOCOLS[REDIS]))
    if mapping.get("auth") == "iam" and not (mapping.get("name") and mapping.get("username")):
        raise EndpointError("auth: iam needs the name of the cache and a username, as both are in what is signed")
    return Endpoint.from_dict({"service": DEFAULT.service, "name": mapping.get("address"), **usual, **mapping})
