"""A .env of an app, for all that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """It holds the module's ``TEXT``, or its ``OLD`` where that is a whole file."""
    path = tmp_path / "app" / ".env"
    path.parent.mkdir()
    path.write_bytes(getattr(request.module, "TEXT", "").encode() or request.module.OLD)
    return path
