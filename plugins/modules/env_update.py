#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: env_update
short_description: Change configuration values of an app on its host so that they can be put back exactly
version_added: 0.1.0
description:
  - Changes values in a C(.env) file, and keeps a journal of what was there, from which O(state=reverted) restores it.
    Values in AWS are changed by M(kempian.cache_migration.aws_env_update).
  - Only the named values change; every other byte stays, and so do owner, mode, access lists and SELinux context. The
    file is replaced in one step, also behind a symbolic link, and is at every moment the old or the new.
  - The journal lies in O(state_dir) on the host. The first recorded original stays, so that running twice never
    records a value of its own; but a cache URL that somebody else has put there since, and that leads elsewhere, is the
    original then. Once an original is back, its entry is removed.
  - Needs the standard library of Python alone.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.value_change
options:
  store:
    description:
      - V(dotenv) is a file of C(KEY=value) lines.
    type: str
    choices: [dotenv]
    required: true
  path:
    description:
      - The file that the app reads. Symbolic links are followed, and stay. Each must belong to root, to the user of
        the task, or to the owner of what it leads to.
      - At most 1 MiB.
      - With O(create=true) a file that is missing is made, for its owner alone.
    type: path
    required: true
  values:
    description:
      - The values to set, as strings, by the names of their variables.
      - For O(state=absent) and O(state=reverted) only the keys matter, and the values may be empty.
      - A key that is not there yet is refused unless O(create=true), because an app does not read it under that name.
      - Where a file sets a key more than once, the last line is changed, or all of them where a reader takes another.
      - A value is written in the quoting that its line has, or in another where the readers of O(dialect) would
        otherwise differ about it, and is refused where none means the same to all, or where one of them would have
        something else of another key. The message says which readers differ, and why.
      - A value that refers to a changed key (C(${REDIS_URL}/1)) stays as it is written, and follows it.
    type: dict
    required: true
  dialect:
    description:
      - Who reads the file, where it is not to be the same to all of them. V(compose) is C(env_file) of docker compose,
        V(systemd) is C(EnvironmentFile=), V(sh) is a shell that has the file as a script; V(node) and V(ruby) are
        the libraries called dotenv.
      - Left empty, these are all, but for those that end with an error on the file as it is.
      - What is written must also be the value to python-dotenv, before it replaces variables, as the journal is read by
        its rules.
      - C(docker run --env-file) knows no quoting, so that only values of plain characters suit it too.
    type: list
    elements: str
    choices: [python-dotenv, django-environ, python-decouple, node, ruby, compose, systemd, sh]
    default: []
  state_dir:
    description:
      - The directory on the host for journals and the lock. It is made for its owner alone.
    type: path
    default: /var/lib/cache_migration
attributes:
  check_mode:
    description: Decides exactly as a run would, also what it would refuse, and writes nothing, not even the journal.
    support: full
  diff_mode:
    description: Shows the keys that change. Cache URLs are shown without their secrets, other values as V(***).
    support: full
notes:
  - Use pipelining for tasks with secrets, so that Ansible leaves no file with the task's options on the host.
"""

EXAMPLES = r"""
- name: Point the app at the new cache, if it still uses the old one
  kempian.cache_migration.env_update:
    store: dotenv
    path: /opt/shop/.env
    values:
      REDIS_URL: "{{ new_url }}"
    expected:
      REDIS_URL: "{{ old_url }}"
    migration_name: prod-cache
  become: true

- name: Put the file back as it was
  kempian.cache_migration.env_update:
    store: dotenv
    path: /opt/shop/.env
    values:
      REDIS_URL:
    state: reverted
    migration_name: prod-cache
  become: true
"""

RETURN = r"""
changes:
  description: What was found and what came of it, for each key of O(values). Secrets are masked.
  returned: success
  type: dict
  sample:
    REDIS_URL:
      action: write
      before: redis://:***@10.0.0.5:6379/0
      after: rediss://:***@master.shop.abc123.use1.cache.amazonaws.com:6379/0
      before_location: {host: 10.0.0.5, port: 6379, tls: false, database: 0}
      after_location: {host: master.shop.abc123.use1.cache.amazonaws.com, port: 6379, tls: true, database: 0}
      original_location: {host: 10.0.0.5, port: 6379, tls: false, database: 0}
      journaled: true
  contains:
    action:
      description:
        - What was done to the value, or would be in check mode, one of V(keep), V(write), V(remove) and V(restore).
        - It says so also where a task's C(changed_when) does not.
      type: str
    before:
      description: The value found, masked, or null where there was none. What is no cache URL is V(***).
      type: str
    after:
      description: The value that is there now (in check mode, that would be), masked in the same way.
      type: str
    before_location:
      description: Where the cache URL found points (host, port, tls, database), or null where the value is none.
      type: dict
    after_location:
      description: The same for the value that is there now.
      type: dict
    original_location:
      description:
        - The same for the original in the journal, which on a second run is no longer the value found.
        - Null where the journal has none.
      type: dict
    journaled:
      description: Whether the journal holds an original of this value after the run.
      type: bool
    message:
      description: Why O(state=reverted) left the value as it is.
      returned: where there is something to say
      type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract, on_host
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.table import READERS
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError

OPTIONS: dict[str, Any] = {
    "store": {"type": "str", "choices": list(on_host.STORES), "required": True},
    "path": {"type": "path", "required": True},
    "dialect": {"type": "list", "elements": "str", "choices": list(READERS), "default": []},
    "state_dir": {"type": "path", "default": "/var/lib/cache_migration"},
    **contract.OPTIONS,
}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    tell_as_it_is(module)
    invocation = {"module_args": options_shown(module.params, OPTIONS)}
    try:
        request = Request.from_params(module.params)
        module.exit_json(**on_host.change(request, module.params, module.check_mode), invocation=invocation)
    except (ChangeRefused, FileRefused, JournalError) as refused:
        module.fail_json(msg=f"{refused}.", invocation=invocation)


if __name__ == "__main__":
    main()
