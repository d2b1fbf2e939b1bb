# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a probe is told as in the result of a module. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, mask_url, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import location


def probed(url: str, answer: Answer) -> dict[str, Any]:
    """Of a cache that was asked: with ``msg``, a sentence, where it cannot be used."""
    result = {**answer.as_dict(), "after_apply": False, "location": location(parse_url(url))}
    if answer.failure:
        result["msg"] = f"This host cannot use {mask_url(url)}: {answer.failure.sentence}"
    return result


def after_apply(endpoint: Endpoint, database: int) -> dict[str, Any]:
    """Of a target that only a plan knows."""
    where = {"host": endpoint.address, "port": endpoint.port, "tls": endpoint.tls, "database": database}
    return {**Answer().as_dict(), "reached": False, "after_apply": True, "location": where}
