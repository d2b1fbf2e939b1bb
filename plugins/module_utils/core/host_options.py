# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the modules take that look at an app host as a whole, or change it (doc_fragments/app_host), beside its values
and services.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import READERS, REDIS_PY

OPTIONS: dict[str, Any] = {
    "migration_name": {"type": "str", "required": True},
    "state_dir": {"type": "path", "default": "/var/lib/cache_migration"},
    "state": {"type": "str", "choices": ["present", "reverted"], "default": "present"},
    "keep_options": {"type": "bool", "default": True},
    "endpoint": {"type": "dict"},
    "leave_cluster": {
        "type": "dict",
        "no_log": True,
        "options": {
            "endpoint": {"type": "dict", "required": True},
            "auth_token": {"type": "str", "no_log": True},
        },
    },
    "probe": {
        "type": "dict",
        "no_log": True,
        "options": {
            "endpoint": {"type": "dict", "required": True},
            "auth_token": {"type": "str", "no_log": True},
            "uses": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "database": {"type": "int", "default": 0},
                    "reader": {"type": "str", "choices": list(READERS), "default": REDIS_PY},
                },
            },
            "write": {"type": "bool", "default": True},
        },
    },
    "timeout": {"type": "float", "default": 5.0},
    "python": {"type": "path"},
    "user": {"type": "str"},
}
