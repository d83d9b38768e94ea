"""How far the numbers by region can be trusted: with other ventricles, other cortex, and in time.

    python benchmarks/regions.py                         tables
    python benchmarks/regions.py --picture regions.png   and the four rules on tabriz 105465
    python benchmarks/regions.py --only tabriz --weights runs/NAME/final.pt

- tabriz (6.4 to 8 mm slices): our lesions by the four rules with our ventricles, with manual ones
  and with SynthSeg's: ml, and how many lesions change sides;
- the same heads, raters' lesions with raters' ventricles against ours with ours;
- nichart (2 mm): the same, and juxtacortical, with the MUSE labels of the T1, registered rigidly;
- how much of the insula, and of other cortex, the rule of 12 mm leaves out (MUSE);
- milliseconds that the regions add to the main job on the 1 mm scans.

Prints Markdown and writes benchmarks/out/regions/NAME/: scores.md, scores.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from anatomy_truth import muse_reference
from leuko.anatomy import hemispheres
from leuko.anatomy.juxtacortical import CortexRule, without_insula
from leuko.anatomy.periventricular import Rule, lateral_ventricles
from leuko.formats.read import read_mask, read_scan
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.models.card import Definition
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.segment import segment
from leuko.quantify.confluency import confluency
from leuko.quantify.lesions import LesionTable, label_lesions, measure_lesions
from leuko.quantify.places import Places, place_lesions, with_places
from leuko.quantify.regions import measure_regions
from leuko.quantify.voxels import lesion_voxels
from network_masks import NetworkMasks
from regions_picture import draw_rules

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out"
ONE_MM = ("07", "26", "19")
INSULA = (102, 103, 172, 173)  # MUSE
DEEP_GREY = (23, 30, 36, 37, *range(55, 63))
CORTEX = (31, 32, 47, 48, *range(100, 208))
REPEATS = 5
DEFINITIONS: tuple[Definition, ...] = ("vascular", "ms")
Labels = npt.NDArray[np.uint8]
Section = tuple[str, list[str], list[list[str]]]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """Lesions and tissues of one scan, canonical axes."""

    name: str
    labels: npt.NDArray[np.int32]
    anatomy: Labels
    grid: Grid

    @classmethod
    def of(cls, path: Path, *, model: Model, definition: Definition) -> Head:
        """Segment a scan."""
        flair = read_scan(path)
        config = SegmentConfig(definition=definition, policy="lenient")
        result = segment(flair, config=config, model=model)
        assert result.anatomy is not None
        labels, sided = (
            to_canonical(image.data, flair.grid) for image in (result.lesions, result.anatomy)
        )
        tissues = np.ascontiguousarray(sided % 10).astype(np.uint8)  # without sides
        return cls(path.parent.name, np.ascontiguousarray(labels), tissues, flair.grid.canonical())

    def with_ventricles(self, mask: Image) -> Labels:
        """The anatomy with other ventricles; ours become outer fluid where they are none."""
        found = self.anatomy.copy()
        found[found == Tissue.VENTRICLES] = Tissue.CSF
        found[to_canonical(mask.data, mask.grid) != 0] = Tissue.VENTRICLES
        return found

    def placed(self, anatomy: Labels) -> Placed:
        """Where the lesions lie in an anatomy; what is infratentorial, our own decides."""
        ours = lateral_ventricles(self.anatomy, spacing=self.grid.spacing)
        table = measure_lesions(self.labels, grid=self.grid, anatomy=self.anatomy, ventricles=ours)
        places = place_lesions(
            lesion_voxels(self.labels),
            table=table,
            anatomy=anatomy,
            ventricles=lateral_ventricles(anatomy, spacing=self.grid.spacing),
            spacing=self.grid.spacing,
        )
        return Placed(self, places, table)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Places of the lesions of a head."""

    head: Head
    places: Places
    table: LesionTable

    def above_ml(self) -> float:
        """The volume of all supratentorial lesions."""
        of_voxel = lesion_voxels(self.head.labels).labels - 1
        count = np.count_nonzero(~self.places.infratentorial[of_voxel])
        return float(count) * self.head.grid.voxel_mm3 / 1000

    def near(self, rule: Rule | CortexRule) -> tuple[float, npt.NDArray[np.bool_]]:
        """Supratentorial ml by a rule, and which of the supratentorial lesions."""
        above = ~self.places.infratentorial
        of_voxel = lesion_voxels(self.head.labels).labels - 1
        if isinstance(rule, Rule):
            assert self.places.ventricles is not None
            held = self.places.ventricles.voxels[rule]
            lesions = self.places.ventricles.lesions[rule]
        else:
            assert self.places.cortex is not None
            lesions = self.places.cortex.lesions[rule]
            held = lesions[of_voxel]
        count = np.count_nonzero(held & above[of_voxel])
        return float(count) * self.head.grid.voxel_mm3 / 1000, lesions[above]


def main(arguments: Sequence[str]) -> int:
    """Measure what the command line asks for."""
    options = _parse(arguments)
    out = options.out / "regions" / (options.weights.parent.name if options.weights else "packaged")
    out.mkdir(parents=True, exist_ok=True)
    record: dict[str, object] = {}
    parts = ["# Regions"]
    masks = NetworkMasks.of(options.weights, name="", store=options.out / "predictions", changes={})
    models = {
        name: load_model(SegmentConfig(definition=name), weights=masks.weights)
        for name in DEFINITIONS
    }
    sections: dict[str, Callable[[], Section]] = {
        "tabriz_vascular": lambda: _tabriz(options.data, models, "vascular"),
        "tabriz_ms": lambda: _tabriz(options.data, models, "ms"),
        "raters_vascular": lambda: _raters(options.data, models, "vascular"),
        "raters_ms": lambda: _raters(options.data, models, "ms"),
        "nichart": lambda: _nichart(options.data, models["vascular"], options.out / "anatomy"),
        "insula": lambda: _insula(options.data),
        "time": lambda: _time(options.data, models["vascular"]),
    }
    for key, measure in sections.items():
        if not key.startswith(options.only):
            continue
        title, header, rows = measure()
        parts.append(f"## {title}\n\n{_table(header, rows)}")
        record[key] = [dict(zip(header, row, strict=True)) for row in rows]
        print(parts[-1], flush=True)
    (out / "scores.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    (out / "scores.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.picture is not None:
        path = options.data / "wmh" / "tabriz" / "105465" / "flair.nii.gz"
        head = Head.of(path, model=models["vascular"], definition="vascular")
        places = head.placed(head.anatomy).places
        draw_rules(read_scan(path), head.labels, places, path=options.picture)
    return 0


def _tabriz(data: Path, models: Mapping[Definition, Model], definition: Definition) -> Section:
    model = models[definition]
    found: dict[Rule, list[list[float]]] = {rule: [] for rule in Rule}
    for path in sorted(data.glob("wmh/tabriz/*/flair.nii.gz")):
        head = Head.of(path, model=model, definition=definition)
        manual = read_mask(path.parent / "ventricles.nii.gz")
        manual = manual.with_data((manual.data == 1).astype(np.uint8))
        peer = read_mask(path.parent / "peers" / "ventricles_synthseg.nii.gz")
        own, truth, other = (
            head.placed(anatomy)
            for anatomy in (head.anatomy, head.with_ventricles(manual), head.with_ventricles(peer))
        )
        for rule in Rule:
            (ml, lesions), (true_ml, true), (peer_ml, _) = (
                one.near(rule) for one in (own, truth, other)
            )
            found[rule].append([ml, true_ml, peer_ml, float(np.mean(lesions != true))])
    rows = []
    for rule, values in found.items():
        ours, truth_ml, peers, changed = np.array(values).T
        rows.append([
            rule.value, _pairs(ours, truth_ml),
            f"{np.abs(ours - truth_ml).mean():.2f}", f"{(ours - truth_ml).mean():+.2f}",
            f"{100 * changed.mean():.0f}", f"{np.abs(peers - truth_ml).mean():.2f}",
        ])  # fmt: skip
    header = ["rule", "ours/manual ml", "mean difference ml", "bias ml",
              "lesions called otherwise %", "SynthSeg's difference ml"]  # fmt: skip
    return f"Periventricular with manual ventricles, {definition} (tabriz)", header, rows


def _raters(data: Path, models: Mapping[Definition, Model], definition: Definition) -> Section:
    found: dict[Rule, list[list[float]]] = {rule: [] for rule in Rule}
    for path in sorted(data.glob("wmh/tabriz/*/flair.nii.gz")):
        head = Head.of(path, model=models[definition], definition=definition)
        ventricles, lesions, rims = (
            read_mask(path.parent / f"{name}.nii.gz")
            for name in ("ventricles", "lesions", "caps_and_rims")
        )
        drawn = lesions.data != 0
        if definition == "vascular":
            drawn |= rims.data != 0
        labels, _ = label_lesions(np.ascontiguousarray(to_canonical(drawn, lesions.grid)))
        manual = ventricles.with_data((ventricles.data == 1).astype(np.uint8))
        truth = replace(head, labels=labels).placed(head.with_ventricles(manual))
        own = head.placed(head.anatomy)
        for rule in Rule:
            (ml, _), (true_ml, _) = own.near(rule), truth.near(rule)
            found[rule].append([ml, ml / own.above_ml(), true_ml, true_ml / truth.above_ml()])
    rows = []
    for rule, values in found.items():
        ours, share, truth_ml, true_share = np.array(values).T
        rows.append([
            rule.value, _pairs(ours, truth_ml), f"{np.abs(ours - truth_ml).mean():.2f}",
            _pairs(100 * share, 100 * true_share, decimals=0),
            f"{100 * np.abs(share - true_share).mean():.0f}",
        ])  # fmt: skip
    header = ["rule", "ours/raters ml", "mean difference ml", "ours/raters share %",
              "mean difference of shares"]  # fmt: skip
    return f"Lesions and ventricles of raters, {definition} (tabriz)", header, rows


def _pairs(
    ours: npt.NDArray[np.float64], others: npt.NDArray[np.float64], *, decimals: int = 1
) -> str:
    return " ".join(
        f"{one:.{decimals}f}/{two:.{decimals}f}" for one, two in zip(ours, others, strict=True)
    )


def _nichart(data: Path, model: Model, kept: Path) -> Section:
    rules: list[Rule | CortexRule] = [*Rule, *CortexRule]
    found: list[list[list[float]]] = [[] for _ in rules]
    for path in sorted(data.glob("wmh/nichart/Subj*/flair.nii.gz")):
        head = Head.of(path, model=model, definition="vascular")
        flair = read_scan(path)
        muse = to_canonical(muse_reference(path.parent, flair=flair, kept=kept).labels, flair.grid)
        own, other = head.placed(head.anatomy), head.placed(np.ascontiguousarray(muse))
        for rule, values in zip(rules, found, strict=True):
            (ml, lesions), (muse_ml, theirs) = own.near(rule), other.near(rule)
            values.append([ml, muse_ml, float(np.mean(lesions != theirs))])
    rows = []
    for rule, values in zip(rules, found, strict=True):
        ours, muse_ml, changed = np.array(values).T
        kind = "periventricular" if isinstance(rule, Rule) else "juxtacortical"
        rows.append([f"{kind}, {rule.value}", _pairs(ours, muse_ml),
                     f"{np.abs(ours - muse_ml).mean():.2f}",
                     f"{100 * changed.mean():.0f}"])  # fmt: skip
    header = ["rule", "ours/MUSE ml", "mean difference ml", "lesions called otherwise %"]
    return "With the anatomy of MUSE (nichart, 2 mm)", header, rows


def _insula(data: Path) -> Section:
    rows = []
    for path in sorted(data.glob("wmh/nichart/Subj*/muse_auto.nii.gz")):
        image = read_mask(path)
        labels = to_canonical(image.data, image.grid)
        insula, cortex = np.isin(labels, INSULA), np.isin(labels, CORTEX)
        kept = without_insula(
            cortex, deep_grey=np.isin(labels, DEEP_GREY), spacing=image.grid.canonical().spacing
        )
        gone, lost = 1 - kept[insula].mean(), 1 - kept[cortex & ~insula].mean()
        rows.append([path.parent.name, f"{100 * gone:.0f}", f"{100 * lost:.1f}"])
    header = ["subject", "insula left out %", "other cortex left out %"]
    return "The insula and the rule of 12 mm (MUSE)", header, rows


def _time(data: Path, model: Model) -> Section:
    rows = []
    for name in ONE_MM:
        path = data / "wmh" / "ljubljana" / name / "flair.nii.gz"
        head = Head.of(path, model=model, definition="vascular")
        table = measure_lesions(head.labels, grid=head.grid, anatomy=head.anatomy)
        sides = np.full(head.labels.shape, hemispheres.LEFT, dtype=np.uint8)
        find = partial(lateral_ventricles, head.anatomy, spacing=head.grid.spacing)
        numbers = partial(_numbers, head, table=table, ventricles=find(), sides=sides)
        first, rest = _least(find), _least(numbers)
        volume = np.count_nonzero(head.labels) * head.grid.voxel_mm3 / 1000
        rows.append([name, f"{volume:.1f}", str(len(table)), f"{1000 * first:.0f}",
                     f"{1000 * rest:.0f}", f"{1000 * (first + rest):.0f}"])  # fmt: skip
    header = ["scan", "ml", "lesions", "ventricles ms", "all else ms", "in all ms"]
    return "Processor time of the regions (1 mm, one core)", header, rows


def _numbers(
    head: Head,
    *,
    table: LesionTable,
    ventricles: npt.NDArray[np.bool_],
    sides: npt.NDArray[np.uint8],
) -> None:
    """What the main job does after the ventricles are found."""
    voxels = lesion_voxels(head.labels)
    places = place_lesions(
        voxels,
        table=table,
        anatomy=head.anatomy,
        ventricles=ventricles,
        spacing=head.grid.spacing,
    )
    measure_regions(voxels, places=places, table=table, grid=head.grid, sides=sides)
    with_places(table, places, confluency=confluency(voxels, spacing=head.grid.spacing))


def _least(work: Callable[[], object]) -> float:
    """The least processor time in seconds of some repetitions."""
    taken = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return min(taken)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    parser.add_argument("--weights", type=Path, help="final.pt of a run, or an exported model")
    parser.add_argument("--only", default="", help="sections whose name begins so")
    parser.add_argument("--out", type=Path, default=OUT, help="default benchmarks/out")
    parser.add_argument("--picture", type=Path, help="write the picture of the four rules here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
