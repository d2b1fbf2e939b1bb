"""The engines that tests of a transfer are run against."""

from __future__ import annotations

import os
import shutil


def redis() -> str:
    return os.environ.get("REDIS_SERVER") or shutil.which("redis-server") or "redis-server"


def valkey() -> str:
    return shutil.which("valkey-server") or "valkey-server"


PROGRAMS = {"redis 7.0": redis, "valkey 8.0": valkey}
