#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_remove
short_description: Take down what a rollback was asked to
version_added: 0.2.0
description:
  - Removes the rules that lead to the target, and the target with the groups that were made for it, where
    the options ask for it and every host is known to be off it. What is not the migration's, or still in use,
    stays and is named.
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.migration_look) returned.
    type: dict
    required: true
  verdict:
    description: What M(kempian.cache_migration.migration_verdict) returned.
    type: dict
    required: true
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
{}
"""
