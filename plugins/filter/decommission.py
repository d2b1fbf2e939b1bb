# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters of the role decommission: thin doors to the room of the same name."""

from __future__ import annotations

import json

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import decommission
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import looks as old_redis_looks


def host_looks(hosts, hostvars, name, asked=""):
    """What old_redis_info returned on each host under ``name``, failures too; a host without a result was left out.

    Where ``asked`` is given, it is what the one host that asked alone has registered. What the others heard is left out
    then, but for failures: they asked at the same time, so the old Redis told them of each other.
    """
    keep = ("original", "addresses", "current", "redis", "failed", "unreachable", "msg")
    left_out = {"unreachable": True, "msg": "it was left out of this run, or lost earlier in it"}
    found = {host: hostvars[host].get(name) or left_out for host in hosts}
    if asked:
        alone = {host: hostvars[host].get(asked) or {} for host in hosts}
        for host, look in found.items():
            is_alone = bool(alone[host]) and not alone[host].get("skipped")
            found[host] = alone[host] if is_alone else {**look, "redis": _only_failure(look)}
    return {host: {key: look[key] for key in keep if key in look} for host, look in found.items()}


def _only_failure(look):
    redis = look.get("redis") or {}
    return redis if redis.get("failure") else {}


def old_redis_asker(hosts, hostvars, name):
    """The first host whose look, registered under ``name``, had an answer of the old Redis; empty where none had."""
    looks = ((host, hostvars[host].get(name) or {}) for host in hosts)
    answered = (host for host, look in looks if old_redis_looks.has_answer(look))
    return next(answered, "")


def old_host_seen(result):
    """What old_host_info returned, a failure too."""
    if not result or result.get("skipped"):
        return {"failed": True, "msg": "the old Redis does not answer, so its host was not looked at."}
    keep = ("addresses", "listeners", "unit", "failed", "unreachable", "msg")
    return {key: result[key] for key in keep if key in result}


def journaled_original(entry):
    """The original in the text of a journal's parameter; empty where there is none."""
    return (json.loads(entry).get("original") or "") if entry else ""


def why_failed(result):
    """Why a registered task has no result of its own, without a full stop; empty where it has one."""
    return batches.failure_reason(result or {}).rstrip().rstrip(".")


class FilterModule:
    """Filters of kempian.cache_migration."""

    def filters(self):
        return {
            "forget_command": decommission.forget_command,
            "host_looks": host_looks,
            "journaled_original": journaled_original,
            "not_back": decommission.not_back,
            "not_started": decommission.not_started,
            "old_host_seen": old_host_seen,
            "old_redis_asker": old_redis_asker,
            "task_failure": why_failed,
            "wrong_entry": decommission.wrong_entry,
        }
