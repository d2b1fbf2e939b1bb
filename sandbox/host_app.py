"""The app on its hosts: /opt/shop with its virtual environment, code, .env, and how a service manager starts it."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.aws.keys import AccessKey
from sandbox.old_redis import OldRedis
from sandbox.places import CHECKOUT, GATEWAY, REGION, Places, SandboxError, cache_root
from sandbox.rootfs import locked
from sandbox.shell import run

LOCK_FILE = CHECKOUT / "requirements" / "app.lock"
HOME = Path("opt/shop")
START = "/opt/shop/venv/bin/python -m app.serve"

UNIT = f"""[Unit]
Description=shop, the app that uses the cache
After=network.target

[Service]
User=shop
WorkingDirectory=/opt/shop
ExecStart={START}
Restart=on-failure
RestartSec=1
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
"""

# stopasgroup stays off: the parent stops its workers itself, one after the other.
PROGRAM = f"""[program:shop]
command={START}
directory=/opt/shop
autorestart=unexpected
exitcodes=0
startsecs=1
startretries=3
stopwaitsecs=30
killasgroup=true
redirect_stderr=true
stdout_logfile=/var/lib/shop.log
"""


@dataclass(frozen=True)
class HostPython:
    """The interpreter that the app's virtual environment on the hosts stands on."""

    executable: str
    version: str

    @classmethod
    def of_this_machine(cls) -> HostPython:
        base: str = getattr(sys, "_base_executable", sys.executable)
        return cls(str(Path(base).resolve()), f"{sys.version_info[0]}.{sys.version_info[1]}")


def venv_layer(python: HostPython, say: Callable[[str], None], compiler: Callable[[Path], list[str]]) -> Path:
    """A tree holding opt/shop/venv for this interpreter, from the cache or built.

    `compiler` names the command that compiles a tree's modules with the hosts' interpreter: without compiled modules
    each start of the app would take seconds.
    """
    key = hashlib.sha256(f"{python}{UNIT}".encode() + LOCK_FILE.read_bytes()).hexdigest()[:12]
    target = cache_root() / f"app-py{python.version}-{key}"
    if target.exists():
        return target
    with locked(cache_root() / "app.lock"):
        if not target.exists():
            say(f"installing the app's packages for the hosts' Python {python.version}, once: about 5 seconds")
            _build_venv(python, target, compiler)
    return target


def _build_venv(python: HostPython, target: Path, compiler: Callable[[Path], list[str]]) -> None:
    tree = target.with_name(f"{target.name}.tmp")
    if tree.exists():
        shutil.rmtree(tree)
    venv = tree / HOME / "venv"
    packages = venv / "lib" / f"python{python.version}" / "site-packages"
    packages.mkdir(parents=True)
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        raise SandboxError(f"{uv} is missing: run `make setup`")
    argv = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(packages)]
    argv += ["--python-version", python.version, "--only-binary", ":all:", "--link-mode", "copy"]
    argv += ["--require-hashes", "-r", str(LOCK_FILE)]
    # uv brings its own certificates; those of a private index or proxy are the system's. It needs the caller's proxy.
    run(argv, env={**os.environ, "UV_SYSTEM_CERTS": "1"})
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(python.executable)
    (venv / "bin" / "python3").symlink_to("python")
    (venv / "pyvenv.cfg").write_text(
        f"home = {Path(python.executable).parent}\ninclude-system-site-packages = false\nversion = {python.version}\n"
    )
    run(compiler(venv))
    for above in (tree, tree / "opt", tree / HOME):
        above.chmod(0o755)
    tree.rename(target)


def env_file(port: int, old: OldRedis, key: AccessKey) -> str:
    """A .env as people keep them: comments, quotes, blank lines, and values of others that must survive."""
    reads_only = "SHOP_READS_ONLY=1\n" if old.is_replica else ""
    return f"""# shop, settings of this host
SHOP_PORT=8000
SHOP_TITLE="The 'small' shop"   # shown to customers
{reads_only}
# Cache. Ask in #platform before you change this.
REDIS_URL={old.url}
CACHE_TTL_SECONDS=300

# AWS
export AWS_REGION={REGION}
AWS_ENDPOINT_URL=http://{GATEWAY}:{port}
AWS_ACCESS_KEY_ID={key.id}
AWS_SECRET_ACCESS_KEY='{key.secret} # not a comment'
"""


def install(places: Places, env_text: str) -> Path:
    """Put code and settings into the layer of all hosts; returns the .env, whose owner the caller sets."""
    home = places.layer / HOME
    shutil.copytree(CHECKOUT / "sandbox" / "app", home / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (home, home / "app", *(home / "app").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    dotenv = home / ".env"
    dotenv.touch(mode=0o640)
    dotenv.write_text(env_text)
    return dotenv
