"""Learning curves of a run as a picture."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

__all__ = ["draw_curves"]

Panels = Sequence[tuple[str, Sequence[str]]]
PANELS: Panels = (
    ("Loss", ("loss", "valid_loss")),
    ("Dice, training batches (soft)", ("dice_lesion", "dice_cap_rim", "dice_both")),
    ("Dice, fixed synthetic set", ("valid_lesion", "valid_cap_rim", "valid_both")),
    ("Learning rate", ("lr",)),
    ("Slices per second", ("slices_per_s",)),
    ("Share of time waiting for slices", ("waiting",)),
)


def draw_curves(metrics: Path, out: Path, *, panels: Panels = PANELS) -> None:
    """Draw columns of metrics.csv against the step into a PNG file; panels name their columns."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with metrics.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(13, 7), layout="constrained")
    FigureCanvasAgg(figure)
    for index, (title, columns) in enumerate(panels):
        axes = figure.add_subplot(2, 3, index + 1)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("step", fontsize=8)
        axes.grid(alpha=0.3)
        drawn = False
        for column in columns:
            points = [(int(r["step"]), float(r[column])) for r in rows if r.get(column)]
            if points:
                axes.plot(*zip(*points, strict=True), label=column, linewidth=1.2)
                drawn = True
        if drawn and len(columns) > 1:
            axes.legend(fontsize=7)
    figure.savefig(out, dpi=110)
