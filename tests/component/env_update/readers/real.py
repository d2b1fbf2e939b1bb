"""The readers of .env files themselves, each installed and run: one long-lived process reads many files."""

from __future__ import annotations

import ctypes
import glob
import json
import logging
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import decouple
import dotenv
import environ

from tests.component.env_update.readers.installed import Installed

HERE = Path(__file__).parent
NO_PROGRAMS = "/nonexistent"  # a file that is read as a script calls none

Read = Mapping[str, str] | None  # None: the reader ended with an error
Reader = Callable[[Path], Read]


def python_dotenv(path: Path) -> Read:
    try:
        return {key: value for key, value in dotenv.dotenv_values(path).items() if value is not None}
    except UnicodeDecodeError:
        return None


def django_environ(path: Path) -> Read:
    logging.getLogger("environ").setLevel(logging.CRITICAL)

    class Environment(environ.Env):  # type: ignore[misc]
        ENVIRON: dict[str, str] = {}  # noqa: RUF012 - the name is django-environ's

    try:
        Environment.read_env(path, overwrite=True)
    except UnicodeDecodeError:
        return None
    asked = Environment()
    return {key: asked.str(key, default="") for key in Environment.ENVIRON}


def python_decouple(path: Path) -> Read:
    try:
        return dict(decouple.RepositoryEnv(str(path)).data)
    except UnicodeDecodeError:
        return None


def systemd_library() -> str:
    """Its name ends with the release."""
    return sorted(glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so"))[-1]


def systemd() -> Reader:
    """systemd's own parser, out of its shared library: what the manager calls for EnvironmentFile=, then its check."""
    library = ctypes.CDLL(systemd_library())
    vector = ctypes.POINTER(ctypes.c_char_p)
    load, clean = library.load_env_file, library.strv_env_clean_with_callback
    load.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(vector)]
    clean.argtypes, clean.restype = [vector, ctypes.c_void_p, ctypes.c_void_p], vector

    def read(path: Path) -> Read:
        found = vector()
        if load(None, os.fsencode(path), ctypes.byref(found)) < 0:
            return None
        kept, number, values = clean(found, None, None), 0, {}
        while kept and (one := kept[number]):
            key, _, value = one.decode().partition("=")
            values[key], number = value, number + 1
        return values

    return read


@contextmanager
def process(*command: str, cwd: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command, cwd=cwd, env={"PATH": NO_PROGRAMS, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        yield started
        assert started.stdin
        started.stdin.close()
        started.wait(10)


def json_of(started: subprocess.Popen[bytes]) -> Reader:
    def read(path: Path) -> Read:
        assert started.stdin and started.stdout
        started.stdin.write(os.fsencode(path) + b"\n")
        started.stdin.flush()
        told: Read = json.loads(started.stdout.readline())
        return told

    return read


def variables_of(started: subprocess.Popen[bytes]) -> Reader:
    def read(path: Path) -> Read:
        assert started.stdin and started.stdout
        started.stdin.write(os.fsencode(path) + b"\n")
        started.stdin.flush()
        told = b""
        while not (told == b"\0" or told.endswith(b"\0\0")):
            told += started.stdout.read1()
        pairs = [one.partition(b"=") for one in told.split(b"\0") if one]
        values = {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs}
        return values or None

    return read


@contextmanager
def readers(installed: Installed, folder: Path) -> Iterator[Mapping[str, Reader]]:
    """All but compose, which is asked for many files at once."""
    with ExitStack() as running:
        start = running.enter_context
        node = start(process(installed.node, str(HERE / "read.js"), cwd=folder, NODE_PATH=str(installed.modules)))
        ruby = start(process(installed.ruby, str(HERE / "read.rb"), cwd=folder, LANG="C.UTF-8"))
        shell = start(process(installed.dash, str(HERE / "read.sh"), cwd=folder))
        yield {
            "python-dotenv": python_dotenv,
            "django-environ": django_environ,
            "python-decouple": python_decouple,
            "node": json_of(node),
            "ruby": json_of(ruby),
            "systemd": systemd(),
            "sh": variables_of(shell),
        }


def compose(program: str, paths: Sequence[Path], folder: Path) -> list[Mapping[str, str]]:
    """docker compose itself, which needs no daemon to say what its services would get. A file that it does not take
    ends it, with the file's name.
    """
    services = {f"s{number}": {"image": "x", "env_file": [str(path)]} for number, path in enumerate(paths)}
    (folder / "compose.json").write_text(json.dumps({"name": "readers", "services": services}))
    command = [program, "-f", str(folder / "compose.json"), "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=folder, env={"PATH": NO_PROGRAMS, "HOME": str(folder)}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)["services"]
    return [
        {key: (value or "").replace("$$", "$") for key, value in (told[name].get("environment") or {}).items()}
        for name in services
    ]
