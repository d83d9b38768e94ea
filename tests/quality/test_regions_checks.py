"""Lesions without ventricles in the scan: that is said; anything else is not worth a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leuko.findings import Severity
from leuko.formats.read import read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.segment import segment
from leuko.quality.regions import region_checks
from leuko.quantify.regions import Amount, RegionNumbers, SidedAmount


def numbers(lesions: int, *, ventricles: bool) -> RegionNumbers:
    some = SidedAmount(Amount(lesions / 1000, lesions), None, None, None)
    return RegionNumbers(
        supratentorial=some,
        infratentorial=SidedAmount(Amount(0.0, 0), None, None, None),
        infratentorial_rule="",
        rules=(),
        juxtacortical=(),
        distances=() if ventricles else None,
        median_distance_mm=None,
        ms_regions=(),
    )


def test_lesions_without_ventricles_are_a_note() -> None:
    (found,) = region_checks(numbers(3, ventricles=False))
    assert ("result.no_ventricles", Severity.NOTE) == (found.code, found.severity)


def test_where_all_is_well_nothing_is_said() -> None:
    assert region_checks(numbers(3, ventricles=True)) == ()
    assert region_checks(numbers(0, ventricles=False)) == ()
    assert region_checks(None) == ()


def test_a_slab_above_the_ventricles_has_lesions_of_no_region(shared_data: Path) -> None:
    whole = read_scan(shared_data / "wmh" / "tabriz" / "105465" / "flair.nii.gz")
    first = 14  # of 20 slices: the roof of the ventricles lies below
    affine = whole.grid.affine.copy()
    affine[:3, 3] += first * affine[:3, 2]
    data = np.ascontiguousarray(whole.data[:, :, first:])
    slab = Image(data, Grid(data.shape, affine))
    result = segment(slab, config=SegmentConfig(policy="lenient"))
    assert result.burden.lesion_count
    assert "result.no_ventricles" in {finding.code for finding in result.findings}
    assert result.regions is not None
    assert all(rule.periventricular is None for rule in result.regions.rules)
    assert {"unknown", "infratentorial"} >= {lesion.region for lesion in result.table}
