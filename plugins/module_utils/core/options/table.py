# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every ``migration_*`` option, once.

The argument specs of the roles, the tables of the READMEs and the check of what a run is given are made from it.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.app import APP
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.data import DATA
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.general import GENERAL
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.retired import RETIRED
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.run import RUN
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.target import TARGET
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.way import WAY

PARTS = (GENERAL, APP, TARGET, WAY, DATA, RUN, RETIRED)

OPTIONS: Mapping[str, Option] = {option.name: option for part in PARTS for option in part.options}


def of_stages(stages: Iterable[str]) -> dict[str, Option]:
    """The options that any of these stages reads, by name, in the order of the README."""
    wanted = set(stages)
    return {name: option for name, option in OPTIONS.items() if wanted & set(option.stages)}


def spec(stages: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The argument spec of these stages, by the options' full names."""
    return {option.full_name: option.spec() for option in of_stages(stages).values()}
