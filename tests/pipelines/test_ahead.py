"""A run loads what it needs: little before the network, the rest beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from leuko.errors import UsageError
from leuko.pipelines.ahead import loading_ahead
from leuko.pipelines.model import Model

LATER = {"scipy.ndimage", "scipy.spatial", "PIL", "jinja2", "reportlab"}
BEGUN = """
from leuko.pipelines.ahead import loading_ahead
from leuko.pipelines.model import Model
from leuko.progress import silent
import threading
hear = loading_ahead(silent, model=Model(None, lambda: None), pages={pages})
hear("{step}", None)
[one.join() for one in threading.enumerate() if one.name == "load ahead"]
"""


def loaded(statement: str) -> set[str]:
    """All modules in memory after `statement` ran in a fresh interpreter."""
    listing = "\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", statement + listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_what_follows_the_network_is_not_loaded_before_it() -> None:
    found = loaded("import leuko.cli.segment, leuko.pipelines.cases, leuko.pipelines.segment")
    assert "numpy" in found
    assert found & LATER == set()


def test_numbers_are_loaded_once_the_network_begins_and_reports_only_where_they_are_wanted() -> (
    None
):
    numbers = loaded(BEGUN.format(pages=False, step="predict"))
    assert {"leuko.pipelines.numbers", "scipy.spatial"} <= numbers
    assert "reportlab" not in numbers
    assert loaded(BEGUN.format(pages=True, step="predict")) >= LATER


def test_nothing_is_loaded_at_another_step() -> None:
    assert loaded(BEGUN.format(pages=True, step="check")) & LATER == set()


def test_the_watcher_hears_all_and_a_failed_engine_is_left_to_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = threading.Event()

    def fails() -> Any:
        asked.set()
        raise UsageError("No engine.", hint="None.")

    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    heard: list[tuple[str, float | None]] = []
    hear = loading_ahead(
        lambda name, seconds: heard.append((name, seconds)),
        model=Model(None, fails),  # type: ignore[arg-type]  # no card is looked at
        pages=False,
    )
    hear("predict", None)
    hear("predict", 1.0)
    assert asked.wait(10)
    for thread in threading.enumerate():
        if thread.name == "load ahead":
            thread.join()
    assert heard == [("predict", None), ("predict", 1.0)]
    assert raised == []
