#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: retire_act
short_description: Do on the controller what retires the old Redis
version_added: 0.2.0
description:
  - C(begin) takes the lock, proves an earlier backup that is to count, and signs the upload of another one.
    C(prove) proves what was sent. C(note) notes in the ledger what is begun, C(instance) stops or terminates
    the instance, and C(end) notes what is done, records the stage and lets go of the lock.
  - What fails ends the run, as each step rests on those before.
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.retire_look) returned.
    type: dict
    required: true
  plan:
    description: The C(plan) that M(kempian.cache_migration.retire_plan) returned.
    type: dict
    required: true
  step:
    description: What to do.
    type: str
    choices: [begin, prove, note, instance, end]
    required: true
  begun:
    description: What M(kempian.cache_migration.retire_act) returned of its step C(begin), empty where nothing
      is begun.
    type: dict
attributes:
  check_mode:
    description: C(end) records; the other steps are not for it.
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
asker:
  description: Of C(begin), the host that takes the backup, empty where none is taken.
  returned: success
  type: str
looks_again:
  description: Of C(begin), whether all of it is to be seen once more before the act.
  returned: success
  type: bool
"""
