"""What the two-stage segmentation of white matter hyperintensities needs beside its recipes.

python recipes/two_stage.py heads DATA OUT [COUNT]     synthetic FLAIR, T1 and white matter
python recipes/two_stage.py regions MODEL DATA OUT     white matter of real scans, and their list
python recipes/two_stage.py check MODEL DATA           white matter against MUSE and GIF
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.formats.read import read, read_mask
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.image.resample import resample
from leuko.inference.trained import Trained, load_trained
from leuko.masks.components import connected_components
from leuko.pipelines.predict import predict_image
from leuko.synthesis.pair import synthetic_pair

SEED = 20261121
COLUMNS = "name\tsubject\tflair\tt1\tmask\tregion\n"
MUSE_WHITE = (*range(81, 89), *range(91, 96))  # lobes, internal capsule, corpus callosum
GIF_WHITE = tuple(range(81, 95))  # lobes of both sides, corpus callosum


def heads(data: Path, out: Path, count: int) -> None:
    """COUNT synthetic heads, label maps in turn, in folders flair, t1 and white_matter."""
    maps = sorted((data / "labelmaps").glob("head_*.nii.gz"))
    for number in range(count):
        name = f"head{number:03d}.nii.gz"
        if (out / "white_matter" / name).is_file():
            continue
        pair = synthetic_pair(maps[number % len(maps)], seed=SEED + number)
        for folder, image in (
            ("flair", pair.flair),
            ("t1", pair.t1),
            ("white_matter", pair.white_matter),
        ):
            (out / folder).mkdir(parents=True, exist_ok=True)
            write(image, out / folder / name)
        sys.stdout.write(f"{number + 1} of {count}\n")


def regions(model: Path, data: Path, out: Path) -> None:
    """White matter of the five scans (largest component) and the list of the second stage."""
    trained = load_trained(model)
    out.mkdir(parents=True, exist_ok=True)
    rows, plain = [COLUMNS], [COLUMNS.replace("\tregion", "")]
    for folder in sorted((data / "wmh" / "tabriz").iterdir()):
        flair, t1, mask = (folder / f"{part}.nii.gz" for part in ("flair", "t1", "lesions"))
        if not flair.is_file():
            continue
        images = [read(flair), read(t1)]
        region = out / f"{folder.name}.nii.gz"
        write(images[0].with_data(_white(trained, images)), region, like=images[0], labels=True)
        row = [folder.name, folder.name, *(str(path.resolve()) for path in (flair, t1, mask))]
        plain.append("\t".join(row) + "\n")
        rows.append("\t".join([*row, str(region.resolve())]) + "\n")
    (out / "two_stage.tsv").write_text("".join(rows), encoding="utf-8")
    (out / "one_stage.tsv").write_text("".join(plain), encoding="utf-8")


def check(model: Path, data: Path) -> None:
    """Dice of white matter against automatic anatomies (no manual one is at hand).

    A model of FLAIR alone is also checked on the scan without a T1.
    """
    trained = load_trained(model)
    channels = ("flair", "t1")[: len(trained.card.channels)]
    for folder in sorted((data / "wmh" / "nichart").iterdir()):
        files = [folder / f"{part}.nii.gz" for part in (*channels, "muse_auto")]
        if all(path.is_file() for path in files):
            images = [read(path) for path in files[:-1]]
            _say(f"nichart {folder.name} MUSE", _white(trained, images), files[-1], images[0],
                 MUSE_WHITE)  # fmt: skip
    young = data / "contrasts" / "thick_flair_young"
    if len(channels) == 1:
        image = read(young / "flair.nii.gz")
        truth = young / "gif_parcellation.nii.gz"
        _say("thick_flair_young GIF", _white(trained, [image]), truth, image, GIF_WHITE)


def _white(trained: Trained, images: list[Image]) -> npt.NDArray[np.uint8]:
    """The largest component of the predicted white matter, 0 or 1 on the first image's grid."""
    label = predict_image(trained, images).label
    if label is None:
        raise SystemExit("The model of white matter is no segmentation.")
    found = connected_components(label.data > 0, connectivity=26)
    if not found.count:
        return np.zeros(label.data.shape, dtype=np.uint8)
    largest = int(np.argmax(found.sizes)) + 1
    return np.asarray(found.labels == largest, dtype=np.uint8)


def _say(
    name: str,
    mask: npt.NDArray[np.uint8],
    truth: Path,
    image: Image,
    labels: tuple[int, ...],
) -> None:
    """Dice and volumes on the image's grid."""
    anatomy = resample(read_mask(truth), onto=image.grid, kernel="label")
    reference = np.isin(anatomy.data, labels)
    dice = 2 * np.count_nonzero(reference & (mask > 0))
    dice /= np.count_nonzero(reference) + np.count_nonzero(mask)
    ml = image.grid.voxel_mm3 / 1000
    sys.stdout.write(
        f"{name}: Dice {dice:.3f}, {np.count_nonzero(mask) * ml:.0f} ml against "
        f"{np.count_nonzero(reference) * ml:.0f} ml\n"
    )


def main(what: str, *given: str) -> None:
    """Run the part `what`."""
    if what == "heads":
        heads(Path(given[0]), Path(given[1]), int(given[2]) if len(given) > 2 else 60)
    elif what == "regions":
        regions(Path(given[0]), Path(given[1]), Path(given[2]))
    else:
        check(Path(given[0]), Path(given[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
