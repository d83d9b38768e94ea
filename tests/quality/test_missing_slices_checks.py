"""A scan that lost slices is segmented all the same, and says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leuko.findings import Severity
from leuko.formats.read import read_scan
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.mask import make_mask
from leuko.pipelines.model import load_model, settings
from leuko.pipelines.observe import observe
from leuko.progress import Journal
from leuko.quality.missing_slices import missing_slices_checks

CASE = "wmh/tabriz/105755/flair.nii.gz"


def test_missing_slices_are_counted_in_a_warning() -> None:
    (finding,) = missing_slices_checks((7, 9), of=20)
    assert finding.code == "scan.missing_slices"
    assert finding.severity is Severity.WARNING
    assert "2 of 20" in finding.what
    assert missing_slices_checks((), of=20) == ()


def test_two_lost_slices_cost_the_lesions_in_them_and_hardly_more(shared_data: Path) -> None:
    config = SegmentConfig(policy="lenient")
    model = load_model(config)
    image = read_scan(shared_data / CASE)
    data = np.asarray(image.data, dtype=np.float32)
    lost = np.zeros(data.shape, dtype=bool)
    lost[..., [9, 12]] = True
    masks, found = [], []
    for scan in (image, image.with_data(np.where(lost, 0, data).astype(np.float32))):
        seen = observe(scan, config=config, model=model, journal=Journal())
        made = make_mask(
            seen.prediction,
            data=seen.data,
            spacing=seen.grid.spacing,
            settings=settings(config, model.card),
        )
        masks.append(made.mask)
        found.append({finding.code for finding in seen.findings})
    whole, gappy = masks
    assert "scan.missing_slices" in found[1] - found[0]
    elsewhere = whole & ~lost
    assert not (gappy & lost).any()
    assert np.count_nonzero(gappy & elsewhere) > 0.8 * np.count_nonzero(elsewhere)
