# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Leave the record of a stage on the controller, and in the run's custom statistics."""

from __future__ import annotations

import json
import os
import tempfile
import time

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    """Write ``directory/stage.json``; changes nothing on any host, and writes nothing in check mode."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("directory", "stage", "started", "data"))

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        args = self._task.args
        if not args.get("stage"):
            raise AnsibleActionFail("stage_record needs a stage to record: set stage")
        now = time.time()
        record = {
            "stage": args["stage"],
            "check_mode": bool(self._task.check_mode),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "seconds": round(now - float(args.get("started") or now), 1),
            **(args.get("data") or {}),
        }
        result.update(
            changed=False,
            ansible_stats={"data": {f"cache_migration_{args['stage']}": record}, "per_host": False, "aggregate": True},
        )
        directory = args.get("directory")
        if directory and not self._task.check_mode:
            try:
                result["path"] = self._write(os.path.expanduser(directory), args["stage"], record)
            except OSError as error:  # what was done must still be told
                Display().warning(
                    f"The record of the stage {args['stage']} is not written: {error}. See migration_report_dir."
                )
        return result

    @staticmethod
    def _write(directory, stage, record):
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, f"{stage}.json")
        handle, beside = tempfile.mkstemp(dir=directory, prefix=f".{stage}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=2, sort_keys=True, default=str)
            file.write("\n")
        os.replace(beside, path)
        return path
