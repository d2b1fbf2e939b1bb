# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Processes of the app's hosts that are on the cache which is left, and that no service of the migration is. Pure."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look

OPTION = "migration_unknown_clients"
OLD, TARGET = "the old Redis", "the target"

Seen = Mapping[str, Any]


def of(looks: Mapping[str, Look]) -> dict[str, Seen]:
    """What was seen of them on each host."""
    return {host: look.other_clients for host, look in looks.items() if look.other_clients}


def lines(seen: Mapping[str, Seen], place: str = OLD) -> list[str]:
    """One for each unit of each host, and one where nobody can tell."""
    return [line for host, one in seen.items() for line in _of_host(host, one, place)]


def _of_host(host: str, seen: Seen, place: str) -> Iterator[str]:
    pids: dict[tuple[str, str], list[str]] = {}
    for client in seen.get("processes") or ():
        pids.setdefault((client["unit"], client["program"]), []).append(str(client["pid"]))
    for (unit, program), each in pids.items():
        known = f"{program or 'a program without a name'}, pid {', '.join(each)}"
        yield (
            f"{host}: {f'{unit} ({known})' if unit else known} is connected to {place} and in no migration_services: "
            "name it there, or stop it, as it does not move with the app."
        )
    if seen.get("failure"):
        yield f"{host}: whether another process is connected to {place} is not known. {seen['failure']}"


def refusal(seen: Mapping[str, Seen], policy: str) -> str:
    """By the word that the clients of other addresses have; empty where they may stay, or there are none."""
    told = lines(seen) if policy == "refuse" else []
    if not told:
        return ""
    return "\n".join(
        [
            f"{OPTION} is refuse, and not every process that is on the old Redis would move.",
            *told,
            f"Where they are harmless, such as monitoring, they may stay: {OPTION}: warn",
        ]
    )
