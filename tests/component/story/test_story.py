"""The stdout callback of the collection: what a person sees of a run."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

PROGRAM = str(Path(sys.executable).with_name("ansible-playbook"))
HOSTS = ("app1", "app2", "app3")
RECAP = re.compile(r"^(\w+) +: ok=(\d+) +changed=(\d+) +unreachable=(\d+) +failed=(\d+) ", re.MULTILINE)

SAY = """
from ansible.plugins.action import ActionBase
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        say.lines(["", "The way", *self._task.args["lines"]])
        return {"changed": False}
"""

PASS: dict[str, Any] = {"name": "Pass", "ansible.builtin.set_fact": {"passed": True}}


def fail(message: str, **keywords: Any) -> dict[str, Any]:
    return {"name": "Fail", "ansible.builtin.fail": {"msg": message}, **keywords}


def debug(**arguments: Any) -> dict[str, Any]:
    return {"name": "Tell", "ansible.builtin.debug": arguments}


def only(host: str) -> str:
    return f"inventory_hostname == '{host}'"


class Play:
    """A play of these tasks on hosts of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts: dict[str, dict[str, Any]] = {host: {"ansible_connection": "local"} for host in HOSTS}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_HOME": os.environ.get("ANSIBLE_HOME", str(folder / "home")),
            "ANSIBLE_STDOUT_CALLBACK": "kempian.cache_migration.story",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
        }

    def add_action(self, name: str, code: str) -> None:
        for folder, text in (("action_plugins", code), ("library", "")):
            (self.folder / folder).mkdir(exist_ok=True)
            (self.folder / folder / f"{name}.py").write_text(text)

    def command(self, tasks: list[dict[str, Any]], *arguments: str) -> list[str]:
        plays = [{"name": "Play", "hosts": "all", "gather_facts": False, "tasks": tasks}]
        (self.folder / "play.yml").write_text(yaml.safe_dump(plays))  # ansible-core shows no excerpt of JSON
        (self.folder / "inventory.yml").write_text(json.dumps({"all": {"hosts": self.hosts}}))
        return [PROGRAM, "-i", "inventory.yml", "play.yml", *arguments]

    def run(self, *tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> str:
        """All that is printed."""
        done = subprocess.run(
            self.command(list(tasks), *arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout

    def told(self, *tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> str:
        """What is printed above the recap, without the empty lines around it."""
        told, found, _recap = self.run(*tasks, arguments=arguments).partition("\nPLAY RECAP ****")
        assert found, told
        return told.strip("\n")


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_what_passes_is_not_told_and_the_recap_is(play: Play) -> None:
    printed = play.run(PASS, {**PASS, "when": False}, {**PASS, "loop": ["a", "b"]}, PASS)
    assert printed.startswith("\nPLAY RECAP ****")
    assert RECAP.findall(printed) == [(host, "3", "0", "0", "0") for host in HOSTS]
    assert len(printed.splitlines()) == 2 + len(HOSTS) + 1


def test_a_task_that_is_there_to_be_read_is_shown_without_its_frame(play: Play) -> None:
    play.hosts = {"app1": play.hosts["app1"]}
    assert play.told(debug(msg=["the first line", "the second"]), debug(msg="{{ 1 + 1 }}")) == (
        "the first line\nthe second\n2"
    )
    assert play.told({**debug(msg="about {{ item }}"), "loop": ["a", "b"]}) == "about a\nabout b"
    play.environment["ANSIBLE_CALLBACK_RESULT_FORMAT"] = "yaml"
    assert play.told(debug(var="[1]")).split() == ["'[1]':", "-", "1"]


def test_an_included_file_is_not_told(play: Play) -> None:
    (play.folder / "more.yml").write_text(json.dumps([PASS]))
    assert play.told({"name": "Include", "ansible.builtin.include_tasks": "more.yml"}) == ""


def test_of_a_failure_the_message_alone_is_told_with_the_hosts_that_have_it(play: Play) -> None:
    tasks = [fail("Nothing listens there.\nStart the app.", when=f"not {only('app2')}"), fail("The disk is full.")]
    assert play.told(*tasks) == "app1, app3: Nothing listens there.\nStart the app.\n\napp2: The disk is full."


def test_what_the_controller_decides_is_told_of_no_host(play: Play) -> None:
    decision = fail("The plan is refused.", run_once=True, delegate_to="localhost")
    assert play.told(decision) == "The plan is refused."


def test_failed_items_of_a_loop_are_told_each_once(play: Play) -> None:
    looped = fail("{{ item }} is refused.", loop=["a", "b", "a"], when=f"item == 'b' or not {only('app3')}")
    assert play.told(looped) == "app1, app2: a is refused.\n\napp1, app2, app3: b is refused."


def test_failures_that_are_rescued_or_ignored_are_not_told(play: Play) -> None:
    (play.folder / "failing.yml").write_text(json.dumps([fail("Not so bad.")]))
    rescued = [
        [fail("Not so bad.")],
        [{"block": [fail("Not so bad.")]}],
        [{"name": "Include", "ansible.builtin.include_tasks": "failing.yml"}],
        [fail("Not so bad.", loop=[1, 2])],
    ]
    ignored = [fail("Not so bad.", ignore_errors=True), fail("Not so bad.", ignore_errors=True, loop=[1, 2])]
    blocks = [{"block": block, "rescue": [PASS]} for block in rescued]
    printed = play.run(*blocks, *ignored)
    assert printed.startswith("\nPLAY RECAP ****")
    assert printed.count("rescued=4    ignored=2") == len(HOSTS)


@pytest.mark.parametrize("part", ["rescue", pytest.param("always", marks=pytest.mark.long)])
def test_a_failure_after_the_block_that_is_rescued_is_told(play: Play, part: str) -> None:
    block = {"block": [fail("Not so bad.")], "rescue": [PASS], part: [fail("That is bad.")]}
    assert play.told(block) == "app1, app2, app3: That is bad."


@pytest.mark.long
def test_a_host_that_cannot_be_reached_is_named_with_the_reason(play: Play, unused_port: Callable[[], int]) -> None:
    port = unused_port()
    play.hosts["app2"] = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_connection": "ssh"}
    ping = {"name": "Ping", "ansible.builtin.ping": {}}
    assert play.told(ping) == (
        "app2 cannot be reached: Failed to connect to the host via ssh: "
        f"ssh: connect to host 127.0.0.1 port {port}: Connection refused"
    )
    assert play.told({**ping, "ignore_unreachable": True}) == ""


def test_of_a_program_that_failed_the_end_of_its_errors_is_told(play: Play) -> None:
    play.hosts = {"app1": play.hosts["app1"]}
    script = "print(*range(9), sep=chr(10), file=__import__('sys').stderr); exit(3)"
    told = play.told({"name": "Run", "ansible.builtin.command": {"argv": [sys.executable, "-c", script]}})
    assert told.splitlines()[0].startswith("app1: ") and "non-zero return code" in told.splitlines()[0]
    assert told.splitlines()[1:] == ["4", "5", "6", "7", "8"]


def test_an_error_of_a_playbook_is_told_without_an_excerpt_of_it(play: Play) -> None:
    in_an_option = {**debug(msg="{{ missing }}"), "when": only("app1")}
    in_a_condition = {**PASS, "when": f"{only('app2')} and missing"}
    first, _empty, second = play.told(in_an_option, in_a_condition).split("\n")
    assert first.startswith("app1: ") and first.endswith("'missing' is undefined")
    assert second.startswith("app2: ") and second.endswith("'missing' is undefined")


def test_a_message_that_may_be_secret_stays_hidden(play: Play) -> None:
    told = play.told({**fail("the token is 1234", no_log=True), "name": "Set the token"}, fail("not reached"))
    assert told.startswith("app1, app2, app3: Set the token: the output has been hidden") and "1234" not in told


def test_a_warning_is_told_once(play: Play) -> None:
    warn = "from ansible.plugins.action import ActionBase\nclass ActionModule(ActionBase):\n"
    warn += "    def run(self, tmp=None, task_vars=None):\n        return {'warnings': ['Mind the gap.']}\n"
    play.add_action("warn", warn)
    assert play.told({"name": "Warn", "warn": {}}, {"name": "Warn again", "warn": {}}) == "[WARNING]: Mind the gap."


def test_what_an_action_says_is_shown_and_by_the_default_callback_too(play: Play) -> None:
    play.hosts = {"app1": play.hosts["app1"]}
    play.add_action("speak", SAY)
    speak = {"name": "Speak", "speak": {"lines": ["a line " * 20, "- another"]}}
    said = f"\nThe way\n{'a line ' * 20}\n- another\n"
    assert play.told(speak) == said.strip("\n")
    play.environment["ANSIBLE_STDOUT_CALLBACK"] = "default"
    assert said in play.told(speak)


def test_on_a_terminal_it_is_broken_between_words_and_commands_stay_whole(play: Play) -> None:
    play.hosts = {"app1": play.hosts["app1"]}
    play.add_action("speak", SAY)
    command = "ansible-playbook playbooks/rollback.yml -i inventories/prod --limit app2"
    speak = {"name": "Speak", "speak": {"lines": [f"- {'word ' * 30}then: {command}"]}}
    wide = ["- " + "word " * 18 + "word", "  " + "word " * 11 + "then:", "  " + command]
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with open(ours, "rb", buffering=0) as screen:
        run = subprocess.Popen(play.command([speak]), cwd=play.folder, env=play.environment, stdout=terminal)
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says when the other end is closed
            while chunk := screen.read(4096):
                shown += chunk
        assert run.wait(30) == 0
    assert "\n".join(wide) in shown.decode().replace("\r\n", "\n")


@pytest.mark.long
def test_a_diff_is_not_told_since_the_plan_says_it(play: Play) -> None:
    copy = {"name": "Copy", "ansible.builtin.copy": {"dest": str(play.folder / "new"), "content": "new\n"}}
    assert play.told(copy, arguments=("--check", "--diff")) == ""


@pytest.mark.parametrize("level", ["-v", pytest.param("-vv", marks=pytest.mark.long)])
def test_when_more_is_asked_for_all_is_as_the_default_shows_it(play: Play, level: str) -> None:
    play.hosts = {"app1": play.hosts["app1"]}
    tasks = [
        PASS,
        {**PASS, "when": False},
        debug(msg="read this"),
        {**PASS, "loop": ["a", "b"]},
        fail("Not so bad.", ignore_errors=True),
        {"block": [fail("That is bad.", loop=["a"])], "rescue": [PASS]},
        fail("That is worse."),
    ]
    shown = play.run(*tasks, arguments=(level,))
    play.environment["ANSIBLE_STDOUT_CALLBACK"] = "default"
    default = play.run(*tasks, arguments=(level,))
    beginning = "PLAY [Play]"
    assert shown.partition(beginning)[1:] == default.partition(beginning)[1:]
    assert "TASK [Pass]" in shown and "...ignoring" in shown and "That is worse." in shown


@pytest.mark.long
def test_a_run_that_is_interrupted_tells_what_had_failed_by_then(play: Play) -> None:
    script = (
        "import pathlib, sys, time; pathlib.Path('begun').touch(); time.sleep(60 if 'app2' in sys.argv else 0); exit(1)"
    )
    argv = [sys.executable, "-c", script, "{{ inventory_hostname }}"]
    failing = {"name": "Wait", "ansible.builtin.command": {"argv": argv, "chdir": str(play.folder)}}
    with (play.folder / "printed").open("w") as printed:
        run = subprocess.Popen(
            play.command([failing]),
            cwd=play.folder,
            env=play.environment,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        end = time.monotonic() + 60
        while not (play.folder / "begun").exists():
            assert run.poll() is None and time.monotonic() < end, (play.folder / "printed").read_text()
            time.sleep(0.1)
        time.sleep(2)  # the others have answered by then
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        run.wait(30)
    assert "\napp1, app3: " in (play.folder / "printed").read_text()
