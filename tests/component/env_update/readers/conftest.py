"""The readers of .env files, running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.component.env_update.readers import installed as packages
from tests.component.env_update.readers.real import Reader, readers


@pytest.fixture(scope="module")
def installed() -> packages.Installed:
    return packages.installed()


@pytest.fixture(scope="module")
def real(installed: packages.Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Reader]]:
    """All but compose, by their words in the option ``dialect``."""
    folder = tmp_path_factory.mktemp("readers")  # where a shell that is given nonsense may leave files
    with readers(installed, folder) as running:
        yield running
