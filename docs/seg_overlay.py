"""Draw a DICOM segmentation on its source slices, as highdicom reads both.

`python docs/seg_overlay.py` turns the packaged sample into a DICOM study, runs `leuko segment` on
it, and draws the result into images/seg_overlay.png. With arguments (STUDY SEG PICTURE) it draws
any segmentation on its study. Nothing of leuko's own readers is used: slices and frames find each
other by the references in the object alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image

HERE = Path(__file__).resolve().parent
PICTURE = HERE / "images" / "seg_overlay.png"
SHOWN = 3  # slices with most of the first segment
RED = (255, 70, 50)
GREYS = LINE = 200  # the colour behind the last grey
Array = npt.NDArray[np.generic]


def sample_study(folder: Path) -> Path:
    """The packaged sample as a scanner would export it."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from classic_mr import sample_study as write

    return write(folder)


def slices_and_masks(study: Path, segmentation: Path) -> list[tuple[float, Array, Array]]:
    """Height along the body, pixels and mask of every source slice, from the feet up."""
    found = highdicom.seg.segread(segmentation)
    uids = [instance for *_, instance in found.get_source_image_uids()]
    masks = found.get_pixels_by_source_instance(uids, segment_numbers=[1])[..., 0]
    sources = {}
    for path in study.rglob("*"):
        if path.is_file():
            source = pydicom.dcmread(path, force=True)
            if source.get("SOPInstanceUID") in uids:
                sources[source.SOPInstanceUID] = source
    return sorted(
        (
            (float(sources[uid].ImagePositionPatient[2]), sources[uid].pixel_array, mask != 0)
            for uid, mask in zip(uids, masks, strict=True)
        ),
        key=lambda entry: entry[0],
    )


def outlined(pixels: Array, mask: Array, *, white: float) -> Array:
    """A slice in 200 greys, twice as large, with a line (LINE) around what the mask holds."""
    grey = np.clip(pixels / white * (GREYS - 1), 0, GREYS - 1).astype(np.uint8)
    picture, large = (np.repeat(np.repeat(values, 2, axis=0), 2, axis=1) for values in (grey, mask))
    inner, outer = large.copy(), large.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            inner &= np.roll(large, step, axis)
            outer |= np.roll(large, step, axis)
    picture[outer & ~inner] = LINE
    return picture


def draw(study: Path, segmentation: Path, target: Path) -> None:
    """The fullest slices, below each the same with its mask."""
    entries = slices_and_masks(study, segmentation)
    stack = np.stack([pixels for _, pixels, _ in entries])
    white = float(np.percentile(stack, 99.7))
    shown = (stack > 0.15 * white).any(axis=0)
    rows, columns = (np.flatnonzero(shown.any(axis=axis)) for axis in (1, 0))
    head = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    order = sorted(range(len(entries)), key=lambda index: -int(entries[index][2].sum()))
    drawn = []
    for index in sorted(order[:SHOWN]):
        _, pixels, mask = entries[index]
        bare = outlined(pixels[head], np.zeros_like(mask[head]), white=white)
        drawn.append(np.concatenate([bare, outlined(pixels[head], mask[head], white=white)]))
    picture = Image.fromarray(np.concatenate(drawn, axis=1)).convert("P")
    greys = [round(255 * level / (GREYS - 1)) for level in range(GREYS)]
    picture.putpalette([value for grey in greys for value in (grey,) * 3] + list(RED))
    picture.save(target, optimize=True)


def main() -> None:
    """Draw what the command line names, or the sample."""
    warnings.simplefilter("ignore")
    if len(sys.argv) == 4:
        draw(*(Path(argument) for argument in sys.argv[1:]))
        return
    with tempfile.TemporaryDirectory(prefix="leuko-docs-") as made:
        study = sample_study(Path(made) / "study")
        out = Path(made) / "out"
        subprocess.run(
            [sys.executable, "-m", "leuko", "segment", study, "-o", out, "--quiet"], check=True
        )
        draw(study, out / "wmh.seg.dcm", PICTURE)


if __name__ == "__main__":
    main()
