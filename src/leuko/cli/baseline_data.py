"""Which images a baseline learns from or is to segment: the options, and the cases they name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leuko.cli.options import FILE, together

if TYPE_CHECKING:
    from leuko.datasets.items import Item

__all__ = ["data_options", "items_of", "items_to_predict"]

data_options = together(
    click.option(
        "--images",
        multiple=True,
        type=FILE,
        metavar="FOLDER",
        help="Folder of images; once more for another channel (T1).",
    ),
    click.option("--masks", type=FILE, metavar="FOLDER", help="Folder of their masks."),
    click.option(
        "--list",
        "list_file",
        type=FILE,
        metavar="FILE",
        help="Instead of folders: a .tsv, .csv or .json with a row a case.",
    ),
    click.option(
        "--regions",
        type=FILE,
        metavar="FOLDER",
        help="Folder of masks of the region to search.",
    ),
    click.option(
        "--subject",
        default="",
        metavar="REGEX",
        help="What in a name tells the person, such as '^([^_]+)'.",
    ),
    click.option(
        "--label",
        "labels",
        multiple=True,
        type=click.IntRange(1),
        help="Value of the masks that counts; can be given again.  [default: all but 0]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Of every draw by lot.",
    ),
)


def items_of(data: dict[str, Any]) -> tuple[Item, ...]:
    """The cases that the options name."""
    from leuko.datasets.layouts import DataSource, read_layout
    from leuko.errors import UsageError

    images, masks, listed = data["images"], data["masks"], data["list_file"]
    if bool(listed) == bool(images) or (images and not masks):
        raise UsageError(
            "Say where the data are: --images and --masks, or --list.",
            hint="leuko baseline fit forest --images I --masks M -o forest.npz",
        )
    if listed:
        return read_layout(DataSource(layout="list", list=str(listed), subject=data["subject"]))
    return read_layout(
        DataSource(
            layout="folders",
            images=tuple(str(folder) for folder in images),
            masks=str(masks),
            regions=str(data["regions"] or ""),
            subject=data["subject"],
        )
    )


def items_to_predict(
    images: tuple[Path, ...], also: tuple[Path, ...], regions: Path | None
) -> tuple[Item, ...]:
    """The items of files, or of one folder."""
    from leuko.datasets.files import stem
    from leuko.datasets.items import Item
    from leuko.datasets.layouts import DataSource, read_layout
    from leuko.errors import UsageError

    if len(images) == 1 and images[0].is_dir():
        folders = tuple(str(folder) for folder in (*images, *also))
        return read_layout(
            DataSource(layout="folders", images=folders, regions=str(regions or ""), subject="(.*)")
        )
    if len(images) > 1 and (also or regions):
        raise UsageError(
            "With several files, other channels and regions cannot be told apart.",
            hint="Give folders whose files have the same names, or one image at a time.",
        )
    names = [stem(path) for path in images]
    if len(set(names)) < len(names):
        raise UsageError(
            "Two of the images have one name, so their masks would have, too.",
            hint="Give them one at a time, each with its own --out.",
        )
    return tuple(
        Item(name=name, subject=name, images=(path, *also), region=regions)
        for name, path in zip(names, images, strict=True)
    )
