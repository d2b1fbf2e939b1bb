#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: retire_plan
short_description: Decide what comes next in retiring the old Redis, and say it
version_added: 0.2.0
description:
  - Has M(kempian.cache_migration.decommission_plan) weigh what every host saw, and ends the run with every
    reason at once where the next step must not be made.
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.retire_look) returned.
    type: dict
    required: true
  begun:
    description: What M(kempian.cache_migration.retire_act) returned of its step C(begin), empty where nothing
      is begun.
    type: dict
attributes:
  check_mode:
    description: Decides the same.
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
plan:
  description: What M(kempian.cache_migration.decommission_plan) returned, and what the run does of it.
  returned: success
  type: dict
lines:
  description: What comes next, for a person.
  returned: success
  type: list
acts:
  description: Whether the run does anything; false in check mode.
  returned: success
  type: bool
unit:
  description: The service that is stopped and disabled, empty where none is.
  returned: success
  type: str
masks:
  description: Whether it is masked, too.
  returned: success
  type: bool
"""
