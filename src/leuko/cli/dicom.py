"""`leuko dicom`: commands about DICOM studies; `leuko dicom list` shows what one holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from leuko.cli.options import debug_option, image_argument

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from leuko.pipelines.dicom_list import SeriesList, SeriesRow

__all__ = ["dicom"]

GROUP_EXAMPLES = """\b
Examples:
  leuko dicom list folder_from_the_scanner
"""
EXAMPLES = """\b
Examples:
  leuko dicom list folder_from_the_scanner
  leuko dicom list study.zip
  leuko dicom list DICOMDIR --json

KEY is what --series takes, in every command that reads a study.

Exit codes: 0 done; 2 wrong usage; 3 cannot read.
"""
HEADINGS = ("key", "description", "what", "size", "mm", "TE/TR/TI ms", "role")
LEAST_WIDTHS = {"description": 11, "what": 9}  # of the columns that wrap
ROLES = {"flair": "[bold green]FLAIR[/]", "t1": "[green]T1[/]", "": ""}


@click.group(epilog=GROUP_EXAMPLES)
def dicom() -> None:
    """What a DICOM study holds."""


@dicom.command(name="list", epilog=EXAMPLES)
@image_argument("path", metavar="PATH")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON, and nothing else.")
@debug_option
def list_command(path: str, as_json: bool) -> None:
    """List the images of PATH, and which is the FLAIR.

    PATH is a folder, an archive, a DICOMDIR or a file.

    Each row is one image: a series with two echoes has two rows. Below stands which would be taken
    as FLAIR and T1 and why, and why the others would not. Only headers are read.
    """
    from leuko.pipelines.dicom_list import list_series

    found = list_series(path)
    if as_json:
        from leuko.pipelines.json_texts import indented

        click.echo(indented(found), nl=False)
        return
    _show(found)


def _show(found: SeriesList) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    console.print()
    console.print(_fitting(found.series, console))
    console.print()
    reasons = Table.grid(padding=(0, 2))
    for row in found.series:
        role = f"{ROLES[row.role]}: " if row.role else ""
        reasons.add_row(f"[bold]{row.key}[/]", role + escape(row.why))
    console.print(reasons)
    console.print()
    if found.undecided:
        console.print(found.undecided, style="yellow", markup=False)
    for finding in found.findings:
        console.print(finding.what, markup=False)
    if found.skipped:
        counts = ", ".join(f"{count} {reason}" for reason, count in found.skipped.items())
        console.print(f"Files that are no image: {counts}.", style="dim", markup=False)


def _fitting(rows: tuple[SeriesRow, ...], console: Console) -> Table:
    """The table, without what a narrow terminal has no room for (`--json` says all)."""
    from rich.measure import Measurement

    table, endless = _table(rows), console.options.update_width(1000)
    for without in (["mm"], ["mm", "TE/TR/TI ms"]):
        if Measurement.get(console, endless, table).minimum <= console.width:
            break
        table = _table(rows, without=without)
    return table


def _table(rows: tuple[SeriesRow, ...], *, without: Sequence[str] = ()) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in (name for name in HEADINGS if name not in without):
        wraps = name in LEAST_WIDTHS
        table.add_column(name, overflow="fold", no_wrap=not wraps, min_width=LEAST_WIDTHS.get(name))
    for row in rows:
        table.add_row(
            *(cell for name, cell in zip(HEADINGS, _cells(row), strict=True) if name not in without)
        )
    return table


def _cells(row: SeriesRow) -> tuple[str, ...]:
    """What stands under each of HEADINGS."""
    from rich.markup import escape

    return (
        row.key,
        escape(row.description),
        f"{row.modality} {'cannot be read' if row.refused else row.kind}".strip(),
        "x".join(map(str, row.size)) + (f" x{row.volumes}" if row.volumes > 1 else ""),
        "-" if row.spacing_mm is None else "x".join(f"{v:.2g}" for v in row.spacing_mm),
        _times(row),
        ROLES[row.role],
    )


def _times(row: SeriesRow) -> str:
    times = (row.echo_time_ms, row.repetition_time_ms, row.inversion_time_ms)
    if times == (None, None, None):
        return "-"
    return "/".join("-" if value is None else f"{round(value, 1):g}" for value in times)
