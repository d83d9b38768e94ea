"""The tables of the page of a data set."""

from __future__ import annotations

from collections.abc import Mapping

from leuko.exploration.facts import Case
from leuko.exploration.overview import Spread
from leuko.exploration.robust import FEWEST
from leuko.exploration.suggest import Suggestion
from leuko.pipelines.explore import Exploration
from leuko.pipelines.explore_plots import volume_unit
from leuko.pipelines.explore_texts import of_pictures
from leuko.report.exploration_values import Rows

__all__ = ["cases_table", "classes_table", "grids_table", "sites_table", "suggestion_table"]

MOST_ROWS = 1000  # of the table of cases on the page
SCALES = {
    "hounsfield": "Hounsfield units (CT)",
    "grey": "grey levels of pictures",
    "arbitrary": "no fixed unit (as in magnetic resonance)",
}


def classes_table(found: Exploration) -> Rows | None:
    """A row a class of the masks; None without masks."""
    view = found.overview
    if not view.classes:
        return None
    unit, size = volume_unit(found)
    volumes = unit != "pixels"
    heads = ["value", "class", "masks with it", f"median {unit}", "quartiles", "smallest",
             "largest", "% of voxels", "pieces"]  # fmt: skip
    if volumes:
        heads += ["right of middle", "at the edge"]
    rows = []
    for row in view.classes:
        spread = [_size(value / size) for value in (row.mm3.lower, row.mm3.upper)]
        cells = [
            str(row.value),
            row.name,
            f"{row.cases} of {view.masks}",
            _size(row.mm3.median / size),
            f"{spread[0]}–{spread[1]}" if row.cases >= FEWEST else "",
            f"{_size(row.mm3.minimum / size)} ({row.smallest})",
            f"{_size(row.mm3.maximum / size)} ({row.largest})",
            f"{100 * row.share:.3g}",
            f"{row.components:g}",
        ]
        if volumes:
            side = row.right_share
            cells += ["" if side is None else f"{100 * side:.0f} %", str(row.cut or "")]
        rows.append(tuple(cells))
    numbers = (True, False, *(True,) * (len(heads) - 2))
    note = (
        "Volumes of the masks that hold the class. Pieces and right of middle: medians. At the "
        "edge: masks in which it reaches the border of the image, so that a part may be missing."
        if volumes
        else "Areas of the masks that hold the class, in pixels; pieces: median."
    )
    return Rows(tuple(heads), numbers, tuple(rows), note, first=20)


def sites_table(found: Exploration) -> Rows | None:
    """A row a site; None where nothing says where a case is from."""
    if not found.overview.sites:
        return None
    rows = tuple(
        (
            row.site,
            str(row.cases),
            str(row.subjects),
            str(row.filled),
            "" if row.spacing is None else " × ".join(f"{edge:.3g}" for edge in row.spacing),
        )
        for row in found.overview.sites
    )
    heads = ("site", "cases", "subjects", "masks with foreground", "median spacing, mm")
    width = len(heads) if found.overview.sized else len(heads) - 1
    numbers = (False, True, True, True, True)
    return Rows(heads[:width], numbers[:width], tuple(row[:width] for row in rows))


def grids_table(found: Exploration) -> Rows:
    """Values, types, axes and sizes of the images."""
    view = found.overview
    scales = ", ".join(
        f"{SCALES[scale]}{_of(count, view.readable)}" for scale, count in view.scales.items()
    )
    reasons = "; ".join(view.scale_reasons)
    rows = [
        ("values", f"{scales}: {reasons}"),
        ("stored as", _kinds(view.dtypes, view.readable)),
    ]
    if not of_pictures(found):
        rows.append(("orientation of the axes", _kinds(view.orientations, view.readable)))
    for name, spreads, unit in (("spacing", view.spacing, " mm"), ("voxels", view.shape, "")):
        if spreads is not None:
            parts = spreads[: 2 if of_pictures(found) else 3]
            rows.append((name, f"{' × '.join(_span(part) for part in parts)}{unit}"))
    if view.categories:
        rows.append(("categories", ", ".join(f"{k} {n}" for k, n in view.categories.items())))
    return Rows(("of the images", ""), (False, False), tuple(rows))


def suggestion_table(found: Suggestion) -> Rows:
    """What to start training with, and why."""
    size = " × ".join(map(str, found.size))
    rows = (
        ("slices or volumes", f"{found.dims}D, {found.axis}" if found.dims == 2 else "3D"),
        ("spacing", "as it is" if found.spacing is None
         else " × ".join(f"{edge:g}" for edge in found.spacing) + " mm"),
        ("patch", size),
        ("values", found.intensity if found.window is None
         else f"window {found.window[0]:.0f} to {found.window[1]:.0f} HU".replace("-", "−")),
        ("loss", found.loss),
    )  # fmt: skip
    texts = tuple((*row, reason) for row, reason in zip(rows, found.reasons, strict=True))
    return Rows(
        ("", "start with", "because"), (False, False, False), texts,
        "A rule for each line, the same for every data set; a start, not an optimum.",
    )  # fmt: skip


def cases_table(found: Exploration) -> Rows:
    """A row a case."""
    unit, size = volume_unit(found)
    flat = of_pictures(found)
    heads = ["case", "subject", "site", "voxels", "orientation", "type", "lowest", "median",
             "highest", f"foreground, {unit}", "% of voxels", "note"]  # fmt: skip
    if not flat:
        heads.insert(4, "spacing, mm")
    odd: dict[str, list[str]] = {}
    for item in found.outliers:
        odd.setdefault(item.case, []).append(item.code.replace("_", " "))
    rows = tuple(
        _case_row(case, size=size, flat=flat, odd=odd) for case in found.survey.cases[:MOST_ROWS]
    )
    text = {"case", "subject", "site", "orientation", "type", "note"}
    note = (
        f"The first {MOST_ROWS:,} of {found.overview.cases:,} cases."
        if found.overview.cases > MOST_ROWS
        else ""
    )
    return Rows(tuple(heads), tuple(head not in text for head in heads), rows, note)


def _case_row(
    case: Case, *, size: float, flat: bool, odd: Mapping[str, list[str]]
) -> tuple[str, ...]:
    note = ", ".join(dict.fromkeys(odd.get(case.name, ())))
    facts = case.facts
    if facts is None:
        blank = ("",) * (7 if flat else 8)
        return (case.name, case.subject, case.site, *blank, "", case.problem)
    first, label = facts.channels[0], facts.label
    spacing = () if flat else (" × ".join(f"{edge:.3g}" for edge in facts.spacing),)
    volume = sum(found.mm3 for found in label.classes) / size if label is not None else 0.0
    return (
        case.name,
        case.subject,
        case.site,
        " × ".join(map(str, facts.shape[:2] if facts.picture else facts.shape)),
        *spacing,
        facts.orientation,
        first.dtype,
        f"{first.minimum:.4g}",
        f"{first.median:.4g}",
        f"{first.maximum:.4g}",
        "" if label is None else _size(volume),
        "" if label is None else f"{100 * (1 - label.background_share):.3g}",
        note,
    )


def _span(part: Spread) -> str:
    low, high = f"{part.minimum:.3g}", f"{part.maximum:.3g}"
    return low if low == high else f"{low}–{high}"


def _kinds(counts: Mapping[str, int], total: int) -> str:
    return ", ".join(f"{name}{_of(count, total)}" for name, count in counts.items())


def _of(count: int, total: int) -> str:
    return "" if count == total else f" ({count})"


def _size(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
