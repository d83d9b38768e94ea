"""An image on its way through preprocessing, with the masks that travel with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.image.image import Image, from_canonical, to_canonical
from leuko.pipelines.brain_extraction import extract_brain
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.model import Model, load_model
from leuko.preparation.foreground import foreground_mask
from leuko.preparation.histogram import Landmarks
from leuko.preparation.steps import Brain, Region

__all__ = ["Noted", "Session", "State"]

BoolArray = npt.NDArray[np.bool_]
Noted = dict[str, object]


@dataclass(slots=True)
class Session:
    """What several images of one call share: the network, loaded when first needed, and scales."""

    model: Model | None = None
    scales: dict[str, Landmarks] = field(default_factory=dict)
    """Landmarks to match, by the reference's name and region."""

    learnt: Landmarks | None = None
    """The standard scale for histogram matching without a reference."""

    def network(self) -> Model:
        """The network of brain extraction."""
        if self.model is None:
            self.model = load_model(SegmentConfig())
        return self.model


class State:
    """An image on its way, with the masks that lie on its grid."""

    def __init__(self, image: Image, mask: Image | None, session: Session) -> None:
        self.image, self.mask, self.session = image, mask, session
        self.brain: Image | None = None
        self.white: Image | None = None
        self.field: Image | None = None
        self.stripped = False  # whether all outside the brain is to be 0 in the end
        self.findings = list(image.findings)

    def find_brain(self, noted: Noted, parameters: Brain | None = None) -> None:
        """Extract the brain, once."""
        if self.brain is not None and parameters is None:
            return
        chosen = parameters or Brain()
        model = self.session.network()
        found = extract_brain(
            self.image, model=model, extent=chosen.extent, margin_mm=chosen.margin_mm
        )
        self.brain, self.white = found.brain, found.white_matter
        self.findings += [finding for finding in found.findings if finding not in self.findings]
        noted |= {"brain_ml": round(found.brain_ml, 1), "weights": model.card.name}
        noted["weights_sha256"] = model.card.sha256

    def region(self, region: Region, noted: Noted) -> BoolArray:
        """Where to measure, in the image's axes; what had to be found for it is noted."""
        noted["region"] = region
        data = self.image.data
        if region == "all":
            return np.ones(self.image.grid.shape, dtype=np.bool_)
        if self.stripped and region in ("foreground", "nonzero"):
            region = "brain"
        if region == "nonzero":
            return np.asarray((data != 0).any(axis=3) if data.ndim == 4 else data != 0)
        if region == "foreground":
            return self.foreground()
        self.find_brain(noted)
        chosen = self.brain if region == "brain" else self.white
        assert chosen is not None
        return np.asarray(chosen.data != 0)

    def foreground(self) -> BoolArray:
        """The head or body, in the image's axes."""
        data = self.image.data
        mean = data if data.ndim == 3 else data.mean(axis=3, dtype=np.float32)
        grid = self.image.grid
        mask = foreground_mask(
            np.ascontiguousarray(to_canonical(mean, grid)), spacing=grid.canonical().spacing
        )
        return np.ascontiguousarray(from_canonical(mask, grid))

    def values(self, region: Region, noted: Noted) -> npt.NDArray[Any]:
        """The values in a region, of all volumes."""
        inside = self.region(region, noted)
        noted["voxels"] = int(np.count_nonzero(inside))
        return self.image.data[inside].ravel()

    def move(self, change: Callable[[Image, bool], Image]) -> None:
        """Change the grid of everything; `change` hears whether an image is a label map."""
        self.image = change(self.image, False)
        self.mask = None if self.mask is None else change(self.mask, True)
        self.brain = None if self.brain is None else change(self.brain, True)
        self.white = None if self.white is None else change(self.white, True)

    def set_values(self, data: npt.NDArray[Any]) -> None:
        """Other values on the same grid."""
        self.image = self.image.with_data(data)

    def result(self) -> Image:
        """The image, with all outside the brain set to 0 where that was asked for.

        Done last, so that no interpolation mixes brain with the 0 beside it.
        """
        if not self.stripped or self.brain is None:
            return self.image
        data = self.image.data.copy()
        data[self.brain.data == 0] = 0
        return self.image.with_data(data)
