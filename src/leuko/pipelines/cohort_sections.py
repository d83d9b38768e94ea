"""The tables and charts of a cohort's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from leuko.findings import Severity
from leuko.pipelines.cohort_outliers import Unlike
from leuko.pipelines.cohort_table import Noticed, Outcome, Status
from leuko.report import rounding
from leuko.report.cohort_charts import COLOURS, Scan, ages_chart, groups_chart, volumes_chart
from leuko.report.cohort_values import Failure, Tally
from leuko.report.sections import Cell, Column, Plot, Table
from leuko.report.wording import cohort_words

__all__ = [
    "case_table",
    "distributions",
    "failures",
    "grade_table",
    "group_table",
    "groups_of",
    "number_table",
    "tallies",
]

MOST_GROUPS = 12  # with a row of the chart; the table has all
FEWEST_DRAWN = 5  # scans, below which the table says it better
FEWEST_AGES = 3
MANY_EMPTY = 4  # cells of a row: that of a scan that failed
FEWEST_CORRELATED = 10
GRADES = (0, 1, 2, 3)
NAMED = 3  # cases named with a finding
MEASURED = (
    "volume_ml", "white_matter_percent", "lesion_count", "largest_lesion_mm3",
    "periventricular_ml", "deep_ml", "infratentorial_ml", "left_ml", "right_ml",
    "white_matter_ml", "brain_ml", "ventricles_ml", "icv_ml",
)  # fmt: skip
Odd = Mapping[int, tuple[Unlike, ...]]


def groups_of(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """The groups of finished cases, the largest first; none where there is only one."""
    counts = Counter(outcome.case.group for outcome in outcomes if outcome.numbers)
    named = sorted((group for group in counts if group), key=lambda group: (-counts[group], group))
    return tuple(named) if len(named) > 1 or (named and counts[""]) else ()


def failures(outcomes: Sequence[Outcome]) -> tuple[Failure, ...]:
    """What failed by reason, the most frequent first; the name of the file is left out of it."""
    reasons: dict[tuple[str, str, int], list[str]] = {}
    for outcome in outcomes:
        if outcome.status is Status.FAILED:
            said = outcome.reason.replace(outcome.case.path.name, "…").replace(
                "file or folder …", "such file"
            )
            key = (said, outcome.hint, outcome.exit_code)
            reasons.setdefault(key, []).append(outcome.case.name)
    ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
    return tuple(Failure(*key, tuple(names)) for key, names in ordered)


def tallies(done: Sequence[Outcome]) -> tuple[Tally, ...]:
    """Findings by code: warnings first, then by how many cases have them."""
    words = cohort_words()
    held: dict[str, tuple[Noticed, list[str], set[str]]] = {}
    for outcome in done:
        for item in outcome.numbers.findings if outcome.numbers else ():
            _, names, texts = held.setdefault(item.code, (item, [], set()))
            if not names or names[-1] != outcome.case.name:
                names.append(outcome.case.name)
            texts.add(item.what)
    grave = {Severity.REFUSAL: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    ordered = sorted(held.values(), key=lambda one: (grave[one[0].severity], -len(one[1])))
    return tuple(
        Tally(
            item.severity.value, words(f"severity.{item.severity.value}"), item.code,
            item.what, f"{len(names):,}",
            ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED
                                        else ""),
        )
        for item, names, _ in ordered
    )  # fmt: skip


def distributions(
    outcomes: Sequence[Outcome], *, odd: Odd, groups: Sequence[str]
) -> Iterator[Plot]:
    """Volume alone, by age, by group: as far as the cohort knows them."""
    words = cohort_words()
    scans = [
        Scan(o.case.name, o.numbers.number("volume_ml") or 0.0, o.case.age, o.case.group, n in odd)
        for n, o in enumerate(outcomes)
        if o.numbers
    ]
    if len(scans) < FEWEST_DRAWN:
        return
    yield Plot(
        words("plot.volumes"),
        volumes_chart(scans, axis=words("axis.ml"), counts=words("axis.scans")),
        words("plot.volumes.note"),
    )
    aged = [scan for scan in scans if scan.age is not None]
    if len(aged) >= FEWEST_AGES:
        known = {scan.group for scan in aged}
        coloured = tuple(group for group in groups if group in known)
        coloured = coloured if len(coloured) <= len(COLOURS) else ()
        drawn = ages_chart(
            aged, axis=words("axis.age"), volumes=words("axis.ml"), groups=coloured
        )  # fmt: skip
        yield Plot(words("plot.ages"), drawn, _about_ages(aged))
    if groups:
        drawn = groups_chart(
            [scan for scan in scans if scan.group],
            groups=groups[:MOST_GROUPS],
            axis=words("axis.ml"),
        )
        yield Plot(words("plot.groups"), drawn, words("plot.groups.note"), "wide")


def _about_ages(aged: Sequence[Scan]) -> str:
    words = cohort_words()
    if len(aged) < FEWEST_CORRELATED:
        return words("plot.ages.note_few", count=f"{len(aged):,}")
    ages, volumes = [scan.age or 0.0 for scan in aged], [scan.ml for scan in aged]
    if len(set(ages)) == 1 or len(set(volumes)) == 1:
        return words("plot.ages.note_few", count=f"{len(aged):,}")
    rho = f"{np.corrcoef(_ranks(ages), _ranks(volumes))[0, 1]:.2f}".replace("-", "−")
    return words("plot.ages.note", count=f"{len(aged):,}", rho=rho)


def _ranks(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Ranks from 0, equal values sharing their mean (scipy.stats would take a second to load)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    return np.asarray((last - (counts - 1) / 2)[place], dtype=np.float64)


def group_table(done: Sequence[Outcome], groups: Sequence[str]) -> Table:
    """Volumes by group."""
    words = cohort_words()
    names = ("n", "age", "median", "lower", "upper", "mean", "sd", "least", "most", "none")
    heads = [Column(words("column.group"), number=False)]
    heads += [Column(words(f"column.{name}")) for name in names]
    rows = []
    others = ("",) if any(not outcome.case.group for outcome in done) else ()
    for group in (*groups, *others):
        held = [outcome for outcome in done if outcome.case.group == group]
        volumes = _values(held, "volume_ml")
        ages = [outcome.case.age for outcome in held if outcome.case.age is not None]
        ml = [_ml(value) for value in _spread(volumes)]
        count, none = _whole(len(held)), _whole(sum(value == 0 for value in volumes))
        age = _number(float(np.median(ages)), "{:.3g}") if ages else Cell("")
        rows.append((Cell(group or words("groups.without")), count, age, *ml, none))
    return Table(tuple(heads), tuple(rows), note=words("axis.ml"))


def number_table(done: Sequence[Outcome]) -> Table:
    """Each measure over the cohort."""
    words = cohort_words()
    heads = [
        Column(words("column.measure"), number=False),
        Column(words("column.unit"), number=False),
    ]
    names = ("n", "median", "lower", "upper", "mean", "sd", "least", "most")
    heads += [Column(words(f"column.{name}")) for name in names]
    rows = []
    for name in MEASURED:
        if not (values := _values(done, name)):
            continue
        unit = words(f"unit.{name}")
        cells = [_ml(value) if unit == "ml" else _plain(value) for value in
                 _spread(values)]  # fmt: skip
        rows.append((Cell(words(f"measure.{name}")), Cell(unit), _whole(len(values)), *cells))
    return Table(tuple(heads), tuple(rows), note=words("numbers.note"))


def grade_table(done: Sequence[Outcome]) -> Table | None:
    """How many scans have which Fazekas grade; None where none was estimated."""
    words = cohort_words()
    rows = []
    for name in ("fazekas_periventricular", "fazekas_deep"):
        counts = Counter(round(value) for value in _values(done, name))
        if counts:
            cells = [_whole(counts[grade]) for grade in GRADES]
            rows.append((Cell(words(f"grade.{name}")), _whole(counts.total()), *cells))
    if not rows:
        return None
    heads = [Column("", number=False), Column(words("column.n"))]
    heads += [Column(words("column.grade", grade=grade)) for grade in GRADES]
    return Table(tuple(heads), tuple(rows), note=words("grades.note"))


def case_table(
    outcomes: Sequence[Outcome], *, odd: Odd, link: Callable[[Outcome], str]
) -> Table:  # fmt: skip
    """Every case, sortable; columns that no case fills are left out."""
    words = cohort_words()
    columns: list[tuple[Column, list[Cell]]] = []

    def add(key: str, cells: Sequence[Cell], *, number: bool = True, always: bool = False) -> None:
        if always or any(cell.text for cell in cells):
            columns.append((Column(words(f"column.{key}"), number=number), list(cells)))

    def measured(column: str, write: Callable[[float], Cell]) -> list[Cell]:
        values = [o.numbers.number(column) if o.numbers else None for o in outcomes]
        return [Cell("") if value is None else write(value) for value in values]

    add("case", [Cell(o.case.name, link=link(o)) for o in outcomes], number=False, always=True)
    add("group", [Cell(o.case.group) for o in outcomes], number=False)
    ages = (o.case.age for o in outcomes)
    add("years", [Cell("") if age is None else Cell(f"{age:.3g}", age) for age in ages])
    sexes = (o.case.sex for o in outcomes)
    add("sex", [Cell(words(f"sex.{sex}") if sex else "") for sex in sexes], number=False)
    add("status", [Cell(o.status.value) for o in outcomes], number=False, always=True)
    add("ml", measured("volume_ml", _ml), always=True)
    add("share", measured("white_matter_percent", lambda v: Cell(rounding.percent(v), v)))
    add("lesions", measured("lesion_count", lambda v: _whole(int(v))), always=True)
    add("largest", measured("largest_lesion_mm3", lambda v: Cell(rounding.volume(v), v)))
    add("periventricular", measured("periventricular_ml", _ml))
    add("deep", measured("deep_ml", _ml))
    add("fazekas_periventricular", measured("fazekas_periventricular", lambda v: _whole(int(v))))
    add("fazekas_deep", measured("fazekas_deep", lambda v: _whole(int(v))))
    add("warnings", [_warnings(o) for o in outcomes])
    add("note", [Cell(_note(o, odd.get(n, ()))) for n, o in enumerate(outcomes)], number=False)
    rows = tuple(_spanned(row) for row in zip(*(cells for _, cells in columns), strict=True))
    return Table(
        tuple(column for column, _ in columns), rows, note=words("cases.note"), sortable=True
    )


def _spanned(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The row, its last text over the empty cells before it, where there are many."""
    *others, last = row
    kept = len(others)
    while kept and not others[kept - 1].text:
        kept -= 1
    empty = len(others) - kept
    if not last.text or empty < MANY_EMPTY:
        return row
    return (*others[:kept], replace(last, span=empty + 1))


def _note(outcome: Outcome, odd: Sequence[Unlike]) -> str:
    words = cohort_words()
    return outcome.reason or ", ".join(words(f"note.{one.measure}") for one in odd)


def _warnings(outcome: Outcome) -> Cell:
    found = outcome.numbers.findings if outcome.numbers else ()
    count = sum(item.severity is not Severity.NOTE for item in found)
    return Cell(str(count), count) if count else Cell("")


def _spread(values: Sequence[float]) -> tuple[float, ...]:
    """Median, quartiles, mean, standard deviation (n - 1; NaN of one), least and most."""
    lower, median, upper = (float(v) for v in np.percentile(values, [25, 50, 75]))
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return (median, lower, upper, float(np.mean(values)), sd, min(values), max(values))


def _values(done: Sequence[Outcome], column: str) -> list[float]:
    found = (outcome.numbers.number(column) for outcome in done if outcome.numbers)
    return [value for value in found if value is not None]


def _ml(value: float) -> Cell:
    return Cell("") if value != value else Cell(rounding.millilitres(value), value)


def _number(value: float, form: str) -> Cell:
    return Cell("") if value != value else Cell(form.format(value), value)


def _plain(value: float) -> Cell:
    return _number(value, "{:,.0f}" if abs(value) >= 1000 else "{:.3g}")


def _whole(value: int) -> Cell:
    return Cell(f"{value:,}", value)
