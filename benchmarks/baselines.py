"""Baselines without deep learning on the Tabriz scans, one patient left out at a time.

    python benchmarks/baselines.py
    python benchmarks/baselines.py --methods threshold,forest --channels flair,t1
    python benchmarks/baselines.py --weights FOLDER     another network to find the brain

All parameters are chosen on the four other patients. Two definitions: `vascular` (lesions with
caps and rims) and `ms` (lesions). Prints Markdown tables of the five challenge metrics and the
strict F1, and what was chosen in each fold; keeps the masks in benchmarks/out/baselines/.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leuko.baselines.registry import METHODS
from leuko.datasets.items import Item
from leuko.evaluation.aggregate import summarise
from leuko.evaluation.pair import pair_images
from leuko.evaluation.registry import CHALLENGE
from leuko.evaluation.scores import scores
from leuko.formats.read import read_mask
from leuko.formats.write import write
from leuko.pipelines.baseline import Fold, run_baselines

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out" / "baselines"
DEFINITIONS = {"vascular": ("lesions", "caps_and_rims"), "ms": ("lesions",)}
METRICS = (*CHALLENGE, "lesion_f1_strict")
HEADINGS = ("Dice", "H95 mm", "AVD %", "recall", "F1", "F1 strict")
DECIMALS = {"h95": 1, "avd": 0}


def main(arguments: Sequence[str]) -> int:
    """Cross-validate what the command line asks for."""
    options = _parse(arguments)
    cases = sorted(path.parent for path in options.data.glob("wmh/tabriz/*/flair.nii.gz"))
    if not cases:
        print("The Tabriz scans are not there.", file=sys.stderr)
        return 2
    began = time.monotonic()
    print(f"`{' '.join(['python benchmarks/baselines.py', *sys.argv[1:]])}`")
    for definition in options.definitions.split(","):
        out = options.out / definition
        items = [_item(case, definition, options.channels.split(","), out) for case in cases]
        folds = run_baselines(
            items,
            methods=options.methods.split(","),
            out=out,
            weights=options.weights,
            force=True,
            say=lambda line: print(
                f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True
            ),
        )
        print(f"\n## {definition}: {' and '.join(DEFINITIONS[definition])}\n")
        print(_table(items, list(dict.fromkeys(fold.method for fold in folds)), out))
        print(_chosen(folds))
    print(f"\n{time.monotonic() - began:.0f} s in all")
    return 0


def _item(case: Path, definition: str, channels: Sequence[str], out: Path) -> Item:
    """The case with the truth of the definition, written aside."""
    masks = [read_mask(case / f"{name}.nii.gz") for name in DEFINITIONS[definition]]
    whole = np.any([mask.data == 1 for mask in masks], axis=0).astype(np.uint8)
    truth = out / "truth" / f"{case.name}.nii.gz"
    truth.parent.mkdir(parents=True, exist_ok=True)
    write(masks[0].with_data(whole), truth)
    images = tuple(case / f"{channel}.nii.gz" for channel in channels)
    return Item(name=case.name, subject=case.name, images=images, label=truth)


def _table(items: Sequence[Item], methods: Sequence[str], out: Path) -> str:
    lines = [f"| method | {' | '.join(HEADINGS)} |", f"|---|{'---:|' * len(HEADINGS)}"]
    record: dict[str, object] = {}
    for method in methods:
        rows = [
            scores(
                pair_images(
                    read_mask(out / "truth" / f"{item.name}.nii.gz"),
                    read_mask(out / method / f"{item.name}.nii.gz"),
                ),
                names=METRICS,
            )
            for item in items
        ]
        means = {name: summarise(row[name] for row in rows).mean for name in METRICS}
        record[method] = {
            "mean": means,
            "cases": dict(zip([i.name for i in items], rows, strict=True)),
        }
        cells = (f"{means[name]:.{DECIMALS.get(name, 2)}f}" for name in METRICS)
        lines.append(f"| {METHODS[method].title} (`{method}`) | {' | '.join(cells)} |")
    (out / "scores.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return "\n".join(lines) + "\n"


def _chosen(folds: Sequence[Fold]) -> str:
    lines = ["Chosen on the other four, fold by fold:", ""]
    for method in dict.fromkeys(fold.method for fold in folds):
        told = (
            " ".join(f"{key} {value:.3g}" for key, value in fold.parameters.items())
            + f" (training Dice {fold.training_dice:.2f})"
            for fold in folds
            if fold.method == method
        )
        lines.append(f"- {method}: {'; '.join(told)}")
    return "\n".join(lines)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--definitions", default=",".join(DEFINITIONS))
    parser.add_argument("--channels", default="flair", help="flair, or flair,t1")
    parser.add_argument("--weights", type=Path, help="a folder with a card.json")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
