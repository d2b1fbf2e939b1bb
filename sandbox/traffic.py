"""Load on a sandbox's app, sent from where a load balancer would stand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sandbox import host_app, load
from sandbox.api import Sandbox
from sandbox.places import APP_PORT, SandboxError
from sandbox.shell import environment

START_SECONDS = 10
STOP_SECONDS = 40  # longer than the timeout of a request that is under way


class Traffic:
    """A run of sandbox.load in the control namespace; ends by itself after `seconds` at the latest."""

    def __init__(self, sandbox: Sandbox, out: Path, phase: str, rate: float = 50, seconds: float = 600) -> None:
        self.out = out.absolute()
        self.out.unlink(missing_ok=True)
        load.mark(self.out, phase)
        urls = [f"http://{address}:{APP_PORT}" for address in sandbox.hosts.values()]
        command = [sys.executable, "-m", "sandbox.load", "--out", str(self.out), "--rate", str(rate)]
        command += ["--orders"] if sandbox.app in host_app.WITH_ORDERS else []
        self.process = subprocess.Popen(
            sandbox.control_command([*command, "--seconds", str(seconds), *urls]),
            env=environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C ends the story, which then ends the load, and counts to the end
        )
        self._wait_for_first_figures()

    def _wait_for_first_figures(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.out.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise SandboxError(f"the load does not start: it wrote nothing to {self.out}")
            time.sleep(0.05)

    def mark(self, phase: str) -> None:
        load.mark(self.out, phase)

    def figures(self) -> dict[str, Any]:
        """What was counted so far, at most a second old."""
        found: dict[str, Any] = json.loads(self.out.read_text())
        return found

    def stop(self) -> dict[str, Any]:
        """End it if it still runs, and return all it counted."""
        if self.process.poll() is None:
            load.ask_to_stop(self.out)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.figures()
