# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What env_update and aws_env_update have in common; the same options for argument_spec are stores.contract.OPTIONS."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  expected:
    description:
      - The values that must be there now, by the same keys. Where one is neither this nor the new one, nothing is
        changed.
    type: dict
  state:
    description:
      - V(present) sets the values, V(absent) removes the keys.
      - V(reverted) restores the originals from the journal exactly. It refuses, changing nothing, where somebody else
        has changed a value since. Values without an entry in the journal are left alone, and the result says so.
    type: str
    choices: [present, absent, reverted]
    default: present
  create:
    description: Add keys that are missing. What is made for them is for its owner alone.
    type: bool
    default: false
  keep_options:
    description:
      - Where the value found is a cache URL with options in its query, as C(?decode_responses=True), and the new one is
        a cache URL, too, the new value gets them, in their order and spelling.
      - Left out are options that the new URL has in its own query, and what else it says for itself, C(db), C(host),
        C(port), C(path), C(username), C(password), and all that begin with C(ssl).
      - For O(state=present) only.
    type: bool
    default: false
    version_added: 0.2.0
  migration_name:
    description:
      - The migration that the change belongs to. Each migration has its own journal.
      - A letter, then letters, digits and single hyphens, 64 characters at most.
    type: str
    required: true
"""
