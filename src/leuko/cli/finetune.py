"""`leuko finetune`: trained weights adapted to a user's own scans, or to a task of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli.finetune_report import report_finetuning
from leuko.cli.finetune_task import finetune_task
from leuko.cli.options import debug_option, quiet_option

if TYPE_CHECKING:
    from leuko.datasets.items import Item
    from leuko.pipelines.held_out import HeldOut, Scored
    from leuko.training.recipe import Case

__all__ = ["finetune"]

EXAMPLES = """\b
Examples:
  leuko finetune --images FLAIRS --masks MASKS --name mine
  leuko finetune --images FLAIRS --masks MASKS --subject '(sub-[0-9]+)' --minutes 40
  leuko finetune --images FLAIRS --masks LESIONS --caps CAPS --name mine
  leuko finetune mine.yaml --from runs/other --name mine2
  leuko segment scan.nii.gz --model runs/mine/model -o result

\b
Images need masks of the same name (07.nii.gz and 07.nii.gz, or 07_flair and
07_lesions). Whole subjects are held out: they are segmented before and after,
and the comparison says whether finetuning helped, and whether the anatomy held.
RUN/model is what leuko segment --model takes; RUN/finetune.json the figures.

\b
Exit codes:
  0 done, whether it helped or not   5 a mask lies on another grid
  2 wrong usage                      6 the run is finished already
  3 cannot read a scan or weights    8 stopped; the same command goes on
  4 a scan is not fit                9 torch is missing"""


@click.command(epilog=EXAMPLES)
@click.argument(
    "recipe", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--images", type=click.Path(exists=True, file_okay=False), help="Folder of FLAIR scans."
)
@click.option(
    "--masks",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of lesion masks, named as the scans.",
)
@click.option(
    "--caps",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of masks of periventricular caps and rims, where they are apart from lesions.",
)
@click.option(
    "--definition",
    type=click.Choice(["vascular", "ms"]),
    default="vascular",
    show_default=True,
    help="What the masks hold: lesions with caps and rims, or lesions alone.",
)
@click.option("--subject", default="", help="Expression with one group: the person, in a name.")
@click.option("--name", default="", help="Name of the run. [default: finetuned, or the recipe's]")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder of runs; this one gets a folder of its name in it.",
)
@click.option(
    "--from",
    "start",
    type=click.Path(exists=True, path_type=Path),
    help="Weights to begin with: a run, a model folder or a file. [default: the packaged weights]",
)
@click.option(
    "--valid",
    type=click.FloatRange(0),
    default=0.3,
    show_default=True,
    help="Share (below 1) or number of subjects to hold out.",
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long to train.")
@click.option(
    "--steps",
    type=click.IntRange(1),
    help="How many steps to train.  [default: 1500, or 20 minutes, whichever is first]",
)
@click.option(
    "--lr",
    type=click.FloatRange(0, min_open=True),
    help="Learning rate.  [default: 2e-4, or the recipe's]",
)
@click.option(
    "--labelmaps",
    multiple=True,
    metavar="PATTERN",
    help="Label maps to generate heads from beside the scans; keeps the anatomy.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Decides who is held out, and the training.",
)
@click.option("--fresh", is_flag=True, help="Start over, and replace what the run holds.")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that stands for ${DATA} in the recipe.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@quiet_option
@debug_option
def finetune(recipe: Path | None, images: str | None, **given: Any) -> None:
    """Adapt the packaged WMH weights to your own FLAIRs with lesion masks.

    With a RECIPE (YAML, as for leuko train) and --from: train its network from the weights of
    another run or model; what does not fit begins anew, and is named.
    """
    from leuko.errors import UsageError
    from leuko.training.finetune import require_training

    if (recipe is None) == (images is None):
        raise UsageError(
            "Give either --images with --masks, or a recipe with --from.",
            hint="leuko finetune --help has examples.",
        )
    tell = _silent if given["quiet"] or given["as_json"] else click.echo
    if recipe is not None:
        finetune_task(recipe, given, tell=tell)
        return
    if given["masks"] is None:
        raise UsageError("Scans without masks teach nothing.", hint="Give --masks FOLDER.")
    if given["data"] is not None:
        raise UsageError("--data goes with a recipe.", hint="Leave it out.")
    require_training()
    _scans(str(images), given, tell=tell)


def _scans(images: str, given: dict[str, Any], *, tell: Callable[[str], None]) -> None:
    """Hold out, score, train, export, score again, and say what came of it."""
    from leuko.datasets.splits import by_subject
    from leuko.pipelines.held_out import difference, score_weights
    from leuko.training.finetune import finetune as train
    from leuko.training.finetune import finetune_recipe, require_free, require_usable, start_of

    start = start_of(given["start"])
    items, caps = _items(images, given)
    split = by_subject(items, valid=given["valid"], test=0, seed=given["seed"])
    cases = {item.name: _case(item, caps, definition=given["definition"]) for item in items}
    recipe = finetune_recipe(
        [cases[name] for name in split.train],
        name=given["name"] or "finetuned",
        start=start,
        steps=given["steps"],
        minutes=given["minutes"],
        labelmaps=given["labelmaps"],
        seed=given["seed"],
        **({} if given["lr"] is None else {"lr": given["lr"]}),
    )
    require_free(recipe, out=given["out"], fresh=given["fresh"])
    require_usable(tuple(cases.values()))
    tell(
        f"{_people(items, split.train)} to learn from, {_people(items, split.valid)} held out"
        f"{': ' + ', '.join(split.valid) if split.valid else ''}."
    )
    held = [_held(name, cases[name]) for name in split.valid]
    before: Sequence[Scored] = ()
    if held:
        tell(f"Segmenting the held-out scans with {start.title} ...")
        before = score_weights(held, weights=start.folder, definition=given["definition"])
    model = train(
        recipe,
        start=start,
        out=given["out"],
        definition=given["definition"],
        fresh=given["fresh"],
        tell=tell,
    )
    made = None
    if held:
        tell("Segmenting the held-out scans with the new weights ...")
        after = score_weights(held, weights=model, definition=given["definition"])
        made = difference(before, after, title=start.title)
    report_finetuning(made, recipe, start, given, held=held, model=model)


def _items(images: str, given: dict[str, Any]) -> tuple[tuple[Item, ...], dict[str, Path]]:
    """The scans with their masks, and the masks of caps and rims by the scan's name."""
    from leuko.datasets.layouts import DataSource, read_layout

    def found(masks: str) -> tuple[Item, ...]:
        return read_layout(
            DataSource(layout="folders", images=images, masks=masks, subject=given["subject"])
        )

    caps = (
        {}
        if given["caps"] is None
        else {item.name: item.label for item in found(str(given["caps"])) if item.label is not None}
    )
    return found(given["masks"]), caps


def _case(item: Item, caps: dict[str, Path], *, definition: str) -> Case:
    from leuko.training.recipe import Case

    apart = caps.get(item.name)
    return Case(
        flair=str(item.images[0].resolve()),
        lesions=None if item.label is None else str(item.label.resolve()),
        caps=None if apart is None else str(apart.resolve()),
        definition="ms" if definition == "ms" else "vascular",
    )


def _held(name: str, case: Case) -> HeldOut:
    from leuko.pipelines.held_out import HeldOut

    return HeldOut(
        name,
        scan=Path(case.flair),
        truth=Path(str(case.lesions)),
        caps=None if case.caps is None else Path(case.caps),
    )


def _people(items: Sequence[Item], names: Sequence[str]) -> str:
    people = len({item.subject for item in items if item.name in names})
    scans = f"{len(names)} scan{'' if len(names) == 1 else 's'}"
    return f"{scans} of {people} subject{'' if people == 1 else 's'}" if names else "none"


def _silent(line: str) -> None:
    del line
