"""Images and masks in folders, paired by name and read when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from leuko.errors import ReadError, UsageError
from leuko.findings import Policy
from leuko.formats.read import read, read_mask
from leuko.formats.registry import FORMATS
from leuko.image.grid import require_same_grid
from leuko.image.image import Image

__all__ = [
    "DERIVED",
    "Example",
    "Files",
    "Transform",
    "examples_in",
    "image_paths",
    "is_picture",
    "name_below",
    "natural",
    "read_label",
    "stem",
]

# Headers stand for their voxels; DICOM files are a study.
HALVES = (".img", ".raw", ".zraw", ".brik", ".dcm")
PICTURES = frozenset({"png", "jpeg", "jpeg2000", "tiff", "gif", "bmp"})
DERIVED = re.compile(
    r"(^|[-_. ])(mask|d?seg|segmentation|lesions?|labels?|prob(seg|ability)?|truth|anatomy)"
    r"($|[-_. ])",
    re.IGNORECASE,
)

Transform = Callable[[Image, Image | None], tuple[Image, Image | None]]
"""What is done to an image and its mask after reading, both at once."""


@dataclass(frozen=True, slots=True)
class Example:
    """An image, the mask that goes with it, and a name that is unique among its siblings."""

    name: str
    image: Path
    mask: Path | None = None


@dataclass(frozen=True, slots=True)
class Files(Sequence[tuple[Image, Image | None]]):
    """Examples that are read one at a time, whenever one is asked for; `transforms` in order."""

    examples: tuple[Example, ...]
    transforms: tuple[Transform, ...] = ()

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> tuple[Image, Image | None]:  # type: ignore[override]
        """The image and the mask of an example; GridMismatch (exit 5) where they do not fit."""
        example = self.examples[index]
        image = read(example.image)
        mask = None if example.mask is None else read_label(example.mask)
        if mask is not None:
            require_same_grid(image.grid, mask.grid, what="The image", other_what="its mask")
        for transform in self.transforms:
            image, mask = transform(image, mask)
        return image, mask


def image_paths(folder: Path, *, pictures: bool = False) -> list[Path]:
    """The image files in a folder and its subfolders, sorted; hidden ones are left out."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if _suffix(path, pictures=pictures)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def stem(path: Path) -> str:
    """The file's name without the suffix of its format (`07.nii.gz`: `07`)."""
    return path.name[: -len(_suffix(path)) or None]


def name_below(path: Path, root: Path) -> str:
    """The place below `root`, without suffix, as one word: `a/b.nii` is `a_b`."""
    return "_".join((*path.relative_to(root).parts[:-1], stem(path)))


def read_label(path: Path) -> Image:
    """The truth at `path`: a mask or label map, which may be a picture or a single slice, too.

    Raises what reading raises, UnusableInput (exit 4) for several volumes.
    """
    return read_mask(path, policy=Policy.LENIENT)


def is_picture(path: Path) -> bool:
    """Whether the name is that of a picture (PNG, JPEG ...), not of a volume."""
    return bool(_suffix(path)) and not _suffix(path, pictures=False)


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """A key that sorts as people count: `slice_2` before `slice_10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple(
        (not part[0].isdigit(), int(part) if part[0].isdigit() else 0, part) for part in parts
    )


def examples_in(
    images: Path,
    *,
    masks: Path | None = None,
    without: Sequence[Path] = (),
    pictures: bool = False,
) -> tuple[Example, ...]:
    """The examples of a folder, with masks from another one (or the same) where `masks` names it.

    Images named as masks (`_mask`, `_seg`, `lesions` ...) are no examples. A mask has its image's
    name, or one that begins with it (`07.nii.gz` and `07_lesions.nii.gz`). Files below `without`
    are left out. Raises ReadError (exit 3) where a folder is not there, UsageError (exit 2) where
    an image has no mask or several.
    """
    for folder in (images, masks):
        if folder is not None and not folder.is_dir():
            raise ReadError(f"There is no folder {folder.name}.", hint="Check the path.")
    separate = masks is not None and masks.resolve() != images.resolve()
    aside = [folder.resolve() for folder in (*without, *([masks] if separate else [])) if folder]
    held = {} if masks is None else {name_below(path, masks): path for path in image_paths(masks)}
    found: list[Example] = []
    taken: set[str] = set()
    for path in image_paths(images, pictures=pictures):
        named_as_mask = DERIVED.search(stem(path)) is not None
        if named_as_mask or any(folder in path.resolve().parents for folder in aside):
            continue
        name = name_below(path, images)
        mask = None if masks is None else _mask_of(name, path, held, folder=masks.name)
        found.append(Example(_unused(name, taken), path, mask))
    return tuple(found)


def _unused(name: str, taken: set[str]) -> str:
    """The name, with a number where another example has it already (a/b.nii and a_b.nii)."""
    free = name
    number = 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free.casefold())
    return free


def _mask_of(name: str, image: Path, held: dict[str, Path], *, folder: str) -> Path:
    longer = (f"{name}_", f"{name}-")
    fitting = [
        path
        for other, path in held.items()
        if path != image and (other == name or other.startswith(longer))
    ]
    if len(fitting) != 1:
        raise UsageError(
            f"{image.name} has {len(fitting)} masks in {folder}.",
            hint="Each image needs one mask of its name.",
        )
    return fitting[0]


def _suffix(path: Path, *, pictures: bool = True) -> str:
    """The longest suffix of an image format that the name ends with; empty where none."""
    name = path.name.lower()
    fitting = [end for end in _suffixes(pictures=pictures) if name.endswith(end)]
    return max(fitting, key=len, default="")


@cache
def _suffixes(*, pictures: bool) -> frozenset[str]:
    """The suffixes by which an image in a folder is known."""
    known = {
        suffix.lower()
        for entry in FORMATS.values()
        if entry.reader and (pictures or entry.name not in PICTURES)
        for suffix in entry.suffixes
    }
    return frozenset(known.difference(HALVES))
