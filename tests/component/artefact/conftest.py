"""The collection as it is built, once for all of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.artefact import build


@pytest.fixture(scope="session")
def artefact(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("build"))
