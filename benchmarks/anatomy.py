"""How good the anatomy is: against manual ventricles, two parcellations, and itself re-gridded.

    python benchmarks/anatomy.py                                 the packaged weights
    python benchmarks/anatomy.py --weights runs/NAME/final.pt    a training run, or a model.xml

- tabriz: manual ventricles (lateral with plexus, third, fourth, horns), SynthSeg beside;
- nichart: MUSE labels of the T1, registered rigidly (kept in benchmarks/out/anatomy); correlation
  and bias of volumes over five subjects, Dice;
- a young head with a GIF parcellation, 5.5 mm slices;
- volumes of the same scan on other grids: half a pixel shifted, 1.1 times larger pixels, turned
  by 5 degrees, and (1 mm scans) in slices of 3 mm.

Prints Markdown and writes benchmarks/out/anatomy/NAME/: scores.md, scores.json and a picture a
scan: ours outlined red, the reference green.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anatomy_pictures import draw_outlines
from anatomy_truth import Reference, muse_reference, parcellation_reference
from leuko.anatomy.tissues import BRAIN
from leuko.evaluation.pair import pair_images
from leuko.evaluation.scores import scores
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical
from leuko.image.resample import resample
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.observe import observe
from leuko.progress import Journal
from network_masks import NetworkMasks

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out"
NAMED = {
    "ventricles": (Tissue.VENTRICLES,),
    "white matter": (Tissue.WHITE_MATTER,),
    "cortex": (Tissue.CORTEX,),
    "deep grey": (Tissue.DEEP_GREY,),
    "brainstem": (Tissue.BRAINSTEM,),
    "cerebellum": (Tissue.CEREBELLUM,),
    "brain": BRAIN,
}
REGRIDDED = (
    "wmh/ljubljana/26/flair.nii.gz",
    "wmh/tabriz/105465/flair.nii.gz",
    "wmh/nichart/Subj4/flair.nii.gz",
)


@dataclass(frozen=True, slots=True)
class Network:
    """A model, and how a scan becomes tissues with it."""

    name: str
    model: Model

    def tissues(self, flair: Image) -> Image:
        """The tissues that are measured, on the scan's own grid."""
        config = SegmentConfig(policy="lenient")
        seen = observe(flair, config=config, model=self.model, journal=Journal())
        anatomy = from_canonical(seen.prediction.anatomy, flair.grid)
        return flair.with_data(np.ascontiguousarray(anatomy))


def main(arguments: Sequence[str]) -> int:
    """Measure what the command line asks for."""
    options = _parse(arguments)
    masks = NetworkMasks.of(options.weights, name="", store=options.out / "predictions", changes={})
    config = SegmentConfig(policy="lenient")
    network = Network(masks.name, load_model(config, weights=masks.weights))
    out = options.out / "anatomy" / masks.name
    out.mkdir(parents=True, exist_ok=True)
    record: dict[str, object] = {"weights": masks.name}
    parts = [f"# Anatomy of {masks.name}"]
    for key, part in (
        ("tabriz", _manual_ventricles(network, options.data, out)),
        ("nichart", _muse(network, options.data, out)),
        ("young", _parcellation(network, options.data, out)),
        ("regridded", _regridded(network, options.data)),
    ):
        title, header, rows = part
        parts.append(f"## {title}\n\n{_table(header, rows)}")
        record[key] = [dict(zip(header, row, strict=True)) for row in rows]
        print(parts[-1], flush=True)
    (out / "scores.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    (out / "scores.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


Section = tuple[str, list[str], list[list[str]]]


def _manual_ventricles(network: Network, data: Path, out: Path) -> Section:
    rows, means = [], []
    for path in sorted(data.glob("wmh/tabriz/*/flair.nii.gz")):
        flair, truth = read_scan(path), read_mask(path.parent / "ventricles.nii.gz")
        peer = read_mask(path.parent / "peers" / "ventricles_synthseg.nii.gz")
        found = network.tissues(flair)
        mask = found.data == Tissue.VENTRICLES
        drawn = np.asarray(truth.data == 1)
        ours = found.with_data(mask.astype(np.uint8))
        own, other = (scores(pair_images(truth, one), names=NAMES) for one in (ours, peer))
        means.append([own["dice"], own["h95"], other["dice"], other["h95"]])
        rows.append([path.parent.name, *(f"{value:.3f}" for value in means[-1]),
                     f"{own['reference_ml']:.1f}", f"{own['prediction_ml']:.1f}"])  # fmt: skip
        draw_outlines(flair, mask, drawn, path=out / f"{path.parent.name}.png")
    rows.append(["mean", *(f"{value:.3f}" for value in np.mean(means, axis=0)), "", ""])
    header = ["scan", "Dice", "H95 mm", "SynthSeg Dice", "SynthSeg H95 mm", "truth ml", "ours ml"]
    return "Ventricles, manual (6.4 to 8 mm slices)", header, rows


NAMES = ("dice", "h95", "reference_ml", "prediction_ml")


def _muse(network: Network, data: Path, out: Path) -> Section:
    pairs: list[tuple[Image, Reference]] = []
    for path in sorted(data.glob("wmh/nichart/Subj*/flair.nii.gz")):
        flair = read_scan(path)
        reference = muse_reference(path.parent, flair=flair, kept=out.parent)
        found = network.tissues(flair)
        pairs.append((found, reference))
        draw_outlines(
            flair,
            found.data == Tissue.WHITE_MATTER,
            reference.labels == Tissue.WHITE_MATTER,
            path=out / f"{path.parent.name}.png",
        )
    rows = []
    for name, tissues in NAMED.items():
        ours = np.array([_ml(found, tissues) for found, _ in pairs])
        theirs = np.array([sum(r.volumes_ml[t] for t in tissues) for _, r in pairs])
        dice = np.mean([_dice(f.data, r.labels, tissues) for f, r in pairs])
        rows.append([name, f"{np.corrcoef(ours, theirs)[0, 1]:.3f}",
                     f"{100 * (ours / theirs - 1).mean():+.1f}", f"{dice:.3f}",
                     " ".join(map("{:.0f}/{:.0f}".format, ours, theirs))])  # fmt: skip
    header = ["tissue", "correlation", "bias %", "Dice", "ours/MUSE ml"]
    return "Volumes against MUSE (five aged 76 to 86, 2 mm)", header, rows


def _parcellation(network: Network, data: Path, out: Path) -> Section:
    folder = data / "contrasts" / "thick_flair_young"
    flair = read_scan(folder / "flair.nii.gz")
    reference = parcellation_reference(folder / "gif_parcellation.nii.gz", flair=flair)
    found = network.tissues(flair)
    draw_outlines(
        flair,
        found.data == Tissue.WHITE_MATTER,
        reference.labels == Tissue.WHITE_MATTER,
        path=out / "young.png",
    )
    rows = [
        [
            name,
            f"{_dice(found.data, reference.labels, tissues):.3f}",
            f"{_ml(found, tissues):.0f}",
            f"{sum(reference.volumes_ml[t] for t in tissues):.0f}",
        ]
        for name, tissues in NAMED.items()
    ]
    return "A young head (GIF, 5.5 mm slices)", ["tissue", "Dice", "ours ml", "GIF ml"], rows


def _regridded(network: Network, data: Path) -> Section:
    rows = []
    for name in REGRIDDED:
        flair = read_scan(data / name)
        first = network.tissues(flair)
        for change, grid in _other_grids(flair.grid):
            moved = Image(resample(flair, onto=grid, kernel="cubic").data, grid)
            other = network.tissues(moved)
            rows.append([Path(name).parent.name, change, *(
                f"{100 * (_ml(other, NAMED[t]) / _ml(first, NAMED[t]) - 1):+.1f}"
                for t in ("ventricles", "white matter", "brain"))])  # fmt: skip
    header = ["scan", "grid", "ventricles %", "white matter %", "brain %"]
    return "Volumes of the same scan on another grid", header, rows


def _other_grids(grid: Grid) -> list[tuple[str, Grid]]:
    """The same field of view, sampled elsewhere; `grid` has its slices along the last axis."""
    half = np.eye(4)
    half[:2, 3] = 0.5
    middle = np.eye(4)
    middle[:3, 3] = (np.array(grid.shape) - 1) / 2
    angle = np.deg2rad(5)
    turn = np.diag([1.0, 1.0, 1.0, 1.0])
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    wider = np.diag([1.1, 1.1, 1.0, 1.0])
    x, y, z = grid.shape
    fewer = (int(x / 1.1), int(y / 1.1), z)
    grids = [
        ("shifted by half a pixel", Grid(grid.shape, grid.affine @ half)),
        ("pixels 1.1 times larger", Grid(fewer, grid.affine @ wider)),
        ("turned by 5 degrees",
         Grid(grid.shape, grid.affine @ middle @ turn @ np.linalg.inv(middle))),
    ]  # fmt: skip
    if max(grid.spacing) < 1.5:
        thick = np.diag([1.0, 1.0, 3.0, 1.0])
        thick[2, 3] = 1.0
        grids.append(("slices of 3 mm", Grid((x, y, z // 3), grid.affine @ thick)))
    return grids


def _ml(tissues: Image, wanted: tuple[Tissue, ...]) -> float:
    return float(np.isin(tissues.data, wanted).sum()) * tissues.grid.voxel_mm3 / 1000


def _dice(
    one: npt.NDArray[np.generic], other: npt.NDArray[np.generic], wanted: tuple[Tissue, ...]
) -> float:
    first, second = np.isin(one, wanted), np.isin(other, wanted)
    return float(2 * (first & second).sum() / max(1, first.sum() + second.sum()))


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, help="final.pt of a run, or an exported model")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    parser.add_argument("--out", type=Path, default=OUT, help="default benchmarks/out")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
