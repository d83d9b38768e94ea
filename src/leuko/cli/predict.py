"""`leuko predict`: a trained model on images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli.options import FILE, debug_option, out_option, quiet_option
from leuko.cli.options_input import any_series_option

if TYPE_CHECKING:
    from leuko.datasets.items import Item
    from leuko.inference.trained import Trained
    from leuko.pipelines.predict_outcomes import PredictedItem

__all__ = ["predict"]

EXAMPLES = """\b
Examples:
  leuko predict MODEL scan.nii.gz -o out.nii.gz
  leuko predict MODEL folder_of_images -o masks
  leuko predict MODEL flair.nii.gz --channel t1=t1.nii.gz -o out
  leuko predict MODEL ct_dicom_folder --series 3 -o out --probabilities
  leuko predict runs/spleen -o predictions   # the run's own test images
  leuko evaluate masks_by_hand predictions   # pairs them by name

MODEL is a folder that leuko export wrote, or a run of leuko train, which is exported
to RUN/model first; without INPUT it predicts its own test images. Of one image OUT is
the mask's file, or a folder that gets out.nii.gz; of several, OUT/NAME.nii.gz (of
pictures NAME.png), with volumes.tsv, labels.tsv and predict.json. A model that
classifies writes OUT/classes.tsv, of a run's own images with their true classes, which
leuko diagnose judges.

Exit codes: 0 done; 2 wrong usage; 3 cannot read; 4 not fit for this model; 5 grids differ;
6 cannot write, or OUT is there already; 7 out of memory or disk; 9 torch is needed to
export a run. Of several images the highest counts; the others are finished all the same.
"""

OF_PICTURES = ("grid.orientation_unknown", "grid.size_unknown", "grid.single_slice")


@click.command(epilog=EXAMPLES)
@click.argument("model", type=FILE)
@click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=click.Path(path_type=Path))
@out_option("A folder, or for one image the file to write (its suffix is the format).")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME=PATH",
    help="A further image of the example, by its name in the model; a folder for many.",
)
@click.option(
    "--t1",
    type=FILE,
    metavar="T1",
    help="Short for --channel t1=T1.",
)
@click.option(
    "--region",
    type=FILE,
    metavar="MASK",
    help="The mask to which the search is confined, for models trained so; a folder for many.",
)
@any_series_option
@click.option(
    "--part",
    type=click.Choice(["test", "valid", "train"]),
    default="test",
    show_default=True,
    help="Of a run without INPUT: which of its examples.",
)
@click.option("--probabilities", is_flag=True, help="Write the probabilities of each class too.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "f32", "bf16"]),
    default="auto",
    show_default=True,
    help="Number format of the network; auto: bf16 where the processor computes it fast.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processors to use.  [default: all there are]"
)
@click.option("--force", is_flag=True, help="Replace files of OUT that are there; INPUT never.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@quiet_option
@debug_option
def predict(
    model: Path,
    inputs: tuple[Path, ...],
    out: Path,
    channels: tuple[str, ...],
    t1: Path | None,
    region: Path | None,
    series: str,
    part: str,
    probabilities: bool,
    precision: str,
    jobs: int | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run a trained MODEL on INPUT: images of any format, or folders of them."""
    from leuko.inference.trained import load_trained
    from leuko.pipelines.predict_files import predict_folds, predict_items
    from leuko.pipelines.predict_inputs import items_of_run
    from leuko.pipelines.predict_outcomes import outcomes_as_json

    named = _named(channels, t1=t1)
    runs = [model] if _is_run(model) else _folds(model)
    told = _ignore if quiet or as_json else _print
    if not inputs and not runs and model.exists():
        raise click.UsageError("Give an image: leuko predict MODEL INPUT... -o OUT.")
    if inputs and len(runs) > 1:
        raise click.UsageError("A cross-validation predicts its own examples; give one fold.")
    models = [
        load_trained(folder, precision=precision, threads=jobs)
        for folder in ([_exported(run) for run in runs] or [model])
    ]
    if inputs:
        items = _items(inputs, models[0], channels=named, region=region, out=out)
        if series and len(items) > 1:
            raise click.UsageError("--series goes with one study; here are several images.")
        done = predict_items(
            models[0],
            items,
            out=out,
            single=len(items) == 1 and len(inputs) == 1 and not _is_folder_of_images(inputs[0]),
            probabilities=probabilities,
            series=series,
            force=force,
            told=told,
        )
    else:
        folds = [
            (trained, items_of_run(run, part=part))
            for trained, run in zip(models, runs, strict=True)
        ]
        done = predict_folds(
            folds,
            out=out,
            names=[run.name if len(runs) > 1 else "" for run in runs],
            probabilities=probabilities,
            force=force,
            told=told,
        )
    if as_json:
        click.echo(outcomes_as_json(models, done), nl=False)
    elif not quiet:
        _print_end(done, out=out)
    if quiet or as_json:
        for item in done:
            if item.error:
                click.echo(f"{item.name}: {item.error} {item.hint}".rstrip(), err=True)
    return max((item.exit_code for item in done), default=0)


def _folds(model: Path) -> list[Path]:
    """The runs of a cross-validation, in order; none where `model` is something else."""
    if _is_run(model) or (model / "model.json").is_file():
        return []
    return sorted(path for path in model.glob("fold-*") if _is_run(path))


def _is_run(model: Path) -> bool:
    return (model / "recipe.json").is_file() and not (model / "model.json").is_file()


def _exported(run: Path) -> Path:
    """The model of a run, exported where it is missing or older than the weights."""
    folder = run / "model"
    card = folder / "model.json"
    weights = [path for path in (run / "best.pt", run / "final.pt") if path.is_file()]
    if card.is_file() and all(card.stat().st_mtime >= path.stat().st_mtime for path in weights):
        return folder
    from leuko.errors import MissingExtra

    try:
        from leuko.training.supervised.export import export_run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "leuko":
            raise
        raise MissingExtra.needed("Exporting a run", extra="train", modules=[error.name]) from None
    export_run(run, out=folder)
    return folder


def _items(
    inputs: tuple[Path, ...],
    trained: Trained,
    *,
    channels: dict[str, Path],
    region: Path | None,
    out: Path,
) -> tuple[Item, ...]:
    from leuko.pipelines.predict_inputs import find_items

    return find_items(inputs, card=trained.card, channels=channels, region=region, without=out)


def _named(channels: tuple[str, ...], *, t1: Path | None) -> dict[str, Path]:
    found = {} if t1 is None else {"t1": t1}
    for given in channels:
        name, equals, path = given.partition("=")
        if not (name and equals and path):
            raise click.UsageError(f"--channel {given} is not NAME=PATH, such as t1=t1.nii.gz.")
        found[name] = Path(path)
    return found


def _is_folder_of_images(path: Path) -> bool:
    from leuko.datasets.files import image_paths

    return path.is_dir() and bool(image_paths(path, pictures=True))


def _ignore(_: PredictedItem) -> None: ...


def _print(item: PredictedItem) -> None:
    """A line for each image, and at once what should worry."""
    from leuko.cli.console import print_findings
    from leuko.datasets.files import is_picture
    from leuko.findings import Severity, as_warnings

    if item.error:
        click.echo(f"{item.name}: {item.error} {item.hint}".rstrip(), err=True)
        return
    if item.scores:
        listed = ", ".join(f"{name} {share:.3f}" for name, share in item.scores.items())
        click.echo(f"{item.name}: {item.choice} ({listed})")
    else:
        said = [f"{name} {_volume(value, item)}" for name, value in item.volumes.items()]
        click.echo(f"{item.file}: {', '.join(said)}")
    expected = OF_PICTURES if is_picture(Path(item.input_name)) else ()
    worrying = [
        f for f in item.findings if f.severity is not Severity.NOTE and f.code not in expected
    ]
    print_findings(as_warnings(worrying, hint=""))


def _volume(value: float, item: PredictedItem) -> str:
    return f"{value / 1000:.3f} ml ({value:.1f} mm3)" if item.sized else f"{value:.0f} pixels"


def _print_end(done: tuple[PredictedItem, ...], *, out: Path) -> None:
    good = [item for item in done if not item.error]
    seconds, slices = sum(item.seconds for item in good), sum(item.slices for item in good)
    if good:
        images = "1 image" if len(good) == 1 else f"{len(good)} images"
        rate = slices / seconds if seconds else 0.0
        click.echo(f"{images}, {slices} slices in {seconds:.2f} s: {rate:.1f} slices/s")
    click.echo(f"Results: {out}")
