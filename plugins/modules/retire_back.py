#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: retire_back
short_description: Bring the old Redis back that was retired
version_added: 0.2.0
description:
  - C(start) starts the instance that the ledger says was stopped, unless it is another one than the inventory
    knows. C(judge) sees that the old Redis answers and has the keys of its backup, and forgets then that it
    was retired.
  - Does nothing where nothing was retired.
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What this module returned of its step C(start).
    type: dict
  step:
    description: What to do.
    type: str
    choices: [start, judge]
    required: true
attributes:
  check_mode:
    description: Starts nothing.
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
retired:
  description: Of C(start), whether something was.
  returned: success
  type: bool
service:
  description: Of C(start), the service that is to be brought back, empty where none is.
  returned: success
  type: str
host:
  description: Of C(start), its host.
  returned: success
  type: str
"""
