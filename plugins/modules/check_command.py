#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: check_command
short_description: Run a check of your own on the controller, bounded in time
version_added: 0.2.0
description:
  - Runs a command on the controller, such as the integration tests of the app, and fails where it does not end with
    status 0 in time. The failure holds the end of its output, without secrets.
  - While it runs, a line is printed every 5 seconds. After O(timeout) it is ended, with all that it started.
  - In check mode nothing is run; that the program exists is checked all the same.
author:
  - The cache_migration authors (@cache-migration)
options:
  command:
    description:
      - The program and its arguments, as a list, or as a string that is split into words as a shell does it.
      - No shell runs it. Where you need one, say so, as in C([sh, -c, 'make test | tee log']).
      - It runs where C(ansible-playbook) was started, in its environment and with O(variables), and has no input.
      - Put no secret into it, since arguments are seen among the processes.
    type: raw
    required: true
  timeout:
    description: How many seconds it may take.
    type: int
    default: 600
  phase:
    description: After what it runs, for messages. V(canary) and V(all) are those of a cutover.
    type: str
    default: ""
  variables:
    description: Environment variables for it, beside those of C(ansible-playbook).
    type: dict
    default: {}
  secrets:
    description:
      - What is never to be shown of its output. The logins of cache URLs never are.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Runs nothing, and checks that the program exists.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Run the integration tests against the hosts that were switched
  kempian.cache_migration.check_command:
    command: make integration-tests
    timeout: 900
    variables:
      MIGRATION_HOSTS: app1,app2
    secrets:
      - "{{ lookup('amazon.aws.secretsmanager_secret', 'kempian/staging/cache-token') }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
command:
  description: The command as a person would type it, without secrets.
  returned: always
  type: str
phase:
  description: The option of that name.
  returned: always
  type: str
passed:
  description: It ended with status 0 in time, or nothing is known against it in check mode.
  returned: success
  type: bool
rc:
  description: The status that it ended with; negative where a signal ended it.
  returned: when it was run
  type: int
seconds:
  description: How long it took.
  returned: when it was run
  type: float
timed_out:
  description: It was ended because its time had passed.
  returned: when it was run
  type: bool
output:
  description: The end of what it printed, at most 20 lines, without secrets.
  returned: when it was run
  type: str
"""
# An action plugin of the same name does the work on the controller.
