"""benchmarks/energy.py: minutes of stages become energy by assumptions that the table states."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import msgspec
import pytest


@pytest.fixture
def energy(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    return importlib.import_module("energy")


def test_energy_is_time_by_cores_by_watts_and_an_accelerator(energy: ModuleType) -> None:
    assumed = energy.Assumed("cpu", cores=2, watts_per_core=10.0, accelerator_watts=100.0)
    assert assumed.kwh(30.0) == pytest.approx(0.06)


def test_a_stage_that_two_runs_share_counts_once(energy: ModuleType) -> None:
    base = energy.Passed("base", 1, 100, 800, 60.0)
    one, two = energy.Passed("one", 2, 50, 400, 20.0), energy.Passed("two", 2, 50, 400, 20.0)
    stages = energy.once([base, one, base, two])
    assert stages == (base, one, two)
    table = energy.text(energy.Training(energy.Assumed("cpu", kg_per_kwh=0.5), stages))
    together = next(line for line in table.splitlines() if "together" in line)
    assert [cell.strip() for cell in together.split("|")[3:-1]] == ["2k", "100", "0.033", "17"]


def test_minutes_that_nobody_knows_are_said_to_be_unknown(energy: ModuleType) -> None:
    stages = (energy.Passed("lost", 1, 100, 8000, None),)
    table = energy.text(energy.Training(energy.Assumed("cpu"), stages))
    lost = next(line for line in table.splitlines() if "lost" in line)
    assert lost.count("n/a") == 3


def test_the_model_card_shows_the_energy_as_it_was_read(
    energy: ModuleType, repository: Path
) -> None:
    kept = (repository / "benchmarks" / "energy.json").read_bytes()
    training = msgspec.json.decode(kept, type=energy.Training)
    page = (repository / "MODEL_CARD.md").read_text()
    made = energy.filled(page, energy.text(training), begin=energy.BEGIN, end=energy.END)
    assert page == made, "run python benchmarks/energy.py --write MODEL_CARD.md"
