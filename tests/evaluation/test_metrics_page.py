"""docs/metrics.md says how every metric is defined, with the registry's unit and direction."""

from __future__ import annotations

import re
from pathlib import Path

from leuko.evaluation.registry import METRICS


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Unit and direction of every metric in the tables of definitions."""
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`"):
            found.update(dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), (cells[1], cells[2])))
    return found


def test_the_page_defines_every_metric_with_its_unit_and_direction(repository: Path) -> None:
    page = (repository / "docs" / "metrics.md").read_text(encoding="utf-8")
    expected = {
        name: (metric.unit, "" if metric.better == "none" else metric.better)
        for name, metric in METRICS.items()
    }
    assert expected == rows(page)
