#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_verdict
short_description: Say what came of a run
version_added: 0.2.0
description:
  - Says where every host is, leaves the record of each stage under C(migration_report_dir) and in the
    run's statistics, and lets go of the lock. Fails where something is not as it should be.
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.migration_look) returned.
    type: dict
    required: true
  plan:
    description: The C(plan) that M(kempian.cache_migration.migration_plan) returned.
    type: dict
    required: true
  turn:
    description: What the last turn returned; left out where there was none.
    type: dict
attributes:
  check_mode:
    description: Changes nothing; the plan is the same.
    support: full
  diff_mode:
    description: The lines of the plan say before and after.
    support: none
notes:
  - An action plugin; the role P(kempian.cache_migration.move#role) has its place among the others.
"""

EXAMPLES = r"""
- name: See the role that has it in its place
  ansible.builtin.import_role:
    name: kempian.cache_migration.move
  vars:
    move_goal: migrate
"""

RETURN = r"""
hosts:
  description: The result of each host.
  returned: success
  type: dict
"""
