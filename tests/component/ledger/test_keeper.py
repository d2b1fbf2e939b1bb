"""The keeper of a lock connects as the module does, and a run learns where it cannot."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger, lock
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import lock_keeper, run

NAME = "kept"
PLAY = {"hosts": "localhost", "connection": "local", "gather_facts": False}
LOCK = "kempian.cache_migration.migration_lock"
WAIT = {"ansible.builtin.wait_for": {"path": "{{ go }}", "timeout": 60}}
Play = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def without_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's own account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Starts a playbook of a task that takes the lock, and a wait that ends when the file `go` is made."""
    started = []

    def start(options: dict[str, Any], environ: dict[str, str], **task: Any) -> subprocess.Popen[str]:
        tasks = [{LOCK: {"migration_name": NAME, **options}, **task}, WAIT]
        (tmp_path / "play.yml").write_text(json.dumps([{**PLAY, "tasks": tasks}]))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        variables = json.dumps({"go": str(tmp_path / "go"), "ansible_python_interpreter": sys.executable})
        process = subprocess.Popen(
            [program, "play.yml", "-vvvv", "-i", "localhost,", "-e", variables],
            cwd=tmp_path,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def until(is_so: Callable[[], bool], otherwise: str, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)


def keepers() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().decode(errors="replace").split("\0")[:-1]
            if len(line) == 3 and line[1].endswith("lock_keeper.py") and line[2] == NAME:
                found.append(int(path.parts[2]))
    return found


@pytest.mark.parametrize("where", ["environment", "aliases", "the task's environment"])
@pytest.mark.long
def test_a_lock_is_kept_and_let_go_of_wherever_the_connection_is_named(
    where: str, play: Play, connect_ssm: Callable[[], Any], moto_options: dict[str, str], tmp_path: Path
) -> None:
    ssm, url = connect_ssm(), moto_options["endpoint_url"]
    names = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_KEY": "hush-4711"}
    options: dict[str, Any] = {"seconds": 10}
    if where == "environment":
        process = play(options, {**names, "AWS_URL": url})
    elif where == "aliases":
        options.update(
            aws_region="us-east-1", aws_endpoint_url=url, aws_config={"retries": {"max_attempts": "{{ 1 + 1 }}"}}
        )
        options.update(aws_access_key_id=names["AWS_ACCESS_KEY"], aws_secret_access_key=names["AWS_SECRET_KEY"])
        process = play(options, {})
    else:
        process = play(options, {}, environment={**names, "AWS_URL": url})
    until(lambda: bool(lock.look(ssm, NAME)[0]), "the lock is not taken")
    first = lock.look(ssm, NAME)[0]

    def is_renewed() -> bool:
        now = lock.look(ssm, NAME)[0]
        return bool(first and now and now.id == first.id and now.expires > first.expires)

    until(is_renewed, "the lock is not renewed")
    assert len(keepers()) == 1
    (tmp_path / "go").touch()
    said, _nothing = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert where != "environment" or "hush-4711" not in said
    until(lambda: lock.look(ssm, NAME)[0] is None and not keepers(), "the lock is not let go of")


def test_a_run_that_is_killed_before_it_has_the_lock_leaves_none(
    play: Play, connect_ssm: Callable[[], Any], moto_options: dict[str, str]
) -> None:
    """The worker of its task goes on without it."""
    process = play(dict(moto_options), {})
    until(lambda: bool(keepers()), "no keeper is started")
    process.kill()
    process.wait()
    until(lambda: not keepers(), "the keeper does not end")
    time.sleep(2)  # for the worker to come to its end
    assert lock.look(connect_ssm(), NAME)[0] is None


# As a container: with its first process, all others of it end at once.
CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
CONTAINER += [] if os.geteuid() == 0 else ["--map-root-user"]
HELD = {LOCK: {"migration_name": NAME}, "register": "held"}
ENDS = {
    "by itself": [],
    "by a failure": [{"ansible.builtin.fail": {"msg": "on purpose"}}],
    "by SIGTERM": [{"ansible.builtin.command": "kill -TERM {{ held.lock.pid }}"}, {"ansible.builtin.pause": None}],
}


@pytest.mark.parametrize("end", ENDS)
def test_a_container_that_ends_with_its_run_leaves_no_lock(
    end: str, connect_ssm: Callable[[], Any], moto_options: dict[str, str], tmp_path: Path
) -> None:
    tasks = [HELD, {"ansible.builtin.debug": {"msg": "held by {{ held.lock.pid }}"}}, *ENDS[end]]
    defaults = {"group/kempian.cache_migration.cache_migration": moto_options}
    (tmp_path / "play.yml").write_text(json.dumps([{**PLAY, "module_defaults": defaults, "tasks": tasks}]))
    program = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml"]
    # An init as containers have: it ends when its child does.
    done = subprocess.run(
        [*CONTAINER, "sh", "-c", '"$@"; exit $?', "init", *program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "held by" in done.stdout, done.stdout + done.stderr
    assert (done.returncode == 0) == (end == "by itself")
    assert lock.look(connect_ssm(), NAME)[0] is None


def test_a_keeper_that_is_asked_to_end_lets_go_of_the_lock_first(
    connect_ssm: Callable[[], Any], moto_options: dict[str, str]
) -> None:
    ssm = connect_ssm()
    me = lock.Holder("ann", "desk", os.getpid(), run.started(os.getpid()), "migrate.yml")
    lock.hold(ssm, NAME, me)
    order = {"migration_name": NAME, "holder": asdict(me), "seconds": 300, "options": moto_options}
    lock_keeper.start(order, {}, [str(Path(ledger.__file__).parents[6])])
    (keeper,) = keepers()
    os.kill(keeper, signal.SIGTERM)
    until(lambda: lock.look(ssm, NAME)[0] is None, "the lock is not let go of", seconds=5)


def test_a_run_whose_lock_nobody_can_keep_stops_and_leaves_no_lock(
    play: Play, connect_ssm: Callable[[], Any], moto_options: dict[str, str], tmp_path: Path
) -> None:
    # The module has imported it by then; the keeper has not.
    (tmp_path / "botocore.py").write_text("raise RuntimeError('broken on purpose')\n")
    process = play(dict(moto_options), {}, environment={"PYTHONPATH": str(tmp_path)})
    said, _nothing = process.communicate(timeout=60)
    assert process.returncode != 0
    said = " ".join(said.split())
    assert "keeps the lock of the migration as long as this run lives cannot do so" in said
    assert "broken on purpose" in said and "The lock was not taken" in said
    assert lock.look(connect_ssm(), NAME)[0] is None


def test_a_keeper_that_cannot_connect_says_why(moto_options: dict[str, str]) -> None:
    holder = {"user": "ann", "host": "desk", "pid": os.getpid(), "started": "1", "what": "migrate.yml"}
    order = {"migration_name": NAME, "holder": holder, "seconds": 60}
    collections = [str(Path(ledger.__file__).parents[6])]
    for options, why in (
        ({name: moto_options[name] for name in ("access_key", "secret_key", "endpoint_url")}, "requires a region"),
        ({**moto_options, "endpoint_url": "http://127.0.0.1:1"}, "Could not connect"),
        ({"region": "us-east-1", "profile": "nobody"}, "nobody"),
    ):
        with pytest.raises(lock_keeper.NotKept, match=why) as refused:
            lock_keeper.start({**order, "options": options}, {}, collections)
        assert moto_options["secret_key"] not in str(refused.value)
