"""`leuko train`: weights from a recipe, or from two folders of images and masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from leuko.training.supervised.recipe import TaskRecipe
    from leuko.training.supervised.run import TaskOutcome

__all__ = ["train"]

EXAMPLES = """\b
Examples:
  leuko train --images IMAGES --masks MASKS --name mine
  leuko train recipes/hippocampus.yaml --data DATA
  leuko train mine.yaml --set optimisation.steps=500 --set network.name=resunet
  leuko train mine.yaml --folds
  leuko train mine.yaml --sweep size=128,192 --sweep lr=1e-3,3e-4
"""


@click.command(epilog=EXAMPLES)
@click.argument(
    "recipe", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--images",
    "images",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="Folder of images, instead of a recipe; several are channels, paired by name.",
)
@click.option(
    "--masks",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of masks, named as the images.",
)
@click.option("--subject", default="", help="Expression with one group: the person, in a name.")
@click.option("--name", default="", help="Name of the run. [default: the recipe's, or 'run']")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that stands for ${DATA} in the recipe.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of runs; this one gets a folder of its name in it.",
)
@click.option("--fresh", is_flag=True, help="Start over instead of continuing the run.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Another value of a field of the recipe, as in optimisation.steps=500.",
)
@click.option("--fold", type=click.IntRange(0), help="Train this fold of the cross-validation.")
@click.option("--folds", is_flag=True, help="Train all folds, one after the other.")
@click.option(
    "--sweep",
    multiple=True,
    metavar="FIELD=V1,V2",
    help="Train every combination of values; writes sweep.tsv. Fields: size, lr, network, ...",
)
@click.option(
    "--devices",
    default="auto",
    show_default=True,
    help="How many graphics cards, where there are some.",
)
def train(
    recipe: Path | None,
    images: tuple[str, ...],
    masks: str | None,
    subject: str,
    name: str,
    data: Path | None,
    out: Path,
    fresh: bool,
    settings: tuple[str, ...],
    fold: int | None,
    folds: bool,
    sweep: tuple[str, ...],
    devices: str,
) -> None:
    """Train a network as RECIPE (YAML) says, or on IMAGES with MASKS.

    The same command continues a run that was stopped. Without a recipe one is made to suit the
    images, trained, and kept as NAME/recipe.yaml in the folder of runs.
    """
    from leuko.errors import UsageError
    from leuko.training.recipe import parse_recipe, parse_yaml, read_text
    from leuko.training.supervised.recipe import is_task, parse_task

    if (recipe is None) == (not images):
        raise UsageError(
            "Give either a recipe or --images with --masks.",
            hint="leuko train --help has examples.",
        )
    if recipe is None:
        task = _from_folders(images, masks, subject=subject, name=name or "run")
    else:
        text = read_text(recipe)
        content = parse_yaml(text, data=data, name=recipe.name, folder=recipe.parent)
        if not is_task(content):
            if settings or fold is not None or folds or sweep:
                raise UsageError(
                    f"{recipe.name} trains on generated heads: it has no folds, sweep or --set.",
                    hint="These go with recipes that say task:.",
                )
            plan = parse_recipe(text, data=data, name=recipe.name, folder=recipe.parent)
            _generated(plan, out=out, fresh=fresh)
            return
        if name:
            content["name"] = name
        task = parse_task(content, name=recipe.name)
    _task(
        task,
        settings=settings,
        fold=fold,
        folds=folds,
        sweep=sweep,
        out=out,
        fresh=fresh,
        devices=devices,
    )


def _task(
    recipe: TaskRecipe,
    *,
    settings: tuple[str, ...],
    fold: int | None,
    folds: bool,
    sweep: tuple[str, ...],
    out: Path,
    fresh: bool,
    devices: str,
) -> None:
    from leuko.errors import UsageError
    from leuko.training.supervised import variants

    chosen = variants.parse_settings(settings, option="--set")
    recipe = variants.with_fields(recipe, {field: values[-1] for field, values in chosen.items()})
    run = _runner(out=out, fresh=fresh, devices=devices)
    if sum((fold is not None, folds, bool(sweep))) > 1:
        raise UsageError(
            "--fold, --folds and --sweep exclude each other.", hint="Give one of them."
        )
    if fold is not None or folds:
        parts = variants.fold_recipes(recipe)
        if fold is not None and f"fold-{fold}" not in parts:
            raise UsageError(
                f"There is no fold {fold}: split.folds is {recipe.split.folds}.",
                hint="Folds count from 0.",
            )
        kept = parts if fold is None else {f"fold-{fold}": parts[f"fold-{fold}"]}
        _keep_recipe(recipe, out)
        variants.run_all(kept, train=run)
    elif sweep:
        made = variants.sweep_recipes(recipe, variants.parse_settings(sweep, option="--sweep"))
        _keep_recipe(recipe, out)
        outcomes = variants.run_all({name: one for name, (_, one) in made.items()}, train=run)
        table = variants.sweep_table(outcomes, made)
        (out / recipe.name / "sweep.tsv").write_text(table, encoding="utf-8")
        click.echo(table, nl=False)
    else:
        run(recipe, "")


def _keep_recipe(recipe: TaskRecipe, out: Path) -> None:
    """What folds or a sweep are made of, beside them; a run that lies there keeps its own."""
    from leuko.training.supervised.recipe import write_recipe
    from leuko.training.supervised.writing import writing_run

    folder = out / recipe.name
    if not (folder / "recipe.json").is_file():
        with writing_run(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_recipe(recipe, folder / "recipe.yaml")


def _runner(*, out: Path, fresh: bool, devices: str) -> Callable[[TaskRecipe, str], TaskOutcome]:
    """What trains one recipe and says where it went."""
    train_task = _needs_torch(_task_function)

    def run(recipe: TaskRecipe, part: str) -> TaskOutcome:
        number: int | str = int(devices) if devices.isdigit() else devices
        outcome: TaskOutcome = train_task(
            recipe, out=out, part=part, fresh=fresh, tell=click.echo, devices=number
        )
        click.echo(
            f"Done at step {outcome.step}: {outcome.folder} "
            f"({_best(outcome.score)}; curves.png, metrics.csv)"
        )
        return outcome

    return run


def _best(score: float) -> str:
    return "not validated" if score != score else f"best validation score {score:.3f}"


def _from_folders(
    images: tuple[str, ...], masks: str | None, *, subject: str, name: str
) -> TaskRecipe:
    """A recipe that suits the images, and what is said of them."""
    from leuko.cli.console import print_findings
    from leuko.datasets.layouts import DataSource
    from leuko.errors import UsageError
    from leuko.findings import Severity
    from leuko.pipelines.explore import explore
    from leuko.training.supervised.starting import first_recipe

    _require_training()
    if masks is None:
        raise UsageError("Images without masks teach nothing.", hint="Give --masks FOLDER.")
    source = DataSource(layout="folders", images=tuple(images), masks=masks, subject=subject)
    found = explore(source)
    suggestion = found.suggestion
    if suggestion is None:
        raise UsageError("No image of the folder can be read.", hint="leuko eda says why for each.")
    recipe, reasons = first_recipe(source, suggestion, name=name)
    for reason in reasons:
        click.echo(reason)
    print_findings(f for f in found.remarks if f.severity is not Severity.NOTE)
    unread = [case for case in found.survey.cases if case.facts is None]
    if unread:
        first = unread[0]
        click.echo(
            f"{len(unread)} of {len(found.items)} images cannot be used, such as {first.name}: "
            f"{first.problem}",
            err=True,
        )
    return recipe


def _generated(plan: Any, *, out: Path, fresh: bool) -> None:
    """Train on heads generated from label maps, and real scans beside them."""
    run = _needs_torch(_generated_function)
    outcome = run(plan, out=out, fresh=fresh, tell=click.echo)
    click.echo(f"Done at step {outcome.step}: {outcome.weights}, curves in {outcome.curves}")


def _generated_function() -> Any:
    from leuko.training.run import train as run

    return run


def _task_function() -> Any:
    from leuko.training.supervised.run import train_task

    return train_task


def _require_training() -> None:
    """MissingExtra before images are explored, where what trains is not installed."""
    from importlib.util import find_spec

    from leuko.errors import MissingExtra

    missing = []
    for name in ("torch", "lightning"):
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            missing.append(name)
    if missing:
        raise MissingExtra.needed("Training", extra="train", modules=missing)


def _needs_torch(load: Callable[[], Any]) -> Any:
    """What `load` imports; MissingExtra where a library of the train extra is not there."""
    from leuko.errors import MissingExtra

    try:
        return load()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "leuko":
            raise
        raise MissingExtra.needed("Training", extra="train", modules=[error.name]) from None
