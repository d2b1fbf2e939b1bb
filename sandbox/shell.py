"""Running programs: on the machine, or in a namespace of a sandbox."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.places import SandboxError, cache_root

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def tools_bin() -> Path:
    """Programs that packages.py unpacked or renamed; first on the PATH of everything that a sandbox starts."""
    return cache_root() / "tools" / "bin"


def environment(**more: str) -> dict[str, str]:
    """The caller's environment, without what could send a sandbox to a real AWS account or through a proxy."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("AWS_") and key.lower() not in ("http_proxy", "https_proxy", "all_proxy", "pythonpath")
    }
    path = f"{tools_bin()}:{kept.get('PATH', '')}:{SYSTEM_PATH}"  # a plain user's PATH often lacks the sbin folders
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8", **more}


def run(
    argv: Sequence[str], *, input: str | None = None, check: bool = True, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        list(argv), input=input, capture_output=True, text=True, check=False, env=dict(env or environment())
    )
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise SandboxError(f"`{' '.join(argv)}` failed ({done.returncode}): {said[-1] if said else 'no message'}")
    return done


@dataclass(frozen=True)
class Ground:
    """Whose namespaces are meant: the machine's, or (`enter` not empty) those inside an unprivileged namespace."""

    enter: tuple[str, ...] = ()

    def command(self, argv: Iterable[str], netns: str | None = None) -> list[str]:
        inside = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
        return [*self.enter, *inside, *argv]

    def run(
        self, *argv: str, netns: str | None = None, input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return run(self.command(argv, netns), input=input, check=check)

    def spawn(
        self, argv: Iterable[str], *, netns: str, log: Path, env: Mapping[str, str], pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a process that outlives us. It never inherits our output, or `up | grep` would hang for ever."""
        with open(log, "ab") as stream:
            return subprocess.Popen(
                self.command(argv, netns),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=dict(env),
                pass_fds=pass_fds,
                start_new_session=True,
            )
