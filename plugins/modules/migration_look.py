#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_look
short_description: Look at all that the controller can see of a migration
version_added: 0.2.0
description:
  - One look at the target, its token, the ledger, the lock and the values that all consumers share, and at
    what each part of the target would become. Reads the C(migration_*) options of the goal's stages from the
    variables of the host, and checks them.
  - 'Refuses what a run must not be begun with: settings of Ansible that show secrets, C(serial) and C(strategy:
    free), another run that is under way.'
  - What it returns holds no secret. A token is sealed with a key that only this run of C(ansible-playbook)
    has, and no file.
author:
  - The cache_migration authors (@cache-migration)
options:
  goal:
    description: What the run is for.
    type: str
    required: true
    choices:
      - migrate
      - assess
      - provision
      - ingress
      - cutover
      - rollback
      - rotate
      - state
  began:
    description: When the run began, in seconds since the epoch, where it looks again. Left out, now.
    type: float
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
endpoint:
  description: How the target is reached; a placeholder where it is yet to be made.
  returned: success
  type: dict
settings:
  description: The options that were read, without their prefix.
  returned: success
  type: dict
ledger:
  description: What M(kempian.cache_migration.migration_ledger_info) returns.
  returned: success
  type: dict
shared:
  description: A look at each place that all consumers share.
  returned: success
  type: list
parts:
  description: What is to be made, each with what its module would do.
  returned: success
  type: list
token:
  description: The token, sealed; empty where there is none.
  returned: success
  type: str
"""
