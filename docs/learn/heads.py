"""Sixty slices of invented heads with lesions and their masks, for lessons: images/, masks/.

Each picture is 64 x 64: scalp (bright fat), skull, brain, ventricles, lesions of white matter,
noise, and a coil that is nearer to one side. No one's data: what they teach is the method.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Picture
from scipy.ndimage import binary_opening, gaussian_filter

SIZE, COUNT = 64, 60


def ellipse(down: float, across: float, high: float, wide: float) -> np.ndarray:
    """Below 1 within an ellipse about a point, given from the centre of the picture."""
    rows, columns = np.indices((SIZE, SIZE)) - SIZE / 2
    return ((rows - down) / high) ** 2 + ((columns - across) / wide) ** 2


def slice_and_mask(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A slice as 0..255 and its lesions as 0 and 255."""
    high, wide = random.uniform(25, 30), random.uniform(20, 25)
    body = ellipse(0, 0, high, wide)
    brain = body < 0.68
    image = np.select([brain, body < 0.82, body < 1], [0.45, 0.1, 0.9], 0.03)
    image[brain & (body > 0.55)] = 0.55  # grey matter
    gap, long = random.uniform(3, 5), random.uniform(6, 11)
    ventricles = np.minimum(ellipse(0, gap, long, 2.5), ellipse(0, -gap, long, 2.5)) < 1
    image[ventricles] = 0.15

    texture = gaussian_filter(random.normal(size=(SIZE, SIZE)), 2.0)
    lesions = np.zeros((SIZE, SIZE), dtype=bool)
    for _ in range(random.integers(2, 7)):
        angle, reach = random.uniform(0, 2 * np.pi), random.uniform(0.2, 0.65)
        place = (high * reach * np.sin(angle), wide * reach * np.cos(angle))
        shape = ellipse(*place, random.uniform(1.5, 5), random.uniform(1.5, 4))
        lesions |= shape + 3 * texture < 1
    lesions = binary_opening(lesions & (body < 0.5) & ~ventricles)  # nothing thinner than 3 pixels
    image[lesions] = random.uniform(0.62, 0.85)

    coil = 1 + 0.25 * ellipse(random.uniform(-40, 40), random.uniform(-40, 40), 60, 60)
    image = gaussian_filter(image, 0.7) / coil + random.normal(0, 0.05, (SIZE, SIZE))
    return np.clip(200 * image, 0, 255).astype(np.uint8), (255 * lesions).astype(np.uint8)


def main() -> None:
    """Write all; the same every time."""
    for folder in ("images", "masks"):
        Path(folder).mkdir(exist_ok=True)
    for number in range(COUNT):
        image, mask = slice_and_mask(np.random.default_rng(number))
        Picture.fromarray(image).save(f"images/head_{number:02}.png")
        Picture.fromarray(mask).save(f"masks/head_{number:02}.png")


if __name__ == "__main__":
    main()
