"""What scenarios of the data write beside the app, and hold against each other: every key of both sides."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from sandbox.shell import environment

RATE = 2000
SLACK_MS = 2000  # a key may live a little longer at a target that follows
WRITER = Path(__file__).with_name("programs") / "writer.py"
Keys = dict[str, tuple[str, int]]
# Of each key its digest and when it expires.
EACH = """
import hashlib, json, redis
from sandbox.seed import raw_client, value_of
found = {}
for number in (0, 3):
    raw = raw_client(redis.Redis.from_url(url.replace(":6379/0", f":6379/{number}")))
    for key in raw.scan_iter(match="legacy:*", count=1000):
        digest = hashlib.sha256(repr((raw.type(key), value_of(raw, key))).encode()).hexdigest()
        found[f"{number} {key!r}"] = (digest, raw.execute_command("PEXPIRETIME", key))
print(json.dumps(found))
"""


def old_url(stage) -> str:
    return re.findall(r"^REDIS_URL=(\S+)/0$", next(iter(stage.originals.values())).decode(), re.M)[0] + "/0"


def target_url(stage) -> str:
    trusted = stage.sandbox.places.ca_certificate
    return f"rediss://:{quote(stage.token(), safe='')}@{stage.primary_address()}:6379/0?ssl_ca_certs={trusted}"


def each_key(stage, url: str) -> Keys:
    done = stage.sandbox.beside(stage.hosts[0], [sys.executable, "-c", f"url = input()\n{EACH}"], f"{url}\n".encode())
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def hold_alike(old: Keys, new: Keys, slack_ms: int) -> None:
    """All that one side has is on the other, and no more; a key may expire that much earlier or later."""
    assert {key: digest for key, (digest, _until) in new.items()} == {key: digest for key, (digest, _) in old.items()}
    for key, (_digest, until) in old.items():
        assert (until < 0 and new[key][1] == until) or abs(new[key][1] - until) <= slack_ms, key


def begin_to_write(stage, until: Path) -> subprocess.Popen[bytes]:
    command = stage.sandbox.beside_command(stage.hosts[1], [sys.executable, str(WRITER), str(RATE), str(until)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writer = subprocess.Popen(command, env=environment(), **pipes)
    writer.stdin.write(f"{old_url(stage)}\n".encode())
    writer.stdin.flush()
    return writer
