"""The commands of `python -m sandbox` that break something on purpose."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from sandbox import moments
from sandbox.api import Sandbox
from sandbox.faults import HOWS
from sandbox.places import SandboxError

HOST_FAULTS = {
    "drop": "let a host fall out of the network",
    "bring-back": "bring a dropped host back",
    "fill-disk": "fill the disk of a folder of a host to its last byte",
    "free-disk": "free a disk that was filled",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, help in HOST_FAULTS.items():
        host_fault = _command(commands, name, change_host, help)
        host_fault.set_defaults(fault=name)
        host_fault.add_argument("name", metavar="NAME")
        host_fault.add_argument("host", metavar="HOST")
        if name.endswith("-disk"):
            host_fault.add_argument("folder", metavar="FOLDER")
    aws = _command(
        commands, "fail", fail_calls, "let calls to AWS fail from now on, in place of what was ordered before"
    )
    aws.add_argument("name", metavar="NAME")
    aws.add_argument("action", metavar="ACTION", nargs="?", help="such as CreateReplicationGroup; none ends all faults")
    aws.add_argument("how", metavar="HOW", nargs="?", choices=HOWS, help=", ".join(HOWS))
    aws.add_argument("--nth", type=int, default=1, help="the first call that fails, counted from now (default: 1)")
    aws.add_argument("--times", type=int, default=1, help="how many calls in a row fail (default: 1)")
    policy = _command(commands, "policy", give_policy, "hold who runs playbooks to an IAM policy from now on")
    policy.add_argument("name", metavar="NAME")
    policy.add_argument("file", metavar="FILE", nargs="?", type=Path, help="JSON; none lets them do all again")
    at = _command(commands, "at", run_with_moment, "run ansible-playbook, and kill it when a task begins")
    at.add_argument("--task", required=True, help="its name, or its number in the run as `tasks` prints it")
    at.add_argument("--occurrence", type=int, default=1, help="of several tasks of that name (default: the first)")
    at.add_argument("--after", type=float, default=0, help="seconds after the task began")
    at.add_argument("--do", default="", metavar="COMMAND", help="run this in a shell instead of killing")
    at.add_argument("command", nargs=argparse.REMAINDER, metavar="-- ansible-playbook …")
    tasks = _command(commands, "tasks", show_tasks, "print the tasks that a run began, which `--to` of `record` wrote")
    tasks.add_argument("file", type=Path)
    record = _command(commands, "record", record_tasks, "run ansible-playbook, and write down each task that it begins")
    record.add_argument("--to", type=Path, required=True, metavar="FILE")
    record.add_argument("command", nargs=argparse.REMAINDER, metavar="-- ansible-playbook …")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    act: Callable[[argparse.Namespace], int],
    help: str,
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    made.set_defaults(act=act)
    return made


def change_host(options: argparse.Namespace) -> int:
    sandbox = Sandbox.attach(options.name)
    method = getattr(sandbox, options.fault.replace("-", "_"))
    method(options.host, *([options.folder] if hasattr(options, "folder") else []))
    return 0


def fail_calls(options: argparse.Namespace) -> int:
    if bool(options.action) != bool(options.how):
        raise SandboxError(f"{options.action}: say how it fails: {', '.join(HOWS)}")
    order = {"action": options.action, "how": options.how, "nth": options.nth, "times": options.times}
    Sandbox.attach(options.name).faults([order] if options.action else [])
    return 0


def give_policy(options: argparse.Namespace) -> int:
    Sandbox.attach(options.name).policy(json.loads(options.file.read_text()) if options.file else None)
    return 0


def run_with_moment(options: argparse.Namespace) -> int:
    task = int(options.task) if options.task.isdigit() else options.task
    command = ("sh", "-c", options.do) if options.do else ()
    _become(options.command, moments.environment([moments.Moment(task, options.occurrence, options.after, command)]))


def record_tasks(options: argparse.Namespace) -> int:
    options.to.unlink(missing_ok=True)
    _become(options.command, moments.environment(tasks_file=options.to.absolute()))


def _become(command: list[str], more: dict[str, str]) -> NoReturn:
    """In place of us, so that a killed ansible-playbook ends as it does without us."""
    argv = command[1:] if command[:1] == ["--"] else command
    if not argv:
        raise SandboxError("say what to run, after `--`: ansible-playbook migrate.yml -i inventories/sandbox")
    os.execvpe(argv[0], argv, {**os.environ, **more})


def show_tasks(options: argparse.Namespace) -> int:
    for task in moments.tasks(options.file):
        print(f"{task.number:>4}  {task.seconds:>7.2f} s  {'changed' if task.changed else '':<7}  {task.short_name}")
    return 0
