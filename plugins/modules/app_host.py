#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: app_host
short_description: One step of the way on an app host
version_added: 0.2.0
description:
  - Looks at a host, moves it to the target, or puts it back, by the modules M(kempian.cache_migration.app_host_info),
    M(kempian.cache_migration.app_host_change), M(kempian.cache_migration.app_service),
    M(kempian.cache_migration.cache_probe), M(kempian.cache_migration.cache_transfer) and
    M(kempian.cache_migration.cache_verify).
  - 'A result comes back whatever happens: a host that fails or is lost stays in the play, as one decision
    over all results follows. Reads the C(migration_*) options from the variables of its host.'
author:
  - The cache_migration authors (@cache-migration)
options:
  known:
    description: What M(kempian.cache_migration.migration_look) returned.
    type: dict
    required: true
  step:
    description: What is done. V(survey) is a look into the old Redis too; V(data) brings what that holds to the
      target, and V(finish) ends what follows it; V(refused) asks whether the target refuses the token that was ended.
    type: str
    required: true
    choices:
      - look
      - survey
      - data
      - move
      - finish
      - back
      - refused
  turn:
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
state:
  description: 'What became of the host: V(ok) or V(failed).'
  returned: success
  type: str
step:
  description: At which step it failed.
  returned: success
  type: str
why:
  description: Why.
  returned: success
  type: str
restarted:
  description: Whether a service was restarted.
  returned: success
  type: bool
lines:
  description: What was changed.
  returned: success
  type: list
"""
