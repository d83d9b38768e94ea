"""The page of a data set, in words and tables."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from leuko.exploration.facts import Case
from leuko.exploration.overview import Spread
from leuko.exploration.robust import FEWEST, LIMIT
from leuko.exploration.suggest import Suggestion
from leuko.findings import Severity
from leuko.pipelines.explore import Exploration
from leuko.pipelines.explore_definitions import definitions
from leuko.pipelines.explore_pictures import pictures_of, slice_axis
from leuko.pipelines.explore_plots import plots_of, volume_unit
from leuko.pipelines.provenance import program_version
from leuko.report import rounding
from leuko.report.document import Measure, Notice
from leuko.report.exploration_tiles import class_colours
from leuko.report.exploration_values import ExplorationPage, Rows, Unusual

__all__ = ["page_of", "recipe_of", "summary_of"]

MOST_ROWS = 1000  # of the table of cases on the page
MOST_UNUSUAL = 200  # of the list of what is unusual; the JSON holds all
MOST_LEGEND = 8
SCALES = {
    "hounsfield": "Hounsfield units (CT)",
    "grey": "grey levels of pictures",
    "arbitrary": "no fixed unit (as in magnetic resonance)",
}


def page_of(found: Exploration, *, created: str = "") -> ExplorationPage:
    """The page; up to 24 cases are read again for their pictures."""
    pictures = pictures_of(found)
    classes = tuple(row.value for row in found.overview.classes)
    colours = class_colours(classes)
    known = {row.value: row.name for row in found.overview.classes}
    return ExplorationPage(
        name=found.name,
        created=created or datetime.datetime.now().astimezone().strftime("%d %B %Y"),
        version=program_version(),
        summary=summary_of(found),
        headline=tuple(_headline(found)),
        notices=tuple(
            Notice(item.severity.value, "", item.code, item.what, item.hint)
            for item in found.remarks
        ),
        unusual=tuple(
            Unusual(item.case, item.what, item.code, item.severity is Severity.WARNING)
            for item in found.outliers[:MOST_UNUSUAL]
        ),
        unusual_note=_unusual_note(found),
        pictures=pictures,
        pictures_note=_pictures_note(found, len(pictures)),
        plots=plots_of(found),
        classes=_classes(found),
        sites=_sites(found),
        grids=_grids(found),
        suggestion=None if found.suggestion is None else _suggested(found.suggestion),
        recipe="" if found.suggestion is None else recipe_of(found.suggestion),
        cases=_cases(found),
        definitions=definitions(found.overview),
        legend=tuple((colours[value], known[value]) for value in classes[:MOST_LEGEND])
        if 1 < len(classes) <= MOST_LEGEND
        else (),
    )


def summary_of(found: Exploration) -> tuple[str, ...]:
    """What the data set is, in two or three sentences."""
    view = found.overview
    channels = f", {view.channels} channels each" if view.channels > 1 else ""
    kind = "pictures" if view.readable and view.pictures == view.readable else "cases"
    first = f"{_many(view.cases, kind)} of {_many(view.subjects, 'subjects')}{channels}"
    if len(view.sites) > 1:
        first += f" from {len(view.sites)} sites"
    broken = view.cases - view.readable
    if broken:
        first += f", {broken} of which cannot be read"
    if view.masks:
        every = f"every {'other' if broken else 'one'} has a mask"
        masks = every if view.masks == view.readable else f"{view.masks} have a mask"
        first += f"; {masks}, of {_many(len(view.classes), 'classes')}"
    said = [f"{first}."]
    if view.background_share is not None:
        share = rounding.percent(100 * (1 - view.background_share))
        said.append(f"Foreground is {share} % of the voxels.")
    warned = {item.case for item in found.outliers if item.severity is Severity.WARNING}
    noted = {item.case for item in found.outliers} - warned
    if warned:
        verb = "needs" if len(warned) == 1 else "need"
        said.append(f"{_many(len(warned), 'cases')} {verb} a correction or a decision.")
    if noted:
        unlike = f"{'is' if len(noted) == 1 else 'are'} unlike the others"
        said.append(
            f"{_many(len(noted), 'cases')} "
            f"{unlike if view.readable >= FEWEST else 'should be looked at'}."
        )
    return tuple(said)


def recipe_of(suggested: Suggestion) -> str:
    """The suggestion as lines of a training recipe."""
    lines = [f"task: {suggested.task}", "case:", f"  dims: {suggested.dims}"]
    lines.append(f"  axis: {suggested.axis}")
    if suggested.spacing is not None:
        lines.append(f"  spacing: {_list(suggested.spacing)}")
    lines.append(f"  intensity: {suggested.intensity}")
    if suggested.window is not None:
        lines.append(f"  window: {_list(suggested.window)}")
    lines.append(f"  size: {_list(suggested.size)}")
    return "\n".join([*lines, f"loss: {{name: {suggested.loss}}}"])


def _headline(found: Exploration) -> Iterator[Measure]:
    view = found.overview
    yield Measure("cases", "Cases", rounding.count(view.cases), "",
                  "" if view.readable == view.cases
                  else f"{view.cases - view.readable} cannot be read")  # fmt: skip
    yield Measure("subjects", "Subjects", rounding.count(view.subjects))
    if view.sites:
        yield Measure("sites", "Sites", rounding.count(len(view.sites)))
    if view.shape is not None:
        size = " × ".join(f"{part.median:g}" for part in view.shape[: 2 if _flat(found) else 3])
        yield Measure("shape", "Voxels, median", size, "", _axes(found))
    if view.spacing is not None:
        size = " × ".join(f"{part.median:.3g}" for part in view.spacing)
        yield Measure("spacing", "Spacing, median", size, "mm", _axes(found))
    if view.background_share is not None:
        yield Measure("beta", "Background, β", f"{view.background_share:.4g}", "",
                      "mean share of the voxels of a mask")  # fmt: skip
        yield Measure("filled", "Masks with foreground", f"{view.filled} of {view.masks}")


def _unusual_note(found: Exploration) -> str:
    if found.overview.readable < FEWEST:
        return (
            f"Numbers are compared with their median from {FEWEST} cases on; here only with those "
            "of the other cases."
        )
    if not found.outliers:
        return f"No case is unusual: no robust z-score is beyond ±{LIMIT}."
    left = len(found.outliers) - MOST_UNUSUAL
    more = f"{left:,} more are not shown; they are in the JSON. " if left > 0 else ""
    return (
        f"{more}Named where a robust z-score is beyond ±{LIMIT}, or a property is not that of the "
        "others. Unusual is not wrong: look at the picture."
    )


def _pictures_note(found: Exploration, count: int) -> str:
    chosen = f"{count} of {found.overview.cases} cases, unusual ones first. " if (
        count < found.overview.cases
    ) else ""  # fmt: skip
    if _flat(found):
        return f"{chosen}Each with its mask's outline."
    return (
        f"{chosen}The {slice_axis(found)} slice with most foreground, its mask outlined; "
        "radiological: the patient's right is on the left."
    )


def _classes(found: Exploration) -> Rows | None:
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


def _sites(found: Exploration) -> Rows | None:
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


def _grids(found: Exploration) -> Rows:
    view = found.overview
    scales = ", ".join(
        f"{SCALES[scale]}{_of(count, view.readable)}" for scale, count in view.scales.items()
    )
    reasons = "; ".join(view.scale_reasons)
    rows = [
        ("values", f"{scales}: {reasons}"),
        ("stored as", _kinds(view.dtypes, view.readable)),
    ]
    if not _flat(found):
        rows.append(("orientation of the axes", _kinds(view.orientations, view.readable)))
    for name, spreads, unit in (("spacing", view.spacing, " mm"), ("voxels", view.shape, "")):
        if spreads is not None:
            parts = spreads[: 2 if _flat(found) else 3]
            rows.append((name, f"{' × '.join(_span(part) for part in parts)}{unit}"))
    if view.categories:
        rows.append(("categories", ", ".join(f"{k} {n}" for k, n in view.categories.items())))
    return Rows(("of the images", ""), (False, False), tuple(rows))


def _suggested(found: Suggestion) -> Rows:
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


def _cases(found: Exploration) -> Rows:
    unit, size = volume_unit(found)
    flat = _flat(found)
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


def _flat(found: Exploration) -> bool:
    return found.overview.readable > 0 and found.overview.pictures == found.overview.readable


def _axes(found: Exploration) -> str:
    return "columns × rows" if _flat(found) else "right × anterior × superior"


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


def _many(count: int, what: str) -> str:
    singular = {"classes": "class"}.get(what, what[:-1])
    return f"{count:,} {singular if count == 1 else what}"


def _list(values: tuple[float, ...] | tuple[int, ...]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"
