"""Finding the engines, which Debian ships under several names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.aws.engines import Binaries, EngineMissing

SERVER_BY_NAME = """#!/bin/sh
case "$0" in *redis-server) echo "Redis server v=7.0.15" ;; *) echo "redis-check-rdb 7.0.15" ;; esac
"""


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("SANDBOX_BIN", str(tmp_path / "own"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path / "own", tmp_path / "path"


def test_the_server_is_found_inside_the_checker_of_its_package(folders: tuple[Path, Path], tmp_path: Path) -> None:
    program(folders[1], "redis-check-rdb", SERVER_BY_NAME)
    found = Binaries(tmp_path / "bin").find("redis")
    assert found == tmp_path / "bin" / "redis-server"
    assert found.resolve() == folders[1] / "redis-check-rdb"


def test_folders_of_our_own_come_before_the_path(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for folder in folders:
        program(folder, "redis-server", SERVER_BY_NAME)
    assert Binaries(tmp_path / "bin").find("redis").resolve().parent == folders[0]


def test_a_checker_that_is_no_server_is_not_taken_for_one(folders: tuple[Path, Path], tmp_path: Path) -> None:
    program(folders[1], "redis-check-rdb", "#!/bin/sh\necho redis-check-rdb 7.0.15\n")
    with pytest.raises(EngineMissing, match=r"redis-server is not .* SANDBOX_BIN nor on PATH.*apt-get install"):
        Binaries(tmp_path / "bin").find("redis")


def test_a_missing_engine_is_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="valkey-server"):
        Binaries(tmp_path / "bin").find("valkey")
