r"""How well the gate tells a head that moved from one that lay still.

    python benchmarks/gate_motion.py             all FLAIRs, gliomas too (a quarter of an hour)
    python benchmarks/gate_motion.py --scans tabriz

The slices that the gate looks at are scanned again with a head that moves (motion.py), in both
directions of their plane in turn; the network names the brain once, on the scan as it is. Every
scan is judged with the limits that are shipped, and with limits taken from scans of other sources
only. Prints Markdown and writes benchmarks/out/gate/motion.md.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

import degrade
from gate_scans import Scan, flairs, tumours
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.pipelines.observe import observe
from leuko.preparation.prepare import slice_axis
from leuko.progress import Journal
from leuko.quality.acquisition import MOVED, lines_of
from leuko.quality.kspace import Planes, planes_across
from motion import Order, moved_stack

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("LEUKO_TEST_DATA", HERE.parents[1] / "shared" / "data"))
OUT = HERE / "out" / "gate"
START = time.monotonic()
AMOUNTS = (0.5, 1.0, 2.0)
ORDERS: tuple[Order, ...] = ("shots", "rising")
WORDS = {"shots": "in shots", "rising": "line by line"}
REST = "at rest"
ABOVE = 1.4  # times the highest of the scans at rest: how the limits were set
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the lines of a scan share along the axes of its slices, at rest or moved."""

    source: str
    state: str
    shared: FloatArray


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    options = _parse(arguments)
    model = load_model(SegmentConfig(policy="lenient"))
    seen: list[Seen] = []
    for scan in itertools.chain(flairs(options.data), tumours(options.data)):
        if scan.name.startswith(options.scans):
            seen.extend(_of_scan(scan, model))
    if not seen:
        print(f"None of these scans is in {options.data}.", file=sys.stderr)
        return 2
    text = "`python benchmarks/gate_motion.py`\n\n" + _table(seen)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "motion.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def _of_scan(scan: Scan, model: Model) -> Iterator[Seen]:
    image = degrade.canonical(scan.load())
    anatomy = observe(
        image, config=SegmentConfig(policy="lenient"), model=model, journal=Journal()
    ).prediction.anatomy
    spacing = image.grid.spacing
    if slice_axis(spacing) != 2:
        raise SystemExit(f"{scan.name} has no axial slices.")
    planes = planes_across(np.asarray(image.data), anatomy=anatomy, spacing=spacing, axis=2)
    if planes is None:
        raise SystemExit(f"{scan.name} shows too little brain.")
    yield Seen(scan.source, REST, _shared(planes))
    seed = sum(map(ord, scan.name))
    for number, (order, amount) in enumerate(itertools.product(ORDERS, AMOUNTS)):
        moved = moved_stack(
            planes.voxels,
            spacing=planes.spacing,
            amount=amount,
            axis=(seed + number) % 2,
            order=order,
            seed=seed + number,
            packages=2 if planes.interleaved else 1,
        )
        shared = _shared(replace(planes, voxels=moved))
        yield Seen(scan.source, f"{amount:g} mm and degrees, read {WORDS[order]}", shared)
    print(f"{time.monotonic() - START:6.0f} s  {scan.name}", file=sys.stderr, flush=True)


def _shared(planes: Planes) -> FloatArray:
    return np.array([motion for motion, _ in lines_of(planes)])


def _table(seen: Sequence[Seen]) -> str:
    shipped = np.array(MOVED[:2])
    rest = [one for one in seen if one.state == REST]
    lines = [
        "| head | AUC | limits as shipped | limits from other sources |",
        "|---|---|---|---|",
    ]
    for state in dict.fromkeys(one.state for one in seen):
        own = [one for one in seen if one.state == state]
        known = sum(bool((one.shared > shipped).any()) for one in own)
        unseen = sum(bool((one.shared > _limits(rest, one.source)).any()) for one in own)
        auc = "" if state == REST else f"{_auc(rest, own, shipped):.3f}"
        lines.append(f"| {state} | {auc} | {known}/{len(own)} | {unseen}/{len(own)} |")
    highest = np.max([one.shared for one in rest], axis=0)
    lines += ["", f"Highest at rest: {highest[0]:.4f} from right to left, {highest[1]:.4f} from "
              f"back to front; limits {shipped[0]:.4f} and {shipped[1]:.4f}. "
              f"{len({one.source for one in rest})} sources."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _limits(rest: Sequence[Seen], source: str) -> FloatArray:
    others = [one.shared for one in rest if one.source != source]
    return ABOVE * np.max(others, axis=0) if others else np.array(MOVED[:2])


def _auc(rest: Sequence[Seen], moved: Sequence[Seen], limits: FloatArray) -> float:
    """The chance that a moved head has a higher value than one at rest."""
    low = np.array([(one.shared / limits).max() for one in rest])
    high = np.array([(one.shared / limits).max() for one in moved])
    return float(np.mean(high[:, None] > low[None, :]))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scans", default="", help="only scans whose names begin so")
    parser.add_argument("--data", type=Path, default=SHARED, help="the data folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
