"""`leuko deidentify`: images without their patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click

from leuko.cli.options import debug_option, quiet_option

__all__ = ["deidentify"]

EXAMPLES = """\b
Examples:
  leuko deidentify STUDY -o clean
  leuko deidentify STUDY.zip -o clean --subject sub-1 --retain-dates modified
  leuko deidentify ULTRASOUND -o clean --blank 0,0,800,60
  leuko deidentify VISIT_2 -o clean_2 --secret key.txt --mapping who.tsv

OUT holds SUBJECT/SERIES/NUMBER.dcm (NIfTI: SUBJECT/NUMBER.nii.gz). Faces stay in volumes of
the head: they can be recognised.

Exit codes: 0 done; 2 wrong usage; 3 nothing readable; 5 some files identify by their content and
were left out (all others are written); 6 cannot write; 7 out of memory or disk; 8 interrupted.
"""


def _boxes(
    _: click.Context, __: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[int, int, int, int], ...]:
    """Rectangles: column and row of the first pixel, width and height."""
    boxes = []
    for text in given:
        try:
            x, y, width, height = (int(part) for part in text.split(","))
        except ValueError as error:
            raise click.BadParameter(
                "four whole numbers are needed: column, row, width, height"
            ) from error
        boxes.append((x, y, width, height))
    return tuple(boxes)


@click.command(epilog=EXAMPLES)
@click.argument("path", type=click.Path(readable=False, path_type=str), metavar="PATH")
@click.option("-o", "--out", required=True, metavar="OUT", help="A new folder for the files.")
@click.option("--subject", default="", metavar="NAME", help="What the one patient is called.")
@click.option(
    "--subjects",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A table (CSV) of two columns: Patient ID, name to use.",
)
@click.option(
    "--secret",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Makes names, UIDs and dates the same in every run with this file; made if not there.",
)
@click.option(
    "--mapping",
    type=click.Path(readable=False, path_type=str, dir_okay=False),
    default="",
    metavar="FILE",
    help="Write who and what became which; readable for you alone.",
)
@click.option(
    "--blank",
    multiple=True,
    callback=_boxes,
    metavar="X,Y,WIDTH,HEIGHT",
    help="Blacken this rectangle in pictures that may show text; several are possible.",
)
@click.option(
    "--pixels-checked", is_flag=True, help="You looked: pictures of unknown kind show no text."
)
@click.option("--retain-safe-private", is_flag=True, help="Keep private attributes known as safe.")
@click.option("--retain-uids", is_flag=True, help="Keep UIDs.")
@click.option("--retain-device", is_flag=True, help="Keep serial numbers and station names.")
@click.option("--retain-institution", is_flag=True, help="Keep name and address of the hospital.")
@click.option(
    "--retain-patient-characteristics", is_flag=True, help="Keep sex, age (90 at most), weight ..."
)
@click.option(
    "--retain-dates",
    type=click.Choice(["full", "modified"]),
    help="Keep dates; modified: all of a patient moved by the same number of days.",
)
@click.option(
    "--clean-descriptors", is_flag=True, help="Keep the imaging terms of descriptions (FLAIR ...)."
)
@click.option(
    "--clean-structured-content",
    is_flag=True,
    help="Keep structured reports, without their texts.",
)
@click.option(
    "--clean-graphics", is_flag=True, help="Keep presentation states, without their texts."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@quiet_option
@debug_option
def deidentify(
    path: str,
    out: str,
    subjects: Path | None,
    secret: Path | None,
    retain_dates: Literal["full", "modified"] | None,
    as_json: bool,
    quiet: bool,
    **choices: Any,
) -> None:
    """Write the images at PATH, a file, folder or archive, without their patients into OUT.

    DICOM: the Basic Application Level Confidentiality Profile (PS3.15 Annex E) with its options.
    NIfTI: the texts of the header and its extensions are removed.
    """
    from leuko.errors import SafetyRefusal
    from leuko.pipelines import deidentify as pipeline
    from leuko.pipelines import deidentify_keys

    with files_on_screen(quiet=quiet or as_json) as watch:
        done = pipeline.deidentify(
            path,
            out=out,
            subjects=deidentify_keys.subjects_of(subjects) if subjects else None,
            secret=deidentify_keys.secret_of(secret) if secret else b"",
            retain_dates=retain_dates or "",
            watch=watch,
            **choices,
        )
    if as_json:
        click.echo(pipeline.as_json(done), nl=False)
    elif not quiet:
        _show(done, out)
    if done.refused:
        raise SafetyRefusal(
            f"Not written, since they identify by their content: {len(done.refused)} of the files. "
            f"The first: {done.refused[0].reason}",
            hint=done.refused[0].hint,
        )


@contextmanager
def files_on_screen(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A watcher that counts files on the screen; silent unless stderr is a terminal."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield lambda count: None  # noqa: ARG005
        return
    with console.status("reading") as status:
        yield lambda count: status.update(f"{count} files written")


def _show(done: Any, out: str) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    files = "1 file" if done.files == 1 else f"{done.files} files"
    said = f"{files} of {done.series} series as {', '.join(done.subjects[:5])}"
    more = f" and {len(done.subjects) - 5} more" if len(done.subjects) > 5 else ""
    console.print(f"[green]✓[/] {escape(said + more)}", soft_wrap=True)
    for text, count in (
        ("copies of a file that is there already were left out", done.duplicates),
        ("files had rectangles blanked", done.blanked),
        (
            "files are mosaics, which nobody can place any more: --retain-safe-private keeps that",
            done.geometry_lost,
        ),
    ):
        if count:
            console.print(f"  {count} {text}", soft_wrap=True)
    errors = Console(stderr=True, highlight=False)
    for item in done.left_out[:20]:
        colour = "red" if item.why == "refused" else "yellow"
        named = item.reason if item.file in item.reason else f"{item.file}: {item.reason}"
        errors.print(f"[{colour}]left out[/] {escape(named)}", soft_wrap=True)
    if len(done.left_out) > 20:
        errors.print(f"... and {len(done.left_out) - 20} more (--json lists all)")
    console.print("[dim]Faces in volumes of the head are not removed.[/]")
    console.print(f"Files: {escape(out)}")
