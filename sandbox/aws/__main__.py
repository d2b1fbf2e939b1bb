"""Start the local AWS in the network namespace that this process is in."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import threading
from pathlib import Path

from sandbox.aws.calls import CallLog
from sandbox.aws.doors import Doors, DoorsUnavailable
from sandbox.aws.elasticache import ElastiCache, Pace
from sandbox.aws.engines import Binaries, EngineMissing
from sandbox.aws.instances import Instances
from sandbox.aws.keys import Keys
from sandbox.aws.machine import Machine
from sandbox.aws.memorydb import MemoryDB
from sandbox.aws.moto_side import Clients, clients_for
from sandbox.aws.names import Names
from sandbox.aws.pki import Pki
from sandbox.aws.populate import fill_old_redis, make_world
from sandbox.aws.price_lists import PriceLists
from sandbox.aws.scaling import Scaling
from sandbox.aws.server import Server, listen
from sandbox.places import SandboxError
from sandbox.world import Order


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.aws", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="folder for the log of calls, engines and snapshots")
    parser.add_argument("--keys", type=Path, required=True, help="file of the access keys that are admitted")
    parser.add_argument(
        "--listen-fd", type=int, help="a listening socket that was inherited, usually of another namespace"
    )
    parser.add_argument("--port", type=int, required=True, help="TCP port, on every address of this namespace")
    parser.add_argument("--creating-seconds", type=float, default=2, help="a replication group is `creating` that long")
    parser.add_argument(
        "--modifying-seconds", type=float, help="other changes last that long (at most 1 s, where left out)"
    )
    parser.add_argument("--ca-cert", type=Path, help="certificate authority for the endpoints' certificates")
    parser.add_argument("--ca-key", type=Path, help="its key; with neither, one is made: STATE/tls/ca.pem")
    parser.add_argument(
        "--names", type=Path, help="folder that a dnsmasq watches (--hostsdir); STATE/names where left out"
    )
    parser.add_argument("--world", type=Path, help="file of what the account holds from the start (world.Order)")
    options = parser.parse_args()
    if (options.ca_cert is None) != (options.ca_key is None):
        parser.error("--ca-cert and --ca-key are given together")
    return options


def clean(state: Path) -> None:
    """Remove what a run that crashed left here; the log of calls stays."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    (state / "ready").unlink(missing_ok=True)
    for folder in ("nodes", "tls", "snapshots", "bin"):
        shutil.rmtree(state / folder, ignore_errors=True)


def run(options: argparse.Namespace) -> None:
    state: Path = options.state.resolve()
    clean(state)
    binaries = Binaries(state / "bin")
    binaries.find("redis")
    keys = Keys.read(options.keys)
    client = clients_for(options.port, keys.internal)
    doors, names = Doors(client("ec2")), Names(options.names or state / "names")
    authority = (options.ca_cert, options.ca_key) if options.ca_cert else None
    pki = Pki(state / "tls", authority)
    pace = Pace.of(options.creating_seconds, options.modifying_seconds)
    machine = Machine(state, binaries, pki, names, doors, key_secrets=keys.by_id())
    elasticache, memorydb = ElastiCache(machine, client, pace), MemoryDB(machine, client, pace)
    instances = Instances(client("ec2"), state / "instances", names, binaries.folder)
    doors.sources += [elasticache.doors, memorydb.doors, instances.doors]

    def settle() -> None:
        instances.settle()
        doors.refresh()

    def after_ec2_write() -> None:
        if not options.world or (state / "world.json").exists():  # of the world that is being made, all at once
            settle()

    services = {
        "elasticache": elasticache.service,
        "memorydb": memorydb.service,
        "pricing": PriceLists().service,
        "application-autoscaling": Scaling(client).service,
    }
    application = Server(services, CallLog(state / "calls.jsonl"), keys, elasticache.controls(), after_ec2_write)
    listeners = [listen(application, "0.0.0.0", options.port)]
    if options.listen_fd is not None:
        listeners.append(listen(application, "127.0.0.1", options.port, options.listen_fd))
    for listener in listeners:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    if options.world:
        order = Order.read(options.world)
        make_world(client, order).write(state / "world.json")
        settle()
        fill_old_redis(order)
    (state / "ready").touch()
    print("ready", flush=True)
    warm_up(client)
    done.wait()
    (state / "ready").unlink(missing_ok=True)
    instances.stop_all()
    elasticache.stop_all()
    memorydb.stop_all()


def warm_up(client: Clients) -> None:
    """moto loads a service at its first call, which takes most of a second: better now than while somebody waits."""
    for ask in (client("ec2").describe_vpcs, client("ssm").describe_parameters, client("secretsmanager").list_secrets):
        ask()


def main() -> int:
    try:
        run(arguments())
    except (EngineMissing, DoorsUnavailable, SandboxError) as fault:
        print(f"sandbox.aws: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
