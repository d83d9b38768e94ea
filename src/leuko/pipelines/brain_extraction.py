"""Brain extraction with the packaged network: the scan in, masks of brain and white matter out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leuko.anatomy.brain import Extent, brain_mask
from leuko.errors import UnusableInput
from leuko.findings import Finding, as_warnings
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.inference.predict import predict
from leuko.models.classes import Tissue
from leuko.pipelines.model import Model
from leuko.pipelines.observe import as_one_brain, prepared_for
from leuko.quality.anatomy import anatomy_checks

__all__ = ["Extraction", "extract_brain"]

LEAST_ML = 100.0  # less is no brain
LOOK = "The brain mask comes from a network for FLAIR: look at it before you use it."


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Masks (uint8, the scan's own grid and axes) and what is to be said about them.

    `white_matter` leaves out what may be a lesion.
    """

    brain: Image
    white_matter: Image
    brain_ml: float
    findings: tuple[Finding, ...]


def extract_brain(
    image: Image, *, model: Model, extent: Extent = "brain", margin_mm: float = 0.0
) -> Extraction:
    """Find the brain on a head scan, with skull or without.

    The network was trained for FLAIR. On T1-weighted heads it finds the brain as well, with more
    neck muscle at the base; other contrasts and CT it does not know: a finding says so where the
    tissues look unlike FLAIR. Of several volumes the mean is used. Raises UnusableInput (exit 4)
    where less than 100 ml of brain are found.

    Args:
        image: 3D or 4D, any orientation.
        model: the network (`leuko.pipelines.model.load_model`).
        extent: `brain`, or `intracranial`: with the fluid around it.
        margin_mm: the mask is grown by this much.
    """
    values = image.data if image.data.ndim == 3 else image.data.mean(axis=3, dtype=np.float32)
    data = np.ascontiguousarray(to_canonical(values, image.grid))
    spacing = image.grid.canonical().spacing
    found = predict(prepared_for(model.card, data, spacing=spacing), engine=model.engine)
    perhaps = found.perhaps_lesion
    prediction = as_one_brain(found, data=data, lesions=perhaps, spacing=spacing)
    brain = brain_mask(
        prediction.anatomy, image=data, spacing=spacing, extent=extent, margin_mm=margin_mm
    )
    ml = float(np.count_nonzero(brain) * image.grid.voxel_mm3 / 1000)
    if ml < LEAST_ML:
        raise UnusableInput(
            "No brain was found in the image.",
            hint="The network knows heads on FLAIR (and T1-weighted) scans. For other images use "
            "the foreground instead of the brain.",
        )
    about = anatomy_checks(
        data,
        anatomy=np.where(brain, prediction.anatomy, 0).astype(np.uint8),
        lesions=perhaps,
        spacing=spacing,
        sided=image.grid.oriented,
    )
    white = brain & (prediction.anatomy == Tissue.WHITE_MATTER) & ~perhaps
    return Extraction(
        _as_image(brain, image), _as_image(white, image), ml, tuple(as_warnings(about, hint=LOOK))
    )


def _as_image(mask: npt.NDArray[np.bool_], image: Image) -> Image:
    data = np.ascontiguousarray(from_canonical(mask.view(np.uint8), image.grid))
    return Image(data, image.grid, image.source)
