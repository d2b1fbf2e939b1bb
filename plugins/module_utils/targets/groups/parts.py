# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The subnet group and the parameter group of a target, as parts of its row. Pure.

They are called ``<name>-cache`` unless the settings say otherwise. Those of an adopted target are somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    Found,
    Part,
    Settings,
    own_name,
    stated,
)

SETTINGS = ("parameter_group_name", "parameters", "subnet_group_name", "subnet_ids")
"""The settings of which they are made; a row has them among its options."""


@dataclass(frozen=True)
class Groups:
    """A service's own two: their modules, and what these call the name and the description of one."""

    subnets: str
    subnet_name: str
    subnet_description: str
    parameters: str
    parameter_name: str

    def parts(self, settings: Settings, found: Found | None) -> list[Part]:
        """Those that are ours to make. The family is of what the target will run, which the module asks AWS for."""
        if settings.get("adopt"):
            return []
        return [
            *([self._of_subnets(settings)] if settings.get("subnet_ids") else []),
            *([self._of_parameters(settings, found)] if settings.get("parameters") else []),
        ]

    def _of_subnets(self, settings: Settings) -> Part:
        args = {self.subnet_name: subnet_group(settings), self.subnet_description: description(settings)}
        return Part(
            f"subnet group {subnet_group(settings)}",
            self.subnets,
            {**_owner(settings), **args, **stated(settings, {"subnet_ids": "subnet_ids", "tags": "tags"})},
        )

    def _of_parameters(self, settings: Settings, found: Found | None) -> Part:
        runs = {**(found or {}), **stated(settings, {"engine": "engine", "engine_version": "engine_version"})}
        return Part(
            f"parameter group {parameter_group(settings)}",
            self.parameters,
            {
                **_owner(settings),
                self.parameter_name: parameter_group(settings),
                **stated(runs, {"engine": "engine", "engine_version": "engine_version"}),
                "description": description(settings),
                **stated(settings, {"parameters": "parameters", "tags": "tags"}),
            },
        )

    def removal(self, settings: Settings) -> list[Part]:
        """They can go only once the target is gone."""
        if not own_name(settings):
            return []
        gone = {**_owner(settings), "state": "absent"}
        subnets = settings.get("subnet_group_name") or own_name(settings)
        parameters = settings.get("parameter_group_name") or own_name(settings)
        return [
            Part(f"subnet group {subnets}", self.subnets, {**gone, self.subnet_name: subnets}),
            Part(f"parameter group {parameters}", self.parameters, {**gone, self.parameter_name: parameters}),
        ]


OF_ELASTICACHE = Groups(
    subnets="elasticache_subnet_group",
    subnet_name="cache_subnet_group_name",
    subnet_description="cache_subnet_group_description",
    parameters="elasticache_parameter_group",
    parameter_name="cache_parameter_group_name",
)


def with_groups(settings: Settings) -> dict[str, Any]:
    """The settings of a target that uses them."""
    return {
        **settings,
        "subnet_group_name": subnet_group(settings),
        "parameter_group_name": parameter_group(settings),
    }


def subnet_group(settings: Settings) -> str:
    return str(settings.get("subnet_group_name") or own_name(settings))


def parameter_group(settings: Settings) -> str:
    """Empty where the engine's own is used."""
    own = own_name(settings) if settings.get("parameters") else ""
    return str(settings.get("parameter_group_name") or own)


def description(settings: Settings) -> str:
    return f"Cache of the migration {settings['name']}"


def _owner(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"migration_name": settings["name"]}
