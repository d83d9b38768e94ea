"""The peers' masks of the tabriz set score as its README says, and how fast that is."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from leuko.evaluation.pair import pair_images
from leuko.evaluation.registry import CHALLENGE
from leuko.evaluation.scores import scores
from leuko.formats.read import read_mask
from leuko.image.grid import Grid
from leuko.image.image import Image

# File, truth, and the printed Dice, H95, AVD, recall, F1, strict F1 (mean of five cases).
PUBLISHED = [
    ("lpa", "lesions", ".47 22.2 53 .74 .43 .37"),
    ("wmh_synthseg", "lesions", ".35 33.6 73 .45 .57 .50"),
    ("bianca_all", "lesions", ".31 24.4 83 .59 .16 .20"),
    ("lga", "lesions", ".15 42.8 86 .19 .28 .28"),
    ("tabriz_unet_ab", "lesions", ".51 39.9 58 .69 .60 .65"),
    ("lpa", "union", ".57 22.4 41 .51 .38 .53"),
    ("bianca_all", "union", ".44 18.8 43 .49 .18 .37"),
    ("wmh_synthseg", "union", ".36 34.9 33 .28 .38 .40"),
    ("tabriz_unet_all", "union", ".55 33.2 11 .64 .57 .67"),
    ("ventricles_synthseg", "ventricles", ".71 13.0 21"),
]


def truth(case: Path, kind: str) -> Image:
    if kind != "union":
        return read_mask(case / f"{kind}.nii.gz")
    lesions = read_mask(case / "lesions.nii.gz")
    rims = read_mask(case / "caps_and_rims.nii.gz")
    return lesions.with_data(((lesions.data == 1) | (rims.data == 1)).astype(np.uint8))


@pytest.mark.parametrize(("method", "kind", "printed"), PUBLISHED)
def test_peers_score_as_published_to_the_printed_decimals(
    shared_data: Path, method: str, kind: str, printed: str
) -> None:
    cases = sorted((shared_data / "wmh" / "tabriz").iterdir())
    names = (*CHALLENGE, "lesion_f1_strict")
    rows = []
    for case in cases:
        mask = read_mask(case / "peers" / f"{method}.nii.gz")
        rows.append(list(scores(pair_images(truth(case, kind), mask), names=names).values()))
    for mean, text in zip(np.mean(rows, axis=0), printed.split(), strict=False):
        decimals = len(text.partition(".")[2])
        assert abs(mean - float(text)) <= 0.5 * 10**-decimals + 1e-9, (method, kind, mean, text)


def test_all_metrics_of_a_pair_take_less_than_half_a_second() -> None:
    """A millimetre scan with 60 ml in scattered blobs; processor time, the best of three."""
    grid = Grid.from_spacing((182, 218, 182), (1.0, 1.0, 1.0))
    rng = np.random.default_rng(3)
    reference, prediction = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.uint8)
    for x, y, z in rng.integers(20, 150, (600, 3)):
        size = int(rng.integers(2, 8))
        reference[x : x + size, y : y + size, z : z + 4] = 1
        prediction[x + 1 : x + size + 1, y : y + size, z : z + 5] = rng.random() < 0.8
    images = Image(reference, grid), Image(prediction, grid)

    def seconds() -> float:
        start = time.process_time()
        scores(pair_images(*images))
        return time.process_time() - start

    assert min(seconds() for _ in range(3)) < 0.5
