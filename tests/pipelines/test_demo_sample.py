"""The packaged sample is segmented and compared with its own truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from leuko.formats.read import read_mask, read_scan
from leuko.models.sample import sample_path, truth_path
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.demo import agreement, demonstrate


def test_the_sample_lies_on_the_grid_of_its_truth() -> None:
    scan, truth = read_scan(sample_path()), read_mask(truth_path())
    assert scan.grid == truth.grid
    assert truth.data.any()


def test_the_truth_agrees_with_itself() -> None:
    truth = read_mask(truth_path())
    for definition, mask in (("vascular", truth.data > 0), ("ms", truth.data == 1)):
        found = agreement(truth.with_data(mask.astype(np.uint8)), definition=definition)
        assert found["dice"] == 1.0
        assert found["truth_ml"] == found["found_ml"] > 0


def test_the_demonstration_agrees_with_the_truth_and_shows_both(tmp_path: Path) -> None:
    """With the packaged weights: a floor that only a broken pipeline falls below."""
    shown = demonstrate(out=tmp_path / "out", config=SegmentConfig(report=False))
    assert shown.agreement["dice"] > 0.4
    names = {entry.name for entry in (tmp_path / "out").iterdir()}
    assert names >= {"sample_flair.nii.gz", "sample_truth.nii.gz", "agreement.json", "wmh.nii.gz"}
    saved = json.loads((tmp_path / "out" / "agreement.json").read_text())
    assert saved["dice"] == shown.agreement["dice"]
    again = demonstrate(out=tmp_path / "out", config=SegmentConfig(report=False))
    assert again.agreement == shown.agreement
