"""Tables and the figure of robustness.py."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from degradations import FIGURE
from leuko.evaluation.agreement import repeatability
from score_tables import markdown

__all__ = ["Copies", "Row", "brief", "draw", "tables"]

COLOURS = {"tabriz": "#b45309", "ljubljana": "#1d4ed8", "nichart": "#047857", "healthy": "#6b7280"}
DEFINITIONS = ("vascular", "ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One degradation of one scan under one definition; volumes in ml, changes in %.

    `expected_ml` is the undegraded mask in the degraded field of view; `found` are the findings
    that the scan as it is does not raise; `same`: whether what must be exact was.
    """

    scan: str
    definition: str
    family: str
    label: str
    strength: float
    healthy: bool
    dice: float | None
    volume_ml: float
    dice_before: float | None = None
    dice_back: float | None = None
    expected_ml: float | None = None
    volume_change: float | None = None
    agreement: float | None = None
    found: Sequence[str] = field(default_factory=tuple)
    same: bool | None = None


@dataclass(frozen=True, slots=True)
class Copies:
    """Volumes in ml of a scan and of its copies under one definition."""

    scan: str
    definition: str
    healthy: bool
    volumes: Sequence[float]

    @property
    def variation(self) -> float:
        """Coefficient of variation in %."""
        return 100 * repeatability(*([value] for value in self.volumes)).within_cv

    @property
    def coefficient(self) -> float:
        """95 % repeatability coefficient in ml: two scans differ by less in 95 of 100 pairs."""
        return repeatability(*([value] for value in self.volumes)).coefficient


def brief(row: Row) -> str:
    """A row in a line, to follow a run."""
    dice = f"Dice {_text(row.dice_before)} to {_text(row.dice)}, " if row.dice is not None else ""
    return (
        f"{row.scan} {row.definition} {row.family} {row.label}: {dice}{row.volume_ml:.2f} ml "
        f"({_percent(row.volume_change) or 'n/a'} %) {' '.join(row.found)}"
    )


def tables(rows: Sequence[Row], copies: Sequence[Copies]) -> str:
    """All tables as Markdown."""
    parts = []
    ill = [row for row in rows if not row.healthy]
    if ill:
        parts += ["## The scans as they are", _as_they_are(ill)]
        parts += [
            "## Degraded, mean over scans (both definitions where there is truth)",
            "Dice is on the degraded grid; back: brought to the scan's own grid and scored there; "
            "volume: against the undegraded mask in the same field of view.",
            _by_change(ill),
        ]
    healthy = [row for row in rows if row.healthy]
    if healthy:
        parts += ["## Healthy heads: false ml (goal: under 0.5)", _healthy(healthy)]
    if copies:
        parts += [
            "## Repeatability: the same scan shifted, turned by 3 degrees, re-gridded, noised",
            "Coefficient of variation (goal: under 5 %), 95 % repeatability.",
            _repeated(copies),
        ]
    if ill:
        parts += ["## Every scan", _details(ill)]
    return "\n\n".join(parts) + "\n"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Small multiples: change of Dice, and of volume, against strength; a line a scan."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    families = [name for name in FIGURE if any(row.family == name for row in rows)]
    if not families:
        return
    heights = ["change of Dice", "change of volume, %", "false ml, healthy"]
    if not any(row.healthy for row in rows):
        del heights[2]
    figure, axes = plt.subplots(
        len(heights), len(families), figsize=(2.5 * len(families) + 1, 2.4 * len(heights) + 0.6),
        sharex="col", sharey="row", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for column, family in enumerate(families):
        for line in _lines([row for row in rows if row.family == family]):
            _plot(list(axes[:, column]), line)
        for row, label in enumerate(heights):
            axis = axes[row, column]
            axis.axhline(0.5 if row == 2 else 0.0, color="#9ca3af", lw=0.8, ls=":")
            axis.spines[["top", "right"]].set_visible(False)
            if column == 0:
                axis.set_ylabel(label)
            if family == "noise":
                axis.set_xscale("log"), axis.invert_xaxis()
                axis.set_xticks([40, 20, 10], ["40", "20", "10"], minor=False)
                axis.minorticks_off()
        axes[0, column].set_title(family, fontsize=10)
        axes[-1, column].set_xlabel(FIGURE[family], fontsize=8)
    axes[1, 0].set_ylim(-70, 70)
    keys = [Line2D([], [], color=colour, label=name) for name, colour in COLOURS.items()]
    keys += [Line2D([], [], color="k", ls=style, label=name)
             for name, style in zip(DEFINITIONS, ("-", "--"), strict=True)]  # fmt: skip
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _plot(axes: Sequence[Any], line: Sequence[Row]) -> None:
    """One scan under one definition in one family, from weak to strong."""
    first = line[0]
    style = {
        "color": COLOURS.get(first.scan.split("/")[0], "k"),
        "ls": "-" if first.definition == "vascular" else "--",
        "marker": "o", "ms": 3, "lw": 1.2,
    }  # fmt: skip
    strengths = [row.strength for row in line]
    top, middle, bottom = axes[0], axes[1], axes[-1]
    if first.healthy:
        bottom.plot(strengths, [row.volume_ml for row in line], **style)
        return
    if first.dice is not None:
        changes = [(row.dice or 0.0) - (row.dice_before or 0.0) for row in line]
        top.plot(strengths, changes, **style)
    middle.plot(strengths, [row.volume_change or 0.0 for row in line], **style)


def _lines(rows: Sequence[Row]) -> Iterable[list[Row]]:
    keys = dict.fromkeys((row.scan, row.definition) for row in rows)
    for key in keys:
        own = [row for row in rows if (row.scan, row.definition) == key]
        yield sorted(own, key=lambda row: row.strength)


def _as_they_are(rows: Sequence[Row]) -> str:
    return markdown(
        ("scan", "definition", "Dice", "ml", "findings"),
        [
            (row.scan, row.definition, _text(row.dice), f"{row.volume_ml:.1f}",
             ", ".join(row.found) or "-")
            for row in rows if row.family == "as it is"
        ],
    )  # fmt: skip


def _by_change(rows: Sequence[Row]) -> str:
    lines = []
    for family, label in dict.fromkeys((row.family, row.label) for row in rows):
        own = [row for row in rows if (row.family, row.label) == (family, label)]
        if family == "as it is":
            continue
        scored = [row for row in own if row.dice is not None and row.dice_before is not None]
        changes = [(row.dice or 0) - (row.dice_before or 0) for row in scored]
        scans = {row.scan for row in own}
        caught = {row.scan for row in own if row.found}
        moves = [row.volume_change for row in own if row.volume_change is not None]
        lines.append((
            family, label, str(len(scans)), _text(_mean(row.dice for row in scored)),
            _text(_mean(changes), sign=True), _text(min(changes, default=None), sign=True),
            _text(_mean(row.dice_back for row in scored)),
            _percent(_mean(moves)), _percent(max(moves, key=abs, default=None)),
            _text(_mean(row.agreement for row in own)),
            _verdict(own) if own[0].same is not None else f"{len(caught)} of {len(scans)}",
        ))  # fmt: skip
    return markdown(
        ("what", "how much", "scans", "Dice", "change", "worst", "back", "volume %", "worst %",
         "Dice of both masks", "caught"),
        lines,
    )  # fmt: skip


def _verdict(rows: Sequence[Row]) -> str:
    return "exact" if all(row.same for row in rows) else "NOT EXACT"


def _healthy(rows: Sequence[Row]) -> str:
    scans = list(dict.fromkeys(row.scan for row in rows))
    columns = [(scan, definition) for scan in scans for definition in DEFINITIONS]
    lines = []
    for family, label in dict.fromkeys((row.family, row.label) for row in rows):
        cells = []
        for key in columns:
            own = [
                row.volume_ml for row in rows
                if (row.scan, row.definition, row.family, row.label) == (*key, family, label)
            ]  # fmt: skip
            cells.append(f"{own[0]:.2f}" if own else "")
        lines.append((family, label, *cells))
    return markdown(("what", "how much", *(f"{s}, {d}" for s, d in columns)), lines)


def _repeated(copies: Sequence[Copies]) -> str:
    lines = [
        (one.scan, one.definition, str(len(one.volumes)), f"{_mean(one.volumes) or 0:.2f}",
         f"{min(one.volumes):.2f} to {max(one.volumes):.2f}",
         "n/a" if math.isnan(one.variation) else f"{one.variation:.1f}",
         f"{one.coefficient:.2f}")
        for one in copies
    ]  # fmt: skip
    for definition in DEFINITIONS:
        own = [c for c in copies if c.definition == definition and not c.healthy]
        squares = [one.variation**2 for one in own if not math.isnan(one.variation)]
        if squares:
            whole = math.sqrt(sum(squares) / len(squares))
            lines.append(("all but healthy", definition, "", "", "", f"{whole:.1f}", ""))
    head = ("scan", "definition", "scans", "mean ml", "ml", "CV %", "95 % repeatability ml")
    return markdown(head, lines)


def _details(rows: Sequence[Row]) -> str:
    return markdown(
        ("scan", "definition", "what", "how much", "Dice", "change", "back", "ml", "volume %",
         "Dice of both masks", "findings"),
        [
            (row.scan, row.definition, row.family, row.label, _text(row.dice),
             _text(None if row.dice is None or row.dice_before is None
                   else row.dice - row.dice_before, sign=True),
             _text(row.dice_back), f"{row.volume_ml:.1f}", _percent(row.volume_change),
             _text(row.agreement), ", ".join(row.found) or "-")
            for row in rows if row.family != "as it is"
        ],
    )  # fmt: skip


def _mean(values: Iterable[float | None]) -> float | None:
    kept = [value for value in values if value is not None]
    return sum(kept) / len(kept) if kept else None


def _text(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return ""
    return f"{value:+.2f}" if sign else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:+.0f}"
