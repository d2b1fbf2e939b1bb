# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The target, asked for each way in which the app uses it, and told as one part of a result. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import probe_result
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_library import OF_READERS
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, probe_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import REDIS_PY, as_read


def questions(wanted: Mapping[str, Any], seconds: float, check_mode: bool) -> dict[str, Question]:
    """One for each database and library; none where the target is yet to be made. ``wanted`` is the option ``probe`` of
    core.host_options.
    """
    target = Endpoint.from_dict(wanted["endpoint"])
    if not target.is_known:
        return {}
    write = wanted["write"] and not check_mode
    uses = {(use["database"], use["reader"] if use["reader"] in OF_READERS else REDIS_PY) for use in wanted["uses"]}
    return {
        f"target {number} {reader}": Question(
            as_read(probe_url(target, wanted["auth_token"] or "", number), reader),
            seconds=seconds,
            write=write,
            reader=reader,
            protocol=target.protocol,
            nodes=[(node.address, node.port) for node in target.nodes],
        )
        for number, reader in sorted(uses or {(0, REDIS_PY)})
    }


def told(wanted: Mapping[str, Any], asked: Mapping[str, Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """As the result has it, with ``msg`` where it cannot be used: that it serves one database proves nothing of
    another.
    """
    probed = [probe_result.probed(asked[name].url, _answer(answers[name])) for name in asked]
    if not probed:
        return probe_result.after_apply(
            Endpoint.from_dict(wanted["endpoint"]), min((use["database"] for use in wanted["uses"]), default=0)
        )
    return next((part for part in probed if "msg" in part), probed[0])


def _answer(answered: Any) -> Answer:
    if isinstance(answered, Answer):
        return answered
    raise TypeError(f"{type(answered).__name__} answers no probe")
