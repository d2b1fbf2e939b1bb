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
from sandbox.old_redis import HOST_NAME, PORT, OldRedis
from sandbox.places import CHECKOUT, GATEWAY, REGION, URL_PARAMETER, Places, SandboxError, cache_root
from sandbox.rootfs import locked
from sandbox.shell import run

LOCK_FILE = CHECKOUT / "requirements" / "app.lock"
HOME = Path("opt/shop")
PYTHON = "/opt/shop/venv/bin/python"
CELERY = f"{PYTHON} -m celery --app app.jobs"

WEB, WHOLE, QUEUES, CLUSTER, MEMCACHED = "web", "whole", "queues", "cluster", "memcached"
APPS = {
    WEB: "a web service that has one URL",
    CLUSTER: "web, which makes its client of a cluster where REDIS_CLUSTER says so",
    MEMCACHED: "web that keeps plain values alone, and chooses its client by the scheme of CACHE_URL",
    WHOLE: "web, a worker and a beat of Celery, with URLs and parts in one file, and a parameter",
    QUEUES: "the same and a worker of RQ",
}
WITH_ORDERS = (WHOLE, QUEUES)
INVENTORIES = {
    WEB: "inventories/sandbox",
    WHOLE: "inventories/sandbox-whole",
    QUEUES: "inventories/sandbox-whole",
    CLUSTER: "inventories/sandbox-cluster",
    MEMCACHED: "inventories/sandbox-memcached",
}
BEAT = "shop-beat"  # on the first host alone, as each would send all jobs
COMMANDS = {
    WEB: {"shop": f"{PYTHON} -m app.serve"},
    CLUSTER: {"shop": f"{PYTHON} -m app.serve"},
    MEMCACHED: {"shop": f"{PYTHON} -m app.serve"},
    WHOLE: {
        "shop": f"{PYTHON} -m app.serve",
        "shop-worker": f"{CELERY} worker --concurrency 2 --loglevel WARNING",
        BEAT: f"{CELERY} beat --loglevel WARNING",
    },
}
COMMANDS[QUEUES] = {**COMMANDS[WHOLE], "shop-rq": f"{PYTHON} -m app.letters"}

UNIT = """[Unit]
Description={name}, of the app that uses the cache
After=network.target
{condition}
[Service]
User=shop
WorkingDirectory=/opt/shop
StateDirectory=shop
ExecStart={command}
Restart=on-failure
RestartSec=1
KillMode=mixed
TimeoutStopSec=30

[Install]
WantedBy=multi-user.target
"""

# stopasgroup stays off: the parent stops its workers itself, one after the other.
PROGRAM = """[program:{name}]
command={command}
directory=/opt/shop
autorestart=unexpected
exitcodes=0
startsecs={seconds}
startretries=3
stopwaitsecs=30
killasgroup=true
redirect_stderr=true
stdout_logfile=/var/lib/{name}.log
"""


def units(app: str, first: str) -> dict[str, str]:
    """By its name each unit of systemd that the hosts have."""
    return {
        name: UNIT.format(name=name, command=command, condition=f"ConditionHost={first}\n" if name == BEAT else "")
        for name, command in COMMANDS[app].items()
    }


def programs(app: str, first: str) -> str:
    """The same for supervisor, which has no conditions: elsewhere than on the first host the beat ends at once."""
    there = f"""sh -c '[ "$(hostname)" != {first} ] || exec {COMMANDS[app].get(BEAT)}'"""
    return "\n".join(
        PROGRAM.format(name=name, command=there if name == BEAT else command, seconds=0 if name == BEAT else 1)
        for name, command in COMMANDS[app].items()
    )


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
    key = hashlib.sha256(f"{python}".encode() + LOCK_FILE.read_bytes()).hexdigest()[:12]
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


def env_file(port: int, old: OldRedis, key: AccessKey, app: str) -> str:
    """A .env as people keep them: comments, quotes, blank lines, and values of others that must survive."""
    reads_only = "SHOP_READS_ONLY=1\n" if old.is_replica else ""
    return f"""# shop, settings of this host
SHOP_PORT=8000
SHOP_TITLE="The 'small' shop"   # shown to customers
{reads_only}
# Cache. Ask in #platform before you change this.
{"CACHE_URL" if app == MEMCACHED else "REDIS_URL"}={old.url}
{_of_the_whole(old) if app in WITH_ORDERS else ""}{_of_rq(old) if app == QUEUES else ""}CACHE_TTL_SECONDS=300

# AWS
export AWS_REGION={REGION}
AWS_ENDPOINT_URL=http://{GATEWAY}:{port}
AWS_ACCESS_KEY_ID={key.id}
AWS_SECRET_ACCESS_KEY='{key.secret} # not a comment'
"""


def _of_the_whole(old: OldRedis) -> str:
    return f"""CELERY_BROKER_URL={old.url_of(1)}
CELERY_RESULT_BACKEND="{old.url_of(2)}"
SESSION_REDIS_HOST={HOST_NAME}
SESSION_REDIS_PORT={PORT}
SESSION_REDIS_PASSWORD='{old.asks_for}'
SESSION_REDIS_DB=3
STOCK_URL_PARAMETER={URL_PARAMETER}
"""


def _of_rq(old: OldRedis) -> str:
    return f"RQ_URL={old.url_of(4)}\n"


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
