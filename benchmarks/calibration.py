"""Do probabilities mean what they say: reliability on sets that the weights never saw.

    python benchmarks/calibration.py --weights runs/A/final.pt --weights runs/B/final.pt
    python benchmarks/calibration.py --weights ... --synthetic 3

For each definition the temperature that fits all sets (log-likelihood of the voxels, each scan
counting the same) and, for every group of sets, the one that fits the others. Tables show the
expected calibration error and the bias of the summed probability before and after with the
latter: what a scanner that nobody measured may expect. The voxels are those to which the network
gives at least .01 of lesion; what is dark to it, 99 % of a head, would make any network look
calibrated. `--synthetic N` adds N scans drawn from head_05, which no recipe trains on.

Writes benchmarks/out/calibration/: calibration.md, calibration.json, reliability.png.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from accuracy import OUT, SHARED
from leuko.evaluation.calibration import calibration
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.postprocess.threshold import calibrated
from network_masks import NetworkMasks
from scan_sets import Case, ScanSet, find_cases, find_sets
from score_tables import markdown

SETS = "tabriz-union,tabriz-lesions,ljubljana,nichart"
IN_DOUBT = 0.01  # probability
TEMPERATURES = (0.3, 10.0)
MOST_VOXELS = 50_000  # of a scan: more say the same
SURELY = 1e-6
BINS = 10
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Voxels:
    """What the network gave to the voxels of one scan, and which are lesion."""

    group: str
    key: str
    definition: str
    weights: str
    probability: FloatArray
    truth: BoolArray


@dataclass(frozen=True, slots=True)
class Reliability:
    """A set before and after: means over scans of the calibration error, bias of the sum in %."""

    definition: str
    key: str
    temperature: float
    ece_before: float
    ece_after: float
    bias_before: float
    bias_after: float


def main(arguments: Sequence[str]) -> int:
    """Fit, tell and draw."""
    options = _parse(arguments)
    out = OUT / "calibration"
    out.mkdir(parents=True, exist_ok=True)
    scans: list[Voxels] = []
    for weights in options.weights or [None]:
        masks = NetworkMasks.of(weights, name="", store=OUT / "predictions", changes={})
        sets = [(entry, find_cases(options.data, entry)) for entry in find_sets(options.sets)]
        sets += _synthetic(options.synthetic, data=options.data, out=out)
        for entry, cases in sets:
            if not masks.seen(entry, cases):
                scans += _voxels(masks, entry, cases)
    if not scans:
        print("There is no set that these weights have not seen.", file=sys.stderr)
        return 2
    rows, common = [], {}
    for definition in dict.fromkeys(scan.definition for scan in scans):
        own = [scan for scan in scans if scan.definition == definition]
        common[definition] = fitted(own)
        for key, group in dict.fromkeys((scan.key, scan.group) for scan in own):
            others = [scan for scan in own if scan.group != group]
            temperature = fitted(others) if others else 1.0
            rows.append(_reliability([s for s in own if s.key == key], temperature))
    text = _text(rows, common)
    print(text)
    (out / "calibration.md").write_text(text)
    record = {"temperatures": common, "sets": [asdict(row) for row in rows]}
    (out / "calibration.json").write_text(json.dumps(record, indent=1) + "\n")
    _draw(scans, common, path=out / "reliability.png")
    return 0


def fitted(scans: Sequence[Voxels]) -> float:
    """The temperature of the highest mean log-likelihood, each scan counting the same."""

    def loss(log_temperature: float) -> float:
        total = 0.0
        for scan in scans:
            found = calibrated(scan.probability, temperature=float(np.exp(log_temperature)))
            right = np.where(scan.truth, found, 1 - found)
            total -= float(np.log(np.clip(right, SURELY, 1.0)).mean())
        return total / len(scans)

    low, high = np.log(TEMPERATURES)
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 0.01})
    return round(float(np.exp(best.x)), 2)


def _voxels(masks: NetworkMasks, entry: ScanSet, cases: Sequence[Case]) -> Iterator[Voxels]:
    if entry.truth is None:
        return
    for case in cases:
        print(f"{masks.name} on {entry.key} {case.name}", file=sys.stderr, flush=True)
        probability = np.asarray(masks.probability(entry, case).data)
        truth = np.asarray(entry.truth(case).data) == 1
        chosen = np.flatnonzero(probability.ravel() >= IN_DOUBT)
        rng = np.random.default_rng(0)
        chosen = rng.permutation(chosen)[:MOST_VOXELS]
        yield Voxels(
            entry.group,
            entry.key,
            entry.definition,
            masks.name,
            probability.ravel()[chosen],
            truth.ravel()[chosen],
        )


def _synthetic(count: int, *, data: Path, out: Path) -> list[tuple[ScanSet, list[Case]]]:
    """Synthetic scans of a head that no recipe trains on, written beside the results."""
    if not count:
        return []
    from leuko.synthesis.sample import synthetic_scan

    cases = []
    for seed in range(1, count + 1):
        folder = out / "synthetic" / str(seed)
        if not (folder / "truth.nii.gz").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            scan = synthetic_scan(data / "labelmaps" / "head_05.nii.gz", seed=seed)
            write(scan.flair, folder / "flair.nii.gz")
            write(scan.truth, folder / "truth.nii.gz")
        cases.append(Case(str(seed), folder / "flair.nii.gz"))

    def lesions(case: Case) -> Image:
        truth = read_mask(case.folder / "truth.nii.gz")
        return truth.with_data((truth.data == 1).astype(np.uint8))

    def union(case: Case) -> Image:
        truth = read_mask(case.folder / "truth.nii.gz")
        return truth.with_data((np.asarray(truth.data, dtype=np.uint8) > 0).astype(np.uint8))

    return [
        (ScanSet(f"synthetic-{name}", "synthetic", definition, "", "", truth), cases)
        for name, definition, truth in (("lesions", "ms", lesions), ("union", "vascular", union))
    ]


def _reliability(scans: Sequence[Voxels], temperature: float) -> Reliability:
    def ece(at: float) -> float:
        errors = [calibration(_at(s.probability, at), s.truth, bins=BINS).ece for s in scans]
        return float(np.mean(errors))

    def bias(at: float) -> float:
        summed = sum(float(calibrated(s.probability, temperature=at).sum()) for s in scans)
        return 100 * (summed / sum(int(s.truth.sum()) for s in scans) - 1)

    first = scans[0]
    return Reliability(
        first.definition, first.key, temperature, ece(1.0), ece(temperature), bias(1.0),
        bias(temperature),
    )  # fmt: skip


def _at(probability: FloatArray, temperature: float) -> npt.NDArray[np.float64]:
    return calibrated(probability, temperature=temperature).astype(np.float64)


def _text(rows: Sequence[Reliability], common: dict[str, float]) -> str:
    cells = [
        (
            row.key,
            row.definition,
            f"{row.temperature:.2f}",
            f"{row.ece_before:.3f}",
            f"{row.ece_after:.3f}",
            f"{row.bias_before:+.0f}",
            f"{row.bias_after:+.0f}",
        )
        for row in rows
    ]
    head = ("set", "definition", "temperature of the others", "ECE before", "after",
            "bias % before", "after")  # fmt: skip
    fits = "".join(f"Temperature that fits all, {name}: {t:.2f}\n" for name, t in common.items())
    return f"{markdown(head, cells)}\n{fits}"


def _draw(scans: Sequence[Voxels], common: dict[str, float], *, path: Path) -> None:
    """A PNG: a panel a definition, a colour a set; dashed before, drawn through after."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(common), figsize=(5.2 * len(common), 5), squeeze=False)
    for axis, (definition, temperature) in zip(axes[0], common.items(), strict=True):
        own = [scan for scan in scans if scan.definition == definition]
        axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for number, key in enumerate(dict.fromkeys(scan.key for scan in own)):
            of_set = [scan for scan in own if scan.key == key]
            truth = np.concatenate([scan.truth for scan in of_set])
            given = np.concatenate([scan.probability for scan in of_set])
            for at, style, label in ((1.0, "--", None), (temperature, "-", key)):
                found = calibration(_at(given, at), truth, bins=BINS)
                points = [(b.predicted, b.observed) for b in found.bins if b.count]
                axis.plot(*zip(*points, strict=True), style, marker="o", markersize=3,
                          color=f"C{number}", label=label)  # fmt: skip
        axis.set(
            title=f"{definition}: temperature 1 (dashed) and {temperature:.2f}",
            xlabel="probability given", ylabel="share that is lesion", xlim=(0, 1), ylim=(0, 1),
        )  # fmt: skip
        axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, action="append", default=[])
    parser.add_argument("--sets", default=SETS)
    parser.add_argument("--synthetic", type=int, default=0, metavar="N")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
