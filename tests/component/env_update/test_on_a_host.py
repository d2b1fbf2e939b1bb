"""env_update as Ansible ships it to a host: which Python it needs there, and where its secrets show."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
SECRETS = ("old-secret-3f9c", "new-secret-71ab")
TEXT = f"SESSION_KEY={SECRETS[0]}-session\nREDIS_URL=redis://:{SECRETS[0]}@old-redis.internal:6379/0\n"
NEW = f"rediss://:{SECRETS[1]}@new.cache.internal:6379/0"


@pytest.fixture
def play(tmp_path: Path) -> dict[str, Any]:
    """A play over localhost that changes tmp_path/app/.env, its URL in a variables file."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / ".env").write_text(TEXT)
    (tmp_path / "vars.json").write_text(json.dumps({"new_url": NEW, "session": f"{SECRETS[1]}-session"}))
    task = {
        "kempian.cache_migration.env_update": {
            "store": "dotenv",
            "path": str(tmp_path / "app" / ".env"),
            "values": {"REDIS_URL": "{{ new_url }}", "SESSION_KEY": "{{ session }}"},
            "expected": {"SESSION_KEY": f"{{{{ '{SECRETS[0][:5]}' ~ '{SECRETS[0][5:]}-session' }}}}"},
            "migration_name": "test",
            "state_dir": str(tmp_path / "state"),
        }
    }
    whole = [{"hosts": "localhost", "gather_facts": False, "vars_files": ["vars.json"], "tasks": [task]}]
    (tmp_path / "play.yml").write_text(json.dumps(whole))
    return task["kempian.cache_migration.env_update"]


def start(folder: Path, *options: str, python: str = sys.executable, keep: bool = False) -> subprocess.Popen[str]:
    """``keep`` leaves on the host what was shipped to it."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", *options]
    command += ["-e", f"ansible_python_interpreter={python}", "play.yml"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ANSIBLE_PIPELINING": "0" if keep else "1",
        "ANSIBLE_KEEP_REMOTE_FILES": "1" if keep else "0",
        "ANSIBLE_LOCAL_TEMP": str(folder / "controller"),
        "ANSIBLE_REMOTE_TMP": str(folder / "remote"),
    }
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_no_secret_is_in_the_output_at_any_verbosity(play, tmp_path):
    process = start(tmp_path, "-vvvvv", "--diff")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "+REDIS_URL=rediss://:***@new.cache.internal:6379/0" in output
    assert '"changed": true' in output
    for secret in SECRETS:
        assert secret not in output


def test_a_port_that_equals_a_secret_value_and_a_url_without_a_secret_are_shown(play, tmp_path):
    (tmp_path / "vars.json").write_text(json.dumps({"new_url": "redis://new.cache.internal:6379/0", "session": "6379"}))
    process = start(tmp_path, "-vvv", "--diff")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "+REDIS_URL=redis://new.cache.internal:6379/0" in output and '"port": 6379' in output
    assert "VALUE_SPECIFIED" not in output and SECRETS[0] not in output


def test_no_secret_is_in_a_command_line_or_a_file_while_it_runs(play, tmp_path):
    (tmp_path / "state" / "test").mkdir(parents=True)
    with (tmp_path / "state" / "env_update.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = start(tmp_path)
        wait_for_another_holder(tmp_path / "state" / "env_update.lock")
        shown, kept = command_lines(), files_with_secrets(tmp_path)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "play.yml" in shown
    for secret in SECRETS:
        assert secret not in shown
    assert kept == {"app/.env", "vars.json", "play.yml"}
    assert files_with_secrets(tmp_path) == {"app/.env", "vars.json", "play.yml", "state/test/journal.json"}


def wait_for_another_holder(lock: Path) -> None:
    """Until another process has the file open: the module, which waits for the lock."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if int(link.parts[2]) != os.getpid() and os.readlink(link) == str(lock):
                    return
            except OSError:
                continue  # it has gone
        time.sleep(0.1)
    pytest.fail("the module never came to the lock")


def command_lines() -> str:
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)


def files_with_secrets(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in (*SECRETS, "old-s")):
            found.add(str(path.relative_to(folder)))
    return found


WITHOUT_AWS = """
import json, sys
sys.modules.update({"boto3": None, "botocore": None})  # importing them fails, as on a host without them
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kempian.cache_migration.plugins.modules import env_update
with patch_module_args(json.load(sys.stdin)):
    try:
        env_update.main()
    finally:
        assert not [name for name in sys.modules if name.startswith("ansible_collections.amazon")]
"""


def test_a_file_is_changed_without_loading_any_code_for_aws(tmp_path):
    (tmp_path / ".env").write_text(TEXT)
    task = {"store": "dotenv", "path": str(tmp_path / ".env"), "values": {"REDIS_URL": NEW}}
    task |= {"migration_name": "test", "state_dir": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_AWS], input=json.dumps(task), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"]


def test_what_is_shipped_to_a_host_holds_no_code_for_aws(play, tmp_path):
    process = start(tmp_path, keep=True)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    (shipped,) = (tmp_path / "remote").rglob("AnsiballZ_env_update.py")
    subprocess.run([sys.executable, shipped, "explode"], check=True, capture_output=True)
    names = {path.relative_to(shipped.parent).as_posix() for path in shipped.parent.rglob("*.py")}
    assert any(name.endswith("module_utils/stores/dotenv/store.py") for name in names)
    assert not [name for name in names if "/amazon/" in name or "/aws/" in name or name.endswith("/ssm.py")]


def oldest_python(*versions: str) -> str:
    """The first of these that really runs here: a version manager's shim may be there and still fail."""
    for version in versions:
        beside = Path(shutil.which("python3") or "/").parents[1] / "versions"
        for candidate in (f"python{version}", *map(str, beside.glob(f"{version}.*/bin/python3"))):
            found = shutil.which(candidate)
            if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
                return found
    return pytest.skip(f"none of Python {', '.join(versions)} is installed here")


def test_a_host_with_the_oldest_python_that_this_ansible_core_serves_is_enough(play, tmp_path):
    process = start(tmp_path, python=oldest_python("3.9", "3.10", "3.11"))
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert NEW in (tmp_path / "app" / ".env").read_text()


ON_PYTHON_3_8 = """
import sys
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import (contract)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import (store as dotenv_store)
assert sys.version_info[:2] == (3, 8)
folder, value = sys.argv[1:]
params = {"state": "present", "values": {"REDIS_URL": value}, "migration_name": "test", "create": False}
for state in ("present", "reverted"):
    request = contract.Request.from_params({**params, "state": state})
    with dotenv_store.Location.of(folder + "/.env", folder + "/state", "test") as location:
        planned = dotenv_store.carry_out(request, location, "now")
    print(planned.changes, [contract.mask(each.after) for each in planned.decisions])
"""


def test_the_rooms_for_files_run_on_python_3_8(tmp_path):
    (tmp_path / ".env").write_text(TEXT)
    collection = tmp_path / "lib" / "ansible_collections" / "kempian"
    collection.mkdir(parents=True)
    (collection / "cache_migration").symlink_to(CHECKOUT)
    done = subprocess.run(
        [oldest_python("3.8"), "-B", "-c", ON_PYTHON_3_8, str(tmp_path), "rediss://:x@new:6379/0"],
        env={"PYTHONPATH": str(tmp_path / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "True ['rediss://:***@new:6379/0']"
    assert (tmp_path / ".env").read_text() == TEXT
