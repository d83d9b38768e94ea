"""Draw what each augmentation does to a slice, or measure how long they take.

`python docs/augmentation.py` draws the fullest slice of the packaged sample, its lesions outlined,
into images/augmentation.png; `python docs/augmentation.py IMAGE MASK PICTURE` does so with any
grey or colour picture and its mask. `python docs/augmentation.py --speed` prints times.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

import leuko
from leuko.models.sample import sample_path, truth_path
from leuko.training.supervised.augment import AugmentPlan, Box, Change, apply, draw

PICTURE = Path(__file__).resolve().parent / "images" / "augmentation.png"
RED = (255, 70, 50)
TURN = np.deg2rad(15.0)
CHANGES = {
    "as it is": Change(2),
    "rotation, 15°": Change(
        2, matrix=((np.cos(TURN), -np.sin(TURN)), (np.sin(TURN), np.cos(TURN)))
    ),
    "flip": Change(2, mirrored=(1,)),
    "scale, x 1.15": Change(2, matrix=((1 / 1.15, 0.0), (0.0, 1 / 1.15))),
    "shear, 0.15": Change(2, matrix=((1.0, 0.15), (0.0, 1.0))),
    "elastic, 6 voxels": Change(2, seed=3, elastic=(6.0, 6.0)),
    "gamma, power 0.6": Change(2, gamma=0.6),
    "gamma, power 1.7": Change(2, gamma=1.7),
    "contrast, x 0.6": Change(2, contrast=0.6),
    "brightness, + 0.5 SD": Change(2, brightness=0.5),
    "bias field, 0.4": Change(2, seed=2, bias=0.4),
    "noise, 0.25 SD": Change(2, noise=0.25),
    "Rician noise, 0.25 SD": Change(2, noise=0.25, rician=True),
    "blur, 2 voxels": Change(2, blur=(2.0, 2.0)),
    "resolution, x 4 along one axis": Change(2, coarsening=(4.0, 1.0)),
    "cut": Change(2, boxes=(Box((0.2, 0.55), (0.2, 0.25)), Box((0.6, 0.3), (0.15, 0.2)))),
}


def packaged_slice() -> tuple[np.ndarray, np.ndarray]:
    """The slice of the sample with most lesion: front up, the patient's right on the left."""
    flair, truth = (
        np.asarray(leuko.read(path).data)[::-1, ::-1] for path in (sample_path(), truth_path())
    )
    fullest = int((truth == 1).sum(axis=(0, 1)).argmax())
    image, mask = flair[..., fullest].T.astype(np.float32), truth[..., fullest].T == 1
    head = image > 0.1 * image.max()
    rows, columns = (np.flatnonzero(head.any(axis=axis)) for axis in (1, 0))
    shown = np.s_[rows[0] - 14 : rows[-1] + 15, columns[0] - 14 : columns[-1] + 15]
    return image[shown], mask[shown]


def picture_slice(image: str, mask: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture in grey and its mask."""
    grey = np.asarray(Image.open(image).convert("L"), dtype=np.float32)
    return grey, np.asarray(Image.open(mask).convert("L")) > 0


def montage(values: np.ndarray, mask: np.ndarray, target: Path) -> None:
    """All changes, one greyscale for all."""
    image = torch.from_numpy((values - values.mean()) / values.std())[None]
    label = torch.from_numpy(mask.astype(np.int16))
    black, white = float(image.min()), float(image.quantile(0.999))
    figure, axes = plt.subplots(4, 4, figsize=(10.4, 10.4 * values.shape[0] / values.shape[1] + 1))
    for panel, (name, change) in zip(axes.flat, CHANGES.items(), strict=True):
        shown, drawn = apply(image, label, change)
        panel.imshow(shown[0], cmap="gray", vmin=black, vmax=white)
        panel.contour(drawn, levels=[0.5], colors=[np.array(RED) / 255], linewidths=0.6)
        panel.set_title(name, fontsize=10)
        panel.axis("off")
    figure.tight_layout(pad=0.4)
    figure.savefig(target, dpi=90)
    Image.open(target).convert("RGB").quantize(palette=greys_and_reds(), dither=0).save(
        target, optimize=True
    )


def greys_and_reds() -> Image.Image:
    """A palette for a grey picture with red lines: 176 greys, and 16 of them under 5 reds."""
    greys = np.linspace(0, 255, 176)[:, None] * np.ones(3)
    under, cover = np.meshgrid(np.linspace(0, 255, 16), np.linspace(0.2, 1.0, 5))
    reds = (1 - cover)[..., None] * under[..., None] + cover[..., None] * np.array(RED)
    palette = Image.new("P", (1, 1))
    colours = np.concatenate([greys, reds.reshape(-1, 3)]).round().astype(int)
    palette.putpalette(colours.ravel().tolist())
    return palette


def speed() -> None:
    """Median processor time of a change drawn from the default plan, and of one with every part."""
    torch.set_num_threads(1)
    every = AugmentPlan(intensity_share=1.0, quality_share=1.0, cut=0.3, cut_share=1.0)
    for shape in ((256, 256), (48, 64, 48)):
        image, label = torch.randn(1, *shape), torch.zeros(shape, dtype=torch.int16)
        for name, plan in (("default", AugmentPlan()), ("every part", every)):
            random, taken = np.random.default_rng(0), []
            for _ in range(60):
                start = time.process_time()
                change = draw(random, plan, dims=len(shape), mirror_axes=(0,))
                apply(image, label, change)
                taken.append(1e3 * (time.process_time() - start))
            size = "x".join(map(str, shape))
            sys.stdout.write(f"{size}, {name}: {np.median(taken):.0f} ms\n")


def main() -> None:
    """See the module."""
    given = sys.argv[1:]
    if given == ["--speed"]:
        speed()
    elif given:
        montage(*picture_slice(given[0], given[1]), Path(given[2]))
    else:
        montage(*packaged_slice(), PICTURE)


if __name__ == "__main__":
    main()
