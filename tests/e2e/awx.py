"""A job as AWX runs it: ansible-runner transmits it into a container, works there, and processes what comes back.

Docker is not to be had in the tests, so the container is made of namespaces: the worker is its first process, whose end
is the end of all. It has a fresh private folder, a home that cannot be written to, and the collections of an image.
Unlike in a container it sees the files of this machine; those of this collection that it opens are noted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import ansible_runner
import yaml

from sandbox.api import Sandbox
from tests.artefact import CHECKOUT, TOOLS, alone, tool

OF_THE_PROJECT = ("ansible.cfg", "playbooks")  # the collection is that of the image
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTAINER = """
mount --bind "$HOME" "$HOME" && mount -o remount,ro,bind "$HOME" &&
exec ansible-runner worker --private-data-dir "$1"
"""
NAMESPACES = ("unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
NOTES = """
import os
import sys

note = os.open(os.environ["NOTE_OPENED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def opened(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)):
        path = os.fsencode(args[0])
        if b"kempian/cache_migration" in path or (path.startswith(checkout) and not path.startswith(tools)):
            os.write(note, path + b"\\n")


checkout = os.environ["NOTE_CHECKOUT"].encode() + b"/"
tools = checkout + b".venv/"
sys.addaudithook(opened)
"""
PATTERN = CHECKOUT / "extensions/patterns/migration/data"
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Template:
    """A job template, of the data by which AWX is configured."""

    name: str  # without the prefix that all have
    playbook: str
    check: bool
    extra_vars: Mapping[str, Any]
    survey: tuple[Mapping[str, Any], ...]

    def variables(self, answers: Mapping[str, Any], tmp: Path) -> dict[str, Any]:
        """The extra variables of a job, as AWX makes them of what a person answers. What it refuses is a mistake.

        ``tmp`` stands for the container's own.
        """
        asked = {question["variable"]: question for question in self.survey}
        given = {
            name: answers.get(name, question.get("default"))
            for name, question in asked.items()
            if answers.get(name, question.get("default")) not in (None, "")
        }
        assert answers.keys() <= asked.keys(), f"{self.name} does not ask for {answers.keys() - asked.keys()}"
        missing = [name for name, question in asked.items() if question["required"] and name not in given]
        assert missing == [], f"{self.name} needs an answer for {missing}"
        wrong = {name: answer for name, answer in given.items() if not is_an_answer(asked[name], answer)}
        assert wrong == {}, f"{self.name} does not take {wrong}"
        fixed = {name: str(value).replace("/tmp/", f"{tmp}/") for name, value in self.extra_vars.items()}
        return {**fixed, **given}


class Untrusted(yaml.SafeDumper):
    """Every text is one that is never a template."""


Untrusted.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def extravars(variables: Mapping[str, Any], trusted: Mapping[str, Any]) -> str:
    """The file of a job's variables as AWX writes it: templates are for who may edit a job template alone."""
    return "".join(
        yaml.dump({name: value}, Dumper=yaml.SafeDumper if trusted.get(name) == value else Untrusted)
        for name, value in variables.items()
    )


def is_an_answer(question: Mapping[str, Any], answer: Any) -> bool:
    kind = question["type"]
    if kind == "multiselect":
        return isinstance(answer, list) and set(answer) <= set(question["choices"].splitlines())
    if kind == "multiplechoice":
        return answer in question["choices"].splitlines()
    if kind in ("integer", "float"):
        return isinstance(answer, int if kind == "integer" else float)
    return isinstance(answer, str) and len(answer) >= question.get("min", 0)


def templates() -> dict[str, Template]:
    surveys = yaml.safe_load((PATTERN / "surveys.yml").read_text())["awx_surveys"]
    found = {}
    for one in yaml.safe_load((PATTERN / "templates.yml").read_text())["controller_templates"]:
        name = one["name"].partition(": ")[2]
        survey = re.search(r"awx_surveys\.(\w+)", one.get("survey_spec", ""))
        asks = tuple(surveys[survey[1]]["spec"]) if survey else ()
        found[name] = Template(name, one["playbook"], one["job_type"] == "check", one.get("extra_vars", {}), asks)
    return found


@dataclass
class Job:
    """A job that has ended: what AWX has of it, and what else is left of it."""

    folder: Path
    status: str
    seconds: float
    events: list[tuple[float, Event]]  # with the second of the job in which each came
    opened: set[str]  # files of this collection, and of the checkout
    outside: list[Path]  # what it left outside of its private folder

    @property
    def text(self) -> str:
        return COLOUR.sub("", "\n".join(event["stdout"] for _came, event in self.events if event.get("stdout")))

    def running(self) -> list[str]:
        """Processes that are left of it, by their commands."""
        mark, found = f"NOTE_OPENED={self.folder}/".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text())
            except OSError:  # ended meanwhile
                continue
        return found

    @property
    def artifacts(self) -> dict[str, Any]:
        """What AWX shows as the artifacts of the job, and hands on in a workflow."""
        return self._stats.get("artifact_data", {})

    @property
    def changed(self) -> dict[str, int]:
        """By host; those where nothing changed are left out."""
        return self._stats.get("changed", {})

    @property
    def _stats(self) -> dict[str, Any]:
        stats = [event["event_data"] for _came, event in self.events if event["event"] == "playbook_on_stats"]
        return dict(stats[-1]) if stats else {}


@dataclass
class Awx:
    """What launches jobs, one after the other, each in a container of its own that begins with the same image."""

    sandbox: Sandbox
    collections: Path
    folder: Path
    launched: list[str] = field(default_factory=list)

    def launch(
        self,
        template: Template,
        answers: Mapping[str, Any],
        after: Job | None = None,
        cancel_at: Callable[[Event], bool] | None = None,
    ) -> Job:
        """Launch a template with these answers; in a workflow it has the artifacts of the job before.

        At the first event for which `cancel_at` says so it is cancelled.
        """
        self.launched.append(template.name)
        number = len(self.launched)
        folder = self.folder / f"job-{number}"
        variables = {**template.variables(answers, folder / "tmp"), **(after.artifacts if after else {})}
        of_awx = {"awx_job_id": number, "awx_job_template_name": template.name, "awx_user_name": f"user-{number}"}
        self._lay_out(folder, extravars({**variables, **of_awx}, template.extra_vars), template.check)
        private = Path(tempfile.mkdtemp(prefix="awx-", dir="/tmp"))  # short, as ssh makes a socket in it
        try:
            job = self._work(folder, private, template.playbook, cancel_at)
        finally:
            shutil.rmtree(private)
        print(f"\njob {number}: {template.name}\n{job.text}\n-> {job.status} after {job.seconds:.1f} s")
        return job

    def _lay_out(self, folder: Path, extra_vars: str, check: bool) -> None:
        """The private folder that AWX prepares."""
        for name in ("project", "inventory", "env", "artifacts", "home", "tmp", "notes"):
            (folder / name).mkdir(parents=True)
        for name in OF_THE_PROJECT:
            source = CHECKOUT / name
            if source.is_dir():
                shutil.copytree(source, folder / "project" / name, ignore=shutil.ignore_patterns("collections"))
            else:
                shutil.copy(source, folder / "project")
        hosts = folder / "inventory/hosts"
        hosts.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(self._inventory)!r})\n")
        hosts.chmod(0o700)
        (folder / "env/extravars").write_text(extra_vars)
        (folder / "env/envvars").write_text(json.dumps(self._credentials(self.sandbox.env)))
        (folder / "env/settings").write_text(json.dumps({"pexpect_timeout": 1}))
        (folder / "env/cmdline").write_text("--check --diff" if check else "--diff")
        if self._key:
            (folder / "env/ssh_key").write_text(Path(self._key).read_text())
        (folder / "notes/sitecustomize.py").write_text(NOTES)

    @cached_property
    def _inventory(self) -> dict[str, Any]:
        """As AWX has it of a source: all variables in it. The key is a machine credential, and its agent's."""
        command = ("ansible-inventory", "-i", self.sandbox.inventory, "--list", "--export")
        told = tool(*command, env={**alone(self.collections), **self.sandbox.env})
        assert told.returncode == 0, told.stderr
        found = dict(json.loads(told.stdout))
        del found["_meta"]["profile"]  # AWX keeps hosts, groups and variables, and makes a script of them
        for number, variables in enumerate(found["_meta"]["hostvars"].values(), 1):
            for name in ("ansible_ssh_private_key_file", "ansible_control_path_dir"):
                variables.pop(name, None)
            variables.update(remote_tower_enabled="true", remote_tower_id=number)
        return found

    @property
    def _key(self) -> str:
        found = json.loads(self.sandbox.places.inventory.read_text())["_meta"]["hostvars"]
        keys = (one.get("ansible_ssh_private_key_file") for one in found.values())
        return next(filter(None, keys), "")  # hosts that are processes have no ssh

    @staticmethod
    def _credentials(environment: Mapping[str, str]) -> dict[str, str]:
        return {
            name: value for name, value in environment.items() if name.startswith("AWS_") or name.lower() == "no_proxy"
        }

    def _work(self, folder: Path, private: Path, playbook: str, cancel_at: Callable[[Event], bool] | None) -> Job:
        stream, noted = folder / "transmitted", folder / "notes/opened"
        common = {"ident": "1", "cancel_callback": lambda: False}  # or it takes the signals of the tests
        with stream.open("wb") as out:
            ansible_runner.run(
                streamer="transmit", _output=out, private_data_dir=str(folder), playbook=playbook, **common
            )
        container = {
            **alone(self.collections),
            "PATH": f"{TOOLS}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "ANSIBLE_HOME": str(private / ".ansible"),  # where an image's own entry point would have put the home
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(private / "cp"),
            "ANSIBLE_FORCE_COLOR": "true",
            "PYTHONPATH": str(folder / "notes"),
            "NOTE_OPENED": str(noted),
            "NOTE_CHECKOUT": str(CHECKOUT),
        }
        events: list[tuple[float, Event]] = []
        began = time.monotonic()
        with stream.open("rb") as given, (folder / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [*NAMESPACES, "sh", "-c", CONTAINER, "sh", str(private)],
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=log,
                env=container,
            )

            def came(event: Event) -> bool:
                nonlocal cancel_at
                events.append((time.monotonic() - began, event))
                if cancel_at and cancel_at(event):
                    cancel_at = None
                    ask_to_end(worker)
                return True

            processed = ansible_runner.run(
                streamer="process",
                _input=worker.stdout,
                private_data_dir=str(folder),
                event_handler=came,
                quiet=True,
                **common,
            )
            worker.wait(timeout=60)
        opened = set(noted.read_text().splitlines()) if noted.exists() else set()
        asked_for = (folder / "env/extravars").read_text()
        places = [path for name in ("home", "tmp") for path in (folder / name).rglob("*")]
        outside = [path for path in places if f"'{path}'" not in asked_for]
        return Job(folder, processed.status, time.monotonic() - began, events, opened, outside)


def ask_to_end(worker: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the first process of the container, as when its job is cancelled."""
    (first,) = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
