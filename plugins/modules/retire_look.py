#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: retire_look
short_description: Look at what the controller can see before the old Redis is retired
version_added: 0.2.0
description:
  - 'Reads the C(migration_*) options, and refuses what a run must not be begun with: one that was not asked
    for, more than one host in the group C(old_redis), a lock of another run.'
  - Changes nothing. What is secret in its result can be opened by the tasks of this very run alone.
author:
  - The cache_migration authors (@cache-migration)
attributes:
  check_mode:
    description: Only looks.
    support: full
  diff_mode:
    description: Says in words what comes next.
    support: none
notes:
  - An action plugin; the role P(kempian.cache_migration.decommission#role) has its place among the others.
"""

EXAMPLES = r"""
- name: See the role that has it in its place
  ansible.builtin.import_role:
    name: kempian.cache_migration.decommission
"""

RETURN = r"""
target_address:
  description: The address of the target, empty where there is none.
  returned: success
  type: str
old_host:
  description: The host in the group C(old_redis), empty where there is none.
  returned: success
  type: str
instance_id:
  description: The instance of the old Redis, as the inventory knows it.
  returned: success
  type: str
"""
