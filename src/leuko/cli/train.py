"""`leuko train`: weights from a recipe."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["train"]

EXAMPLES = """\b
Examples:
  leuko train recipes/wmh-flair.yaml --data DATA
  leuko train recipes/wmh-flair.yaml --data DATA --fresh
"""


@click.command(epilog=EXAMPLES)
@click.argument("recipe", type=click.Path(exists=True, dir_okay=False, path_type=Path))
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
    help="Folder of runs; this one gets a folder of the recipe's name in it.",
)
@click.option("--fresh", is_flag=True, help="Start over instead of continuing the run.")
def train(recipe: Path, data: Path | None, out: Path, fresh: bool) -> None:
    """Train a network as RECIPE (YAML) says; the same command continues a run that was stopped."""
    from leuko.errors import MissingExtra
    from leuko.training.recipe import load_recipe

    plan = load_recipe(recipe, data=data)  # a wrong recipe is told before torch is loaded
    try:
        from leuko.training.run import train as run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "leuko":
            raise
        raise MissingExtra.needed("Training", extra="train", modules=[error.name]) from None

    outcome = run(plan, out=out, fresh=fresh, tell=click.echo)
    click.echo(f"Done at step {outcome.step}: {outcome.weights}, curves in {outcome.curves}")
