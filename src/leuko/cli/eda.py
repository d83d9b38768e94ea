"""`leuko eda`: what a data set holds, as a page, as JSON or as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli.options import debug_option, quiet_option

if TYPE_CHECKING:
    from leuko.exploration.facts import Case
    from leuko.pipelines.explore import Exploration

__all__ = ["eda"]

MOST_SHOWN = 10

EXAMPLES = """\b
Examples:
  leuko eda DATA -o eda.html
  leuko eda --images scans --masks lesions -o eda.html
  leuko eda --images slices --masks masks --subject '(patient_\\d+)' -o eda.html
  leuko eda cases.tsv -o cases_measured.tsv
  leuko eda Task04_Hippocampus --names 1=anterior,2=posterior --json

\b
DATA is a folder with images/ and masks/, a folder of images, a list (.tsv, .csv,
.json), or a data set of BIDS, Medical Decathlon or nnU-Net.

\b
Exit codes: 0 done; 2 wrong usage; 3 no case can be read; 6 cannot write.
"""


@click.command(epilog=EXAMPLES)
@click.argument("data", required=False, default="", type=click.Path(readable=False))
@click.option(
    "--images",
    multiple=True,
    metavar="FOLDER",
    help="Folder of images; given again, each is a channel.",
)
@click.option("--masks", default="", metavar="FOLDER", help="Folder of their masks.")
@click.option(
    "--layout",
    type=click.Choice(["folders", "list", "bids", "decathlon", "nnunet"]),
    help="How DATA is laid out.  [default: it is found]",
)
@click.option(
    "--subject",
    default="",
    metavar="REGEX",
    help="Whose an image is: an expression with one group, searched in its name.",
)
@click.option(
    "--root",
    default="",
    metavar="FOLDER",
    help="Folder that the paths of a list count from.  [default: the list's own]",
)
@click.option("--site", default="", metavar="REGEX", help="Where it is from, likewise.")
@click.option(
    "--names",
    default="",
    metavar="NAMES",
    help="Names of labels: 1=anterior,2=posterior, or a table of labels.",
)
@click.option(
    "-o",
    "--out",
    "outputs",
    type=click.Path(readable=False, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Write .html (the page), .json (everything) or .tsv (a row a case). May be given several "
    "times.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Cases read at the same time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and nothing else.")
@quiet_option
@debug_option
@click.pass_context
def eda(
    context: click.Context,
    data: str,
    images: tuple[str, ...],
    masks: str,
    layout: str | None,
    subject: str,
    root: str,
    site: str,
    names: str,
    outputs: tuple[str, ...],
    jobs: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Explore a data set: grids, values, volumes of labels, what is unusual, what it suggests.

    A file that cannot be read is a row with its reason, and no stop.
    """
    from leuko.pipelines.explore import data_source, explore
    from leuko.pipelines.explore_tables import require_ending, to_json, write_exploration
    from leuko.pipelines.label_names import given_names

    for out in outputs:
        require_ending(out)  # before the work, not after it
    source = data_source(
        data,
        images=images[0] if len(images) == 1 else images,
        masks=masks,
        layout=layout or "",
        subject=subject,
        root=root,
        site=site,
    )
    with _progress(quiet=quiet or as_json) as show:
        found = explore(source, names=given_names(names), jobs=jobs, progress=show)
    for out in outputs:
        write_exploration(found, out)
    if as_json:
        click.echo(to_json(found), nl=False)
    elif not quiet:
        _show(found, outputs=outputs)
    if not found.overview.readable:
        context.exit(3)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Case], None]]:
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield lambda case: None  # noqa: ARG005
        return
    done = 0
    with console.status("reading") as status:

        def show(case: Case) -> None:
            nonlocal done
            done += 1
            status.update(f"{done} cases, last {case.name}")

        yield show


def _show(found: Exploration, *, outputs: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from leuko.pipelines.explore_plots import volume_unit
    from leuko.pipelines.explore_texts import summary_of

    console = Console(highlight=False)
    console.print(escape(" ".join(summary_of(found))))
    unit, size = volume_unit(found)
    if found.overview.classes:
        table = Table(box=None, pad_edge=False)
        for heading in ("value", "class", "masks", f"median {unit}", "from", "to", "% of voxels"):
            table.add_column(heading, justify="left" if heading == "class" else "right")
        for row in found.overview.classes[: 2 * MOST_SHOWN]:
            sizes = (row.mm3.median, row.mm3.minimum, row.mm3.maximum)
            table.add_row(str(row.value), escape(row.name), str(row.cases),
                          *(f"{value / size:,.4g}" for value in sizes),
                          f"{100 * row.share:.3g}")  # fmt: skip
        console.print()
        console.print(table)
    if found.outliers:
        console.print("\n[bold]Unusual[/]")
    for item in found.outliers[:MOST_SHOWN]:
        console.print(f"{escape(item.case)}: {escape(item.what)}", soft_wrap=True)
    if len(found.outliers) > MOST_SHOWN:
        console.print(f"... and {len(found.outliers) - MOST_SHOWN} more.")
    for remark in found.remarks:
        console.print(f"{escape(remark.what)} [dim]{escape(remark.hint)}[/]", soft_wrap=True)
    if found.suggestion is not None:
        console.print("\n[bold]For training, start with[/]")
        for reason in found.suggestion.reasons:
            console.print(f"  {escape(reason)}", soft_wrap=True)
    if outputs:
        listed = ", ".join(str(Path(out)) for out in outputs)
        console.print(f"\nWritten: {escape(listed)}", soft_wrap=True)
