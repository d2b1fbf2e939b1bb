"""Bringing a sandbox up, from nothing to an app that answers from the old Redis."""

from __future__ import annotations

import string
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from sandbox import (
    authority,
    check,
    cleanup,
    emulator,
    host_app,
    inventory,
    machines,
    network,
    processes,
)
from sandbox.aws.keys import Keys
from sandbox.old_redis import OldRedis
from sandbox.places import APP_PORT, OLD_REDIS, Places, SandboxError, host_address
from sandbox.shell import Ground
from sandbox.world import Order

# Both modules have the same functions; what they do differs.
KINDS: dict[str, ModuleType] = {"machines": machines, "processes": processes}
PATH_CHARACTERS = frozenset(string.ascii_letters + string.digits + "/._-+@")
LONGEST_PATH = 75  # ssh adds a name of 32 characters for a shared connection, and a socket's path ends at 107
MOST_HOSTS = 20  # each systemd takes several of the machine's inotify instances


def start(
    places: Places,
    *,
    hosts: int,
    kind: str | None,
    old_redis: str,
    app: str,
    creating_seconds: float,
    seed: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Returns the fields of the sandbox's record. A start that fails leaves nothing."""
    if not 1 <= hosts <= MOST_HOSTS:
        raise SandboxError(f"--hosts {hosts}: a sandbox has 1 to {MOST_HOSTS} hosts")
    old = OldRedis(old_redis)
    if app not in host_app.APPS:
        raise SandboxError(f"app {app!r}: use {', '.join(host_app.APPS)}")
    _check_path(places)
    if places.root.exists():
        say(f"sandbox {places.name}: removing what is there under this name")
    cleanup.clear(places)
    chosen = check.choose(kind, say)
    addresses = {f"app{number}": host_address(number) for number in range(1, hosts + 1)}
    try:
        return _start(places, addresses, chosen, old, app, creating_seconds=creating_seconds, seed=seed, say=say)
    except BaseException:
        cleanup.clear(places)
        raise


def _check_path(places: Places) -> None:
    """Refuse a state folder that mounts or sockets could not cope with, before anything is made."""
    path = str(places.root)
    if odd := sorted(set(path) - PATH_CHARACTERS):
        raise SandboxError(
            f"SANDBOX_STATE: {path} has {' '.join(map(repr, odd))} in it, which mount options cannot hold"
        )
    if len(path) > LONGEST_PATH:
        raise SandboxError(
            f"SANDBOX_STATE: {path} has {len(path)} characters, and paths of sockets below it would be too long: "
            f"name a folder that keeps it within {LONGEST_PATH}"
        )


def _start(
    places: Places,
    addresses: dict[str, str],
    kind: str,
    old: OldRedis,
    app: str,
    *,
    creating_seconds: float,
    seed: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    module = KINDS[kind]
    tree, venv = module.prepare(say)
    began = time.monotonic()
    listener = network.free_listener()
    port: int = listener.getsockname()[1]
    for folder in (places.root.parent, places.root, places.logs):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority.make_authority(places)
    keys = Keys.make(places.keys)
    network.write_names(places, {**addresses, **old.instances})
    first = next(iter(addresses))
    module.write_layer(places, tree, host_app.env_file(port, old, keys.app, app), app, first)

    ground: Ground = module.open_ground(places)
    network.make_control(ground, places)
    network.start_resolver(ground, places)
    aws = emulator.start_emulator(
        ground, places, listener, creating_seconds, Order.of(places, addresses, old, seed=seed)
    )
    listener.close()
    for number, (host, address) in enumerate(addresses.items(), 1):
        network.connect_host(ground, places, host, address, number)
        module.start_host(ground, places, host, [places.layer, venv, tree])
    module.write_wrappers(places, ground, addresses)
    made = emulator.wait_for_emulator(places, aws)
    # The old Redis admits the app's hosts alone.
    network.wait_for(ground, places, OLD_REDIS, 6379, what="the old Redis", log="aws", seen_from=first)
    for host, address in addresses.items():
        module.wait_for_host(ground, places, host, address)
    for host, address in addresses.items():
        network.wait_for(ground, places, address, APP_PORT, what=f"the app on {host}", log=host)
    connections = {host: module.connection(places, ground, host, address) for host, address in addresses.items()}
    inventory.write_inventory(
        places, inventory.inventory(places, kind, connections, made, port=port, service=module.SERVICE)
    )
    took = time.monotonic() - began
    say(f"sandbox {places.name}: {len(addresses)} hosts ({kind}), AWS on 127.0.0.1:{port}, up in {took:.1f} s")
    return {"kind": kind, "port": port, "hosts": addresses, "app": app, "enter": ground.enter}
