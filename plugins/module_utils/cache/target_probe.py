# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The target, asked for each database that the app uses, and told as one part of a result. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import probe_result
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, build_url


def questions(wanted: Mapping[str, Any], seconds: float, check_mode: bool) -> dict[str, Question]:
    """One for each database, of the option ``probe`` (core.host_options); none where the target is yet to be made."""
    target = Endpoint.from_dict(wanted["endpoint"])
    if not target.is_known:
        return {}
    write = wanted["write"] and not check_mode
    urls = {f"target {number}": build_url(target, wanted["auth_token"] or "", number) for number in wanted["databases"]}
    return {name: Question(url, seconds=seconds, write=write) for name, url in urls.items()}


def told(wanted: Mapping[str, Any], asked: Mapping[str, Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """As the result has it, with ``msg`` where it cannot be used: that it serves one database proves nothing of
    another.
    """
    probed = [probe_result.probed(asked[name].url, _answer(answers[name])) for name in asked]
    if not probed:
        return probe_result.after_apply(Endpoint.from_dict(wanted["endpoint"]), wanted["databases"][0])
    return next((part for part in probed if "msg" in part), probed[0])


def _answer(answered: Any) -> Answer:
    if isinstance(answered, Answer):
        return answered
    raise TypeError(f"{type(answered).__name__} answers no probe")
