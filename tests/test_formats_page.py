"""docs/formats.md names every format of the registry, and only tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leuko.formats.registry import FORMATS

TEST = re.compile(r"`(test_\w+\.py)::(\w+)`")
LEAST_TESTS = 150  # of a page that forgot none of its sections


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "formats.md").read_text(encoding="utf-8")


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_format_has_a_row_that_says_whether_it_is_read_and_written(page: str) -> None:
    found = {row[0].strip("`"): row for row in rows(page) if len(row) == 6}
    for name, record in FORMATS.items():
        assert name in found, name
        _, _, _, reads, writes, _ = found[name]
        assert (reads == "yes") == bool(record.reader), name
        assert (writes == "yes") == bool(record.writer), name


def test_every_suffix_that_is_written_stands_on_the_page(page: str) -> None:
    known = {suffix.removesuffix(".gz") for record in FORMATS.values() for suffix in record.written}
    for suffix in known:
        assert suffix in page, suffix


def test_every_test_on_the_page_exists(page: str, repository: Path) -> None:
    named = TEST.findall(page)
    assert len(named) > LEAST_TESTS
    files = {
        path.name: path.read_text("utf-8") for path in (repository / "tests").rglob("test_*.py")
    }
    lost = [f"{file}::{test}" for file, test in named if f"def {test}(" not in files.get(file, "")]
    assert not lost


def test_every_hazard_has_a_test(page: str) -> None:
    hazards = [row for row in rows(page) if len(row) == 5]
    assert len(hazards) > LEAST_TESTS
    for row in hazards:
        if row[0] in ("format", "---"):
            continue
        assert all(row[:4]), row
        assert TEST.search(row[4]), row
