# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A process beside a run that renews its lock, and lets go of it when the run ends, however it ends.

Ansible has no place for what must happen at the end of a run also where that failed, was interrupted or killed. It is
started by the action plugin of migration_lock, which writes what it needs to its standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

PAUSE = 0.5  # seconds between two looks at the run
RENEWALS = 5  # in the time that the lock lasts
ATTEMPTS = 3


def start(order: dict[str, Any]) -> None:
    """Start a keeper: ``order`` has migration_name, holder, seconds and aws, the options of the connection."""
    # The root of the collections, from which this file's imports are found.
    paths = [str(Path(__file__).parents[5]), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        [sys.executable, __file__, order["migration_name"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends the run by its group or terminal leaves the keeper time to let go
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
    )
    with process.stdin as its_input:  # type: ignore[union-attr] # a pipe was asked for
        its_input.write(json.dumps(order).encode())


def keep(
    renew: Callable[[], bool],
    release: Callable[[], None],
    is_alive: Callable[[], bool],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Renew as long as the run lives, then release. A call that fails is tried again: the lock outlives several."""
    passed = 0.0
    while is_alive():
        sleep(PAUSE)
        passed += PAUSE
        if passed >= seconds / RENEWALS:
            passed = 0.0
            try:
                if not renew():
                    return
            except Exception:  # whatever AWS or the network says, the next turn tries again
                continue
    for _attempt in range(ATTEMPTS):
        try:
            release()
        except Exception:
            sleep(2)
        else:
            return


def client(aws: dict[str, Any]) -> Any:
    """A client of Parameter Store with the options that the task had, as amazon.aws understands them."""
    import boto3

    session = boto3.session.Session(
        profile_name=aws.get("profile"),
        region_name=aws.get("region"),
        aws_access_key_id=aws.get("access_key"),
        aws_secret_access_key=aws.get("secret_key"),
        aws_session_token=aws.get("session_token"),
    )
    return session.client(
        "ssm",
        endpoint_url=aws.get("endpoint_url") or os.environ.get("AWS_URL"),
        verify=aws.get("aws_ca_bundle") or (None if aws.get("validate_certs", True) else False),
    )


def main() -> None:
    from ansible_collections.kempian.cache_migration.plugins.module_utils import lock
    from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import is_alive

    order = json.load(sys.stdin)
    name, holder, seconds = order["migration_name"], lock.Holder(**order["holder"]), int(order["seconds"])
    ssm = client(order["aws"])
    keep(
        lambda: lock.renew(ssm, name, holder, seconds),
        lambda: lock.release(ssm, name, holder),
        lambda: is_alive(holder.pid, holder.started),
        seconds,
    )


if __name__ == "__main__":
    main()
