"""Starting, standing side by side, and leaving nothing."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sandbox import check, cleanup
from sandbox.api import Sandbox, take_down
from sandbox.machines import CGROUPS
from sandbox.places import Places, SandboxError

from .conftest import CHECKOUT, command_line, needs

pytestmark = pytest.mark.long  # each scenario rests on it

KINDS = ["machines", "processes"]


def traces(name: str) -> dict[str, list[str]]:
    """All that this machine holds of a sandbox."""
    places = Places.of(name)
    return {
        "processes": [str(pid) for pid in cleanup._marked(places)],
        "namespaces": cleanup._namespaces(places),
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(places.root) in line],
        "cgroups": [str(path) for hierarchy in CGROUPS for path in hierarchy.glob(f"{places.id}-*")],
        "files": [str(places.root)] if places.root.exists() else [],
    }


NOTHING = {"processes": [], "namespaces": [], "mounts": [], "cgroups": [], "files": []}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.5])
def test_a_start_that_is_killed_leaves_nothing_that_down_does_not_remove(kind: str, seconds: float) -> None:
    needs(kind)
    starter = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", "killed", "--kind", kind, "--no-seed"],
        cwd=CHECKOUT,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    take_down("killed")
    assert traces("killed") == NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_clears_what_a_crash_of_the_emulator_left_and_stands(kind: str) -> None:
    needs(kind)
    first = Sandbox.up("crashed", hosts=1, kind=kind, seed=False)
    try:
        for pid in cleanup._marked(first.places):
            if b"sandbox.aws" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
        again = Sandbox.up("crashed", hosts=1, kind=kind, seed=False)
        assert again.client("ec2").describe_vpcs()["Vpcs"]
        assert again.run("app1", ["hostname"]).stdout == b"app1\n"
    finally:
        take_down("crashed")
    assert traces("crashed") == NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_two_sandboxes_with_the_same_addresses_stand_side_by_side(sandbox: Sandbox, kind: str) -> None:
    needs(kind)
    other = Sandbox.up("beside", hosts=1, kind=kind, seed=False)
    try:
        assert other.hosts["app1"] == sandbox.hosts["app1"]
        other.write("app1", "/etc/whose", b"other")
        assert sandbox.run("app1", ["test", "-e", "/etc/whose"]).returncode == 1
        other.client("ssm").put_parameter(Name="/whose", Value="other", Type="String")
        names = [p["Name"] for p in sandbox.client("ssm").describe_parameters()["Parameters"]]
        assert "/whose" not in names
    finally:
        other.down()
    assert traces("beside") == NOTHING
    assert sandbox.run("app1", ["hostname"]).stdout == b"app1\n"
    assert sandbox.client("ec2").describe_vpcs()["Vpcs"]


def test_down_of_one_spares_another_whose_name_begins_alike(sandbox: Sandbox) -> None:
    take_down(sandbox.name[:-1])
    assert sandbox.run("app1", ["hostname"]).stdout == b"app1\n"


def test_a_reboot_of_a_machine_keeps_its_files(sandbox: Sandbox) -> None:
    if sandbox.kind != "machines":
        pytest.skip("process hosts cannot be rebooted")
    sandbox.write("app2", "/var/lib/kept", b"still here")
    sandbox.run("app2", ["systemctl", "reboot"])
    time.sleep(0.5)
    deadline = time.monotonic() + 20
    while not was_read(sandbox, "/var/lib/kept"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def was_read(sandbox: Sandbox, path: str) -> bool:
    try:
        return sandbox.read("app2", path) == b"still here"
    except (SandboxError, FileNotFoundError):  # it is down, or on its way
        return False


def test_processes_stand_for_a_plain_user_without_any_capability() -> None:
    needs("processes")
    if os.geteuid():
        pytest.skip("already a plain user: the other tests of processes show it")
    python = Path(sys.executable)
    plain = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    if subprocess.run([*plain, python, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip(f"the user nobody cannot run {python.resolve()}: its folder is closed to others")
    home = Path(tempfile.mkdtemp(prefix="cm-plain-"))
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    sandbox = [*plain, str(python), "-m", "sandbox"]
    up = subprocess.run([*sandbox, "up", "plain"], env=environ, capture_output=True, text=True, check=False)
    try:
        assert up.returncode == 0, up.stderr
        assert "hosts: processes" in up.stderr
        told = subprocess.run(
            [*sandbox, "exec", "plain", "app3", "hostname"], env=environ, capture_output=True, check=False
        )
        assert told.stdout == b"app3\n"
    finally:
        subprocess.run([*sandbox, "down", "plain"], env=environ, check=True)
        shutil.rmtree(home)


def test_a_forced_kind_that_cannot_be_had_is_refused_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "blockers", lambda kind: ["not root"] if kind == "machines" else [])
    with pytest.raises(
        SandboxError, match=r"machines hosts cannot be had: not root\. Hosts without any namespace are not implemented"
    ):
        check.choose("machines", print)


def test_the_choice_says_kind_limits_and_why_not_the_better_one(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("processes")
    monkeypatch.delenv("SANDBOX_HOSTS", raising=False)
    monkeypatch.setattr(check, "_privilege_blockers", lambda: ["not root"])
    said: list[str] = []
    assert check.choose(None, said.append) == "processes"
    assert said[-1].startswith("hosts: processes: supervisor instead of systemd")
    assert said[-1].endswith("(machines cannot be had: not root)")


def test_a_name_that_could_be_taken_for_another_is_refused() -> None:
    for name in ("demo-2", "Demo", "", "a" * 17, "../x"):
        with pytest.raises(SandboxError, match="use 1 to 16 lower-case letters and digits"):
            Places.of(name)


def test_a_state_folder_that_could_not_work_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, reason in (("a:b", "has ':' in it"), ("a" * 80, "would be too long")):
        monkeypatch.setenv("SANDBOX_STATE", str(tmp_path / folder))
        with pytest.raises(SandboxError, match=reason):
            Sandbox.up("odd")
        assert not (tmp_path / folder / "odd").exists()


def test_commands_on_a_sandbox_that_is_not_up_say_how_to_have_it() -> None:
    for arguments in (["env", "nosuch"], ["inventory", "nosuch"], ["exec", "nosuch", "app1", "true"]):
        done = command_line(*arguments)
        assert done.returncode == 1
        assert "sandbox 'nosuch' is not up: run `make sandbox`" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_inventory_script_says_in_one_line_that_the_sandbox_is_not_up() -> None:
    script = CHECKOUT / "inventories/sandbox/hosts"
    done = subprocess.run(
        [script], env={**os.environ, "SANDBOX": "nosuch"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "run `make sandbox`" in done.stderr
