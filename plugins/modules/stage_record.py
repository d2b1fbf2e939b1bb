#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: stage_record
short_description: Leave the record of a migration's stage on the controller
version_added: 0.1.0
description:
  - Writes what a stage planned, did and observed as JSON into a directory on the controller, and adds it to the run's
    custom statistics, where AWX shows it as an artifact.
  - Nothing is written in check mode, and nothing ever changes on a managed host.
author:
  - The cache_migration authors (@cache-migration)
options:
  stage:
    description: The name of the stage, which is also the name of the file.
    type: str
    required: true
  directory:
    description:
      - The directory on the controller, made when it is missing. A leading C(~) is the controller's home.
      - Left out or empty, no file is written.
    type: path
  started:
    description: When the stage began, in seconds since the epoch, from which C(seconds) is counted.
    type: float
  data:
    description:
      - What to record beside the stage's name and times, of masked data.
      - It is held to that. Passwords and options of URLs, text and numbers under names such as C(password) or
        C(auth_token), and O(secrets) are written as C(***). A URL without a secret is written as it is, and so are
        flags, numbers, and what is under C(host), C(address), C(port) and C(region).
    type: dict
    default: {}
  secrets:
    description: The secrets that the run knows. Wherever one is in O(data), it is masked.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
attributes:
  check_mode:
    description: Runs in check mode and writes no file then.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: assess | Record the stage
  kempian.cache_migration.stage_record:
    stage: assess
    directory: build/report
    data:
      findings: []
"""

RETURN = r"""
path:
  description: The file that was written.
  returned: when a file was written
  type: str
"""
# An action plugin of the same name does the work on the controller.
