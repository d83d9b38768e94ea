"""How much of a glioma the mask takes for white matter hyperintensities.

    python benchmarks/gliomas.py

Twelve FLAIRs of lower grade gliomas as slices (their spacing is not known: a usual one is taken),
with manual masks of what is bright. Prints for each, under both definitions, the ml of the glioma,
the share of it that leuko marks, and the ml marked elsewhere.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from gate_scans import glioma_truths
from leuko.image.image import to_canonical
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.mask import make_mask
from leuko.pipelines.model import load_model, settings
from leuko.pipelines.observe import observe
from leuko.progress import Journal

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))


def main() -> int:
    """Print a row a glioma, and the sums."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    data = parser.parse_args().data
    configs = {
        kind: SegmentConfig(policy="lenient", definition=kind) for kind in ("vascular", "ms")
    }
    model = load_model(configs["ms"])
    print("| scan | glioma ml | marked, vascular % | ms % | elsewhere, vascular ml | ms ml |")
    print("|---|--:|--:|--:|--:|--:|")
    rows = []
    for name, image, truth in glioma_truths(data):
        seen = observe(image, config=configs["ms"], model=model, journal=Journal())
        glioma = to_canonical(truth.data, truth.grid) > 0
        ml = float(np.prod(seen.grid.spacing)) / 1000
        inside, outside = [], []
        for config in configs.values():
            made = make_mask(
                seen.prediction,
                data=seen.data,
                spacing=seen.grid.spacing,
                settings=settings(config, model.card),
            )
            inside.append(float(np.count_nonzero(made.mask & glioma)) * ml)
            outside.append(float(np.count_nonzero(made.mask & ~glioma)) * ml)
        rows.append((float(np.count_nonzero(glioma)) * ml, *inside, *outside))
        print(_row(name, rows[-1]), flush=True)
    print(_row("together", tuple(sum(values) for values in zip(*rows, strict=True))))
    return 0


def _row(name: str, values: tuple[float, ...]) -> str:
    size, vascular, ms, beside_vascular, beside_ms = values
    shares = f"{100 * vascular / size:.0f} | {100 * ms / size:.0f}"
    return f"| {name} | {size:.1f} | {shares} | {beside_vascular:.1f} | {beside_ms:.1f} |"


if __name__ == "__main__":
    raise SystemExit(main())
