"""What `segment`, `measure` and `demo` show: progress on stderr, the numbers on stdout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leuko.findings import Severity
from leuko.progress import Watcher, silent
from leuko.report import rounding

if TYPE_CHECKING:
    from leuko.pipelines.cohort import Outcome
    from leuko.pipelines.statistics import Statistics

__all__ = [
    "cases_on_screen",
    "print_agreement",
    "print_cases",
    "print_findings",
    "print_numbers",
    "print_outcomes",
    "print_result",
    "steps_on_screen",
]

COLOURS = {Severity.NOTE: "cyan", Severity.WARNING: "yellow", Severity.REFUSAL: "red"}
STATUS_COLOURS = {"done": "green", "kept": "cyan", "failed": "red"}
MISSING = "not measured"
MOST_ROWS = 50  # of a cohort on screen; the table holds all


class Remark(Protocol):
    """A finding, as it is in the program or in stats.json."""

    @property
    def severity(self) -> Severity: ...
    @property
    def what(self) -> str: ...
    @property
    def hint(self) -> str: ...


@contextmanager
def steps_on_screen(*, quiet: bool) -> Iterator[Watcher]:
    """A watcher that shows each step with its time; silent unless stderr is a terminal."""
    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield silent
        return
    with console.status("starting") as status:

        def show(name: str, seconds: float | None) -> None:
            if seconds is None:
                status.update(name)
            else:
                console.print(f"[green]✓[/] {name:<22}[dim]{seconds:7.2f} s[/]")

        yield show


@contextmanager
def cases_on_screen(count: int, *, quiet: bool) -> Iterator[Callable[[Outcome], None]]:
    """A watcher that shows a line per finished case; silent unless stderr is a terminal."""
    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield lambda outcome: None  # noqa: ARG005
        return
    done, began = 0, monotonic()
    with console.status(f"0 of {count} scans") as status:

        def show(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            left = (count - done) * (monotonic() - began) / done
            status.update(f"{done} of {count} scans, about {_duration(left)} left")
            colour = STATUS_COLOURS[outcome.status]
            console.print(f"[{colour}]{outcome.status:<7}[/] {escape(outcome.case.name)}")

        yield show


def _duration(seconds: float) -> str:
    """A time in its largest unit: 40 s, 12 min, 3.5 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def print_result(numbers: Statistics, *, out: Path, as_json: bool, quiet: bool) -> None:
    """What `--json` (stats.json alone), `--quiet` (nothing) or neither asks for."""
    if as_json:
        from leuko.pipelines.statistics import encode

        click.echo(encode(numbers), nl=False)
        return
    if quiet:
        return
    print_numbers(numbers)
    print_findings(numbers.findings)
    for line in _effects(numbers):
        click.echo(line)
    report = out / "report.html"
    click.echo(f"Report: {report}" if report.exists() else f"Results: {out}")


def print_numbers(numbers: Statistics) -> None:
    """The table of a result on stdout."""
    console = Console(highlight=False)
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(justify="right")
    grid.add_column()
    grid.add_column(style="dim")
    for row in _rows(numbers):
        grid.add_row(*row)
    console.print()
    console.print(grid)
    console.print()


def print_findings(findings: Iterable[Remark]) -> None:
    """Findings with their hints on stderr, coloured by severity, the gravest first."""
    console = Console(stderr=True, highlight=False)
    order = list(COLOURS)
    for finding in sorted(findings, key=lambda item: order.index(item.severity), reverse=True):
        colour = COLOURS[finding.severity]
        label = finding.severity.value.capitalize()
        console.print(f"[bold {colour}]{label}:[/] {escape(finding.what)}", soft_wrap=True)
        if finding.hint:
            console.print(f"  [dim]{escape(finding.hint)}[/]", soft_wrap=True)


def print_agreement(agreement: Mapping[str, float], *, definition: str) -> None:
    """How the sample's mask agrees with its truth, on stdout."""
    from leuko.evaluation.registry import METRICS

    console = Console(highlight=False)
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="bold")
    grid.add_column(justify="right")
    grid.add_column()
    console.print(f"\n[bold]Agreement with the sample's truth[/] (definition: {definition})\n")
    for name, value in agreement.items():
        if metric := METRICS.get(name):
            title = metric.title[0].upper() + metric.title[1:]
            grid.add_row(title, "n/a" if isnan(value) else f"{value:.3g}", metric.unit)
    for label, name in (("Volume of the truth", "truth_ml"), ("Volume found", "found_ml")):
        grid.add_row(label, rounding.millilitres(agreement[name]), "ml")
    console.print(grid)


def print_outcomes(outcomes: Sequence[Outcome], *, out: Path, as_json: bool, quiet: bool) -> None:
    """The table of a cohort on stdout, and what failed on stderr."""
    print_cases(outcomes, quiet=quiet or as_json)
    if as_json:
        from leuko.pipelines.cohort import as_json as encode

        click.echo(encode(outcomes), nl=False)
    elif not quiet:
        console = Console(highlight=False)
        console.print(f"Table: {escape(str(out / 'cohort.tsv'))}", soft_wrap=True)
        console.print(f"Page: {escape(str(out / 'cohort.html'))}", soft_wrap=True)


def print_cases(outcomes: Sequence[Outcome], *, quiet: bool) -> None:
    """What failed on stderr, and a row a case on stdout where these are not too many."""
    for outcome in outcomes:
        if outcome.reason:
            said = f"{outcome.case.name}: {outcome.reason} {outcome.hint}"
            click.echo(said.rstrip(), err=True)
    if quiet:
        return
    console = Console(highlight=False)
    if len(outcomes) <= MOST_ROWS:
        console.print(_table(outcomes))
    counts = Counter(outcome.status.value for outcome in outcomes)
    told = ", ".join(f"{number:,} {status}" for status, number in counts.items())
    console.print(f"\nScans: {len(outcomes):,} ({told})")


def _table(outcomes: Iterable[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("case", no_wrap=True)
    table.add_column("status")
    for heading in ("ml", "lesions", "% of white matter", "warnings"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        colour = STATUS_COLOURS[outcome.status]
        status = f"[{colour}]{outcome.status}[/]"
        found = outcome.numbers
        if found is None:
            table.add_row(escape(outcome.case.name), status, "", "", "", "")
            continue
        percent = found.number("white_matter_percent")
        warnings = sum(item.severity is not Severity.NOTE for item in found.findings)
        table.add_row(
            escape(outcome.case.name),
            status,
            rounding.millilitres(found.number("volume_ml") or 0.0),
            rounding.count(int(found.number("lesion_count") or 0)),
            "" if percent is None else rounding.percent(percent),
            str(warnings or ""),
        )
    return table


def _rows(numbers: Statistics) -> Iterator[tuple[str, str, str, str]]:
    n = numbers
    yield (
        "Volume",
        rounding.millilitres(n.volume_ml),
        "ml",
        f"{rounding.volume(n.volume_mm3)} mm³, {rounding.count(n.volume_voxels)} voxels",
    )
    yield (
        "Lesions",
        rounding.count(n.lesion_count),
        "",
        f"{rounding.count(n.lesion_count_6_connected)} when only faces join voxels",
    )
    for name, label in (
        ("small", "below 10 mm³"),
        ("medium", "10 to below 100 mm³"),
        ("large", "100 mm³ and more"),
    ):
        size = getattr(n.size_classes, name)
        yield (
            f"  {name}",
            rounding.count(size.count),
            f"{100 * size.share:.1f} %",
            f"{rounding.millilitres(size.volume_ml)} ml, {label}",
        )
    yield "Largest lesion", rounding.volume(n.largest_lesion_mm3), "mm³", ""
    for label, side in (("Left", n.left_ml), ("Right", n.right_ml), ("Midline", n.midline_ml)):
        yield label, *_known(side, rounding.millilitres, "ml"), _share(side, n.volume_ml)
    for label, percent, whole in (
        ("Of white matter", n.white_matter_percent, n.white_matter_ml),
        ("Of the brain", n.brain_percent, n.brain_ml),
        ("Of intracranial volume", n.icv_percent, n.icv_ml),
    ):
        of = "" if whole is None else f"of {whole:,.0f} ml"
        yield label, *_known(percent, rounding.percent, "%"), of
    for region, ml in n.regions_ml.items():
        yield region.capitalize(), rounding.millilitres(ml), "ml", _share(ml, n.volume_ml)
    if n.lobes:
        yield "Lobes", "", "", ""
    for lobe, sides in (n.lobes or {}).items():
        left, right = sides.left.volume_ml, sides.right.volume_ml
        told = f"left {rounding.millilitres(left)}, right {rounding.millilitres(right)}"
        yield f"  {lobe.replace('_', ' ')}", rounding.millilitres(left + right), "ml", told
    if most := n.most_affected_slice:
        voxels = rounding.count(most.voxels)
        yield (
            "Most affected slice",
            str(most.index),
            "",
            f"{voxels} voxels, {most.position_mm:.1f} mm",
        )


def _effects(numbers: Statistics) -> Iterator[str]:
    """What the steps after the network did to the mask, where they did anything."""
    done = {step.name: step.parameters for step in numbers.steps}
    small, holes = done.get("remove small lesions", {}), done.get("fill holes", {})
    if removed := small.get("lesions_removed"):
        yield (
            f"Lesions below {small['min_lesion_mm3']:g} mm³ that were removed: {removed} "
            f"(voxels: {small['voxels_removed']})"
        )
    if filled := holes.get("holes_filled"):
        yield (
            f"Holes of up to {holes['fill_holes_mm3']:g} mm³ that were filled: {filled} "
            f"(voxels: {holes['voxels_added']})"
        )


def _known(value: float | None, text: Callable[[float], str], unit: str) -> tuple[str, str]:
    """A number and its unit, or that it was not measured."""
    return (MISSING, "") if value is None else (text(value), unit)


def _share(part: float | None, whole: float) -> str:
    return "" if part is None or whole <= 0 else f"{100 * part / whole:.1f} %"
