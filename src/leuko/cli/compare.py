"""`leuko compare`: several methods' masks against one reference, side by side."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli.options import debug_option, quiet_option
from leuko.evaluation.registry import METRICS

if TYPE_CHECKING:
    from leuko.pipelines.compare import Comparison

__all__ = ["compare"]

EXAMPLES = """\b
Examples:
  leuko compare TRUTH/ unet=OUT_A/ resunet=OUT_B/ -o compare.html --images FLAIR/
  leuko compare 'DATA/*/truth.nii.gz' A='DATA/*/a.nii.gz' B='DATA/*/b.nii.gz'
  leuko compare labelsTs/ A=OUT_A/ B=OUT_B/ --labels -o compare.json

In a pattern in quotes, the case is what the star stands for.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 a mask does not lie on the reference's grid; 6 cannot write.
"""
PATH = click.Path(readable=False, path_type=Path)


@click.command(epilog=EXAMPLES)
@click.argument("reference", metavar="REF", type=PATH)
@click.argument("methods", metavar="NAME=MASKS...", nargs=-1)
@click.option(
    "-o",
    "--out",
    "outputs",
    type=click.Path(readable=False, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Write the comparison: .json (everything), .tsv (a row a case and method) or .html "
    "(the page). May be given several times.",
)
@click.option("--labels", is_flag=True, help="Label maps: every label is scored for itself.")
@click.option("--names", metavar="1=NAME,2=NAME|TABLE", help="What the labels are called.")
@click.option(
    "--images",
    type=PATH,
    metavar="FOLDER",
    help="The scans, paired by name: the page shows the errors on them.",
)
@click.option(
    "--worst",
    type=click.IntRange(0, 60),
    default=4,
    show_default=True,
    help="How many cases the page shows, those first on which the methods differ most.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=click.Choice(list(METRICS)),
    metavar="NAME",
    help="Rank by this metric; can be given several times. Default: the challenge's five.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@quiet_option
@debug_option
def compare(
    reference: Path,
    methods: tuple[str, ...],
    outputs: tuple[Path, ...],
    labels: bool,
    names: str | None,
    images: Path | None,
    worst: int,
    metrics: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare several methods' masks against REF: scores, ranking, tests, pictures.

    Every method is NAME=MASKS, a file, a folder or a pattern, paired with REF by name as in leuko
    evaluate. Only cases that all methods have count.
    """
    from leuko.pipelines.compare import compare as compare_masks
    from leuko.pipelines.compare_files import comparison_json, write_comparison
    from leuko.pipelines.evaluate_files import require_score_file
    from leuko.pipelines.label_names import given_names

    for out in outputs:
        require_score_file(out)  # before the work, not after it
    if names and not labels:
        raise click.UsageError("--names is for label maps: give --labels, too.")
    comparison = compare_masks(
        reference,
        _named(methods),
        metrics=metrics or None,
        labels=labels,
        names=given_names(names),
    )
    for out in outputs:
        write_comparison(comparison, out, images=images, worst=worst)
    if as_json:
        click.echo(comparison_json(comparison), nl=False)
    elif not quiet:
        _show(comparison)
    for method, cases in comparison.left_out.items():
        click.echo(f"{method}: no scores for {', '.join(cases)}; left out for all.", err=True)


def _named(methods: tuple[str, ...]) -> dict[str, Path]:
    from leuko.errors import UsageError

    found: dict[str, Path] = {}
    for text in methods:
        name, separator, path = text.partition("=")
        if not (separator and name and path):
            raise UsageError(
                f"'{text}' names no method.", hint="Write NAME=FOLDER, such as unet=OUT_A/."
            )
        if name in found:
            raise UsageError(f"Two methods are called {name}.", hint="Give each its own name.")
        found[name] = Path(path)
    return found


def _show(comparison: Comparison) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from leuko.report.metric_words import BRIEF, unit

    table = Table(box=None, caption=f"means over {len(comparison.cases)} cases")
    table.add_column("method", no_wrap=True)
    summaries = {name: item.summary for name, item in comparison.evaluations.items()}
    names = [n for n in next(iter(summaries.values())) if not n.endswith("_ml") and n != "iou"]
    for name in names:
        heading = f"{BRIEF.get(name, name)} {unit(name, sized=comparison.sized)}".strip()
        table.add_column(heading, justify="right", overflow="fold")
    for heading in ("formula", "mean rank", "first"):
        table.add_column(heading, justify="right", overflow="fold")
    ranking = comparison.ranking
    for method in ranking.order:
        first = ranking.bootstrap[method].first
        table.add_row(
            escape(method),
            *(_text(summaries[method][name].mean) for name in names),
            f"{ranking.formula[method]:.3f}",
            f"{ranking.ranks[method]:.2f}",
            "" if math.isnan(first) else f"{100 * first:.0f} %",
        )
    Console(highlight=False).print(table)


def _text(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
