"""`leuko compare`: several methods' masks against one reference, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from leuko.cli.options import FILE, debug_option, quiet_option
from leuko.cli.options_scores import masks_compared_options
from leuko.evaluation.registry import METRICS

if TYPE_CHECKING:
    from leuko.pipelines.compare import Comparison
    from leuko.pipelines.compare_models import ModelComparison

__all__ = ["compare"]

EXAMPLES = """\b
Examples:
  leuko compare TRUTH/ unet=OUT_A/ resunet=OUT_B/ -o compare.html --images FLAIR/
  leuko compare 'DATA/*/truth.nii.gz' A='DATA/*/a.nii.gz' B='DATA/*/b.nii.gz'
  leuko compare labelsTs/ A=OUT_A/ B=OUT_B/ --labels -o compare.json
  leuko compare SLICES/ A=OUT_A/ B=OUT_B/ --subject '(.+)_[0-9]+' -o compare.html
  leuko compare --image flair.nii.gz --model vascular --model ms -o models.html
  leuko compare TRUTH/ --image IMAGES/ --model a=MODEL_A/ --model b=MODEL_B/

In a pattern in quotes, the case is what the star stands for.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this task;
5 a mask does not lie on the reference's grid; 6 cannot write.
"""


@click.command(epilog=EXAMPLES)
@click.argument("reference", metavar="[REF]", type=FILE, required=False)
@click.argument("methods", metavar="[NAME=MASKS]...", nargs=-1)
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
@click.option(
    "--image",
    "inputs",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="An image, a folder or a pattern: run the models on it. May be given several times.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[NAME=]FOLDER",
    help="A model of leuko export, or the packaged one as 'vascular' or 'ms'. Give two or more.",
)
@click.option("--masks", type=FILE, metavar="FOLDER", help="Keep the models' masks there.")
@masks_compared_options(tuple(METRICS), worst=4)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@quiet_option
@debug_option
def compare(
    reference: Path | None,
    methods: tuple[str, ...],
    outputs: tuple[Path, ...],
    inputs: tuple[Path, ...],
    models: tuple[str, ...],
    masks: Path | None,
    labels: bool,
    names: str | None,
    subject: str | None,
    images: Path | None,
    worst: int,
    metrics: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare several methods' masks against REF: scores, ranking, tests, pictures.

    Every method is NAME=MASKS, a file, a folder or a pattern, paired with REF by name as in leuko
    evaluate. Only cases that all methods have count. With --image and --model, models are run and
    compared: their masks, how many slices a second they do, and, with REF, their scores.
    """
    from leuko.pipelines.compare import compare as compare_masks
    from leuko.pipelines.compare_files import comparison_json, write_comparison
    from leuko.pipelines.evaluate_files import require_score_file
    from leuko.pipelines.label_names import given_names

    for out in outputs:
        require_score_file(out)  # before the work, not after it
    if names and not labels:
        raise click.UsageError("--names is for label maps: give --labels, too.")
    if inputs or models:
        if subject is not None:
            raise click.UsageError("--subject is for masks that are there, not for --model.")
        if methods or not (inputs and models):
            raise click.UsageError(
                "Models need --image and --model, and no NAME=MASKS beside them."
            )
        how = _How(reference, metrics, labels, given_names(names), worst, as_json, quiet)
        _compare_models(inputs, models, outputs=outputs, masks=masks, how=how)
        return
    if reference is None:
        raise click.UsageError("Give REF and methods as NAME=MASKS, or --image and --model.")
    comparison = compare_masks(
        reference,
        _named(methods),
        metrics=metrics or None,
        labels=labels,
        names=given_names(names),
        subject=subject,
    )
    for out in outputs:
        write_comparison(comparison, out, images=images, worst=worst)
    if as_json:
        click.echo(comparison_json(comparison), nl=False)
    elif not quiet:
        _show(comparison)
    _complain(comparison)


@dataclass(frozen=True, slots=True)
class _How:
    """What a comparison of models is to say and how."""

    reference: Path | None
    metrics: tuple[str, ...]
    labels: bool
    names: dict[int, str]
    worst: int
    as_json: bool
    quiet: bool


def _compare_models(
    inputs: tuple[Path, ...],
    models: tuple[str, ...],
    *,
    outputs: tuple[Path, ...],
    masks: Path | None,
    how: _How,
) -> None:
    from leuko.pipelines.compare_models import compare_models
    from leuko.pipelines.compare_models_page import models_json, write_models

    with TemporaryDirectory(prefix="leuko-compare-") as scratch:
        found = compare_models(
            inputs,
            _named_models(models),
            masks=masks or Path(scratch),
            reference=how.reference,
            metrics=how.metrics or None,
            labels=how.labels,
            names=how.names,
        )
        for out in outputs:
            write_models(found, out, worst=how.worst)
    if how.as_json:
        click.echo(models_json(found), nl=False)
    elif not how.quiet:
        _show_models(found)
    if found.scores is not None:
        if not (how.quiet or how.as_json):
            _show(found.scores)
        _complain(found.scores)


def _show_models(found: ModelComparison) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None)
    table.add_column("model", no_wrap=True)
    for heading in ("frames/s", "s an image", "ml (mean)"):
        table.add_column(heading, justify="right")
    for run in found.runs:
        seconds = sum(run.seconds.values()) / len(run.seconds)
        volume = sum(run.volumes_ml.values()) / len(run.volumes_ml)
        table.add_row(escape(run.name), f"{run.frames_per_second:.1f}", f"{seconds:.2f}",
                      _text(volume))  # fmt: skip
    console = Console(highlight=False)
    console.print(table)
    for pair in found.likeness:
        known = [value for value in pair.dice.values() if not math.isnan(value)]
        if known:
            click.echo(f"Dice between {pair.first} and {pair.second}: {_text(mean(known))}")


def _complain(comparison: Comparison) -> None:
    for method, cases in comparison.left_out.items():
        click.echo(f"{method}: no scores for {', '.join(cases)}; left out for all.", err=True)


def _named_models(models: tuple[str, ...]) -> dict[str, str]:
    """Name to folder; without a name the folder's is taken, or its parent's if it is 'model'."""
    from leuko.errors import UsageError

    found: dict[str, str] = {}
    for text in models:
        name, separator, place = text.partition("=")
        if not separator:
            folder = Path(text).absolute()
            name, place = (folder.parent if folder.name == "model" else folder).name, text
        if not (name and place) or "/" in name or name in found:
            raise UsageError(
                f"'{text}' gives a model no name of its own.", hint="Write --model NAME=FOLDER."
            )
        found[name] = place
    return found


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

    table = Table(box=None, caption=f"means over {len(comparison.cases)} {comparison.counted}")
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
