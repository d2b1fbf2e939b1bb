# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How modules that go from the old Redis to the target know both; the same options for argument_spec are OPTIONS of
cache.transfer.ends. What one says otherwise stands in its own documentation.
"""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  target_address:
    description:
      - The address of the target. A value that does not lead there and has no original is the old one.
      - Left empty, it is that of O(endpoint).
    type: str
    default: ""
  token:
    description: The token (password) for O(endpoint).
    type: str
  ca_certs:
    description: A file with the CAs to trust for O(endpoint), instead of the interpreter's own.
    type: path
  timeout:
    description: How long connecting, and each answer, may take, in seconds.
    type: float
    default: 5.0
"""
