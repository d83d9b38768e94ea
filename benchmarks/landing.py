"""How well heads land on the template, and whether it is noticed when they do not.

    python benchmarks/landing.py            every FLAIR of the data, and what is made wrong of some
    python benchmarks/landing.py --pictures OUT   also a picture a scan: the template's outlines

For each scan the network's tissues are laid on the template (anatomy.template_landing): overlaps
(Dice) of brain, white matter, deep grey matter and ventricles, scales, turn, time. Then the same
tissues made wrong: upside down, back to front, axes exchanged, halves, thirds, an empty head, an
egg of white matter. Then the time of the lobes. Mirrored heads cannot be told: the template is
symmetric.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anatomy_pictures import draw_outlines
from leuko.anatomy.lobes import lobe_map
from leuko.anatomy.template import load_template
from leuko.anatomy.template_landing import Placement, place_on_template
from leuko.anatomy.tissues import BRAIN
from leuko.formats.read import read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.observe import observe
from leuko.progress import Journal, silent
from leuko.registration.apply import apply_to_mask

Labels = npt.NDArray[np.uint8]
Triple = tuple[float, float, float]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PATTERN = "wmh/**/*flair*.nii.gz"
SPOILED = ("wmh/tabriz/105465/flair.nii.gz", "wmh/ljubljana/26/flair.nii.gz")
HEADER = "| scan | landed | brain | white | deep grey | ventricles | scales | turn | s |"


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--pictures", type=Path)
    given = parser.parse_args()
    config = SegmentConfig(policy="lenient")
    model = load_model(config)
    rows: list[Placement] = []
    spoiled = []
    print(f"{HEADER}\n|{'---|' * 9}")
    for path in sorted(given.data.glob(PATTERN)):
        image = read_scan(path)
        data, anatomy, grid = tissues(image, config=config, model=model)
        name = str(path.parent.relative_to(given.data / "wmh"))
        placement = told(name, anatomy, spacing=grid.spacing)
        if placement is not None:
            rows.append(placement)
            if given.pictures:
                draw(
                    data, placement, grid=grid, out=given.pictures / f"{name.replace('/', '-')}.png"
                )
        if str(path.relative_to(given.data)) in SPOILED:
            spoiled.append((name, anatomy, grid.spacing))
    lobes: list[str] = []
    for name, anatomy, spacing in spoiled:
        place = place_on_template(anatomy, spacing=spacing)
        if place is not None:
            began = time.process_time()
            lobe_map(anatomy, from_template=place.from_template, spacing=spacing)
            lobes.append(f"{name} {time.process_time() - began:.2f} s")
    means = [
        float(np.mean([getattr(row, part) for row in rows]))
        for part in ("brain", "white_matter", "deep_grey", "ventricles")
    ]
    print(f"| mean of {len(rows)} | | " + " | ".join(f"{one:.2f}" for one in means) + " | | | |")
    print(f"\nProcessor time of the lobes: {', '.join(lobes)}")
    print(f"\n{HEADER}\n|{'---|' * 9}")
    for name, anatomy, spacing in spoiled:
        for how, wrong, mm in made_wrong(anatomy, spacing):
            told(f"{name}, {how}", wrong, spacing=mm)


def tissues(
    image: Image, *, config: SegmentConfig, model: Model
) -> tuple[npt.NDArray[np.generic], Labels, Grid]:
    """A scan and its tissues, canonical axes."""
    seen = observe(image, config=config, model=model, journal=Journal(silent))
    return seen.data, seen.prediction.anatomy, seen.grid


def told(name: str, anatomy: Labels, *, spacing: Triple) -> Placement | None:
    """A row of the table, and the placement."""
    began = time.process_time()
    found = place_on_template(anatomy, spacing=spacing)
    seconds = time.process_time() - began
    if found is None:
        print(f"| {name} | no | | | | | | | {seconds:.2f} |")
        return None
    overlaps = " | ".join(
        f"{one:.2f}" for one in (found.brain, found.white_matter, found.deep_grey, found.ventricles)
    )
    scales = " ".join(f"{one:.2f}" for one in found.scales)
    landed = "yes" if found.landed else "no"
    print(
        f"| {name} | {landed} | {overlaps} | {scales} | {found.degrees:.0f} | {seconds:.2f} |",
        flush=True,
    )
    return found


def made_wrong(anatomy: Labels, spacing: Triple) -> Iterator[tuple[str, Labels, Triple]]:
    """The same tissues as no scan should be."""
    x, y, z = (length // 2 for length in anatomy.shape)
    left, back, low, high, third = (anatomy.copy() for _ in range(5))
    left[x:] = 0
    back[:, y:] = 0
    held = np.flatnonzero(np.isin(anatomy, BRAIN).any(axis=(0, 1)))
    middle = int(held.mean())
    low[:, :, middle:] = 0
    high[:, :, :middle] = 0
    third[:, :, : int(np.quantile(held, 0.67))] = 0
    yield "upside down", anatomy[:, :, ::-1], spacing
    yield "back to front", anatomy[:, ::-1], spacing
    yield (
        "front and top exchanged",
        anatomy.transpose(0, 2, 1),
        (spacing[0], spacing[2], spacing[1]),
    )
    yield (
        "side and front exchanged",
        anatomy.transpose(1, 0, 2),
        (spacing[1], spacing[0], spacing[2]),
    )
    yield "left half", left, spacing
    yield "back half", back, spacing
    yield "lower half", low, spacing
    yield "upper half", high, spacing
    yield "upper third", third, spacing
    yield "cut: lower half", anatomy[:, :, :middle], spacing
    yield "cut: upper half", anatomy[:, :, middle:], spacing
    yield "cut: left half", anatomy[:x], spacing
    yield "slices twice as thick", anatomy, (spacing[0], spacing[1], 2 * spacing[2])
    yield "slices half as thick", anatomy, (spacing[0], spacing[1], spacing[2] / 2)
    egg = np.zeros_like(anatomy)
    places = np.indices(anatomy.shape) - np.array([x, y, z])[:, None, None, None]
    radius = np.sqrt(
        sum((p * s / r) ** 2 for p, s, r in zip(places, spacing, (60, 80, 60), strict=True))
    )
    egg[radius < 1] = Tissue.WHITE_MATTER
    egg[radius < 0.3] = Tissue.VENTRICLES
    yield "an egg", egg, spacing
    yield "empty", np.zeros_like(anatomy), spacing


def draw(data: npt.NDArray[np.generic], placement: Placement, *, grid: Grid, out: Path) -> None:
    """The outlines of the template's brain (green) and ventricles (red) on the scan."""
    template = load_template()
    here = Grid.from_spacing(grid.shape, grid.spacing)
    labels = Image(template.tissues, template.grid)
    moved = apply_to_mask(labels, transform=placement.from_template.inverse(), onto=here).data
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_outlines(
        Image(data, here),
        np.asarray(moved == Tissue.VENTRICLES),
        np.isin(moved, (*BRAIN, Tissue.VENTRICLES)),
        path=out,
    )


if __name__ == "__main__":
    main()
