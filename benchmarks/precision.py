"""Agreement of the fast number format with full precision: masks of bf16 against f32.

    python benchmarks/precision.py [DATA] [--against MODEL]

Segments every FLAIR of the data folder with both and prints the Dice of the two masks. With
`--against` the second is another model (a quantised one), in the precision that it chooses.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from leuko.formats.read import read_scan
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.pipelines.segment import segment

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main(data: Path, against: str | None) -> None:
    """Print a row a scan, then the mean and the smallest Dice."""
    kinds = (("f32", None), ("bf16", None) if against is None else ("auto", against))
    configs = [
        SegmentConfig(precision=precision, policy="lenient", report=False)  # type: ignore[arg-type]
        for precision, _ in kinds
    ]
    models = [
        load_model(config, weights=weights)
        for config, (_, weights) in zip(configs, kinds, strict=True)
    ]
    agreement = []
    for path in sorted(data.glob("wmh/*/*/*flair.nii.gz")):
        image = read_scan(path)
        full, fast = (
            np.asarray(segment(image, config=config, model=model).mask.data) > 0
            for config, model in zip(configs, models, strict=True)
        )
        total = int(full.sum()) + int(fast.sum())
        agreement.append(2 * int((full & fast).sum()) / total if total else 1.0)
        change = (int(fast.sum()) - int(full.sum())) / max(1, int(full.sum())) * 100
        sys.stdout.write(
            f"{path.parent.name:>10} {path.name:<22} Dice {agreement[-1]:.4f}  "
            f"volume {change:+.2f} %\n"
        )
    sys.stdout.write(f"mean {np.mean(agreement):.4f}, smallest {min(agreement):.4f}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=DATA)
    parser.add_argument("--against", metavar="MODEL")
    options = parser.parse_args()
    main(options.data, options.against)
