# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Leave the record of a stage on the controller, and in the run's custom statistics."""

from __future__ import annotations

import time

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.record import RecordError
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import record


class ActionModule(ActionBase):
    """Write ``directory/stage.json``; changes nothing on any host, and writes nothing in check mode."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("directory", "stage", "started", "data", "secrets"))

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        args = self._task.args
        stage, secrets = args.get("stage"), args.get("secrets") or []
        if not stage:
            raise AnsibleActionFail("stage_record needs a stage to record: set stage")
        now = time.time()
        data = {
            "stage": stage,
            "check_mode": bool(self._task.check_mode),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "seconds": round(now - float(args.get("started") or now), 1),
            **(args.get("data") or {}),
        }
        result["changed"] = False
        try:
            result["ansible_stats"] = record.statistics(stage, data, secrets)
            if args.get("directory") and not self._task.check_mode:
                result["path"] = record.write(args["directory"], stage, data, secrets)
        except (OSError, RecordError) as error:  # what was done must still be told
            Display().warning(f"The record of the stage {stage} is not written: {error}. See migration_report_dir.")
        return result
