"""Which kinds of hosts this machine allows, found out by trying."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from sandbox import machines, packages, processes
from sandbox.places import SandboxError
from sandbox.shell import environment

LIMITS = {"machines": machines.LIMITS, "processes": processes.LIMITS}
CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_MKNOD": 27}

# Only a trial shows what the kernel, seccomp and AppArmor allow. What needs no package comes first, so that nothing
# is installed where it could not help.
SPACES = {
    "machines": """mount -t tmpfs none /mnt
mkdir /mnt/l /mnt/u /mnt/w /mnt/m /mnt/p
mount -t overlay none -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/m
mount -t proc proc /mnt/p
""",
    "processes": """mount -t tmpfs none /mnt
mkdir /mnt/opt
mount --rbind /mnt/opt /opt
unshare --uts hostname trial
""",
}
NETWORK = """mount -t tmpfs none /run
mkdir /run/netns
ip netns add trial
ip link add br0 type bridge
ip link add v0 type veth peer name v1 netns trial
nft add table inet trial
nft add chain inet trial input '{ type filter hook input priority 0; }'
nft add rule inet trial input ct state established accept
"""
UNSHARE = {
    "machines": ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork"],
    "processes": ["unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--mount-proc"],
}


def blockers(kind: str) -> list[str]:
    """Why this kind cannot be had here, before any package is asked for; empty when it can."""
    found = _privilege_blockers() if kind == "machines" else []
    if not found and (said := _trial(kind, SPACES[kind])):
        found = [said]
        if kind == "processes":
            found += _kernel_settings()
    return found


def network_blockers(kind: str) -> list[str]:
    """The same for what the packages do; to be asked when they are there."""
    said = _trial(kind, NETWORK)
    return [said] if said else []


def _privilege_blockers() -> list[str]:
    if os.geteuid():
        return ["not root"]
    status = Path("/proc/self/status").read_text()
    effective = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), 16)
    missing = [f"no {name}" for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    if not machines.CGROUPS:
        missing.append("no cgroup hierarchy is mounted")
    elif not any(os.access(path, os.W_OK) and not os.statvfs(path).f_flag & os.ST_RDONLY for path in machines.CGROUPS):
        missing.append("/sys/fs/cgroup is not writable")
    return missing


def _trial(kind: str, script: str) -> str:
    """The last line of what went wrong, or nothing."""
    done = subprocess.run(
        [*UNSHARE[kind], "sh", "-ec", script], capture_output=True, text=True, check=False, env=environment()
    )
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines()
    return f"a trial failed: {lines[-1] if lines else f'exit status {done.returncode}'}"


def _kernel_settings() -> list[str]:
    """The settings that are known to forbid user namespaces, each with the command that allows them."""
    forbidding = {
        "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
        "kernel.unprivileged_userns_clone": ("0", "1"),
        "user.max_user_namespaces": ("0", "10000"),
    }
    found = []
    for name, (bad, good) in forbidding.items():
        path = Path("/proc/sys") / name.replace(".", "/")
        if path.exists() and path.read_text().strip() == bad:
            found.append(f"{name} is {bad}: `sysctl -w {name}={good}` allows it")
    return found


def remedy() -> str:
    return (
        "Hosts without any namespace are not implemented. How to get one of the two: be root on a machine, or in a "
        "container started with `docker run --privileged` (both kinds), or allow user namespaces: "
        "`docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
        "--security-opt systempaths=unconfined` (processes)"
    )


def usable(kind: str, say: Callable[[str], None]) -> list[str]:
    """Like `blockers`, with what is missing installed and the network tried as well."""
    if found := blockers(kind):
        return found
    try:
        packages.ensure(kind, say)
    except SandboxError as error:
        return [str(error)]
    return network_blockers(kind)


def choose(forced: str | None, say: Callable[[str], None]) -> str:
    """The kind to use, said in one line with its limits. A forced kind is had or refused, never replaced."""
    wanted = forced or os.environ.get("SANDBOX_HOSTS") or ""
    if wanted and wanted not in LIMITS:
        raise SandboxError(f"SANDBOX_HOSTS={wanted}: use machines or processes")
    reasons: dict[str, str] = {}
    for kind in [wanted] if wanted else list(LIMITS):
        found = usable(kind, say)
        if not found:
            why = f" (machines cannot be had: {reasons['machines']})" if reasons else ""
            say(f"hosts: {kind}: {LIMITS[kind]}{why}")
            return kind
        reasons[kind] = "; ".join(found)
    told = ". ".join(f"{kind} hosts cannot be had: {reason}" for kind, reason in reasons.items())
    raise SandboxError(f"{told}. {remedy()}")
