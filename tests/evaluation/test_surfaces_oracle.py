"""Surface distances against an exhaustive distance transform."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from leuko.evaluation.pair import pair_masks
from leuko.evaluation.scores import scores
from leuko.image.grid import Grid

SPACING = (0.7, 1.3, 4.0)


@pytest.mark.parametrize("seed", range(20))
def test_surface_metrics_equal_those_of_a_distance_transform(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [ndimage.gaussian_filter(rng.normal(size=(14, 12, 8)), 1.2) > 0.1 for _ in range(2)]
    outlines = [mask & ~ndimage.binary_erosion(mask) for mask in masks]
    fields = [ndimage.distance_transform_edt(~outline, sampling=SPACING) for outline in outlines]
    there, back = fields[1][outlines[0]], fields[0][outlines[1]]
    pooled = np.concatenate([there, back])
    actual = scores(pair_masks(*masks, grid=Grid.from_spacing((14, 12, 8), SPACING)))
    assert actual["hausdorff"] == pytest.approx(pooled.max())
    expected = max(np.percentile(there, 95), np.percentile(back, 95))
    assert actual["hd95_surface"] == pytest.approx(expected)
    assert actual["assd"] == pytest.approx(pooled.mean())
    assert actual["nsd"] == pytest.approx((pooled <= 2.0).mean())
    recall, precision = (there <= 1.3).mean(), (back <= 1.3).mean()
    assert actual["boundary_f1"] == pytest.approx(2 * precision * recall / (precision + recall))
