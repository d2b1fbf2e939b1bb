"""Hosts of the kind `processes`: supervisord in one unprivileged namespace. Needs no privilege at all.

Everything lives in a user, network, mount and pid namespace of the caller's own, in which network namespaces, packet
filters and overlays can be made as root makes them. Its pid 1 is a shell; when that is killed, all of it is gone.
A host has its own network, host name and processes, and its own /etc, /opt, /var/lib and /run.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox import authority, host_app, network
from sandbox.places import Places, SandboxError
from sandbox.shell import SYSTEM_PATH, Ground, environment, tools_bin

BIN = Path(sys.executable).parent
SUPERVISOR_CONF = "/etc/supervisor/supervisord.conf"
SERVICE: dict[str, object] = {
    "sandbox_manager": "supervisor",
    "sandbox_supervisorctl": [str(BIN / "supervisorctl"), "-c", SUPERVISOR_CONF],
}
LIMITS = "supervisor instead of systemd; no ssh, sudo, other users or reboot; /usr, /home and /tmp are this machine's"

OPEN = """
mount -t tmpfs -o mode=755 none /run
mkdir /run/netns
resolver=$(readlink -m /etc/resolv.conf)
[ -e "$resolver" ] || {{ mkdir -p "$(dirname "$resolver")"; : >"$resolver"; }}
mount --bind {layer}/etc/resolv.conf "$resolver"
touch {opened}
while :; do sleep 3600 & wait $!; done
"""

# No overlays: the kernel refuses them above folders that have something mounted inside, as /etc has in containers.
# So /etc is a copy, /opt is a new folder into which what is in the machine's is bound, and /var/lib starts empty. The
# state folder is bound back in place, as it may lie below one of these, and Ansible's files must be seen from outside.
LAUNCH = """
echo $$ >{folder}/launcher
own={folder}/own
mkdir $own
mount -t tmpfs -o mode=755 none $own
mkdir -p $own/state $own/run $own/etc $own/opt $own/var/lib
mount --bind {state} $own/state
cp -a --no-preserve=ownership /etc/. $own/etc 2>/dev/null || true
for entry in /opt/*; do
  if [ -d "$entry" ] && [ "$entry" != /opt/shop ]; then mkdir "$own$entry" && mount --rbind "$entry" "$own$entry"; fi
done
rm -rf $own/etc/resolv.conf $own/etc/hosts $own/etc/supervisor
cp -a --no-preserve=ownership {layer}/etc {layer}/opt $own
mkdir $own/opt/shop/venv
mount --bind {venv}/opt/shop/venv $own/opt/shop/venv
mount -o remount,bind,ro $own/opt/shop/venv || true
mount --rbind $own/etc /etc
mount --rbind $own/opt /opt
mount --bind $own/var/lib /var/lib
mount --bind $own/run /run
mkdir -p {state}
mount --bind $own/state {state}
exec unshare --uts --pid --fork --mount-proc \\
  sh -c 'hostname {host}; exec env -i {environ} {supervisord} --nodaemon -c {conf}'
"""

SUPERVISOR = """[unix_http_server]
file=/run/supervisor.sock
chmod=0700

[supervisord]
logfile=/var/lib/supervisord.log
pidfile=/run/supervisord.pid
childlogdir=/var/lib

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix:///run/supervisor.sock

[include]
files=/etc/supervisor/conf.d/*.conf
"""

# Ansible runs each command by this instead of by /bin/sh. ansible.builtin.shell uses it a second time, inside.
# A host that was dropped from the network is not reached by it either; 255 is what ssh ends with.
ENTER = """#!/bin/sh
[ -z "$SANDBOX_INSIDE" ] || exec /bin/sh "$@"
[ ! -e {dropped} ] || {{ echo "connect to host {host}: No route to host" >&2; exit 255; }}
exec {enter} sh -c 'cd; exec /bin/sh "$@"' sh "$@"
"""


def prepare(say: Callable[[str], None]) -> tuple[Path, Path]:
    """The machine's own tree is below every host; only the app's virtual environment is built."""
    python = host_app.HostPython.of_this_machine()

    def compiler(venv: Path) -> list[str]:
        return [python.executable, "-m", "compileall", "-q", "-s", str(venv), "-p", "/opt/shop/venv", str(venv / "lib")]

    return Path("/"), host_app.venv_layer(python, say, compiler)


def write_layer(places: Places, tree: Path, env_text: str, app: str, first: str) -> None:
    authority.trust_authority(places, tree)
    network.write_resolver_files(places)
    host_app.install(places, env_text)
    programs = places.layer / "etc/supervisor/conf.d"
    programs.mkdir(parents=True)
    (places.layer / "etc/supervisor/supervisord.conf").write_text(SUPERVISOR)
    (programs / "shop.conf").write_text(host_app.programs(app, first))


def open_ground(places: Places) -> Ground:
    """Make the namespace that holds everything; the way in is by its pid 1."""
    opened = places.root / "opened"
    argv = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc"]
    with open(places.log("namespace"), "ab") as log:
        holder = subprocess.Popen(
            [*argv, "sh", "-ec", OPEN.format(opened=shlex.quote(str(opened)), layer=shlex.quote(str(places.layer)))],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(SANDBOX_MARK=str(places.root)),
            start_new_session=True,
        )
    deadline = time.monotonic() + 10
    while not opened.exists():
        if holder.poll() is not None or time.monotonic() > deadline:
            raise SandboxError(f"no unprivileged namespace: {(places.logs / 'namespace.log').read_text().strip()}")
        time.sleep(0.01)
    first = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()[0]
    return Ground(("nsenter", "-t", first, "-U", "--preserve-credentials", "-n", "-m", "-p"))


def start_host(ground: Ground, places: Places, host: str, lower: Sequence[Path]) -> None:
    folder = places.host_dir(host)
    (folder / "home").mkdir(parents=True)
    (folder / "tmp").mkdir()
    script = LAUNCH.format(
        folder=shlex.quote(str(folder)),
        state=shlex.quote(str(places.root)),
        layer=places.layer,
        venv=lower[1],
        host=host,
        environ=" ".join(shlex.quote(entry) for entry in _host_environment(places, host)),
        supervisord=shlex.quote(str(BIN / "supervisord")),
        conf=SUPERVISOR_CONF,
    )
    argv = ["unshare", "--mount", "sh", "-ec", script]
    environ = environment(SANDBOX_MARK=str(places.root))
    ground.spawn(argv, netns=places.netns(host), log=places.log(host), env=environ)


def _host_environment(places: Places, host: str) -> list[str]:
    """What a login on the host would have: nothing of the caller's, above all not where the caller's AWS is."""
    return [
        *[f"HOME={places.host_dir(host)}/home", f"PATH={BIN}:{tools_bin()}:{SYSTEM_PATH}", "LANG=C.UTF-8"],
        # A Python that was not built by this distribution looks elsewhere for certificates.
        *["SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "SSL_CERT_DIR=/etc/ssl/certs"],
        *["SANDBOX_INSIDE=1", places.mark],
    ]


def write_wrappers(places: Places, ground: Ground, hosts: Mapping[str, str]) -> None:
    places.bin.mkdir()
    for host in hosts:
        wrapper = places.bin / f"enter-{host}"
        dropped = shlex.quote(str(places.dropped(host)))
        entering = shlex.join(enter_host(places, ground, host))
        wrapper.write_text(ENTER.format(enter=entering, dropped=dropped, host=host))
        wrapper.chmod(0o700)


def wait_for_host(ground: Ground, places: Places, host: str, address: str) -> None:
    """Until its supervisor answers."""
    deadline = time.monotonic() + 10
    probe = [*enter_host(places, ground, host), "test", "-S", "/run/supervisor.sock"]
    while subprocess.run(probe, capture_output=True, check=False, env=environment()).returncode:
        if time.monotonic() > deadline:
            raise SandboxError(f"{host}: its supervisor does not start: {places.last_words(host)}")
        time.sleep(0.05)


def connection(places: Places, ground: Ground, host: str, address: str) -> dict[str, object]:
    """How Ansible reaches a host."""
    return {
        "ansible_host": address,
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_shell_executable": str(places.bin / f"enter-{host}"),
        # Files are copied from outside the host, so they go through a folder that both see.
        "ansible_remote_tmp": str(places.host_dir(host) / "tmp"),
        "ansible_python_interpreter": host_app.HostPython.of_this_machine().executable,
        "migration_app_user": "root",  # the namespace has no other user, and this one is the caller outside
    }


def network_command(places: Places, ground: Ground, netns: str, argv: Sequence[str]) -> list[str]:
    """A program of this machine in a network of the sandbox. It stays outside the pid namespace: entering that forks,
    and a signal would end the parent alone. By its mark it goes with the sandbox all the same."""
    enter = [part for part in ground.enter if part != "-p"]
    return [*enter, "nsenter", f"--net=/run/netns/{netns}", "env", places.mark, *argv]


def enter_host(places: Places, ground: Ground, host: str) -> list[str]:
    """A command prefix that runs a program on the host, whose pid 1 is the child of what launched it."""
    launcher = f"$(cat {shlex.quote(f'{places.host_dir(host)}/launcher')})"
    script = f'exec nsenter -t $(cat /proc/{launcher}/task/{launcher}/children) -n -m -u -p env -i "$@"'
    return [*ground.enter, "sh", "-c", script, "sh", *_host_environment(places, host)]
