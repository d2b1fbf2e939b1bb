# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a plan was made of, part by part: the definition, AWS, and each host. Pure, and without a secret.

Of a secret, a parameter and a file it is the version that counts, never the value, as the hash of a weak password tells
it: what is hashed is without secrets, as it is shown. What differs from one look to the next by itself (a status, a
role after a failover, connections) is left out.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS, PARTS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.record import kept
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.approval import (
    DERIVED,
    HOST,
    SHARED,
    Parts,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling

# They say how a run is told, and not what it does.
OF_THE_RUN = frozenset(("plan_out", "approve", "require_approval", "break_lock", "report_dir"))
_PASSING = frozenset(("status", "members", "endpoint", "allowed_node_types", "tags"))


def of_run(known: Known, looks: Mapping[str, Look]) -> Parts:
    return {**of_controller(known), **{f"{HOST}{name}": kept(_of_host(look)) for name, look in looks.items()}}


def of_controller(known: Known) -> dict[str, Any]:
    """What can be seen without the hosts."""
    course = {name: value for name, value in known.course.items() if name != "done"}
    return {
        **definition(known.settings, known.everyone, known.present, known.words.get("version")),
        "the AWS account": known.account,
        "the target in AWS": kept({**_target(known), "is reached at": _place(known.endpoint)}),
        "the version of the token's secret": kept(course),
        SHARED: kept(
            [
                {
                    "name": one.get("name"),
                    "version": one.get("version"),
                    "held": _held(one),
                }
                for one in known.shared
            ]
        ),
        "the ledger in Parameter Store": kept({name: entry for name, entry in known.entries.items() if name != "lock"}),
        DERIVED: kept([[part.get("what"), part["seen"].get("plan")] for part in known.parts]),
    }


def _target(known: Known) -> dict[str, Any]:
    """What AWS scales passes as well, where the settings are of a target that is scaled."""
    row = table.TARGETS.get(str(known.endpoint.get("service")))
    scaled = scaling.passing(row, known.settings) if row else frozenset()
    return {name: value for name, value in known.found.items() if name not in _PASSING | scaled}


def _place(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Where, and how: which nodes are behind it passes by itself."""
    return {name: endpoint.get(name) for name in ("address", "port", "protocol", "tls", "auth", "username")}


def definition(settings: Mapping[str, Any], everyone: Any, present: Any, version: Any) -> dict[str, Any]:
    """What the inventory and ``-e`` say, by the headings of the options, and what carries it out."""
    shown = _stated(settings)
    stated = {
        f"options, {part.heading or 'The migration'}": {
            option.full_name: shown[option.name] for option in part.options if option.name in shown
        }
        for part in PARTS
    }
    hosts = {"of the inventory": list(everyone), "of this run": list(present)}
    return {**stated, "the hosts": hosts, "the version of this collection": version}


def _stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Each by itself, as the name of an option says nothing of whether it is a secret: that is its own to say."""
    return {
        name: kept(value)
        for name, value in settings.items()
        if name not in OF_THE_RUN and not (name in OPTIONS and OPTIONS[name].is_secret)
    }


def of_retirement(known: Mapping[str, Any], ledger: Mapping[str, Any], looks: Mapping[str, Any]) -> Parts:
    """The same of the old Redis's end. ``known`` is what retire_look has found, ``looks`` what each host told."""
    settings, everyone = known["settings"], known["everyone"]
    what = {name: known.get(name) for name in ("instance_id", "old_host", "target_address")}
    return {
        **definition(settings, everyone, list(looks), known.get("version")),
        "the AWS account": known.get("account"),
        "the old Redis and the target": what,
        "the ledger in Parameter Store": kept(ledger),
        **{f"{HOST}{name}": kept(list(map(_led, (look or {}).get("stores") or ()))) for name, look in looks.items()},
    }


def _led(value: Mapping[str, Any]) -> dict[str, Any]:
    """Where a value led, and where it leads now."""
    return {name: value.get(name) for name in ("name", "original", "current")}


def _of_host(look: Look) -> dict[str, Any]:
    return {
        "address": look.address,
        "its definition": look.defined,
        "cannot be seen": bool(look.why),
        "values": {
            str(value.get("path")): {
                "written": value.get("written"),
                "held": _held(value),
                "failure": value.get("failure"),
            }
            for value in look.values
        },
        "services that cannot be seen": sorted(str(one.get("name")) for one in look.services if one.get("failure")),
    }


def _held(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What each key of a value holds, as a look shows it."""
    return {key: change.get("before") for key, change in (seen.get("changes") or {}).items()}


def defined(settings: Mapping[str, Any]) -> str:
    """A fingerprint of what the inventory says for one host, without the headers of its health checks."""
    services = [{**one, "health_headers": sorted(one.get("health_headers") or {})} for one in settings["services"]]
    text = json.dumps(_stated({**settings, "services": services}), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
