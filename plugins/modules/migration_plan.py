#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_plan
short_description: Plan a run of what was looked at, and say it
version_added: 0.2.0
description:
  - 'Pure: what is planned follows from the looks alone, and is the same in check mode and in the run. Ends
    the run where something stands against it, with all reasons at once.'
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.migration_look) returned.
    type: dict
    required: true
  told:
    description: What this module returned before something was made; only what is new is said.
    type: dict
  surveyed:
    description: The hosts that have looked closer since. What they could not tell is said, and nobody else is asked.
    type: list
    elements: str
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
plan:
  description: The plan, as plain data.
  returned: success
  type: dict
lines:
  description: A line for each step.
  returned: success
  type: list
digest:
  description: The digest of the plan, by which it is approved.
  returned: success
  type: str
batches:
  description: The hosts that are moved, in order; empty in check mode.
  returned: success
  type: list
"""
