"""Which lesions are found, against how many are marked that are none: a curve a set.

    python benchmarks/detection.py                                  the packaged weights
    python benchmarks/detection.py --weights runs/A --weights runs/B --sets tabriz-lesions,ljubljana
    python benchmarks/detection.py --weights runs/A --vary mean
    python benchmarks/detection.py --weights runs/A --weights runs/B --unseen --write docs/model.md

A true lesion is found where the mask touches it in a voxel; a marked lesion is false where it
touches no true one: 26-connected components, as in leuko.evaluation.lesionwise. Four things can
vary: `threshold`, the probability from which a voxel counts (the support of refinement moves in
proportion, every other step stays); `min_lesion_peak`, how sure it must be somewhere; or, with
the mask as it is, the least `mean` or `max` probability that a marked lesion must have to be kept.

Prints Markdown and writes benchmarks/out/detection/NAME/: detection.md, detection.json (every point
of every curve) and detection.png, with `--write` into a page, too; `--unseen` leaves out the sets
that a network was trained on. Networks, sets and `--set` are as for accuracy.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from accuracy import name_and_value
from detection_curve import Counts, Curve, counted, draw, tables
from leuko.evaluation.pair import Pair, pair_masks
from leuko.image.image import Image
from leuko.masks.components import connected_components
from marked_text import filled
from network_masks import NetworkMasks
from scan_sets import SETS, Case, ScanSet, find_cases, find_sets

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
LEAST = (0.0, *(round(0.05 * step, 2) for step in range(4, 20)), 0.97, 0.99)
SETTINGS = {"threshold": THRESHOLDS, "min_lesion_peak": LEAST}
BEGIN = "<!-- detection: made by python benchmarks/detection.py --unseen --write docs/model.md -->"
END = "<!-- detection: end -->"
START = time.monotonic()


def main(arguments: Sequence[str]) -> int:
    """Draw the curves that the command line asks for."""
    options = _parse(arguments)
    found = ((entry, find_cases(options.data, entry)) for entry in options.sets)
    sets = [(entry, cases) for entry, cases in found if cases]
    if not sets:
        print(f"There are no scans of these sets in {options.data}.", file=sys.stderr)
        return 2
    curves = []
    for weights in options.weights or [None]:
        masks = NetworkMasks.of(
            weights, name="", store=options.out / "predictions", changes=dict(options.set)
        )
        for entry, cases in sets:
            if options.unseen and masks.seen(entry, cases):
                continue
            _say(f"{masks.name} {entry.key}")
            curves.append(_curve(masks, entry, cases, vary=options.vary))
    text = f"# Detection\n\n`{_command()}`\n\n{tables(curves, vary=options.vary)}"
    print(text)
    name = options.name or "+".join(dict.fromkeys(curve.method for curve in curves))
    out = options.out / "detection" / name
    out.mkdir(parents=True, exist_ok=True)
    (out / "detection.md").write_text(text, encoding="utf-8")
    record = {"command": _command(), "vary": options.vary, "curves": [asdict(c) for c in curves]}
    (out / "detection.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draw(curves, vary=options.vary, path=out / "detection.png")
    _say(f"written to {out}")
    if options.write is not None:
        picture = options.write.parent / "images" / "model" / "detection.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / "detection.png", picture)
        shown = (
            f"![Lesions found against false ones](images/model/{picture.name})\n\n`{_command()}`"
        )
        page = filled(options.write.read_text("utf-8"), shown, begin=BEGIN, end=END)
        options.write.write_text(page, encoding="utf-8")
    return 0


def _curve(masks: NetworkMasks, entry: ScanSet, cases: Sequence[Case], *, vary: str) -> Curve:
    """The counts of a set at every setting, each summed over its scans."""
    points: dict[float, list[Counts]] = {}
    for case in cases:
        pairs = _by_setting if vary in SETTINGS else _by_confidence
        for at, pair in pairs(masks, entry, case, vary=vary):
            points.setdefault(at, []).append(counted(pair))
    used = masks.setting(entry.definition, vary) if vary in SETTINGS else 0.0
    return Curve.of(
        points,
        method=masks.name,
        set=entry.key,
        used=used,
        seen=bool(masks.seen(entry, cases)),
    )


def _by_setting(
    masks: NetworkMasks, entry: ScanSet, case: Case, *, vary: str
) -> Iterator[tuple[float, Pair]]:
    used = masks.setting(entry.definition, vary)
    support = masks.setting(entry.definition, "refine_support")
    for at in sorted({*SETTINGS[vary], used}):
        changes = {vary: f"{at}"}
        if vary == "threshold":
            changes["refine_support"] = f"{min(1.0, at * support / used) if used else at}"
        yield at, _pair(entry, case, masks.mask(entry, case, changes))


def _by_confidence(
    masks: NetworkMasks, entry: ScanSet, case: Case, *, vary: str
) -> Iterator[tuple[float, Pair]]:
    mask = masks.mask(entry, case, {})
    probability = masks.probability(entry, case).data
    lesions = connected_components(mask.data != 0, connectivity=26)
    numbers, own = lesions.labels[mask.data != 0], probability[mask.data != 0]
    if vary == "mean":
        confidence = np.bincount(numbers, own, lesions.count + 1)[1:] / np.maximum(lesions.sizes, 1)
    else:
        confidence = np.zeros(lesions.count)
        np.maximum.at(confidence, numbers - 1, own)
    for at in LEAST:
        kept = np.concatenate([[False], confidence >= at])
        yield at, _pair(entry, case, mask.with_data(kept[lesions.labels].astype(np.uint8)))


def _pair(entry: ScanSet, case: Case, mask: Image) -> Pair:
    truth = entry.truth(case).data == 1 if entry.truth else np.zeros_like(mask.data)
    return pair_masks(truth, mask.data, grid=mask.grid)


def _say(text: str) -> None:
    print(f"{time.monotonic() - START:7.1f} s  {text}", file=sys.stderr, flush=True)


def _command() -> str:
    return " ".join(["python benchmarks/detection.py", *sys.argv[1:]])


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights", type=Path, action="append", help="a run or an exported model; several: compare"
    )
    named = ", ".join(SETS)
    parser.add_argument("--sets", default="tabriz,ljubljana,nichart,lesion-free", help=named)
    parser.add_argument("--vary", choices=(*SETTINGS, "mean", "max"), default="threshold")
    parser.add_argument(
        "--set", type=name_and_value, action="append", default=[], metavar="NAME=VALUE"
    )
    parser.add_argument("--unseen", action="store_true", help="no sets that were trained on")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="Markdown page with the markers")
    parser.add_argument("--name", default="", help="the folder of the outcome")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="default benchmarks/out")
    options = parser.parse_args(arguments)
    try:
        found = find_sets(options.sets)
    except ValueError as error:
        parser.error(str(error))
    options.sets = [entry for entry in found if entry.definition != "ventricles"]
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
