"""From a mask to everything that is said about it, on the grid of the file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from leuko.anatomy.hemispheres import fit_midsagittal_plane, sides
from leuko.anatomy.periventricular import lateral_ventricles
from leuko.anatomy.tissues import (
    brain_is_cut,
    is_brain_extracted,
    measure_tissues,
    side_labels,
)
from leuko.findings import Finding, Policy, gate
from leuko.image.image import Image, from_canonical
from leuko.models.classes import Tissue
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.observe import Observation
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.result import Result
from leuko.preparation.prepare import slice_axis
from leuko.progress import Journal
from leuko.quality.mass import mass_checks
from leuko.quality.regions import region_checks
from leuko.quality.result import result_checks
from leuko.quantify.burden import measure_burden
from leuko.quantify.confluency import confluency
from leuko.quantify.lesions import label_lesions, measure_lesions
from leuko.quantify.places import place_lesions, with_places
from leuko.quantify.regions import measure_regions
from leuko.quantify.scales import measure_scales, scale_checks
from leuko.quantify.voxels import lesion_voxels

__all__ = ["result_of"]


def result_of(
    mask: npt.NDArray[np.bool_],
    *,
    image: Image,
    seen: Observation,
    config: SegmentConfig,
    provenance: Provenance,
    journal: Journal,
    probability: npt.NDArray[np.float32] | None = None,
    findings: Sequence[Finding] = (),
) -> Result:
    """Measure a mask (canonical axes) of `image`, as the step 'measure' of the journal.

    `seen` is the same scan in canonical axes with its anatomy; `probability` is None
    for a mask that was given; `findings` are added to those of the scan. Raises UnusableInput
    (exit 4) where the policy refuses what the result looks like.
    """
    grid = seen.grid
    with journal.step("measure") as noted:
        anatomy = seen.prediction.anatomy
        known = bool((anatomy == Tissue.WHITE_MATTER).any())
        sided = image.grid.oriented and known
        labels, count = label_lesions(mask)
        plane = fit_midsagittal_plane(anatomy, spacing=grid.spacing) if sided else None
        side = sides(anatomy, grid.spacing, plane=plane) if plane is not None else None
        ventricles = lateral_ventricles(anatomy, spacing=grid.spacing) if known else None
        table = measure_lesions(
            labels,
            grid=grid,
            anatomy=anatomy if known else None,
            ventricles=ventricles,
            sides=side,
            image=seen.data,
            probability=probability,
        )
        regions = None
        if ventricles is not None:
            voxels = lesion_voxels(labels)
            places = place_lesions(
                voxels, table=table, anatomy=anatomy, ventricles=ventricles, spacing=grid.spacing
            )
            regions = measure_regions(voxels, places=places, table=table, grid=grid, sides=side)
            table = with_places(table, places, confluency=confluency(voxels, spacing=grid.spacing))
        burden = measure_burden(
            labels,
            table=table,
            grid=grid,
            file_grid=image.grid,
            slice_axis=slice_axis(grid.spacing),
            sides=side,
            tissues=measure_tissues(
                anatomy,
                mask=mask,
                voxel_mm3=grid.voxel_mm3,
                whole_head=not brain_is_cut(anatomy)
                and not is_brain_extracted(anatomy, image=seen.data, spacing=grid.spacing),
            )
            if known
            else None,
        )
        scales = measure_scales(
            labels,
            table=table,
            ventricles=ventricles,
            spacing=grid.spacing,
            across=slice_axis(grid.spacing),
            volume_ml=burden.volume_ml,
            vascular=config.definition == "vascular",
            oriented=image.grid.oriented,
        )
        about = (
            *result_checks(mask, burden=burden, anatomy=anatomy),
            *region_checks(regions),
            *mass_checks(
                seen.data, anatomy=anatomy, spacing=grid.spacing, lesions=mask, sided=sided
            ),
            *scale_checks(scales),
        )
        noted |= {"lesions": count, "findings": len(about)}
        gate(about, policy=Policy(config.policy))
    written = side_labels(anatomy, spacing=grid.spacing, plane=plane)

    def on_file(values: npt.NDArray[np.generic]) -> Image:
        return image.with_data(np.ascontiguousarray(from_canonical(values, image.grid)))

    return Result(
        mask=on_file(mask.astype(np.uint8)),
        lesions=on_file(labels),
        anatomy=on_file(written),
        probability=on_file(probability)
        if probability is not None and (config.probability or config.fractional_seg)
        else None,
        table=table,
        burden=burden,
        findings=(*seen.findings, *findings, *about),
        steps=journal.steps,
        provenance=provenance,
        regions=regions,
        scales=scales,
    )
