"""Agreement of the fast number format with full precision: masks of bf16 against f32.

    python benchmarks/precision.py [DATA]

Segments every FLAIR of the data folder with both and prints the Dice of the two masks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from leuko.formats.read import read_scan
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import load_model
from leuko.pipelines.segment import segment

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main(data: Path) -> None:
    """Print a row a scan, then the mean and the smallest Dice."""
    configs = [SegmentConfig(precision=p, policy="lenient", report=False) for p in ("f32", "bf16")]
    models = [load_model(config) for config in configs]
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
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
