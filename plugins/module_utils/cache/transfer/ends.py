# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The two ends that the options of a module name: the old Redis by the app's values, and the target by its endpoint."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.old_redis import VALUES, old_url, values_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import BACK, THERE, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    REDIS,
    REDIS_CLUSTER,
    Endpoint,
    EndpointError,
    probe_url,
)

PROTOCOL: dict[str, Any] = {"type": "str", "choices": [REDIS, REDIS_CLUSTER], "default": REDIS}

# Of every module that goes from one to the other: where both are, and how much they may be asked for.
OPTIONS: dict[str, Any] = {
    **VALUES,
    "source_protocol": PROTOCOL,
    "endpoint": {"type": "dict"},
    "token": {"type": "str", "no_log": True},
    "direction": {"type": "str", "choices": [THERE, BACK], "default": THERE},
    "rate": {"type": "int", "default": 0},
    "latency_limit_ms": {"type": "float", "default": 10.0},
    "processes": {"type": "int", "default": 2},
    "ca_certs": {"type": "path"},
    "timeout": {"type": "float", "default": 5.0},
    "wait_timeout": {"type": "int", "default": 86400},
}

QUEUES: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "database": {"type": "int", "default": 0},
        "names": {"type": "list", "elements": "str", "required": True},
    },
}


def old(params: Mapping[str, Any]) -> Side:
    """Raises EndpointError where no value knows it."""
    address = params["target_address"] or (Endpoint.from_dict(params["endpoint"]).address if params["endpoint"] else "")
    url = old_url(values_of(params), address)
    if not url:
        raise EndpointError(
            "no value of the app leads to it, and the journal has no original of one: name in values the file and the "
            "keys that hold its URL"
        )
    return Side(url, params["source_protocol"], tls_as_app=True, seconds=params["timeout"])


def new(params: Mapping[str, Any]) -> Side:
    """Its URL is empty where it is yet to be made. Raises EndpointError."""
    endpoint = Endpoint.from_dict(params["endpoint"])
    url = probe_url(endpoint, params["token"] or "") if endpoint.is_known else ""
    return Side(url, endpoint.protocol, ca_certs=params["ca_certs"] or "", seconds=params["timeout"])
