"""A tiny data set and recipe, and a run of its own process for tests that kill it.

python small_task.py FOLDER OUT STEPS EVERY_S
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SUBJECTS = 6


def write_data(folder: Path, *, pictures: bool = False, value: int = 1) -> None:
    """Bright discs on noise, two images a subject."""
    from PIL import Image

    from leuko.formats.write import write
    from leuko.image.grid import Grid
    from leuko.image.image import Image as Volume

    random = np.random.default_rng(3)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:36, :30]
    for subject in range(SUBJECTS):
        for visit in range(2):
            centre = random.uniform(10, 20, 2)
            disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 36
            image = random.normal(60, 12, disc.shape) + 70 * disc
            stem = f"s{subject}_v{visit}"
            if pictures:
                Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(
                    folder / "images" / f"{stem}.png"
                )
                Image.fromarray((disc * value).astype(np.uint8)).save(
                    folder / "masks" / f"{stem}.png"
                )
            else:
                grid = Grid.from_spacing((30, 36, 3), (1.0, 1.0, 3.0))
                stack = np.repeat(image.T[:, :, None], 3, axis=2).astype(np.float32)
                labels = np.repeat((disc.T * value)[:, :, None], 3, axis=2).astype(np.uint8)
                write(Volume(stack, grid), folder / "images" / f"{stem}.nii.gz")
                write(Volume(labels, grid), folder / "masks" / f"{stem}.nii.gz")


def recipe_content(folder: Path, *, steps: int = 12, every_s: float = 0.0) -> dict:
    return {
        "task": "segmentation",
        "name": "small",
        "seed": 7,
        "data": {
            "layout": "folders",
            "images": str(folder / "images"),
            "masks": str(folder / "masks"),
            "subject": r"(s\d)",
        },
        "split": {"kind": "subjects", "valid": 0.2, "test": 0.2},
        "case": {"dims": 2, "size": [32, 32]},
        "network": {"name": "unet", "width": 4, "levels": 3, "dropout": 0.2},
        "optimisation": {
            "steps": steps, "batch": 4, "lr": 0.01, "warmup_steps": 2, "ema_decay": 0.9,
            "precision": "f32",
        },
        "validation": {"every_steps": 5},
        "checkpoint": {"every_s": every_s, "report_s": 0.0},
    }  # fmt: skip


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    from leuko.training.supervised.recipe import parse_task
    from leuko.training.supervised.run import train_task

    content = recipe_content(Path(sys.argv[1]), steps=int(sys.argv[3]), every_s=float(sys.argv[4]))
    train_task(parse_task(content), out=Path(sys.argv[2]), tell=say)
    say("end")
