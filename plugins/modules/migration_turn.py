#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_turn
short_description: The controller's turn between two batches
version_added: 0.2.0
description:
  - 'Holds the lock, judges the results so far, changes what all consumers share, runs the user''s own check,
    and at the end completes the ledger or says what is put back. Never fails: what failed is in its result,
    and M(kempian.cache_migration.migration_verdict) has the last word.'
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
  batch:
    description: The number of the batch that comes next, from 0. Left out after the last.
    type: int
  data:
    description: Of a turn before the first batch, whether the data is yet to be brought, or was; or that what follows
      is yet to be ended, after the last.
    type: str
    choices: [before, after, finish]
  so_far:
    description: What the turn before returned.
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
go:
  description: Whether the next batch is moved.
  returned: success
  type: bool
put_back:
  description: The hosts that are to be put back.
  returned: success
  type: list
failure:
  description: 'Where the controller failed: C(step) and C(why).'
  returned: success
  type: dict
checks:
  description: The user's own checks.
  returned: success
  type: list
"""
