# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How modules know from the app's values where the old Redis is; the same options for argument_spec are VALUES of
cache.old_redis.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  values:
    description: The files on the host that hold the app's values. Left out, O(urls) says where things are.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The C(.env) file.
        type: path
        required: true
      keys:
        description: The keys in it that hold the cache's URL, or parts of it.
        type: list
        elements: str
        required: true
      forms:
        description: Of keys that hold something else than a URL, as M(kempian.cache_migration.app_host_info) has it.
        type: dict
        default: {}
  urls:
    description: The app's values, where they are in a store that hosts share. They are secrets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the value is called.
        type: str
        required: true
      original:
        description: The value before the migration; empty where it is not known.
        type: str
        default: ""
      current:
        description: The value now.
        type: str
        default: ""
"""
