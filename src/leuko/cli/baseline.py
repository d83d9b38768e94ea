"""`leuko baseline`: segmentation without deep learning, fitted, used or cross-validated."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from leuko.baselines.registry import METHODS
from leuko.cli.baseline_data import data_options, items_of, items_to_predict
from leuko.cli.options import FILE, debug_option, out_option, quiet_option

__all__ = ["baseline"]

GROUP_EXAMPLES = """\b
Examples:
  leuko baseline run threshold forest --images I --masks M -o OUT
  leuko baseline predict threshold flair.nii.gz -o OUT
  leuko baseline fit forest --images I --masks M -o forest.npz
  leuko baseline predict forest.npz flair.nii.gz -o OUT

\b
Methods:
""" + "".join(f"  {name:<10} {method.title}\n" for name, method in METHODS.items())

CODES = """
Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this (no brain, no lesion);
5 grids differ; 6 cannot write; 7 out of memory or disk; 8 interrupted; 9 scikit-learn is missing.
"""

FIT_EXAMPLES = f"""\b
Examples:
  leuko baseline fit forest --images FLAIR --masks MASKS -o forest.npz
  leuko baseline fit svm --images FLAIR --images T1 --masks MASKS -o svm.npz
  leuko baseline fit threshold --list cases.tsv --label 1 -o threshold.npz
{CODES}"""

PREDICT_EXAMPLES = f"""\b
Examples:
  leuko baseline predict threshold flair.nii.gz -o OUT
  leuko baseline predict forest.npz FLAIR_FOLDER -o OUT
  leuko baseline predict svm.npz flair.nii.gz --also t1.nii.gz -o OUT
{CODES}"""

RUN_EXAMPLES = f"""\b
Examples:
  leuko baseline run forest svm tree --images I --masks M -o OUT
  leuko baseline run threshold --images I --masks M --folds 5 -o OUT
  leuko evaluate M OUT/forest
{CODES}"""


def _region_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--region",
        type=click.Choice(["auto", "brain", "foreground", "all"]),
        default="auto",
        show_default=True,
        help="Where to search; auto: the brain where there is one, else the foreground.",
    )(command)


_force_option = click.option("--force", is_flag=True, help="Replace results that are there.")
_method_argument = click.Choice(list(METHODS))


@click.group(epilog=GROUP_EXAMPLES)
def baseline() -> None:
    """Segment without deep learning: what a network has to beat.

    threshold, gmm and kmeans work untrained and look for what is bright; forest, svm and tree learn
    from images with masks. All run on the image's own voxels, with lengths in mm.
    """


@baseline.command(epilog=FIT_EXAMPLES)
@click.argument("method", type=_method_argument)
@data_options
@_region_option
@out_option("The file.", metavar="NAME.npz")
@_force_option
@quiet_option
@debug_option
def fit(method: str, out: Path, region: Any, force: bool, quiet: bool, **data: Any) -> None:
    """Fit METHOD to images with masks.

    For threshold, gmm and kmeans the parameters with the best mean Dice are chosen; forest, svm and
    tree learn from up to 5000 voxels an image, and the cut is chosen on subjects left out in turn.
    The file holds numbers and text only, and is safe to open: a classifier learns anew when it is
    loaded.
    """
    from leuko.pipelines.baseline import fit_baseline, save_baseline
    from leuko.pipelines.outputs import require_free_file

    require_free_file(out, force=force)
    found = fit_baseline(
        items_of(data),
        method=method,
        region=region,
        labels=data["labels"],
        seed=data["seed"],
        say=_say(quiet=quiet),
    )
    save_baseline(found, out, force=force)
    if not quiet:
        click.echo(f"{method}: {_parameters(found.parameters)}; search in: {found.region}")
        if found.training_dice == found.training_dice:  # not nan
            click.echo(
                f"Mean Dice on the {found.images} training images: {found.training_dice:.2f}"
            )
        click.echo(f"Written: {out}")


@baseline.command(epilog=PREDICT_EXAMPLES)
@click.argument("what", metavar="METHOD|NAME.npz")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=FILE)
@click.option(
    "--also",
    multiple=True,
    type=FILE,
    metavar="PATH",
    help="Another channel: a file for one image, a folder for a folder.",
)
@click.option(
    "--regions", type=FILE, metavar="PATH", help="Mask of the region, or a folder of such."
)
@_region_option
@out_option("Folder of masks.")
@_force_option
@quiet_option
@debug_option
def predict(
    what: str,
    images: tuple[Path, ...],
    also: tuple[Path, ...],
    regions: Path | None,
    region: Any,
    out: Path,
    force: bool,
    quiet: bool,
) -> None:
    """Write masks of images (files, or a folder) by a method or by a fitted baseline.

    OUT/NAME.nii.gz lies on the grid of the image NAME. A fitted baseline searches the kind of
    region that it was fitted in.
    """
    from leuko.pipelines.baseline import load_baseline, predict_baseline

    done = predict_baseline(
        items_to_predict(images, also, regions),
        what if what in METHODS or not what.endswith(".npz") else load_baseline(Path(what)),
        out=out,
        region=region,
        force=force,
        say=_say(quiet=quiet),
    )
    if not quiet:
        click.echo(f"{len(done)} mask{'s' if len(done) > 1 else ''} in {out}")


@baseline.command(epilog=RUN_EXAMPLES)
@click.argument("methods", nargs=-1, required=True, metavar="METHOD...", type=_method_argument)
@data_options
@_region_option
@click.option(
    "--folds",
    default="subject",
    show_default=True,
    metavar="subject|N",
    help="Leave out one subject at a time, or make N groups of subjects.",
)
@out_option("Folder for results.")
@_force_option
@quiet_option
@debug_option
def run(
    methods: tuple[str, ...],
    out: Path,
    region: Any,
    folds: str,
    force: bool,
    quiet: bool,
    **data: Any,
) -> None:
    """Cross-validate METHODs: no mask comes from a fit that has seen its subject.

    Writes OUT/METHOD/NAME.nii.gz, ready for leuko evaluate and compare, and OUT/baselines.json
    with the folds and what was chosen in each.
    """
    from leuko.errors import UsageError
    from leuko.pipelines.baseline import RECORD, run_baselines

    if folds != "subject" and not (folds.isdecimal() and int(folds) > 1):
        raise UsageError(
            f"--folds {folds} is neither a number from 2 nor 'subject'.",
            hint="subject leaves out one person at a time.",
        )
    done = run_baselines(
        items_of(data),
        methods=methods,
        out=out,
        folds=None if folds == "subject" else int(folds),
        region=region,
        labels=data["labels"],
        seed=data["seed"],
        force=force,
        say=_say(quiet=quiet),
    )
    if not quiet:
        for method in dict.fromkeys(fold.method for fold in done):
            click.echo(f"{method}: masks in {out / method}")
        click.echo(f"Folds and parameters: {out / RECORD}")


def _say(*, quiet: bool) -> Callable[[str], None]:
    """A line on standard error per step, where a person looks on."""
    shown = not quiet and sys.stderr.isatty()

    def say(line: str) -> None:
        if shown:
            click.echo(line, err=True)

    return say


def _parameters(parameters: Any) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in parameters.items())
