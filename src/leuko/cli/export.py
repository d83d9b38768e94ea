"""`leuko export`: a training run as a model that predicts anywhere."""

from __future__ import annotations

from pathlib import Path

import click

from leuko.cli.options import FILE, debug_option, out_option, quiet_option

__all__ = ["export"]

EXAMPLES = """\b
Examples:
  leuko export runs/spleen -o spleen_model
  leuko export runs/spleen -o spleen_model --onnx
  leuko predict spleen_model ct.nii.gz -o out

MODEL holds model.json (what goes in, what comes out, checksums), network.xml and
network.bin (OpenVINO, 16-bit weights), weights.pt (for torch) and, if asked for,
network.onnx. The graph is compared with the trained network before it is written.

Exit codes: 0 done; 2 wrong usage; 3 no run, or not finished; 6 cannot write;
9 torch (or onnx) is missing; 70 the graph differs from the network.
"""


@click.command(epilog=EXAMPLES)
@click.argument("run", type=FILE)
@out_option("The folder for the model; one that holds a model is replaced.", metavar="MODEL")
@click.option(
    "--which",
    type=click.Choice(["best", "final"]),
    default="best",
    show_default=True,
    help="The weights of the best validation score, or those at the end.",
)
@click.option(
    "--prior",
    type=click.Choice(["loss", "data"]),
    help="How common classes are: as a balanced loss weighed them, or as in the training data."
    "  [default: the recipe's]",
)
@click.option("--onnx", is_flag=True, help="Write network.onnx too, for other programs.")
@click.option("--json", "as_json", is_flag=True, help="Print the model's card as JSON.")
@quiet_option
@debug_option
def export(
    run: Path, out: Path, which: str, prior: str | None, onnx: bool, as_json: bool, quiet: bool
) -> None:
    """Make a model folder of RUN, a folder that leuko train wrote; predicting needs no torch."""
    from leuko.errors import MissingExtra

    try:
        from leuko.training.supervised.export import export_run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "leuko":
            raise
        raise MissingExtra.needed("Exporting", extra="train", modules=[error.name]) from None
    from leuko.inference.trained import card_to_json

    card = export_run(
        run,
        out=out,
        which="final" if which == "final" else "best",
        onnx=onnx,
        prior="" if prior is None else "data" if prior == "data" else "loss",
    )
    if as_json:
        click.echo(card_to_json(card), nl=False)
    elif not quiet:
        size = " x ".join(map(str, card.plan.size))
        click.echo(f"{card.name}: {card.network.name}, {card.network.parameters:,} parameters")
        click.echo(f"Input      {', '.join(card.channels)}; windows of {size}")
        click.echo(f"Classes    {', '.join(card.classes)}")
        click.echo(f"Graph      differs from the network by {card.disagreement:.1g} at most")
        click.echo(f"Model: {out}")
