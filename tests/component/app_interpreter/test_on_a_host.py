"""A real play over a real host, whose inventory says that root is become."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import check
from sandbox.api import Sandbox
from sandbox.rootfs import SHOP_UID
from sandbox.shell import environment

# What the app's user may put in the place of his interpreter.
EVIL = b"""#!/bin/sh
cat >/dev/null
id -u >>/opt/shop/own/ran
id -G >>/opt/shop/own/ran
cat /opt/shop/own/answer
"""
OMIT = "{{ omit }}"
FORGED = {
    "probe": {
        "checks": [],
        "server": {"engine": "redis", "version": "7.0.15", "role": "master", "mode": "standalone"},
        "client_address": "127.0.0.1",
        "latency_ms": {},
        "through": "forged",
        "advice": [],
        "failure": None,
        "ansible_facts": {"stolen": "yes"},
    },
    "ansible_facts": {"migration_supervisorctl": ["/tmp/evil"], "stolen": "yes"},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    if found := check.usable("machines", print):
        pytest.skip(f"machines hosts cannot be had here: {'; '.join(found)}")
    folder = Path(tempfile.mkdtemp(prefix="cm-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_STATE", str(folder))
        made = Sandbox.up("ai", hosts=1, kind="machines", creating_seconds=1)
        yield made
        made.down()
    shutil.rmtree(folder)


@pytest.fixture
def play(sandbox: Sandbox, tmp_path: Path):
    """Run tasks over the host, with the line in its inventory that beats a task's become_user."""
    (tmp_path / "hosts").mkdir()
    script = tmp_path / "hosts" / "sandbox"
    script.write_text(f"#!/bin/sh\ncat {sandbox.places.inventory}\n")
    script.chmod(0o755)
    (tmp_path / "hosts" / "group_vars").mkdir()
    (tmp_path / "hosts" / "group_vars" / "app.yml").write_text("ansible_become: true\nansible_become_user: root\n")

    def run(*tasks: dict) -> str:
        plays = [{"hosts": "app", "gather_facts": False, "tasks": list(tasks)}]
        (tmp_path / "play.yml").write_text(json.dumps(plays))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts/sandbox", "-vvv", "play.yml"],
            cwd=tmp_path,
            env={**environment(), **sandbox.env, "HOME": str(tmp_path), "ANSIBLE_PIPELINING": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 and "app1 " in done.stdout, done.stdout + done.stderr
        return done.stdout

    return run


def asserting(*conditions: str) -> dict:
    return {"ansible.builtin.assert": {"that": list(conditions)}}


@pytest.mark.long
def test_what_the_apps_user_put_in_the_place_of_his_interpreter_runs_as_him_and_sets_no_variable(sandbox, play):
    sandbox.run("app1", ["rm", "-rf", "/opt/shop/own"], check=True)
    sandbox.run("app1", ["install", "-d", "-o", "shop", "/opt/shop/own"], check=True)
    sandbox.write("app1", "/opt/shop/own/python", EVIL)
    sandbox.write("app1", "/opt/shop/own/answer", json.dumps(FORGED).encode())
    sandbox.run("app1", ["chmod", "755", "/opt/shop/own/python"], check=True)
    who = {"python": "/opt/shop/own/python", "user": "shop"}
    play(
        {"kempian.cache_migration.cache_probe": {"url": "redis://127.0.0.1:1/0", **who}, "register": "probed"},
        {
            "kempian.cache_migration.app_host_info": {
                "migration_name": "test",
                "old": {"url": "redis://127.0.0.1:1/0"},
                "survey": {},
                **who,
            },
            "register": "looked",
        },
        asserting(
            *("probed.reached", "probed.through == 'forged'", "probed.word_of == 'app'"),
            *("looked.old.failure.kind == 'app_interpreter'", "looked.survey.failure.kind == 'refused'"),
            *("stolen is not defined", "migration_supervisorctl is not defined"),
        ),
    )
    assert sandbox.read("app1", "/opt/shop/own/ran").split() == [str(SHOP_UID).encode()] * 4


@pytest.mark.long
def test_the_apps_own_redis_py_proves_the_old_redis_as_the_apps_user(sandbox, play):
    url = sandbox.read("app1", "/opt/shop/.env").partition(b"REDIS_URL=")[2].split()[0].decode()
    ask = {"env_path": "/opt/shop/.env", "python": "/opt/shop/venv/bin/python", "user": "shop"}
    output = play(
        {"kempian.cache_migration.cache_probe": ask, "register": "answer"},
        asserting("answer.reached", "answer.through is match('redis-py')", "answer.location.port == 6379"),
        {
            "kempian.cache_migration.cache_probe": {**ask, "url": "redis://:6379@127.0.0.1:6379/0", "env_path": OMIT},
            "register": "answer",
            "ignore_errors": True,
        },
        asserting("answer.location.port == 6379", "'127.0.0.1:6379 refuses' in answer.msg"),
    )
    password = url.partition(":")[2].partition(":")[2].partition("@")[0]
    assert len(password) > 8 and password not in output


@pytest.fixture(scope="module", autouse=True)
def no_file_is_left(sandbox: Sandbox) -> Iterator[None]:
    """The app's virtual environment stays as it is, and so does what lies beside it."""
    listed = ["sh", "-c", "find /opt/shop/venv /tmp -type f | sort | md5sum"]
    before = sandbox.run("app1", listed).stdout
    yield
    assert sandbox.run("app1", listed).stdout == before
