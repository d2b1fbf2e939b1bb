"""How long the commands of a migration take, as multiples of the shortest Ansible run there is, in one sandbox.

    make bench [ROUNDS=3]

Each round plans, migrates, migrates again and rolls back, and times `ansible localhost -m ping` beside them, since a
shared machine is fast in one minute and slow in the next. Printed are minimum, median and maximum of the ratios.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from sandbox.api import Sandbox

CHECKOUT = Path(__file__).resolve().parent.parent
PLAY = ("ansible-playbook", "-i", "inventories/sandbox")
COMMANDS = {
    "plan": (*PLAY, "migrate.yml", "--check", "--diff"),
    "migrate": (*PLAY, "migrate.yml"),
    "migrate again": (*PLAY, "migrate.yml"),
    "roll back": (*PLAY, "playbooks/rollback.yml"),
}
BASE = ("ansible", "localhost", "-m", "ansible.builtin.ping")


def seconds(command: tuple[str, ...], environment: dict[str, str]) -> float:
    began = time.monotonic()
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [tool, *command[1:]], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def main(rounds: int) -> None:
    ratios: dict[str, list[float]] = {name: [] for name in COMMANDS}
    sandbox = Sandbox.up("bench", creating_seconds=2)
    try:
        environment = {**os.environ, **sandbox.env}
        for _ in range(rounds):
            for name, command in COMMANDS.items():
                base = seconds(BASE, environment)
                ratios[name].append(seconds(command, environment) / base)
    finally:
        sandbox.down()
    print(f"{'command':<14} {'min':>6} {'median':>6} {'max':>6}   times `{' '.join(BASE)}`, {rounds} rounds, 3 hosts")
    for name, found in ratios.items():
        print(f"{name:<14} {min(found):>6.1f} {statistics.median(found):>6.1f} {max(found):>6.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
