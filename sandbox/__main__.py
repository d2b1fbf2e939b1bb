"""python -m sandbox: a local AWS with an app on real hosts, to rehearse a migration on."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from sandbox import check, cleanup, fault_commands, host_app, inventory, old_redis, packages
from sandbox.api import Sandbox, take_down
from sandbox.places import Places, SandboxError
from sandbox.shell import environment


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        status: int = options.act(options)
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return status


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: object, help: str, named: bool = True) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(act=act)
        if named:
            default = os.environ.get("SANDBOX") or "sandbox"
            made.add_argument("name", nargs="?", default=default, metavar="NAME", help=f"default: {default}")
        return made

    up = command("up", bring_up, "make a sandbox afresh and say how to use it")
    up.add_argument("--hosts", type=int, default=3, help="app hosts (default: 3)")
    up.add_argument(
        "--kind", choices=list(check.LIMITS), help="hosts' kind (default: $SANDBOX_HOSTS, else what can be had)"
    )
    up.add_argument(
        "--old-redis",
        choices=list(old_redis.KINDS),
        default="plain",
        help="; ".join(map(": ".join, old_redis.KINDS.items())),
    )
    up.add_argument(
        "--app",
        choices=list(host_app.APPS),
        default=host_app.WEB,
        help="; ".join(map(": ".join, host_app.APPS.items())),
    )
    up.add_argument("--creating-seconds", type=float, default=8, help="how long a cache is `creating` (default: 8)")
    up.add_argument("--no-seed", action="store_true", help="leave the old Redis empty")
    up.add_argument("--env-file", type=Path, help="also write the exports of `env` there")
    command("down", down, "remove a sandbox, and all that a crash may have left of it")
    command("list", show_list, "list the sandboxes", named=False)
    command("check", show_check, "say which kinds of hosts can be had here, and why not", named=False)
    command("inventory", show_inventory, "print the Ansible inventory as JSON")
    env = command("env", show_env, "print the environment for playbooks, to be sourced")
    env.add_argument("--output", type=Path, help="write it to this file instead")
    calls = command("calls", show_calls, "print the AWS calls that were made")
    calls.add_argument("--since", type=int, default=0, help="leave out calls before this number")
    calls.add_argument("--writes", action="store_true", help="only calls that changed something")
    run = commands.add_parser("exec", help="run a command on a host, or in the network of the hosts (HOST `control`)")
    run.set_defaults(act=execute)
    run.add_argument("name", metavar="NAME")
    run.add_argument("host", metavar="HOST")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="default: a shell")
    fault_commands.add_to(commands)
    return top


def bring_up(options: argparse.Namespace) -> int:
    sandbox = Sandbox.up(
        options.name,
        hosts=options.hosts,
        kind=options.kind,
        old_redis=options.old_redis,
        app=options.app,
        creating_seconds=options.creating_seconds,
        seed=not options.no_seed,
    )
    if options.env_file:
        inventory.write_exports(options.env_file, sandbox.places, sandbox.port)
        print(f". {options.env_file}   # then: ansible-playbook migrate.yml -i {sandbox.inventory}")
    return 0


def down(options: argparse.Namespace) -> int:
    found = take_down(options.name)
    print(f"sandbox {options.name}: {'removed' if found else 'there was none'}", file=sys.stderr)
    return 0


def show_list(options: argparse.Namespace) -> int:
    for name in Sandbox.names():
        try:
            sandbox = Sandbox.attach(name)
        except SandboxError:
            state = "half up: " if cleanup.is_running(Places.of(name)) else "gone: "
            print(f"{name}: {state}`python -m sandbox down {name}` removes what is left")
        else:
            print(f"{name}: {len(sandbox.hosts)} hosts ({sandbox.kind}), AWS on http://127.0.0.1:{sandbox.port}")
    return 0


def show_check(options: argparse.Namespace) -> int:
    """Installs nothing; so what packages are needed for is tried only where they are there."""
    possible = False
    for kind, limits in check.LIMITS.items():
        lacking = packages.missing(kind)
        if found := check.blockers(kind) or ([] if lacking else check.network_blockers(kind)):
            print(f"{kind}: no: {'; '.join(found)}")
        else:
            possible = True
            print(f"{kind}: yes: {limits}" + (f" (`up` gets {', '.join(lacking)})" if lacking else ""))
    if not possible:
        print(check.remedy())
    return 0 if possible else 1


def show_inventory(options: argparse.Namespace) -> int:
    print(Sandbox.attach(options.name).places.inventory.read_text(), end="")
    return 0


def show_env(options: argparse.Namespace) -> int:
    sandbox = Sandbox.attach(options.name)
    if options.output:
        inventory.write_exports(options.output, sandbox.places, sandbox.port)
    else:
        print(inventory.shell_exports(sandbox.places, sandbox.port), end="")
    return 0


def show_calls(options: argparse.Namespace) -> int:
    for call in Sandbox.attach(options.name).calls(options.since)["calls"]:
        if not options.writes or call["access"] == "write":
            print(json.dumps(call))
    return 0


def execute(options: argparse.Namespace) -> int:
    sandbox = Sandbox.attach(options.name)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    command = command or ["bash"]
    argv = (
        sandbox.control_command(command) if options.host == "control" else sandbox.host_command(options.host, command)
    )
    os.execvpe(argv[0], argv, environment())


if __name__ == "__main__":
    sys.exit(main())
