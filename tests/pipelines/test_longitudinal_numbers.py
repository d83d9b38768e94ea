"""The numbers of a comparison: what is added up from what, and in which words it is said."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path

import pytest
from brightness_network import BrightnessEngine, make_card
from test_longitudinal import GRID, QUICK, head

from leuko.change.repeatability import MEASURED, Resolution
from leuko.cli.longitudinal import _said
from leuko.formats.write import write
from leuko.pipelines.longitudinal_definitions import CHANGE_DEFINITIONS
from leuko.pipelines.longitudinal_files import longitudinal_files
from leuko.pipelines.longitudinal_statistics import ChangeStatistics
from leuko.pipelines.model import Model

DAYS = (date(2020, 1, 1), date(2022, 1, 1))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ChangeStatistics]:
    """A lesion more at the second visit; OUT and its numbers."""
    home = tmp_path_factory.mktemp("two_visits")
    paths = []
    for name, image in (("one", head()), ("two", head(more=True, gain=1.2))):
        paths.append(home / f"{name}.nii.gz")
        write(image, paths[-1])
    model = Model.of(make_card(), BrightnessEngine())
    numbers = longitudinal_files(paths, out=home / "out", config=QUICK, days=DAYS, model=model)
    return home / "out", numbers


def test_lesion_change_is_growth_less_regression_and_net_change_is_of_the_masks(
    out: tuple[Path, ChangeStatistics],
) -> None:
    _, n = out
    assert n.lesion_change_ml == n.growth_ml - n.regression_ml
    assert n.net_change_ml == n.followup_ml - n.baseline_ml
    assert n.years is not None
    assert n.lesion_change_ml_per_year == pytest.approx(n.lesion_change_ml / n.years, rel=1e-3)
    assert n.net_change_ml_per_year == pytest.approx(n.net_change_ml / n.years, rel=1e-3)


def test_each_change_is_compared_with_its_own_limit(out: tuple[Path, ChangeStatistics]) -> None:
    _, n = out
    middle, limits = (n.baseline_ml + n.followup_ml) / 2, MEASURED[Resolution(n.resolution)]
    assert n.smallest_lesion_change_ml == limits.lesion_change_limit_ml(middle)
    assert n.smallest_net_change_ml == limits.net_change_limit_ml(middle)
    assert n.change_is_significant == (abs(n.lesion_change_ml) > n.smallest_lesion_change_ml)
    assert n.net_change_is_significant == (abs(n.net_change_ml) > n.smallest_net_change_ml)


@pytest.mark.parametrize(("volume", "limit"), [(0.0, 0.1), (5.0, 0.1), (40.0, 0.4)])
def test_the_sum_of_lesions_is_steadier_than_the_masks(volume: float, limit: float) -> None:
    for measured in MEASURED.values():
        assert measured.lesion_change_limit_ml(volume) == pytest.approx(limit)
        assert measured.net_change_limit_ml(volume) >= measured.lesion_change_limit_ml(volume)


def test_what_the_masks_hold_of_the_lesions_adds_up_to_the_masks(
    out: tuple[Path, ChangeStatistics],
) -> None:
    folder, n = out
    text = (folder / "lesions.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    for visit, whole in (("baseline", n.baseline_ml), ("followup", n.followup_ml)):
        held = sum(float(row[f"{visit}_mask_mm3"]) for row in rows)
        assert held == pytest.approx(1000 * whole, abs=0.05 * len(rows))
        for row in rows:
            assert (row[f"{visit}_labels"] == "n/a") == (float(row[f"{visit}_mask_mm3"]) == 0)
    for row in rows:
        gained = float(row["growth_mm3"]) - float(row["regression_mm3"])
        assert float(row["followup_mm3"]) - float(row["baseline_mm3"]) == pytest.approx(gained)


def test_every_column_and_every_number_is_explained_in_the_documentation(
    out: tuple[Path, ChangeStatistics],
) -> None:
    folder, n = out
    page = (Path(__file__).parents[2] / "docs/longitudinal.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([\w.]+)`", page))
    columns = (folder / "lesions.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
    assert set(columns) <= explained
    assert set(CHANGE_DEFINITIONS) - {"resolution"} <= explained
    assert set(CHANGE_DEFINITIONS) <= set(n.__struct_fields__)


def test_visits_say_how_long_their_voxels_are(out: tuple[Path, ChangeStatistics]) -> None:
    _, n = out
    assert [visit.voxel_mm for visit in n.visits] == [pytest.approx(list(GRID.spacing))] * 2


def test_the_console_names_both_changes(out: tuple[Path, ChangeStatistics]) -> None:
    _, n = out
    said = "\n".join(_said(n))
    assert f"Lesion change  {n.lesion_change_ml:+.2f} ml: growth {n.growth_ml:.2f} less" in said
    assert f"Net change     {n.net_change_ml:+.2f} ml: masks of {n.baseline_ml:.2f} and" in said
    assert "ml lesion change, " in said.splitlines()[-1]
