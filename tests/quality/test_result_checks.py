"""Results that need a second look."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leuko.findings import Severity
from leuko.models.classes import Tissue
from leuko.quality.result import result_checks
from leuko.quantify.burden import Burden, SizeShare, SliceBurden

NONE = SizeShare(0, 0.0, 0.0)


def burden(**changed: Any) -> Burden:
    values: dict[str, Any] = {
        "volume_ml": 10.0, "volume_mm3": 10000.0, "volume_voxels": 10000, "lesion_count": 3,
        "lesion_count_6_connected": 3, "small": NONE, "medium": NONE, "large": NONE,
        "left_ml": 5.0, "right_ml": 5.0, "midline_ml": 0.0, "white_matter_percent": 2.0,
        "brain_percent": 1.0, "icv_percent": None, "white_matter_ml": 500.0, "brain_ml": 1000.0,
        "ventricles_ml": 20.0, "icv_ml": None, "most_affected_slice": None, "slice_axis": 2,
        "slices": (), "largest_lesion_mm3": 100.0, "region_ml": (),
    }  # fmt: skip
    return Burden(**(values | changed))


def case(tissue: Tissue) -> tuple[Any, Any]:
    anatomy = np.full((10, 10, 10), Tissue.WHITE_MATTER, np.uint8)
    mask = np.zeros((10, 10, 10), np.uint8)
    mask[2:5, 2:5, 2:5] = 1
    anatomy[mask == 1] = tissue
    return mask, anatomy


def codes(tissue: Tissue = Tissue.WHITE_MATTER, **changed: Any) -> list[str]:
    mask, anatomy = case(tissue)
    return [f.code for f in result_checks(mask, burden=burden(**changed), anatomy=anatomy)]


def test_a_plausible_result_has_no_findings() -> None:
    assert codes() == []


def nothing(**changed: Any) -> Burden:
    return burden(
        volume_ml=0.0, volume_voxels=0, white_matter_percent=0.0, left_ml=0.0, right_ml=0.0,
        lesion_count=0, **changed,
    )  # fmt: skip


def test_no_lesion_at_all_is_noted_and_no_more() -> None:
    anatomy = np.full((10, 10, 10), Tissue.WHITE_MATTER, np.uint8)
    (found,) = result_checks(np.zeros_like(anatomy), burden=nothing(), anatomy=anatomy)
    assert (found.code, found.severity) == ("result.none", Severity.NOTE)


def test_hardly_a_lesion_beside_large_ventricles_is_noted() -> None:
    anatomy = np.full((10, 10, 10), Tissue.WHITE_MATTER, np.uint8)
    large = nothing(ventricles_ml=90.0)
    (found,) = result_checks(np.zeros_like(anatomy), burden=large, anatomy=anatomy)
    assert (found.code, found.severity) == ("result.few", Severity.NOTE)
    assert codes(volume_ml=0.4, ventricles_ml=90.0) == ["result.few"]
    assert codes(volume_ml=0.6, ventricles_ml=90.0) == []


def test_a_quarter_of_white_matter_is_implausible() -> None:
    assert codes(white_matter_percent=26.0) == ["result.large"]


def test_a_mask_outside_the_brain_is_flagged() -> None:
    assert codes(Tissue.BACKGROUND) == ["result.outside"]
    assert codes(Tissue.CSF) == ["result.outside"]


def test_a_mask_in_cortex_is_flagged() -> None:
    assert codes(Tissue.CORTEX) == ["result.in_cortex"]
    assert codes(Tissue.DEEP_GREY) == []


def test_a_mask_of_specks_is_flagged() -> None:
    many = SizeShare(40, 0.9, 4.0)
    assert codes(small=many, lesion_count=44) == ["result.specks"]
    assert codes(small=SizeShare(40, 0.9, 2.0), lesion_count=44) == []
    assert codes(small=SizeShare(10, 0.9, 4.0), lesion_count=12) == []


@pytest.mark.parametrize("step_mm", [1.0, 6.0])
def test_a_mask_in_one_slice_is_flagged(step_mm: float) -> None:
    def slices(shares: list[float]) -> tuple[SliceBurden, ...]:
        return tuple(
            SliceBurden(index, index * step_mm, round(1000 * share), 10 * share)
            for index, share in enumerate(shares)
        )

    apart = [0.0] * 8
    assert codes(slices=slices([*apart, 0.9, *apart, 0.1])) == ["result.one_slice"]
    assert codes(slices=slices([*apart, 0.7, *apart, 0.3])) == []
    assert codes(slices=slices([*apart, 0.9, *apart, 0.1]), lesion_count=1) == []


def test_one_side_alone_is_noted() -> None:
    assert codes(left_ml=9.9, right_ml=0.1) == ["result.one_sided"]
    assert codes(left_ml=0.9, right_ml=0.0) == []
    assert codes(left_ml=None, right_ml=None) == []


def test_missing_anatomy_is_flagged() -> None:
    mask, _ = case(Tissue.WHITE_MATTER)
    found = result_checks(mask, burden=burden(white_matter_percent=None), anatomy=None)
    assert [finding.code for finding in found] == ["result.no_anatomy"]
