#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: retire_host
short_description: Have a host look at the old Redis, back it up, or wait for it
version_added: 0.2.0
description:
  - Runs M(kempian.cache_migration.old_redis_info), M(kempian.cache_migration.old_host_info) or
    M(kempian.cache_migration.cache_backup) on the host.
  - 'A result comes back whatever happens: a host that fails or is lost stays in the play, as one decision
    over all results follows.'
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.retire_look) returned, or on the way back
      M(kempian.cache_migration.retire_back) of its step C(start).
    type: dict
    required: true
  step:
    description: What to do. The host of the old Redis alone looks at its C(neighbours); C(ask) is skipped on
      every host but the first that the old Redis answers.
    type: str
    choices: [look, ask, neighbours, backup, wait]
    required: true
  begun:
    description: What M(kempian.cache_migration.retire_act) returned of its step C(begin), empty where nothing
      is begun.
    type: dict
attributes:
  check_mode:
    description: Only looks; takes no backup, and waits for nothing.
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
seen:
  description: What the module returned, a failure too.
  returned: success
  type: dict
"""
