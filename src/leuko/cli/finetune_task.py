"""`leuko finetune RECIPE`: a task's network trained from the weights of another run or model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

__all__ = ["finetune_task"]


def finetune_task(path: Path, given: dict[str, Any], *, tell: Callable[[str], None]) -> None:
    """Train a task's recipe from the weights of another run or model."""
    import msgspec

    from leuko.errors import UsageError
    from leuko.training.finetune import require_training
    from leuko.training.recipe import parse_yaml, read_text
    from leuko.training.supervised.recipe import is_task, parse_task

    source = click.get_current_context().get_parameter_source
    of_scans = ("masks", "caps", "definition", "subject", "valid", "labelmaps", "seed")
    stray = [name for name in of_scans if source(name) is not ParameterSource.DEFAULT]
    if stray:
        raise UsageError(
            f"--{stray[0]} goes with --images, not with a recipe.", hint="The recipe says it."
        )
    content = parse_yaml(read_text(path), data=given["data"], name=path.name, folder=path.parent)
    if not is_task(content):
        raise UsageError(
            f"{path.name} trains on generated heads.",
            hint="leuko train runs it; say init_from: in it to begin with other weights.",
        )
    if given["name"]:
        content["name"] = given["name"]
    recipe = parse_task(content, name=path.name)
    if given["start"] is None and recipe.init_from is None:
        raise UsageError(
            "Nothing says which weights to begin with.", hint="Give --from RUN, or --from MODEL."
        )
    changes = {
        field: given[option]
        for field, option in (("steps", "steps"), ("minutes", "minutes"), ("lr", "lr"))
        if given[option] is not None
    }
    recipe = msgspec.structs.replace(
        recipe,
        init_from=str(given["start"] or recipe.init_from),
        optimisation=msgspec.structs.replace(recipe.optimisation, **changes),
    )
    require_training()
    from leuko.training.supervised.run import train_task

    outcome = train_task(recipe, out=given["out"], fresh=given["fresh"], tell=tell, partial=True)
    if given["as_json"]:
        said = {"run": str(outcome.folder), "step": outcome.step, "scores": dict(outcome.scores)}
        click.echo(msgspec.json.encode(said))
    elif not given["quiet"]:
        click.echo(
            f"Done at step {outcome.step}: {outcome.folder} "
            f"(best validation score {outcome.score:.3f})"
        )
        click.echo(f"Next: leuko export {outcome.folder} -o MODEL")
