"""The root file system that all machine hosts share: built once, kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.places import SandboxError, cache_root
from sandbox.shell import environment, run

PACKAGES = (
    "systemd,systemd-sysv,dbus,openssh-server,sudo,python3,ca-certificates,openssl,iproute2,procps"
    ",acl,attr"  # an edited file keeps both: to be seen on the hosts
    ",libpam-systemd,dbus-user-session"  # units of a user, as where an app's user has his own
)
PATHS_CUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
# Run by chroot in the new tree. `deploy` is who Ansible logs in as, `shop` who the app runs as.
FINISH = """set -e
useradd -m -s /bin/bash -u 1000 deploy
useradd -r -M -d /opt/shop -s /usr/sbin/nologin -u 990 shop
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/deploy
chmod 440 /etc/sudoers.d/deploy
rm -f /etc/ssh/ssh_host_* /etc/resolv.conf /etc/hostname /etc/apt/apt.conf.d/99mmdebstrap
: >/etc/machine-id
systemctl enable -q ssh.service
systemctl mask -q console-getty.service getty.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \\
    fstrim.timer e2scrub_all.timer systemd-resolved.service systemd-timesyncd.service systemd-networkd.service
: >/etc/apt/sources.list
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
"""
SHOP_UID = 990
DEPLOY_UID = 1000


def suite() -> str:
    """The running system's own release, whose mirror and keys apt already has."""
    release = platform.freedesktop_os_release()
    name = release.get("VERSION_CODENAME", "")
    if not name or "debian" not in f"{release.get('ID')} {release.get('ID_LIKE')}":
        raise SandboxError(
            f"machine hosts are built from Debian or Ubuntu packages, and this is {release.get('PRETTY_NAME')}: "
            "use SANDBOX_HOSTS=processes"
        )
    return name


def mirror(release: str) -> str | None:
    """Where apt on this machine takes `release` from; None leaves it to mmdebstrap."""
    targets = run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages"],
        check=False,
    )
    for line in targets.stdout.splitlines():
        fields = line.split()
        if fields[1:] == [release, "main"]:
            return fields[0]
    return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One builder at a time; whoever waited finds the thing built."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def rootfs(say: Callable[[str], None]) -> Path:
    """The path of the complete tree. Its name holds a hash of the recipe, so a changed recipe is built anew."""
    release = suite()
    recipe = "\n".join((PACKAGES, *PATHS_CUT, FINISH, release, platform.machine()))
    target = cache_root() / f"rootfs-{release}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if target.exists():
        return target
    with locked(cache_root() / "rootfs.lock"):
        if not target.exists():
            say(f"building the hosts' root file system ({release}), once: about 25 seconds")
            _build(release, target)
    return target


def _build(release: str, target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.tmp")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    argv = ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={PACKAGES}"]
    argv += [f"--dpkgopt=path-exclude={path}" for path in PATHS_CUT]
    for scheme in ("http", "https"):  # mmdebstrap has an apt configuration of its own
        proxy = run(["apt-config", "shell", "proxy", f"Acquire::{scheme}::Proxy"], check=False).stdout
        if proxy.startswith("proxy='") and proxy.strip() != "proxy=''":
            argv.append(f'--aptopt=Acquire::{scheme}::Proxy "{proxy.strip()[7:-1]}"')
    argv += [release, str(unfinished)]
    source = mirror(release)
    done = subprocess.run(
        [*argv, source] if source else argv, capture_output=True, text=True, check=False, env=environment()
    )
    if done.returncode:
        raise SandboxError(f"mmdebstrap could not build {release} from {source or 'its mirror'}: {done.stderr[-600:]}")
    run(["chroot", str(unfinished), "sh", "-c", FINISH])
    unfinished.rename(target)  # last: a tree that has its name is complete


def python_version(tree: Path) -> str:
    """The `3.11` of the tree's python3."""
    return (tree / "usr/bin/python3").readlink().name.removeprefix("python")
