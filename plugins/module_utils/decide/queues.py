# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The queues whose jobs are moved, and not copied, when the last worker has left the old Redis. Pure."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known

Queue = Mapping[str, Any]  # the ``names`` in a ``database``


def together(queues: Iterable[Queue]) -> tuple[Queue, ...]:
    """Those of several consumers, each once."""
    names: dict[int, list[str]] = {}
    for queue in queues:
        names.setdefault(int(queue["database"]), []).extend(queue["names"])
    return tuple({"database": number, "names": sorted(set(of_it))} for number, of_it in sorted(names.items()))


def against(known: Known, queues: Sequence[Queue]) -> str:
    """What is brought of them is taken away again, and nobody can tell it from jobs that were there before."""
    if not queues:
        return ""
    if known.endpoint.get("protocol") == REDIS_CLUSTER:
        return (
            "Jobs in queues (migration_services) are moved to one engine, and the target is a cluster, on which "
            "neither Celery, RQ nor Sidekiq run: take a target without cluster mode."
        )
    if known.settings.get("transfer_target_keys") == "refuse":
        return ""
    return (
        "migration_services has queues, whose jobs are moved when the last host is switched, into a target that held "
        "none before: state migration_transfer_target_keys: refuse."
    )


def moves(queues: Sequence[Queue]) -> str:
    named = ", ".join(dict.fromkeys(name for queue in queues for name in queue["names"]))
    return f"move what waits in queues by then ({named}), each job once"
