"""`leuko networks`: which networks there are, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from leuko.networks.sizes import Description, Size, Sizes

__all__ = ["networks"]

EXAMPLES = """\b
Examples:
  leuko networks
  leuko networks unet
  leuko networks mit-unet --json
"""
COSTS = ("parameters", "FLOPs", "memory", "in training")


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def networks(name: str | None, as_json: bool) -> None:
    """List the networks that can be trained, or describe the network NAME with its options.

    FLOPs are those of a forward pass on one image (two a multiply-accumulate of
    convolutions, linear layers and attention). Memory is what its tensors hold at most, in
    float32 and without the weights; in training: when the backward pass follows.
    """
    from leuko.networks.catalogue import NETWORKS
    from leuko.networks.sizes import describe, read_sizes

    found = [describe(each) for each in (NETWORKS if name is None else [name])]
    if as_json:
        from leuko.pipelines.json_texts import indented

        click.echo(indented(found if name is None else found[0]), nl=False)
        return
    from rich.console import Console

    console = Console(highlight=False)
    if name is None:
        console.print(_overview(found))
        console.print("\nOptions and variants of one: leuko networks NAME")
    else:
        _show(console, found[0])
    console.print(_measured_on(read_sizes()), style="dim")


def _overview(found: list[Description]) -> Table:
    from rich.table import Table

    from leuko.networks.sizes import default_size

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("dims")
    for heading in COSTS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for each in found:
        for index, dims in enumerate(each.dims):
            row = _costs(default_size(each.name, dims=dims))
            name, summary = ("", "") if index else (each.name, each.summary)
            table.add_row(name, f"{dims}D", *row, summary)
    return table


def _show(console: object, found: Description) -> None:
    from rich.console import Console
    from rich.table import Table

    assert isinstance(console, Console)
    console.print(f"[bold]{found.name}[/] ({found.task})\n{found.summary}\n")
    options = Table(box=None, pad_edge=False)
    for heading in ("option", "default", "allowed", ""):
        options.add_column(heading, no_wrap=heading == "option")
    for name, option in found.options.items():
        options.add_row(name, str(option.default), option.allowed, option.meaning)
    console.print(options)
    console.print()
    sizes = Table(box=None, pad_edge=False)
    sizes.add_column("dims")
    if "variant" in found.options:
        sizes.add_column("variant")
    for heading in COSTS:
        sizes.add_column(heading, justify="right")
    for row in found.sizes:
        variant = [] if row.variant is None else [str(row.variant)]
        sizes.add_row(f"{row.dims}D", *variant, *_costs(row))
    console.print(sizes)


def _costs(row: Size) -> tuple[str, str, str, str]:
    """The cells of COSTS."""
    return (
        f"{row.parameters / 1e6:.2f} M",
        f"{row.flops / 1e9:.1f} G",
        f"{row.prediction_bytes / 2**20:.0f} MiB",
        f"{row.training_bytes / 2**20:.0f} MiB",
    )


def _measured_on(sizes: Sizes) -> str:
    """What the figures were measured on."""
    shapes = " and ".join(
        f"{' x '.join(str(n) for n in shape[1:])} ({dims}D)" for dims, shape in sizes.inputs.items()
    )
    return f"One image of one channel, {shapes}, {sizes.classes} classes, options at defaults."
