# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The environment of processes, and the files that it may come from. It holds secrets, and nothing here tells it."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Iterable

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import Run

# An optional file is one with a minus before its name: systemd.exec(5), EnvironmentFile=.
_ENVIRONMENT_FILE = re.compile(r"^EnvironmentFiles=(/.*) \(ignore_errors=(?:yes|no)\)$", re.MULTILINE)


def files_beside(pids: Iterable[int], proc: str = "/proc") -> list[str]:
    """The .env in the working directory of each, which libraries read by default."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):  # ended in the meantime
            found.append(os.path.join(os.readlink(f"{proc}/{pid}/cwd"), ".env"))
    return list(dict.fromkeys(found))


def environment_files(units: Iterable[str], run: Run) -> list[str]:
    """Those that units of systemd name by EnvironmentFile=, whether they are there or not."""
    with contextlib.suppress(OSError):  # a host without systemd
        _code, said, _errors = run(["systemctl", "show", "--property=EnvironmentFiles", "--", *units])
        return list(dict.fromkeys(_ENVIRONMENT_FILE.findall(said)))
    return []
