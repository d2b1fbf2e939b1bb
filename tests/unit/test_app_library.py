"""The libraries that read a URL in ways of their own, asked by the threads of a probe."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_library import Library


def test_libraries_are_asked_one_after_the_other_as_they_import_each_other():
    at_once, most = threading.Semaphore(1), []

    def asks(module, url, seconds):
        most.append(at_once.acquire(blocking=False))
        time.sleep(0.02)
        at_once.release()

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda name: Library(name, asks).ask("redis://h", 1), ["json", "csv", "json", "csv"]))
    assert most == [True] * 4 and told[0].startswith("json ")
