"""`leuko evaluate`: agreement of masks with a reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli.options import FILE, debug_option, quiet_option
from leuko.cli.options_scores import masks_compared_options
from leuko.evaluation.registry import CHALLENGE, METRICS

if TYPE_CHECKING:
    from rich.table import Table

    from leuko.pipelines.evaluate_results import CaseScores, Evaluation

__all__ = ["evaluate"]

HEADINGS = {
    **dict(zip(CHALLENGE, ("Dice", "H95 mm", "AVD %", "recall", "F1"), strict=True)),
    "lesion_f1_strict": "strict F1",
    "reference_ml": "REF ml",
    "prediction_ml": "PRED ml",
}
LABEL_HEADINGS = {"dice": "Dice", "iou": "IoU", "hd95_surface": "H95 3D mm", "assd": "ASSD mm",
                  "nsd": "NSD", "avd": "AVD %", "reference_ml": "REF ml",
                  "prediction_ml": "PRED ml"}  # fmt: skip
MOST_COLUMNS = 6  # labels side by side
COUNTS = ("reference_lesions", "predicted_lesions")

EXAMPLES = """\b
Examples:
  leuko evaluate truth.nii.gz OUT/wmh.nii.gz
  leuko evaluate TRUTH/ OUT/ -o scores.json -o scores.html --images FLAIR/
  leuko evaluate 'DATA/*/lesions.nii.gz' 'DATA/*/unet.nii.gz' --sites sites.tsv
  leuko evaluate labelsTs/ OUT/ --labels --names 1=anterior,2=posterior
  leuko evaluate SLICES/ OUT/ --subject '(.+)_[0-9]+'
  leuko evaluate truth.nii.gz mask.nii.gz --metric dice --metric h95 --json

In a pattern in quotes, the case is what the star stands for.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 the two do not lie on one grid; 6 cannot write.
"""


@click.command(epilog=EXAMPLES)
@click.argument("reference", metavar="REF", type=FILE)
@click.argument("prediction", metavar="PRED", type=FILE)
@click.option(
    "-o",
    "--out",
    "outputs",
    type=click.Path(readable=False, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Write the scores: .json (everything), .tsv (a row a case) or .html (the page). "
    "May be given several times.",
)
@masks_compared_options(tuple(METRICS), worst=6)
@click.option(
    "--sites",
    type=FILE,
    metavar="TABLE",
    help="A .tsv or .csv with the columns case, site and maybe seen (yes, no): means per site, "
    "seen against unseen.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@quiet_option
@debug_option
@click.pass_context
def evaluate(
    context: click.Context,
    reference: Path,
    prediction: Path,
    outputs: tuple[Path, ...],
    labels: bool,
    names: str | None,
    subject: str | None,
    sites: Path | None,
    images: Path | None,
    worst: int,
    metrics: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Score masks PRED against REF: two files, or two folders paired by name.

    REF: voxels of 1 are lesion, voxels of 2 other pathology, which is left out. PRED: integers
    count from 1, real numbers (a probability map) from 0.5. With --labels, every label counts for
    itself. Both must lie on one grid. Pictures (PNG) are compared in pixels.
    """
    from leuko.pipelines.evaluate import evaluate_paths
    from leuko.pipelines.evaluate_files import require_score_file, to_json, write_scores
    from leuko.pipelines.evaluate_sites import read_sites
    from leuko.pipelines.label_names import given_names

    for out in outputs:
        require_score_file(out)  # before the work, not after it
    if names and not labels:
        raise click.UsageError("--names is for label maps: give --labels, too.")
    evaluation = evaluate_paths(
        reference,
        prediction,
        metrics=metrics or None,
        labels=labels,
        names=given_names(names),
        sites=None if sites is None else read_sites(sites),
        subject=subject,
    )
    for out in outputs:
        write_scores(evaluation, out, images=images, worst=worst)
    if as_json:
        click.echo(to_json(evaluation), nl=False)
    elif not quiet:
        _show(evaluation)
    _complain(evaluation)
    if evaluation.failures:
        context.exit(evaluation.failures[0].exit_code)


def _show(evaluation: Evaluation) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if len(evaluation.cases) == 1:
        case = evaluation.cases[0]
        if len(case.labels) > MOST_COLUMNS:
            console.print(_many_labels(evaluation))
        else:
            console.print(_one_case_labels(evaluation, case) if case.labels else _one_case(case))
    elif evaluation.labels:
        console.print(_many_labels(evaluation))
    elif evaluation.cases:
        console.print(_many_cases(evaluation))


def _one_case(case: CaseScores) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from leuko.report.metric_words import title, unit

    table = Table(title=escape(case.case), caption=case.rule, box=None)
    for heading in ("metric", "value", "unit", ""):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for name, value in case.values.items():
        text = f"{value:.0f}" if name in COUNTS else _text(value)
        table.add_row(name, text, unit(name, sized=case.sized), title(name, sized=case.sized))
    return table


def _one_case_labels(evaluation: Evaluation, case: CaseScores) -> Table:
    """A row a metric and a column a label."""
    from rich.markup import escape
    from rich.table import Table

    from leuko.report.metric_words import unit

    table = Table(title=escape(case.case), caption=case.rule, box=None)
    table.add_column("metric")
    for label in case.labels:
        table.add_column(escape(evaluation.labels[label]), justify="right")
    table.add_column("mean", justify="right", style="bold")
    table.add_column("unit")
    for name in next(iter(case.labels.values()), {}):
        texts = [_text(values[name]) for values in case.labels.values()]
        mean = _text(case.values[name]) if name in case.values else ""
        table.add_row(name, *texts, mean, unit(name, sized=case.sized))
    return table


def _many_labels(evaluation: Evaluation) -> Table:
    """A row a label, with the means over the cases that hold it."""
    from rich.markup import escape
    from rich.table import Table

    by_label = {label: evaluation.label_summary(label) for label in evaluation.labels}
    known = next(iter(by_label.values()))
    names = [name for name in LABEL_HEADINGS if name in known] or list(known)[:8]
    table = Table(box=None, caption=f"means over {len(evaluation.cases)} {evaluation.counted}")
    table.add_column("label", no_wrap=True)
    table.add_column("cases", justify="right")
    for name in names:
        table.add_column(LABEL_HEADINGS.get(name, name), justify="right")
    for label, summary in by_label.items():
        count = sum(label in case.labels for case in evaluation.cases)
        texts = (_text(summary[name].mean) for name in names)
        table.add_row(escape(evaluation.labels[label]), str(count), *texts)
    table.add_row()
    means = (evaluation.summary.get(name) for name in names)
    texts = (_text(item.mean) if item else "" for item in means)
    table.add_row("mean", str(len(evaluation.cases)), *texts, style="bold")
    return table


def _many_cases(evaluation: Evaluation) -> Table:
    from rich.markup import escape
    from rich.table import Table

    summary = evaluation.summary
    names = [name for name in HEADINGS if name in summary] or list(summary)[: len(HEADINGS)]
    if not evaluation.sized:  # no volumes, and a column less
        names = [name for name in names if not name.endswith("_ml")] or names
    table = Table(box=None)
    table.add_column("case", no_wrap=True)
    for name in names:
        heading = HEADINGS.get(name, name)
        if not evaluation.sized:
            heading = heading.replace(" mm", " px")
        table.add_column(heading, justify="right")
    for case in evaluation.cases:
        table.add_row(escape(case.case), *(_text(case.values[name]) for name in names))
    table.add_row()
    table.add_row("mean", *(_text(summary[name].mean) for name in names), style="bold")
    table.add_row("95 % from", *(_text(summary[name].interval_low) for name in names))
    table.add_row("95 % to", *(_text(summary[name].interval_high) for name in names))
    if any(summary[name].skipped for name in names):
        table.add_row("n/a", *(str(summary[name].skipped or "") for name in names))
    return table


def _complain(evaluation: Evaluation) -> None:
    """Say on standard error what was peculiar, failed, or had no partner."""
    peculiar: dict[str, list[tuple[str, str]]] = {}
    for case in evaluation.cases:
        for finding in dict.fromkeys(case.findings):
            said = f"{finding.what} {finding.hint}".rstrip()
            peculiar.setdefault(finding.code, []).append((case.case, said))
    for rows in peculiar.values():
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        click.echo(f"{rows[0][0]}{more}: {rows[0][1]}", err=True)
    if evaluation.both_empty:
        click.echo(
            f"In {evaluation.both_empty} of {len(evaluation.cases)} {evaluation.counted} both "
            "masks are empty, which is Dice 1. Are they slices of subjects? See --subject.",
            err=True,
        )
    for failure in evaluation.failures:
        click.echo(f"{failure.case}: not scored. {failure.what} {failure.hint}".rstrip(), err=True)
    for side, names in (("REF", evaluation.only_reference), ("PRED", evaluation.only_prediction)):
        if names:
            click.echo(f"Only in {side}, not scored: {_few(names)}", err=True)


def _few(names: Sequence[str]) -> str:
    """The first three names and how many there are; all of them are in the JSON."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _text(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
