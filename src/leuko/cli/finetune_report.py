"""What finetuning on scans came to: finetune.json in the run's folder, and the same on screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from leuko.pipelines.held_out import Difference, HeldOut
    from leuko.training.finetune import Start
    from leuko.training.recipe import Recipe

__all__ = ["report_finetuning"]


def report_finetuning(
    made: Difference | None,
    recipe: Recipe,
    start: Start,
    given: dict[str, Any],
    *,
    held: Sequence[HeldOut],
    model: Path,
) -> None:
    """Write the record; `made` is None where nothing was held out, `given` are the options."""
    from leuko.pipelines.json_texts import indented

    unknown = "Nothing was held out: nobody knows whether this helped."
    content: dict[str, Any] = {
        "from": start.title,
        "definition": given["definition"],
        "trained_on": len(recipe.data.cases),
        "held_out": [case.name for case in held],
        **({"verdict": "unknown", "said": [unknown]} if made is None else made.as_json()),
    }
    text = indented(content)
    (model.parent / "finetune.json").write_bytes(text)
    if given["as_json"]:
        click.echo(text, nl=False)
        return
    if given["quiet"]:
        return
    if made is not None:
        _print_table(made)
    for line in (unknown,) if made is None else made.said:
        click.echo(line)
    click.echo(f"Weights: {model}")
    click.echo(f"Use them: leuko segment SCAN --model {model} -o RESULT")


def _print_table(made: Difference) -> None:
    from math import isnan

    from rich.console import Console
    from rich.table import Table

    from leuko.evaluation.registry import METRICS

    def text(value: float) -> str:
        return "n/a" if isnan(value) else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"

    table = Table(box=None, pad_edge=False)
    for heading in ("mean of held-out scans", "before", "after", ""):
        table.add_column(heading, justify="left" if heading.startswith("mean") else "right")
    for name, (old, new) in made.means.items():
        table.add_row(METRICS[name].title, text(old), text(new), METRICS[name].unit)
    table.add_row()
    for old_case, new_case in zip(made.before, made.after, strict=True):
        table.add_row(
            f"Dice of {old_case.name}",
            text(old_case.values["dice"]),
            text(new_case.values["dice"]),
        )
    console = Console(highlight=False, markup=False)
    console.print()
    console.print(table)
    console.print()
