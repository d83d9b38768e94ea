"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the clone."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real scans beside the clone (`../shared/data`, or `LEUKO_TEST_DATA`); skips without them."""
    folder = Path(os.environ.get("LEUKO_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip("no real scans here: set LEUKO_TEST_DATA to the folder that holds them")
    return folder
