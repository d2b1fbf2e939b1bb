"""What the commands of a migration cost: tasks, runs of modules on hosts, calls to AWS, and time.

    make bench [ROUNDS=3] [HOSTS="3 8"]          # or: python -m bench.counts --help

Each round is a fresh sandbox for each number of hosts: plan, migrate, migrate again, state, rollback; and in another
one the same migration by the playbook in bench/by_hand. Times are multiples of `ansible localhost -m ping`, run before
and after each command, since a shared machine is fast in one minute and slow in the next. The time in which the
sandbox created the target is taken off: it is the sandbox's own, and hours or minutes on AWS.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sandbox import emulator
from sandbox.api import Sandbox
from sandbox.aws.keys import Keys

BENCH = Path(__file__).resolve().parent
CHECKOUT = BENCH.parent
PLAY = ("ansible-playbook", "-i", "inventories/sandbox")
OURS = {
    "plan": (*PLAY, "migrate.yml", "--check", "--diff"),
    "migrate": (*PLAY, "migrate.yml"),
    "again": (*PLAY, "migrate.yml"),
    "state": (*PLAY, "playbooks/state.yml"),
    "rollback": (*PLAY, "playbooks/rollback.yml"),
}
BY_HAND = {"by hand": (*PLAY, "bench/by_hand/migrate.yml")}
PING = ("ansible", "localhost", "-m", "ansible.builtin.ping")
CREATING_SECONDS = 2


@dataclass(frozen=True)
class Cost:
    """Of one command. `seconds` are without the `creating` ones; `pings` is the same time in the shortest runs."""

    tasks: float
    module_runs: float
    aws_calls: float
    aws_writes: float
    lines: float
    seconds: float
    creating: float
    pings: float


COLUMNS = {
    "tasks": "tasks",
    "module_runs": "module runs",
    "aws_calls": "AWS calls",
    "aws_writes": "writes",
    "lines": "lines",
    "seconds": "seconds",
    "pings": "pings",
}


def middle(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(**{name: median(asdict(cost)[name] for cost in costs) for name in asdict(costs[0])})


def per_extra_host(few: Cost, many: Cost, hosts: int) -> Cost:
    """What each of so many more hosts adds."""
    return Cost(**{name: (asdict(many)[name] - figure) / hosts for name, figure in asdict(few).items()})


def table(title: str, costs: dict[str, Cost], digits: int = 0) -> str:
    lines = [f"{title:<16}" + "".join(f"{column:>13}" for column in COLUMNS.values())]
    for name, cost in costs.items():
        figures = (f"{asdict(cost)[field]:.{1 if field in ('seconds', 'pings') else digits}f}" for field in COLUMNS)
        lines.append(f"{name:<16}" + "".join(f"{figure:>13}" for figure in figures))
    return "\n".join(lines)


def measure(sandbox: Sandbox, command: tuple[str, ...]) -> Cost:
    """Run it, and the shortest run before and after it."""
    with tempfile.TemporaryDirectory() as folder:
        counts, first = Path(folder) / "counts", sandbox.calls()["next"]
        environment = {**os.environ, **sandbox.env, "ANSIBLE_NOCOLOR": "1"}
        ping, _text = timed(PING, environment)
        with creation(sandbox) as creating:
            whole, text = timed(command, {**environment, **counting(counts)})
        second_ping, _text = timed(PING, environment)
        tasks, module_runs = counted(counts)
    calls = [call for call in sandbox.calls(first)["calls"] if not call.get("internal")]
    seconds = whole - sum(creating)
    return Cost(
        tasks=len(tasks),
        module_runs=len(module_runs),
        aws_calls=len(calls),
        aws_writes=sum(call["access"] == "write" for call in calls),
        lines=len(text.splitlines()),
        seconds=seconds,
        creating=sum(creating),
        pings=seconds / median((ping, second_ping)),
    )


def counting(counts: Path) -> dict[str, str]:
    """What has a run count into this file."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(BENCH / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "count",
        "BENCH_COUNTS": str(counts),
    }


def counted(counts: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """The tasks that began, in their order, and of each run of a module on a host its name and the host's."""
    notes = [json.loads(line) for line in counts.read_text().splitlines()]
    tasks = [note["task"] for note in notes if "task" in note]
    return tasks, [(note["module"], note["host"]) for note in notes if "module" in note]


def timed(command: tuple[str, ...], environment: dict[str, str]) -> tuple[float, str]:
    """The seconds it takes and what it prints."""
    began = time.monotonic()
    tool = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [tool, *command[1:]], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began, done.stdout


@contextmanager
def creation(sandbox: Sandbox) -> Iterator[list[float]]:
    """Yields a list that holds, once the run within has ended, for how many seconds a target was being created.

    It is looked at with the sandbox's own key, whose calls do not count.
    """
    seen: list[float] = []
    ended = threading.Event()
    elasticache = emulator.client("elasticache", sandbox.port, Keys.read(sandbox.places.keys).internal)

    def watch() -> None:
        while not ended.wait(0.1):
            groups = elasticache.describe_replication_groups()["ReplicationGroups"]
            if any(group["Status"] == "creating" for group in groups):
                seen.append(time.monotonic())

    watcher = threading.Thread(target=watch)
    watcher.start()
    took: list[float] = []
    try:
        yield took
    finally:
        ended.set()
        watcher.join()
        took += [seen[-1] - seen[0]] if seen else []


def one_round(hosts: int, commands: dict[str, tuple[str, ...]]) -> dict[str, Cost]:
    """Those commands one after the other, in a sandbox of their own."""
    sandbox = Sandbox.up("bench", hosts=hosts, kind="machines", creating_seconds=CREATING_SECONDS)
    try:
        costs = {}
        for name, command in commands.items():
            costs[name] = measure(sandbox, command)
            print(f"bench: {hosts} hosts: {name}: {costs[name]}", file=sys.stderr, flush=True)
            require_switched(sandbox, name)
        return costs
    finally:
        sandbox.down()


def require_switched(sandbox: Sandbox, name: str) -> None:
    """A run that switched nothing would be the fastest."""
    groups = sandbox.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    address = groups[0]["NodeGroups"][0]["PrimaryEndpoint"]["Address"] if groups else ""
    values = [sandbox.read(host, "/opt/shop/.env").decode() for host in sandbox.hosts]
    on_target = [bool(address) and address in value for value in values]
    if on_target != [name not in ("plan", "rollback")] * len(values):
        sys.exit(f"bench: after {name} these hosts are on the target: {on_target}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.counts", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often all is run (default: 3)")
    parser.add_argument("--hosts", type=int, nargs="+", default=[3, 8], help="numbers of app hosts (default: 3 8)")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    found: dict[int, dict[str, list[Cost]]] = {hosts: {} for hosts in options.hosts}
    for _ in range(options.rounds):
        for hosts in options.hosts:
            for name, cost in {**one_round(hosts, OURS), **one_round(hosts, BY_HAND)}.items():
                found[hosts].setdefault(name, []).append(cost)
    costs = {hosts: {name: middle(each) for name, each in of.items()} for hosts, of in found.items()}
    print(report(costs, options.rounds))
    if options.json:
        options.json.write_text(json.dumps(as_json(costs, options.rounds), indent=2) + "\n")


def slopes(costs: dict[int, dict[str, Cost]]) -> dict[str, Cost]:
    """Per extra host, between the fewest and the most hosts; empty for one number of hosts."""
    few, many = min(costs), max(costs)
    if few == many:
        return {}
    return {name: per_extra_host(costs[few][name], costs[many][name], many - few) for name in costs[few]}


def ratio(costs: dict[int, dict[str, Cost]]) -> float | None:
    """What an extra host costs a migration of ours, in one by hand."""
    found = slopes(costs)
    return found["migrate"].pings / found["by hand"].pings if found else None


def report(costs: dict[int, dict[str, Cost]], rounds: int) -> str:
    created = max(cost.creating for of in costs.values() for cost in of.values())
    parts = [
        f"median of {rounds} rounds; pings: the seconds in `{' '.join(PING)}`, run before and after each; not in them: "
        f"the time in which the sandbox created the target (up to {created:.1f} s)",
        *(table(f"{hosts} hosts", of) for hosts, of in costs.items()),
    ]
    if found := slopes(costs):
        parts += [table("per extra host", found, digits=1)]
        parts += [f"an extra host costs a migration {ratio(costs):.2f} times what it costs by hand"]
    return "\n\n".join(parts)


def as_json(costs: dict[int, dict[str, Cost]], rounds: int) -> dict[str, Any]:
    return {
        "rounds": rounds,
        "hosts": {hosts: {name: asdict(cost) for name, cost in of.items()} for hosts, of in costs.items()},
        "per_extra_host": {name: asdict(cost) for name, cost in slopes(costs).items()},
        "extra_host_to_by_hand": ratio(costs),
    }


if __name__ == "__main__":
    main()
