"""Hosts of the kind `machines`: systemd and sshd in systemd-nspawn containers. Needs root with CAP_SYS_ADMIN."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox import authority, host_app, network
from sandbox.places import Places, SandboxError
from sandbox.rootfs import DEPLOY_UID, SHOP_UID, python_version, rootfs
from sandbox.shell import Ground, environment, run

# v1 and hybrid hierarchies, or the single v2 one.
CGROUPS = [
    path
    for path in map(Path, ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"))
    if (path / "cgroup.procs").exists()
]

# A host's own tmpfs and overlay are mounted in a mount namespace of its own, so they go with it, whoever is killed.
# Propagation is `slave`: what the machine unmounts (network namespaces of other sandboxes) is not held here.
# With --keep-unit a reboot of the container is exit status 133.
LAUNCH = """
for cgroup in {cgroups}; do mkdir -p $cgroup/{unit}; echo $$ >$cgroup/{unit}/cgroup.procs; done
mount -t tmpfs -o mode=755 none {folder}
mkdir {folder}/upper {folder}/work {folder}/root
mkdir -p /run/systemd/nspawn
mount -t tmpfs none /run/systemd/nspawn
mount -t overlay none -o lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work {folder}/root
while :; do
  systemd-nspawn --quiet --boot --register=no --keep-unit --machine={unit} --hostname={host} \\
    --directory={folder}/root --network-namespace-path=/run/netns/{netns} --resolv-conf=off --timezone=off \\
    --link-journal=no --console=pipe --kill-signal=SIGRTMIN+3 </dev/null && status=0 || status=$?
  [ $status = 133 ] || break
done
"""


SERVICE: dict[str, object] = {"sandbox_manager": "systemd"}
LIMITS = "systemd, ssh and sudo as on an EC2 instance; the kernel is this machine's"


def prepare(say: Callable[[str], None]) -> tuple[Path, Path]:
    """The cached trees below every host: root file system, and the app's virtual environment."""
    tree = rootfs(say)
    python = host_app.HostPython("/usr/bin/python3", python_version(tree))

    def compiler(venv: Path) -> list[str]:
        inside = "python3 -m compileall -q -s /mnt -p /opt/shop/venv /mnt/lib"
        script = f"mount --bind {shlex.quote(str(venv))} {tree}/mnt && exec chroot {tree} {inside}"
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]

    return tree, host_app.venv_layer(python, say, compiler)


def write_layer(places: Places, tree: Path, env_text: str, app: str, first: str) -> None:
    """All that hosts of this sandbox share above the cached trees. No bind mounts, so hosts may change any of it."""
    layer = places.layer
    authority.trust_authority(places, tree)
    network.write_resolver_files(places)
    dotenv = host_app.install(places, env_text)
    units = layer / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    for name, text in host_app.units(app, first).items():
        (units / f"{name}.service").write_text(text)
        (units / f"multi-user.target.wants/{name}.service").symlink_to(f"/etc/systemd/system/{name}.service")
    _write_ssh(places)
    for path in (layer, *layer.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    (layer / "home/deploy/.ssh").chmod(0o700)
    for path in (layer / "home/deploy", *(layer / "home/deploy").rglob("*")):
        os.chown(path, DEPLOY_UID, DEPLOY_UID)
    os.chown(dotenv, SHOP_UID, SHOP_UID)


def _write_ssh(places: Places) -> None:
    for key in ("id", "hostkey"):
        run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-C", places.id, "-f", str(places.root / key)])
    ssh = places.layer / "etc/ssh"
    ssh.mkdir()
    shutil.copy(places.root / "hostkey", ssh / "ssh_host_ed25519_key")
    shutil.copy(places.root / "hostkey.pub", ssh / "ssh_host_ed25519_key.pub")
    (ssh / "sshd_config.d").mkdir()
    # A play over many hosts opens several sessions at once; and looking up the caller's name costs a second.
    (ssh / "sshd_config.d/sandbox.conf").write_text("UseDNS no\nMaxStartups 100\nMaxSessions 100\n")
    authorized = places.layer / "home/deploy/.ssh/authorized_keys"
    authorized.parent.mkdir(parents=True)
    shutil.copy(places.root / "id.pub", authorized)


def write_wrappers(places: Places, ground: Ground, hosts: Mapping[str, str]) -> None:
    """ssh, scp and sftp that speak from the control namespace: no process, no port, and plain `ansible-playbook`."""
    places.bin.mkdir()
    (places.root / "cp").mkdir(mode=0o700)
    for tool in ("ssh", "scp", "sftp"):
        wrapper = places.bin / tool
        found = shutil.which(tool)
        wrapper.write_text(f'#!/bin/sh\nexec nsenter --net=/run/netns/{places.control} {found} "$@"\n')
        wrapper.chmod(0o700)
    key = (places.root / "hostkey.pub").read_text()
    (places.root / "known_hosts").write_text("".join(f"{address} {key}" for address in hosts.values()))


def open_ground(places: Places) -> Ground:
    """Network namespaces are the machine's own."""
    return Ground()


def start_host(ground: Ground, places: Places, host: str, lower: Sequence[Path]) -> None:
    folder = places.host_dir(host)
    folder.mkdir(parents=True)
    script = LAUNCH.format(
        cgroups=" ".join(map(str, CGROUPS)),
        unit=places.netns(host),
        host=host,
        netns=places.netns(host),
        folder=shlex.quote(str(folder)),
        lower=":".join(map(str, lower)),
    )
    argv = ["unshare", "--mount", "--propagation", "slave", "sh", "-ec", script]
    environ = environment(SANDBOX_MARK=str(places.root))
    ground.spawn(argv, netns=places.netns(host), log=places.log(host), env=environ)


def wait_for_host(ground: Ground, places: Places, host: str, address: str) -> None:
    network.wait_for(ground, places, address, 22, what=f"sshd of {host}", log=host)


def connection(places: Places, ground: Ground, host: str, address: str) -> dict[str, object]:
    """How Ansible reaches a host."""
    return {
        "ansible_host": address,
        "ansible_user": "deploy",
        "ansible_become": True,
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(places.root / "id"),
        "ansible_ssh_executable": str(places.bin / "ssh"),
        "ansible_scp_executable": str(places.bin / "scp"),
        "ansible_sftp_executable": str(places.bin / "sftp"),
        # Ansible names its ssh masters by address and user: without a folder of its own, a play would talk through
        # the master of another sandbox.
        "ansible_control_path_dir": str(places.root / "cp"),
        "ansible_ssh_common_args": f"-F /dev/null -o UserKnownHostsFile={places.root}/known_hosts "
        "-o StrictHostKeyChecking=yes",
    }


# Names are looked up where the hosts look, by a mount that this command alone sees.
RESOLVE = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


def network_command(places: Places, ground: Ground, netns: str, argv: Sequence[str]) -> list[str]:
    """A program of this machine in a network of the sandbox, with its names. It takes signals itself: nothing forks."""
    resolver = str(places.layer / "etc/resolv.conf")
    own_mounts = ["unshare", "--mount", "--propagation", "slave", "sh", "-c", RESOLVE, "sh", resolver]
    return ground.command([*own_mounts, *argv], netns)


def enter_host(places: Places, ground: Ground, host: str) -> list[str]:
    """A command prefix that runs a program on the host as root, without ssh."""
    return [
        *["nsenter", "-t", str(_init_of(places, host)), "-m", "-u", "-i", "-n", "-p", "--", "env", "-i", "HOME=/root"],
        *["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
        *["sh", "-c", 'cd; exec "$@"', "sh"],
    ]


def _init_of(places: Places, host: str) -> int:
    """The container's pid 1. Looked up each time: it is another one after a reboot."""
    pids = run(["ip", "netns", "pids", places.netns(host)], check=False).stdout.split()
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        found = re.search(r"^NSpid:\s+\d+.*\s(\d+)$", status, re.MULTILINE)
        if found and found[1] == "1":
            return int(pid)
    raise SandboxError(f"host {host} of sandbox {places.name} is not running: see {places.log(host)}")
