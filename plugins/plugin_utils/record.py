# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The record of a stage: a file on the controller, and the run's statistics. Both hold what core/record.py keeps."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from typing import Any, Mapping, Sequence

from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.record import RecordError, kept


def of_stage(
    stage: str,
    data: Mapping[str, Any],
    *,
    began: float,
    check_mode: bool,
    directory: str,
    secrets: Sequence[str] = (),
) -> dict[str, Any]:
    """What a result says of the stage: in the run's statistics, and outside check mode in a file.

    ``began`` is when the stage did, ``secrets`` are those that the run knows. A record that cannot be written is warned
    of: what was done must still be told.
    """
    now = time.time()
    whole = {
        "stage": stage,
        "check_mode": check_mode,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "seconds": round(now - began, 1),
        **data,
    }
    told: dict[str, Any] = {}
    try:
        told["ansible_stats"] = _statistics(stage, whole, secrets)
        if directory and not check_mode:
            text = json.dumps(kept(whole, secrets), indent=2, sort_keys=True) + "\n"
            write(os.path.join(os.path.expanduser(directory), f"{stage}.json"), text)
    except (OSError, RecordError) as error:
        Display().warning(f"The record of the stage {stage} is not written: {error}. See migration_report_dir.")
    return told


def _statistics(stage: str, data: Mapping[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    """``ansible_stats`` of a result: AWX shows it as an artifact, the default callback after the recap."""
    return {"data": {f"cache_migration_{stage}": kept(data, secrets)}, "per_host": False, "aggregate": True}


def write(path: str, text: str) -> None:
    """Write a file whole or not at all, for its owner alone. Raises OSError."""
    directory = os.path.dirname(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=directory, prefix=f".{os.path.basename(path)}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
