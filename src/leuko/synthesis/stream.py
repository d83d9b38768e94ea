"""An endless, seeded stream of training slices from label maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import numpy.typing as npt
import torch

from leuko.models.channels import neighbour_distances, neighbour_offsets
from leuko.synthesis.geometry import SlabShape, draw_geometry, sample_slab
from leuko.synthesis.head import Slices, draw_recipe, draw_t1, render
from leuko.synthesis.heads import Head, load_head

__all__ = ["Sample", "StreamSettings", "slices"]


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Size of a slice in pixels, pixel size in mm, renderings a bent head, slices a rendering.

    Slices at `neighbours_mm` stand on either side; with `t1_share` a last channel shows the T1 in
    that share of the renderings, else 0.
    """

    pixels: tuple[int, int] = (160, 192)
    pixel_mm: float = 0.8
    renderings: int = 2
    most_slices: int = 16
    level_jitter: float = 0.07
    t1_share: float | None = None
    neighbours_mm: tuple[float, ...] = (3.0,)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A slice with its neighbours (C, u, v), T1 last, and the bit mask of its classes (u, v)."""

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
            recipe = draw_recipe(rng)
            if settings.t1_share is not None and rng.random() < settings.t1_share:
                thickness_mm = recipe.acquisition.thickness_mm
                recipe = replace(recipe, t1=draw_t1(rng, thickness_mm=thickness_mm))
            rendered = render(recipe, slab=slab)
            yield from _samples(rendered, rng, settings)


def _samples(
    rendered: Slices, rng: np.random.Generator, settings: StreamSettings
) -> Iterator[Sample]:
    stack = _stored(rendered.image, rng, settings.level_jitter)
    truth = rendered.allowed.permute(2, 0, 1).contiguous().cpu().numpy()
    count = len(stack)
    t1 = np.zeros_like(stack)
    if rendered.t1 is not None:
        t1 = _stored(rendered.t1, rng, settings.level_jitter)
    distances = neighbour_distances(rendered.spacing_mm, neighbours_mm=settings.neighbours_mm)
    offsets = np.array(neighbour_offsets(distances))
    chosen = rng.permutation(count)[: settings.most_slices]
    for index in chosen:
        shown = stack[np.clip(index + offsets, 0, count - 1)]
        if settings.t1_share is not None:
            shown = np.concatenate((shown, t1[index : index + 1]))
        yield Sample(shown, truth[index])


def _stored(
    image: torch.Tensor, rng: np.random.Generator, jitter: float
) -> npt.NDArray[np.float16]:
    """A rendered image as a stack (n, u, v), its level a little off as that of real scans."""
    off = float(np.exp(rng.normal(0, jitter)))
    stack = (image.permute(2, 0, 1) * off).clamp(max=20.0).to(torch.float16).contiguous()
    return np.asarray(stack.cpu().numpy())
