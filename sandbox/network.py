"""The sandbox's own network: a bridge with a resolver in a control namespace, and a namespace for each host.

The machine's own network gets nothing: no interface, no route, no rule. So sandboxes with the same addresses stand
side by side, and nothing of a sandbox can be reached, or mistaken, from outside.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping

from sandbox.places import ENGINES, GATEWAY, METADATA, RESOLVER, Places, SandboxError
from sandbox.shell import Ground, environment

START_SECONDS = 30  # how long what starts may take to listen


def make_control(ground: Ground, places: Places) -> None:
    control = places.control
    ground.run("ip", "netns", "add", control)
    batch = f"""link set lo up
link add br0 type bridge
addr add {GATEWAY}/16 dev br0
addr add {RESOLVER}/32 dev br0
addr add {METADATA}/32 dev br0
link set br0 up
route add local {ENGINES} dev br0
"""  # the local route makes every address of the range answer: none has to be added later
    ground.run("ip", "-n", control, "-batch", "-", input=batch)


def connect_host(ground: Ground, places: Places, host: str, address: str, number: int) -> None:
    netns = places.netns(host)
    ground.run("ip", "netns", "add", netns)
    outside = f"link add v{number} type veth peer name eth0 netns {netns}\nlink set v{number} master br0 up\n"
    ground.run("ip", "-n", places.control, "-batch", "-", input=outside)
    inside = f"link set lo up\naddr add {address}/16 dev eth0\nlink set eth0 up\nroute add default via {GATEWAY}\n"
    ground.run("ip", "-n", netns, "-batch", "-", input=inside)


def drop_host(ground: Ground, places: Places, host: str, number: int) -> None:
    """Take the cable out of a host: nothing passes, nobody is told, and connections hang until somebody gives up."""
    ground.run("ip", "-n", places.control, "link", "set", f"v{number}", "down")
    places.dropped(host).touch()


def bring_back_host(ground: Ground, places: Places, host: str, number: int) -> None:
    ground.run("ip", "-n", places.control, "link", "set", f"v{number}", "up")
    places.dropped(host).unlink(missing_ok=True)


def write_names(places: Places, machines: Mapping[str, str]) -> None:
    """The names that the sandbox itself gives; the emulator adds those of endpoints as files of its own."""
    places.names.mkdir(mode=0o755)
    lines = [f"{address} {host}.internal {host}" for host, address in machines.items()]
    (places.names / "sandbox-hosts").write_text("\n".join(lines) + "\n")


def write_resolver_files(places: Places) -> None:
    """What each host reads to find names."""
    etc = places.layer / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:1 attempts:2\n")
    (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n")


def start_resolver(ground: Ground, places: Places) -> None:
    """A changed, new or removed file in the names folder is seen within 0.1 s."""
    argv = ["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--bind-interfaces"]
    # --no-daemon, since elsewhere dnsmasq ends silently where setgroups is denied (a namespace with one user).
    argv += [f"--listen-address={RESOLVER}", f"--hostsdir={places.names}", "--local=/#/", "--local-ttl=1"]
    environ = environment(SANDBOX_MARK=str(places.root))
    ground.spawn(argv, netns=places.control, log=places.log("dnsmasq"), env=environ)


def wait_for(
    ground: Ground, places: Places, address: str, port: int, *, what: str, log: str, seen_from: str = ""
) -> None:
    """Until something accepts on address:port, seen from a host or else from the bridge.

    `log` is whose last words tell why it did not.
    """
    netns = places.netns(seen_from) if seen_from else places.control
    probe = f"exec 3<>/dev/tcp/{address}/{port}"
    deadline = time.monotonic() + START_SECONDS
    while ground.run("timeout", "2", "bash", "-c", probe, netns=netns, check=False).returncode:
        if time.monotonic() > deadline:
            told = places.last_words(log)
            raise SandboxError(f"{what} does not listen on {address}:{port} after {START_SECONDS} s: {told}")
        time.sleep(0.05)


def free_listener() -> socket.socket:
    """A listening socket on the machine's loopback, to be inherited by the emulator: its port stays ours."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)
