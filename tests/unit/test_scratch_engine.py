"""Which engines are told to look at every value that they load."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import scratch_engine


@pytest.mark.parametrize(
    ("version", "checks"),
    [
        ("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64", False),
        ("Redis server v=6.2.0 sha=00000000:0", True),
        ("Redis server v=7.0.15 sha=00000000:0", True),
        ("Valkey server v=8.1.1 sha=00000000:0", True),
        ("something else", False),
    ],
)
def test_one_that_knows_the_option_is_given_it(tmp_path, version, checks):
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\necho '{version}'\n")
    engine.chmod(0o755)
    assert scratch_engine._checks_what_it_loads(str(engine)) is checks
