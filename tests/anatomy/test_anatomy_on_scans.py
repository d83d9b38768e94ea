"""The anatomy that is measured, on real scans with what others drew; floors with wide margins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from leuko.formats.read import read_mask, read_scan
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.segment import segment

VENTRICLES = (Tissue.VENTRICLES, 10 + Tissue.VENTRICLES, 20 + Tissue.VENTRICLES)


@pytest.fixture(scope="module")
def thick(shared_data: Path) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], float, float]:
    """Our and the manual ventricles of a raw head in 8 mm slices; volumes of brain and all."""
    folder = shared_data / "wmh" / "tabriz" / "105074"
    result = segment(read_scan(folder / "flair.nii.gz"), config=SegmentConfig(policy="lenient"))
    truth = np.asarray(read_mask(folder / "ventricles.nii.gz").data > 0)
    burden = result.burden
    assert result.anatomy is not None
    assert burden.brain_ml is not None
    assert burden.ventricles_ml is not None
    ours = np.isin(result.anatomy.data, VENTRICLES)
    return ours, truth, burden.brain_ml, burden.ventricles_ml


def test_the_ventricles_are_those_that_a_rater_drew(
    thick: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], float, float],
) -> None:
    ours, truth, _, _ = thick
    assert 2 * (ours & truth).sum() / (ours.sum() + truth.sum()) > 0.75


def test_no_ventricles_in_nose_and_throat(
    thick: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], float, float],
) -> None:
    ours, truth, _, _ = thick
    lowest = int(np.flatnonzero(truth.any(axis=(0, 1)))[0])
    assert ours[..., : lowest - 1].sum() < 0.01 * truth.sum()


def test_the_brain_has_the_size_of_one_without_muscle_and_scalp(
    thick: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], float, float],
) -> None:
    _, _, brain_ml, ventricles_ml = thick
    assert 850 < brain_ml < 1250
    assert 20 < ventricles_ml < 40
