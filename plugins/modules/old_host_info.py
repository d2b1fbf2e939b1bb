#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: old_host_info
short_description: Tell what listens on the host of the old Redis
version_added: 0.2.0
description:
  - Tells every program that listens for TCP connections or UDP datagrams on this host, its own addresses, and how a
    systemd unit stands.
  - Only reads. Needs root, since the sockets of other users' processes cannot be seen otherwise.
author:
  - The cache_migration authors (@cache-migration)
options:
  unit:
    description: A unit of systemd to look at. Left empty, none is.
    type: str
    default: ""
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Never changes anything, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: See what else is on the old Redis's host
  kempian.cache_migration.old_host_info:
    unit: redis-server
  become: true
"""

RETURN = r"""
addresses:
  description: The addresses of this host but for loopback.
  returned: always
  type: list
  elements: str
listeners:
  description: What listens, each with C(protocol), C(address), C(port), C(program) and C(pid).
  returned: always
  type: list
  elements: dict
unit:
  description: How the unit stands; empty without O(unit).
  returned: always
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    exists:
      description: Whether systemd knows it.
      type: bool
    active:
      description: Whether it runs.
      type: bool
    enabled:
      description: Whether it is started at boot.
      type: bool
    masked:
      description: Whether it is masked.
      type: bool
    can_be_masked:
      description: Whether a mask can be laid over its file. One in C(/etc/systemd/system) takes the place of the mask.
      type: bool
    ports:
      description: The TCP ports that its processes listen on.
      type: list
      elements: int
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.listeners import (
    Listener,
    listeners,
    own_addresses,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import in_control_group

PROPERTIES = "LoadState,ActiveState,UnitFileState,FragmentPath,ControlGroup"


def look_at_unit(module: AnsibleModule, name: str, found: list[Listener]) -> dict[str, Any]:
    program = module.get_bin_path("systemctl")
    if not program:
        module.fail_json(msg=f"{name} cannot be looked at: this host has no systemctl, so leave out the unit's name.")
    _code, said, _error = module.run_command([program, "show", name, f"--property={PROPERTIES}"], check_rc=True)
    shown = dict(line.partition("=")[::2] for line in said.splitlines())
    pids = in_control_group(shown["ControlGroup"]) if shown.get("ControlGroup") else set()
    return {
        "name": name,
        "exists": shown.get("LoadState") in ("loaded", "masked"),
        "active": shown.get("ActiveState") in ("active", "reloading", "activating", "deactivating"),
        "enabled": shown.get("UnitFileState", "").startswith("enabled"),
        "masked": shown.get("LoadState") == "masked",
        "can_be_masked": not shown.get("FragmentPath", "").startswith("/etc/systemd/system/"),
        "ports": sorted({one.port for one in found if one.protocol == "tcp" and one.pid in pids}),
    }


def main() -> None:
    module = AnsibleModule(argument_spec={"unit": {"type": "str", "default": ""}}, supports_check_mode=True)
    found = listeners()
    module.exit_json(
        changed=False,
        addresses=own_addresses(),
        listeners=[asdict(one) for one in found],
        unit=look_at_unit(module, module.params["unit"], found) if module.params["unit"] else {},
    )


if __name__ == "__main__":
    main()
