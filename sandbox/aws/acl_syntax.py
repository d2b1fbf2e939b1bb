"""Whether an engine takes the rules of an access string: it is asked, as nobody else knows its commands."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from sandbox.aws.engines import Binaries, EngineMissing

# An engine ends where it cannot load a user. So there is always one that it cannot load, after the one that is asked
# for.
ASKED, LAST = "asked", "last"
NO_RULE = "+no-such-command"


def fault_of(access_string: str, binaries: Binaries) -> str:
    """What the engine says against it, empty where it takes it. Engines know different commands: one is enough."""
    answers = [_ask(program, access_string) for program in _programs(binaries)]
    return "" if "" in answers else answers[0]


def _programs(binaries: Binaries) -> list[Path]:
    found = []
    for engine in ("valkey", "redis"):
        try:
            found.append(binaries.find(engine))
        except EngineMissing:
            continue
    return found


def _ask(program: Path, access_string: str) -> str:
    with tempfile.TemporaryDirectory(prefix="acl-") as folder:
        lines = ["port 0", f"unixsocket {folder}/s", 'save ""', f"dir {folder}"]
        lines += [f"user {ASKED} {access_string}", f"user {LAST} {NO_RULE}"]
        answer = subprocess.run(
            [program, "-"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=20, check=False
        )
    said = [line for line in answer.stdout.splitlines() if "Error" in line]
    if any(f"named '{LAST}'" in line for line in said) or not said:
        return ""
    return said[0].partition("Error")[2].strip(": ")
