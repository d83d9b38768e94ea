"""`leuko evaluate`: agreement of masks with a reference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from leuko.cli.options import quiet_option
from leuko.evaluation.registry import CHALLENGE, METRICS

if TYPE_CHECKING:
    from rich.table import Table

    from leuko.pipelines.evaluate import CaseScores, Evaluation

__all__ = ["evaluate"]

HEADINGS = {
    **dict(zip(CHALLENGE, ("Dice", "H95 mm", "AVD %", "recall", "F1"), strict=True)),
    "lesion_f1_strict": "strict F1",
    "reference_ml": "REF ml",
    "prediction_ml": "PRED ml",
}
COUNTS = ("reference_lesions", "predicted_lesions")

EXAMPLES = """\b
Examples:
  leuko evaluate truth.nii.gz OUT/wmh.nii.gz
  leuko evaluate TRUTH/ OUT/ -o scores.json
  leuko evaluate truth.nii.gz mask.nii.gz --metric dice --metric h95 --json
"""


@click.command(epilog=EXAMPLES)
@click.argument("reference", metavar="REF", type=click.Path(readable=False))
@click.argument("prediction", metavar="PRED", type=click.Path(readable=False))
@click.option(
    "-o",
    "--out",
    type=click.Path(readable=False, dir_okay=False),
    help="Write the scores: .json (everything) or .tsv (a row a case).",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=click.Choice(list(METRICS)),
    metavar="NAME",
    help="Compute this metric only; can be given several times. Default: all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@quiet_option
@click.pass_context
def evaluate(
    context: click.Context,
    reference: str,
    prediction: str,
    out: str | None,
    metrics: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Score masks PRED against REF: two files, or two folders paired by name.

    REF: voxels of 1 are lesion, voxels of 2 other pathology, which is left out. PRED: integers
    count from 1, real numbers (a probability map) from 0.5. Both must lie on one grid.
    """
    from leuko.pipelines.evaluate import (
        evaluate_paths,
        require_score_file,
        to_json,
        write_scores,
    )

    if out is not None:
        require_score_file(out)  # before the work, not after it
    evaluation = evaluate_paths(reference, prediction, metrics=metrics or None)
    if out is not None:
        write_scores(evaluation, out)
    if as_json:
        click.echo(to_json(evaluation), nl=False)
    elif not quiet:
        _show(evaluation)
    _complain(evaluation)
    if evaluation.failures:
        context.exit(evaluation.failures[0].exit_code)


def _show(evaluation: Evaluation) -> None:
    from rich.console import Console

    console = Console()
    if len(evaluation.cases) == 1:
        console.print(_one_case(evaluation.cases[0]))
    elif evaluation.cases:
        console.print(_many_cases(evaluation))


def _one_case(case: CaseScores) -> Table:
    from rich.table import Table

    table = Table(title=case.case, caption=case.rule, box=None)
    for heading in ("metric", "value", "unit", ""):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for name, value in case.values.items():
        text = f"{value:.0f}" if name in COUNTS else _text(value)
        table.add_row(name, text, METRICS[name].unit, METRICS[name].title)
    return table


def _many_cases(evaluation: Evaluation) -> Table:
    from rich.table import Table

    summary = evaluation.summary
    names = [name for name in HEADINGS if name in summary] or list(summary)[: len(HEADINGS)]
    table = Table(box=None)
    table.add_column("case", no_wrap=True)
    for name in names:
        table.add_column(HEADINGS.get(name, name), justify="right")
    for case in evaluation.cases:
        table.add_row(case.case, *(_text(case.values[name]) for name in names))
    table.add_row()
    table.add_row("mean", *(_text(summary[name].mean) for name in names), style="bold")
    table.add_row("95 % from", *(_text(summary[name].interval_low) for name in names))
    table.add_row("95 % to", *(_text(summary[name].interval_high) for name in names))
    if any(summary[name].skipped for name in names):
        table.add_row("n/a", *(str(summary[name].skipped or "") for name in names))
    return table


def _complain(evaluation: Evaluation) -> None:
    """Say on standard error what was peculiar, failed, or had no partner."""
    for case in evaluation.cases:
        for finding in case.findings:
            click.echo(f"{case.case}: {finding.what} {finding.hint}".rstrip(), err=True)
    for failure in evaluation.failures:
        click.echo(f"{failure.case}: not scored. {failure.what} {failure.hint}".rstrip(), err=True)
    for side, names in (("REF", evaluation.only_reference), ("PRED", evaluation.only_prediction)):
        if names:
            click.echo(f"Only in {side}, not scored: {', '.join(names)}", err=True)


def _text(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
