"""The page of a cohort in words, tables and charts: first what failed and what stands out."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np

from leuko.findings import Severity
from leuko.pipelines.cohort_outliers import AGED, Unlike, unlike
from leuko.pipelines.cohort_pictures import MOST_PICTURES, frequency, thumbnail
from leuko.pipelines.cohort_provenance import provenance
from leuko.pipelines.cohort_sections import (
    case_table,
    distributions,
    failures,
    grade_table,
    group_table,
    groups_of,
    number_table,
    tallies,
)
from leuko.pipelines.cohort_table import Outcome
from leuko.pipelines.outputs import write_whole
from leuko.pipelines.provenance import program_version
from leuko.report import rounding
from leuko.report.cohort_html import cohort_html
from leuko.report.cohort_values import CohortPage, Striking
from leuko.report.document import Measure
from leuko.report.sections import Definition
from leuko.report.wording import cohort_words

__all__ = ["COHORT_PAGE", "page_of", "write_page"]

COHORT_PAGE = "cohort.html"
MOST_STRIKING = 60  # cases named one by one; of more the table has a note
FEWEST = 5


def write_page(outcomes: Sequence[Outcome], *, out: Path, asked: int) -> None:
    """Write OUT/cohort.html; `asked` cases were to be done. Raises WriteError (exit 6)."""
    page = page_of(outcomes, out=out, asked=asked)
    write_whole(out / COHORT_PAGE, cohort_html(page).encode())


def page_of(outcomes: Sequence[Outcome], *, out: Path, asked: int) -> CohortPage:
    """The page of a cohort whose files lie in `out`, to which its links are relative."""
    words = cohort_words()
    done = [outcome for outcome in outcomes if outcome.numbers]
    odd = unlike(outcomes)
    striking = tuple(_striking(outcomes, odd, out=out))
    left_out = _count_striking(outcomes, odd) - len(striking)
    groups = groups_of(outcomes)
    return CohortPage(
        name=out.absolute().name,
        created=datetime.datetime.now().astimezone().strftime("%d %B %Y"),
        version=program_version(),
        lead=_lead(len(done), len(outcomes) - len(done), asked),
        more=_more(done),
        care=tuple(_care(done)),
        headline=tuple(_headline(outcomes, odd)),
        failures=failures(outcomes),
        failures_note=words("failed.note"),
        striking=striking,
        shown=MOST_PICTURES,
        striking_note=_striking_note(len(done), len(striking), left_out),
        plots=tuple(distributions(outcomes, odd=odd, groups=groups)),
        frequency=frequency(done),
        groups=group_table(done, groups) if groups else None,
        numbers=number_table(done) if done else None,
        grades=grade_table(done),
        findings=tallies(done),
        findings_note=words("findings.note" if any(o.numbers.findings for o in done if o.numbers)
                            else "findings.none"),
        cases=case_table(outcomes, odd=odd, link=lambda outcome: _link(outcome, out)),
        definitions=tuple(_definitions()),
        provenance=provenance(done),
        provenance_note=words("provenance.note") if done else "",
    )  # fmt: skip


def _lead(done: int, failed: int, asked: int) -> str:
    words = cohort_words()
    told = {"done": f"{done:,}", "failed": f"{failed:,}", "asked": f"{asked:,}"}
    if done + failed < asked:
        return words("lead.waiting", **told, waiting=f"{asked - done - failed:,}")
    if failed:
        return words("lead.some", **told)
    return words("lead.one") if asked == 1 else words("lead.all", **told)


def _more(done: Sequence[Outcome]) -> str:
    if not done:
        return ""
    words, ml = cohort_words(), rounding.short_millilitres
    volumes = _values(done, "volume_ml")
    lower, median, upper = (float(v) for v in np.percentile(volumes, [25, 50, 75]))
    if len(done) == 1:
        return words("more.single", median=ml(median))
    said = words(
        "more.volume", median=ml(median), lower=ml(lower), upper=ml(upper),
        least=ml(min(volumes)), most=ml(max(volumes)),
    )  # fmt: skip
    if empty := sum(value == 0 for value in volumes):
        said += " " + (words("more.one_none") if empty == 1 else
                       words("more.none", count=f"{empty:,}"))  # fmt: skip
    return said


def _care(done: Sequence[Outcome]) -> Iterator[str]:
    """That a scan is there twice (its content, whatever its name); that cases were made unalike."""
    words = cohort_words()
    if len({outcome.numbers.made_by for outcome in done if outcome.numbers}) > 1:
        yield words("care.unalike")
    by_hash: dict[str, list[str]] = {}
    for outcome in done:
        if outcome.numbers and outcome.numbers.input_sha256:
            by_hash.setdefault(outcome.numbers.input_sha256, []).append(outcome.case.name)
    same = [names for names in by_hash.values() if len(names) > 1]
    if not same:
        return
    first, second = same[0][:2]
    extra = sum(len(names) - 1 for names in same)
    key = "care.same" if extra == 1 else "care.same_more"
    yield words(key, first=first, second=second, count=f"{extra + len(same):,}")


def _headline(
    outcomes: Sequence[Outcome], odd: Mapping[int, tuple[Unlike, ...]]
) -> Iterator[Measure]:
    words = cohort_words()
    done = [outcome for outcome in outcomes if outcome.numbers]
    failed = len(outcomes) - len(done)
    yield Measure("scans", words("tile.scans"), f"{len(outcomes):,}")
    if failed:
        yield Measure("failed", words("tile.failed"), f"{failed:,}")
    for name, key, unit in (
        ("volume_ml", "tile.volume", "ml"),
        ("lesion_count", "tile.lesions", ""),
        ("white_matter_percent", "tile.share", "%"),
    ):
        if values := _values(done, name):
            middle = float(np.median(values))
            text = rounding.millilitres(middle) if unit == "ml" else f"{middle:.3g}"
            yield Measure(name, words(key), text, unit)
    if done:
        yield Measure("warned", words("tile.warned"), f"{sum(map(_is_warned, done)):,}")
        yield Measure("unlike", words("tile.unlike"), f"{len(odd):,}")
    ages = [outcome.case.age for outcome in done if outcome.case.age is not None]
    if ages:
        known = words("tile.known", count=f"{len(done):,}") if len(ages) < len(done) else ""
        yield Measure(
            "age", words("tile.age"), f"{np.median(ages):.3g}", words("tile.years"), known
        )
    if groups := {outcome.case.group for outcome in outcomes if outcome.case.group}:
        yield Measure("groups", words("tile.groups"), str(len(groups)))


# ---------------------------------------------------------------- what stands out


def _is_warned(outcome: Outcome) -> bool:
    found = outcome.numbers.findings if outcome.numbers else ()
    return any(item.severity is not Severity.NOTE for item in found)


def _count_striking(
    outcomes: Sequence[Outcome], odd: Mapping[int, tuple[Unlike, ...]]
) -> int:  # fmt: skip
    return sum(place in odd or _is_warned(outcome) for place, outcome in enumerate(outcomes))


def _striking(
    outcomes: Sequence[Outcome], odd: Mapping[int, tuple[Unlike, ...]], *, out: Path
) -> Iterator[Striking]:
    """Unlike the others first, the strongest first; then those with most warnings."""
    warned = {place: _warnings(outcome) for place, outcome in enumerate(outcomes)}
    places = [place for place in range(len(outcomes)) if place in odd or warned[place]]
    places.sort(key=lambda p: (-abs(odd[p][0].z) if p in odd else 0.0, -len(warned[p]), p))
    pictures = 0
    for place in places[:MOST_STRIKING]:
        outcome = outcomes[place]
        picture = thumbnail(outcome) if pictures < MOST_PICTURES else None
        pictures += picture is not None
        said = [_said(one) for one in odd.get(place, ())]
        yield Striking(
            outcome.case.name, (*said, *warned[place]), bool(warned[place]),
            _link(outcome, out), picture,
        )  # fmt: skip


def _warnings(outcome: Outcome) -> tuple[str, ...]:
    found = outcome.numbers.findings if outcome.numbers else ()
    return tuple(item.what for item in found if item.severity is not Severity.NOTE)


def _said(one: Unlike) -> str:
    words = cohort_words()
    z = f"{one.z:+.1f}".replace("-", "−")
    if one.measure == "asymmetry":
        side = "striking.left" if one.value > 0 else "striking.right"
        more, usual = 50 * (1 + abs(one.value)), 50 * (1 + one.usual * np.sign(one.value))
        return words(side, value=f"{more:.0f}", usual=f"{usual:.0f}", z=z)
    key = "striking.unlike" if one.for_age is None else "striking.aged"
    return words(
        key, name=words(f"measure.{one.measure}"), value=rounding.millilitres(one.value),
        unit=words(f"unit.{one.measure}"), usual=rounding.millilitres(one.usual), z=z,
        age=None if one.for_age is None else f"{one.for_age:.0f}",
    )  # fmt: skip


def _striking_note(done: int, shown: int, left_out: int) -> str:
    words = cohort_words()
    if not shown:
        return words("striking.none" if done >= FEWEST else "striking.few")
    more = " " + words("striking.left_out", count=f"{left_out:,}") if left_out else ""
    return words("striking.note" if done >= FEWEST else "striking.few") + more


# ---------------------------------------------------------------- small things


def _link(outcome: Outcome, out: Path) -> str:
    """The way from the page to a case's report; empty where there is none."""
    if outcome.place is None or not outcome.place.report.is_file():
        return ""
    return quote(outcome.place.report.relative_to(out.absolute()).as_posix())


def _values(done: Sequence[Outcome], column: str) -> list[float]:
    found = (outcome.numbers.number(column) for outcome in done if outcome.numbers)
    return [value for value in found if value is not None]


def _definitions() -> Iterator[Definition]:
    words = cohort_words()
    for name in ("volume", "lesion", "share", "regions", "fazekas", "interval", "unlike", "failed",
                 "status"):  # fmt: skip
        yield Definition(words(f"define.{name}.term"), words(f"define.{name}", aged=AGED))
