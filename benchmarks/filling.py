"""What lesions do to the volume of white matter, and how much of that filling takes back.

    python benchmarks/filling.py                         the table
    python benchmarks/filling.py --picture fill.png      ljubljana 19 before and after, alone

Lesions are put where white matter is normal: the lesion mask of a scan, mirrored and moved to
where it meets none of the scan's own lesions, takes the brightness that the scan's own lesions
have. The brain is then split into fluid, grey and white matter by k-means of its intensities, as a
simple program would: on the scan as it is (the truth), with the lesions put in, and with these
filled. T1 of ljubljana 19 (1 mm, manual lesions) and of five aged subjects (2 mm, automatic ones).
Those of tabriz are left out: in their thick slices k-means finds no white matter worth the name.

Prints Markdown and writes it to benchmarks/out/filling/scores.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from scipy import ndimage

from leuko.anatomy.filling import fill_lesions
from leuko.anatomy.tissues import BRAIN, tissue_mask
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.image.resample import resample
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.fill import fill
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out" / "filling"
CASES = (
    ("ljubljana/19", "lesions"),
    *((f"nichart/Subj{number}", "wmh_auto") for number in (1, 2, 4, 9, 18)),
)
CLASSES, ROUNDS = 3, 60
PICTURED, HEIGHT = "ljubljana/19", 96
HEAD = (
    "| scan | lesions put in ml | white matter ml | with lesions | filled | error before | after "
    "| lesions called white matter before | after |"
)
RULE = "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
Values = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A T1 on its own grid (canonical axes) with the tissues and lesions that the FLAIR shows."""

    name: str
    grid: Grid
    t1: Values
    brain: BoolArray
    white: BoolArray
    lesions: BoolArray

    def ml(self, mask: BoolArray) -> float:
        """Volume of a mask."""
        return float(mask.sum() * self.grid.voxel_mm3 / 1000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; see the module's text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--picture", type=Path, help="a PNG of one case before and after")
    asked = parser.parse_args(arguments)
    model = load_model(SegmentConfig())
    if asked.picture:
        Picture.fromarray(before_and_after(model)).save(asked.picture, optimize=True)
        return 0
    lines = [HEAD, RULE]
    errors: list[tuple[float, float]] = []
    for name, mask in CASES:
        case = loaded(name, mask, model=model)
        lines.append(line(case, errors))
    before, after = np.abs(np.array(errors)).mean(axis=0)
    lines.append(f"| mean of the sizes | | | | | {before:.2f} % | {after:.2f} % | | |")
    text = "\n".join(lines) + "\n"
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "scores.md").write_text(text)
    sys.stdout.write(text)
    return 0


def loaded(name: str, mask: str, *, model: Model) -> Case:
    """The T1 and, from the FLAIR beside it, tissues (the network's) and the given lesions."""
    folder = SHARED / "wmh" / name
    flair, t1 = read_scan(folder / "flair.nii.gz"), read_scan(folder / "t1.nii.gz")
    truth = read_mask(folder / f"{mask}.nii.gz")
    result = segment(flair, config=SegmentConfig(), model=model)
    assert result.anatomy is not None
    anatomy = canonical(resample(result.anatomy, onto=t1.grid, kernel="nearest")) % 10
    lesions = canonical(resample(truth, onto=t1.grid, kernel="nearest")) > 0
    brain = tissue_mask(anatomy.astype(np.uint8), (*BRAIN, Tissue.VENTRICLES))
    return Case(
        name,
        t1.grid.canonical(),
        canonical(t1).astype(np.float32),
        brain,
        np.asarray(anatomy == Tissue.WHITE_MATTER),
        lesions,
    )


def canonical(image: Image) -> npt.NDArray[Any]:
    """The values of an image in canonical axes."""
    return np.ascontiguousarray(to_canonical(image.data, image.grid))


def line(case: Case, errors: list[tuple[float, float]]) -> str:
    """A row of the table; adds its errors in percent."""
    put = moved_lesions(case)
    ill = with_lesions(case, put)
    done = fill_lesions(ill, mask=put, spacing=case.grid.spacing, white=case.white)
    assert done is not None
    found = [white_matter(values, case.brain) for values in (case.t1, ill, done.data)]
    truth, worse, better = (case.ml(one) for one in found)
    before, after = (100 * (one - truth) / truth for one in (worse, better))
    errors.append((before, after))
    called = [100 * float(one[put].mean()) for one in found[1:]]
    return (
        f"| {case.name} | {case.ml(put):.1f} | {truth:.1f} | {worse:.1f} | {better:.1f} "
        f"| {before:+.2f} % | {after:+.2f} % | {called[0]:.0f} % | {called[1]:.0f} % |"
    )


def before_and_after(model: Model) -> npt.NDArray[np.uint8]:
    """FLAIR and T1 of ljubljana 19 at one height, each before and after, by its manual lesions."""
    folder = SHARED / "wmh" / PICTURED
    flair, t1 = read_scan(folder / "flair.nii.gz"), read_scan(folder / "t1.nii.gz")
    mask = read_mask(folder / "lesions.nii.gz")
    anatomy = segment(flair, config=SegmentConfig(), model=model).anatomy
    tiles = []
    for scan in (flair, t1):
        for image in (scan, fill(scan, mask, anatomy=anatomy).image):
            values = canonical(image)
            plane = values[8:-8, 12:-12, HEIGHT].astype(np.float64)
            top = np.percentile(values[values > 0], 99.7)
            tiles.append((np.clip(plane / top, 0, 1) * 255).astype(np.uint8).T[::-1, ::-1])
    return np.concatenate(tiles, axis=1)


def moved_lesions(case: Case) -> BoolArray:
    """The lesions, mirrored, where they meet normal white matter and no lesion."""
    step = 2 * round(4 / case.grid.spacing[0])
    mirrored = np.roll(case.lesions[::-1], step, axis=0)
    grown = ndimage.binary_dilation(case.lesions, iterations=2)
    return np.asarray(mirrored & case.white & ~grown)


def with_lesions(case: Case, put: BoolArray) -> Values:
    """The T1 with lesions as dark as its own: as far below white matter as their darker half."""
    level = float(np.median(case.t1[case.white & ~case.lesions]))
    own = case.t1[case.lesions & case.white]
    own = own[own < np.median(own)]
    share = float(own.mean()) / level if own.size else 0.75
    ill = case.t1.copy()
    ill[put] *= share
    return ill


def white_matter(values: Values, brain: BoolArray) -> BoolArray:
    """The brightest of three classes of the brain's intensities (k-means)."""
    inside = values[brain]
    counts, edges = np.histogram(inside, bins=500, range=tuple(np.percentile(inside, (0.1, 99.9))))
    x = (edges[1:] + edges[:-1]) / 2
    means = np.quantile(inside, (0.05, 0.4, 0.85))
    for _ in range(ROUNDS):
        nearest = np.argmin(np.abs(x[:, None] - means), axis=1)
        held = [np.maximum(counts * (nearest == one), 0) for one in range(CLASSES)]
        means = np.array([float((one * x).sum() / max(one.sum(), 1)) for one in held])
    found = np.zeros(brain.shape, dtype=np.bool_)
    found[brain] = inside > (means[1] + means[2]) / 2
    return found


if __name__ == "__main__":
    raise SystemExit(main())
