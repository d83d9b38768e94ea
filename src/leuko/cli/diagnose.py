"""`leuko diagnose`: how well scores tell who has a condition."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from leuko.cli.options import debug_option, quiet_option

if TYPE_CHECKING:
    from rich.table import Table

    from leuko.pipelines.diagnose import Diagnosis

__all__ = ["diagnose"]

EXAMPLES = """\b
Examples:
  leuko diagnose predictions/classes.tsv -o diagnosis.html
  leuko diagnose test/classes.tsv --choose-on valid/classes.tsv --prior 0.1
  leuko diagnose scores.csv --truth truth.csv --subject '(patient\\d+)'
  leuko diagnose readings.tsv --score volume_ml --truth dementia --threshold 12.5

TABLE (.tsv or .csv) has a row a case: name, a score that rises with the condition, what is
true (yes or no, 1 or 0, present or absent, or a class), and maybe subject and fold. leuko
predict RUN writes such a table for a run that classifies: classes.tsv.

Exit codes: 0 done; 2 wrong usage, or the table is not understood; 3 cannot read;
6 cannot write.
"""
PATH = click.Path(readable=False, dir_okay=False, path_type=Path)


class Threshold(click.ParamType):  # type: ignore[type-arg]
    """A number, or the word youden."""

    name = "threshold"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        """The number or word; wrong usage for anything else."""
        if value == "youden":
            return "youden"
        try:
            return float(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a number nor the word youden.", param, ctx)


@click.command(epilog=EXAMPLES)
@click.argument("table", type=PATH)
@click.option(
    "-o",
    "--out",
    "outputs",
    type=PATH,
    multiple=True,
    metavar="FILE",
    help="Write .html (the page), .json (everything) or .tsv (the numbers); several times.",
)
@click.option(
    "--truth",
    default="",
    metavar="COLUMN|TABLE",
    help="The column of TABLE that says what is true, or another table with name and truth.",
)
@click.option(
    "--condition", default="", metavar="CLASS", help="The class that is looked for, of several."
)
@click.option("--score", default="", metavar="COLUMN", help="The column of the scores.")
@click.option(
    "--subject",
    default="",
    metavar="EXPRESSION",
    help="An expression with one group that finds the person in a name.",
)
@click.option(
    "--threshold",
    type=Threshold(),
    metavar="NUMBER|youden",
    help="Positive from this score on; youden: the best on these cases, which is optimistic "
    "and marked so.  [default: 0.5 of probabilities]",
)
@click.option(
    "--choose-on",
    type=PATH,
    metavar="TABLE",
    help="Choose the threshold (Youden's, in each fold its own) on these other cases.",
)
@click.option(
    "--prior",
    "priors",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    multiple=True,
    metavar="P",
    help="Probability of the condition before the test; several times.  "
    "[default: the share of TABLE]",
)
@click.option(
    "--draws",
    type=click.IntRange(0),
    default=2000,
    show_default=True,
    help="Draws of whole people for intervals, where cases say whose they are; 0: none.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@quiet_option
@debug_option
def diagnose(
    table: Path,
    outputs: tuple[Path, ...],
    truth: str,
    condition: str,
    score: str,
    subject: str,
    threshold: float | Literal["youden"] | None,
    choose_on: Path | None,
    priors: tuple[float, ...],
    draws: int,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Judge scores by the truth: ROC, sensitivity, likelihood ratios, Bayes, calibration."""
    from leuko.pipelines.diagnose import diagnose as judge
    from leuko.pipelines.diagnose_files import require_diagnosis_file, to_json, write_diagnosis

    for out in outputs:
        require_diagnosis_file(out)  # before the work, not after it
        if out.resolve() in {p.resolve() for p in (table, choose_on, Path(truth)) if p is not None}:
            raise click.UsageError(f"{out.name} is an input; it would be replaced.")
    found = judge(
        table,
        truth=truth,
        condition=condition,
        score=score,
        subject=subject,
        threshold=threshold,
        choose_on=choose_on,
        priors=priors,
        draws=draws,
        seed=seed,
    )
    for out in outputs:
        write_diagnosis(found, out)
    if as_json:
        click.echo(to_json(found), nl=False)
    elif not quiet:
        _show(found)
    _complain(found)


def _show(found: Diagnosis) -> None:
    from rich.console import Console

    from leuko.pipelines.diagnose_texts import written

    console = Console(highlight=False)
    curve = found.roc
    people = f" of {found.subjects} people" if found.subjects else ""
    console.print(f"{len(found.cases.names)} cases{people}, {curve.positives} with the condition")
    low, high = curve.auc_interval
    text = f"AUC {written(curve.auc)} (DeLong {written(low)} to {written(high)}"
    if found.clustered:
        low, high = found.clustered.auc
        text += f"; drawing people {written(low)} to {written(high)}"
    console.print(f"{text})")
    if found.calibration:
        held = found.calibration
        console.print(f"Brier score {written(held.brier)}, calibration error {written(held.ece)}")
    console.print(_points(found))


def _points(found: Diagnosis) -> Table:
    """A column a threshold."""
    from rich.table import Table

    from leuko.pipelines.diagnose_texts import written

    table = Table(box=None)
    table.add_column("")
    for point in found.points:
        table.add_column(point.name.replace(", ", ",\n"), justify="right", no_wrap=True)
    table.add_row("TP, FP, FN, TN", *(
        f"{c.true_positive}, {c.false_positive}, {c.false_negative}, {c.true_negative}"
        for c in (point.confusion for point in found.points)
    ))  # fmt: skip
    for name, label in (("sensitivity", "sensitivity"), ("specificity", "specificity"),
                        ("ppv", "PPV"), ("npv", "NPV"), ("lr_positive", "LR+"),
                        ("lr_negative", "LR-")):  # fmt: skip
        texts = []
        for point in found.points:
            low, high = getattr(point.confusion, f"{name}_interval")
            value = written(getattr(point.confusion, name))
            known = "" if math.isnan(low) else f" ({written(low)}-{written(high)})"
            texts.append(value + known)
        table.add_row(label, *texts)
    for index, prior in enumerate(found.priors):
        for sign, word in (("+", "positive"), ("-", "negative")):
            texts = []
            for point in found.points:
                after = point.posteriors[index]
                odds, share = getattr(after, f"{word}_odds"), getattr(after, word)
                texts.append(f"odds {written(odds)}, {written(share, percent=True)}")
            table.add_row(f"prior {prior:.3g}, {sign}", *texts)
    return table


def _complain(found: Diagnosis) -> None:
    """Say on standard error what must be known before a number is quoted."""
    from leuko.report.wording import diagnosis_words

    words = diagnosis_words()
    if found.points[0].optimistic:
        click.echo(words("caution.same"), err=True)
    if found.cases.left_out:
        click.echo(words("caution.left_out", count=len(found.cases.left_out)), err=True)
    if found.clustered:
        said = words("caution.clusters", cases=len(found.cases.names), subjects=found.subjects,
                     draws=found.draws, seed=found.seed)  # fmt: skip
        click.echo(said, err=True)
