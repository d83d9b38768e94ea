"""An endless, seeded stream of training slices from label maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import numpy.typing as npt
import torch

from leuko.synthesis.geometry import SlabShape, draw_geometry, sample_slab
from leuko.synthesis.head import Slices, draw_recipe, render
from leuko.synthesis.heads import Head, load_head

__all__ = ["Sample", "StreamSettings", "slices"]

NEIGHBOUR_MM = 3.0


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Size of a slice in pixels, pixel size in mm, renderings a bent head, slices a rendering."""

    pixels: tuple[int, int] = (160, 192)
    pixel_mm: float = 0.8
    renderings: int = 2
    most_slices: int = 16
    level_jitter: float = 0.07


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A slice with its neighbours (3, u, v) and the bit mask of allowed classes (u, v)."""

    image: npt.NDArray[np.float16]
    allowed: npt.NDArray[np.int16]


def slices(
    paths: Sequence[str | PathLike[str]],
    *,
    seed: int,
    settings: StreamSettings | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[Sample]:
    """Slices of ever new heads from the label maps at `paths`, in an order given by `seed`."""
    settings = settings or StreamSettings()
    rng = np.random.default_rng(seed)
    shape = SlabShape(pixels=settings.pixels, pixel_mm=settings.pixel_mm)
    heads: dict[int, Head] = {}
    while True:
        which = int(rng.integers(len(paths)))
        if which not in heads:
            heads[which] = load_head(paths[which])
        head = heads[which]
        geometry = draw_geometry(rng, head=head, shape=shape)
        slab = sample_slab(geometry, head=head, shape=shape, device=device)
        for _ in range(settings.renderings):
            rendered = render(draw_recipe(rng), slab=slab)
            yield from _samples(rendered, rng, settings)


def _samples(
    rendered: Slices, rng: np.random.Generator, settings: StreamSettings
) -> Iterator[Sample]:
    image = rendered.image.permute(2, 0, 1).contiguous()
    allowed = rendered.allowed.permute(2, 0, 1).contiguous()
    count = image.shape[0]
    step = max(1, round(NEIGHBOUR_MM / rendered.spacing_mm))
    jitter = float(np.exp(rng.normal(0, settings.level_jitter)))
    stack = (image * jitter).clamp(max=20.0).to(torch.float16).cpu().numpy()
    truth = allowed.cpu().numpy()
    chosen = rng.permutation(count)[: settings.most_slices]
    for index in chosen:
        triple = stack[[max(0, index - step), index, min(count - 1, index + step)]]
        yield Sample(triple, truth[index])
