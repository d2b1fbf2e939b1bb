"""The engines' programs: a sandbox has to have Redis, and can do without Valkey."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import packages
from sandbox.places import SandboxError


@pytest.fixture
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine with apt-get alone, whose index has no Valkey; what was asked of it."""
    asked: list[list[str]] = []
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin/apt-get")
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "PROGRAMS", {"common": {}, "processes": {}})
    monkeypatch.setattr(packages, "SYSTEM_PATH", "/nonexistent")
    monkeypatch.setattr(packages, "environment", lambda: {"PATH": f"{packages.tools_bin()}:{tmp_path / 'bin'}"})

    def unpack(names: list[str]) -> None:
        asked.append(names)
        if "valkey-server" in names:
            raise SandboxError("`apt-get install` failed (100): Unable to locate package valkey-server")
        packages.tools_bin().mkdir(parents=True, exist_ok=True)
        for name in names:
            program(packages.tools_bin() / name)

    monkeypatch.setattr(packages, "_unpack", unpack)
    return asked


def program(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_a_sandbox_comes_up_without_valkey_where_it_is_not_to_be_had_and_says_so(
    nothing_here: list[list[str]],
) -> None:
    said: list[str] = []
    packages.ensure("processes", said.append)
    assert nothing_here == [["memcached", "redis-server"], ["valkey-server"]]
    assert "no Valkey here" in said[-1]
    assert "Unable to locate package" in said[-1]


def test_valkey_is_not_looked_for_in_vain_a_second_time(nothing_here: list[list[str]]) -> None:
    packages.ensure("processes", lambda _: None)
    packages.ensure("processes", lambda _: None)
    assert nothing_here == [["memcached", "redis-server"], ["valkey-server"]]
    assert packages.missing("processes") == []
