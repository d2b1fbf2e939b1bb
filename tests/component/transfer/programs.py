"""The engines that tests of a transfer are run against."""

from __future__ import annotations

import os
import shutil

from tests.component.engines import releases


def redis() -> str:
    return os.environ.get("REDIS_SERVER") or shutil.which("redis-server") or "redis-server"


def valkey() -> str:
    return shutil.which("valkey-server") or "valkey-server"


PROGRAMS = {"redis 7.0": redis, "valkey 8.0": valkey}
OTHERS = {"redis 6.2": releases.redis_6_2, "valkey 9": releases.valkey_9}
ALL = {**PROGRAMS, **OTHERS}
