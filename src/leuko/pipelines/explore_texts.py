"""What the page of a data set says in words: its summary, its headline, a recipe to start with."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.exploration.robust import FEWEST, LIMIT
from leuko.exploration.suggest import Suggestion
from leuko.findings import Severity
from leuko.pipelines.explore import Exploration
from leuko.pipelines.explore_pictures import slice_axis
from leuko.report import rounding
from leuko.report.document import Measure

__all__ = ["MOST_UNUSUAL", "headline", "of_pictures", "pictures_note", "recipe_of", "summary_of",
           "unusual_note"]  # fmt: skip

MOST_UNUSUAL = 200  # of the list of what is unusual; the JSON holds all


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


def headline(found: Exploration) -> Iterator[Measure]:
    """The numbers below the summary."""
    view = found.overview
    yield Measure("cases", "Cases", rounding.count(view.cases), "",
                  "" if view.readable == view.cases
                  else f"{view.cases - view.readable} cannot be read")  # fmt: skip
    yield Measure("subjects", "Subjects", rounding.count(view.subjects))
    if view.sites:
        yield Measure("sites", "Sites", rounding.count(len(view.sites)))
    if view.shape is not None:
        size = " × ".join(
            f"{part.median:g}" for part in view.shape[: 2 if of_pictures(found) else 3]
        )
        yield Measure("shape", "Voxels, median", size, "", _axes(found))
    if view.spacing is not None:
        size = " × ".join(f"{part.median:.3g}" for part in view.spacing)
        yield Measure("spacing", "Spacing, median", size, "mm", _axes(found))
    if view.background_share is not None:
        yield Measure("beta", "Background, β", f"{view.background_share:.4g}", "",
                      "mean share of the voxels of a mask")  # fmt: skip
        yield Measure("filled", "Masks with foreground", f"{view.filled} of {view.masks}")


def unusual_note(found: Exploration) -> str:
    """When a case is called unusual."""
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


def pictures_note(found: Exploration, count: int) -> str:
    """Which cases are shown, and how."""
    chosen = f"{count} of {found.overview.cases} cases, unusual ones first. " if (
        count < found.overview.cases
    ) else ""  # fmt: skip
    if of_pictures(found):
        return f"{chosen}Each with its mask's outline."
    return (
        f"{chosen}The {slice_axis(found)} slice with most foreground, its mask outlined; "
        "radiological: the patient's right is on the left."
    )


def of_pictures(found: Exploration) -> bool:
    """Whether the data set holds pictures, without a third axis or a size."""
    return found.overview.readable > 0 and found.overview.pictures == found.overview.readable


def _axes(found: Exploration) -> str:
    return "columns × rows" if of_pictures(found) else "right × anterior × superior"


def _many(count: int, what: str) -> str:
    singular = {"classes": "class"}.get(what, what[:-1])
    return f"{count:,} {singular if count == 1 else what}"


def _list(values: tuple[float, ...] | tuple[int, ...]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"
