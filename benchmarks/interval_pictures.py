"""The picture of intervals.py: volumes with their intervals, reliability of voxels and lesions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from interval_fits import Held
from interval_tables import LesionsTried, VoxelsTried, by_set
from leuko.evaluation.calibration import calibration
from small_png import save_small

__all__ = ["draw"]

COLOURS = {
    "tabriz-union": "#0072b2",
    "tabriz-lesions": "#56b4e9",
    "ljubljana": "#d55e00",
    "nichart": "#009e73",
    "lesion-free": "#7f7f7f",
}
INK, MUTED = "#17212b", "#8b97a3"
LINEAR_ML = 2.0  # below, the axis of volumes is linear, so that 0 has a place
TICKS_ML = (0, 1, 2, 5, 10, 20, 50, 100)
FEWEST = 20  # voxels of a dot
LESIONS = 30  # of a dot
BINS = 10
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def draw(
    volumes: Sequence[Held],
    lesions: Sequence[LesionsTried],
    voxels: Sequence[VoxelsTried],
    *,
    path: Path,
) -> None:
    """Write the PNG; everything in it comes from fits without the set that is shown."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.edgecolor": MUTED, "text.color": INK})
    figure, axes = plt.subplots(1, 3, figsize=(13.2, 4.9), width_ratios=(1.15, 1, 1))
    _volumes(axes[0], volumes)
    _voxels(axes[1], voxels)
    _lesions(axes[2], lesions)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(colors=INK)
    figure.tight_layout(w_pad=2.5)
    save_small(figure, path=path, dpi=110)
    plt.close(figure)


def _volumes(axis: Any, volumes: Sequence[Held]) -> None:
    """A line a volume: its interval, the mask's volume as a ring, the expert's as a dot."""
    at = 0.0
    for key, own in by_set(volumes):
        colour = COLOURS.get(key, INK)
        first = at
        for one in sorted(own, key=lambda one: one.scan.volume_ml):
            axis.plot([one.low_ml, one.high_ml], [at, at], color=colour, linewidth=3, alpha=0.45)
            axis.plot(one.scan.volume_ml, at, "o", color=colour, markerfacecolor="white")
            mark = "." if one.inside else "x"
            axis.plot(one.scan.truth_ml, at, mark, color=INK, markersize=7, markeredgewidth=1.8)
            at -= 1.0
        inside = sum(one.inside for one in own)
        axis.text(
            1.0, (first + at + 1) / 2, f"{key}\n{inside} of {len(own)} held", color=colour,
            va="center", transform=axis.get_yaxis_transform(),
        )  # fmt: skip
        at -= 0.8
    axis.set_xscale("symlog", linthresh=LINEAR_ML, linscale=0.6)
    axis.set_xlim(-0.15, 115)
    axis.set_xticks(TICKS_ML, [str(tick) for tick in TICKS_ML])
    axis.minorticks_off()
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", alpha=0.25)
    axis.set_xlabel("volume in ml")
    axis.set_title(
        "90 % intervals: ring the mask, dot the expert,\ncross an expert outside", loc="left"
    )


def _voxels(axis: Any, voxels: Sequence[VoxelsTried]) -> None:
    """Reliability of voxels, dashed as the network says and drawn through as calibrated."""
    for key, own in by_set(voxels):
        truth = [one.scan.lesion for one in own]
        _curve(axis, [one.scan.probability for one in own], truth, key, "--")
        _curve(axis, [one.fitted for one in own], truth, key, "-")
    _square(axis, "probability of a voxel", "share that the expert drew")
    axis.set_title("Voxels: dashed the network,\nthrough the probability map", loc="left")


def _lesions(axis: Any, lesions: Sequence[LesionsTried]) -> None:
    """Reliability of lesions, dashed the mean probability inside and through the confidence."""
    for key, own in by_set(lesions):
        truth = [one.scan.real for one in own]
        for values, style in (
            ([one.scan.mean for one in own], "--"),
            ([one.fitted for one in own], "-"),
        ):
            points = _alike(np.concatenate(values), np.concatenate(truth))
            _line(axis, points, key, style)
    _square(axis, "probability of a lesion", "share that touches an expert's")
    axis.set_title(
        f"Lesions, {LESIONS} a dot: dashed the mean\nprobability, through the confidence",
        loc="left",
    )


def _curve(
    axis: Any, values: Sequence[FloatArray], truth: Sequence[BoolArray], key: str, style: str
) -> None:
    found = calibration(np.concatenate(values), np.concatenate(truth), bins=BINS)
    points = [(one.predicted, one.observed) for one in found.bins if one.count >= FEWEST]
    _line(axis, points, key, style)


def _alike(values: FloatArray, truth: BoolArray) -> list[tuple[float, float]]:
    """Mean probability and share that is real of lesions of like probability."""
    order = np.argsort(values)
    parts = np.array_split(order, max(values.size // LESIONS, 1))
    return [(float(values[part].mean()), float(truth[part].mean())) for part in parts]


def _line(axis: Any, points: Sequence[tuple[float, float]], key: str, style: str) -> None:
    if points:
        axis.plot(
            *zip(*points, strict=True), style, marker="o", markersize=3.5, linewidth=1.4,
            color=COLOURS.get(key, INK), alpha=1.0 if style == "-" else 0.45,
        )  # fmt: skip


def _square(axis: Any, across: str, up: str) -> None:
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, zorder=0)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=across, ylabel=up)
    axis.set_aspect("equal")
