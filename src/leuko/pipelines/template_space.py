"""A finished result laid on the template: lobes, a user's atlases, the mask in MNI space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from leuko.anatomy.hemispheres import fit_midsagittal_plane, right_of_plane
from leuko.anatomy.lobes import lobe_map
from leuko.anatomy.template import SPACE, template_grid
from leuko.anatomy.template_bend import bend_template, labels_through, mask_in_mni
from leuko.anatomy.template_landing import Placement, landing_findings, place_on_template
from leuko.anatomy.tissues import tissues_of
from leuko.findings import Finding
from leuko.formats.write import write
from leuko.image.grid import Grid
from leuko.image.image import Image, from_canonical, to_canonical
from leuko.models.classes import Tissue
from leuko.pipelines.atlas_files import Atlas
from leuko.pipelines.atlas_table import atlas_tsv
from leuko.pipelines.outputs import writing
from leuko.pipelines.result import Result
from leuko.preparation.prepare import slice_axis
from leuko.progress import Journal
from leuko.quantify.atlas import AtlasNumbers, measure_atlas
from leuko.quantify.lobes import LobeNumbers, measure_lobes
from leuko.quantify.scales import Parts, Scales, with_lobes
from leuko.quantify.template import TemplateNumbers
from leuko.registration.transform_files import save_transform
from leuko.registration.transforms import Transform, compose

__all__ = ["FROM_MNI", "IN_MNI", "OnTemplate", "lay_on_template"]

IN_MNI = f"wmh_space-{SPACE}.nii.gz"
FROM_MNI = "mni_to_scan"  # .json and .h5: where each point of MNI space lies in the scan


@dataclass(frozen=True, slots=True, eq=False)
class OnTemplate:
    """A case in canonical axes with its place on the template."""

    grid: Grid
    labels: npt.NDArray[np.int32]
    anatomy: npt.NDArray[np.uint8]
    placement: Placement

    @property
    def to_mm(self) -> Grid:
        """The case's voxels in mm along their axes, where `placement` leads to."""
        x, y, z = self.labels.shape
        return Grid.from_spacing((x, y, z), self.grid.spacing)


def lay_on_template(
    result: Result,
    *,
    image: Image,
    atlases: Sequence[Atlas] = (),
    folder: Path | None = None,
    maps: bool = False,
    mni: bool = False,
    journal: Journal,
) -> Result:
    """The result with lobes, atlas regions and its place in MNI space, as the step 'template'.

    Into `folder`, where one is given, go a table for each atlas, with `maps` the atlas on the
    scan's grid, with `mni` the mask in MNI space and the transform. Where the head does not land
    on the template all these are left out and a finding says so.
    """
    found: list[Finding] = []
    with journal.step("template", space=SPACE) as noted:
        case, about = _placed(result, image)
        found += about
        if case is not None:
            fit = case.placement
            lobes, parts = _lobes(case)
            noted |= {"brain_overlap": round(fit.brain, 3), "scales": list(fit.scales)}
            result = replace(
                result,
                lobes=lobes,
                scales=_scales(result, case, parts),
                template=TemplateNumbers.of(fit, volume_ml=result.burden.volume_ml),
            )
    bend = None
    if case is not None and (atlases or (mni and folder is not None)):
        with journal.step("bend"):
            bend = bend_template(
                case.anatomy, spacing=case.grid.spacing, linear=case.placement.from_template
            )
    if case is not None and bend is not None and atlases:
        with journal.step("atlas"):
            to_mni = compose(bend, case.placement.from_template).inverse()
            numbers = [
                _measured(case, atlas, to_mni=to_mni, image=image, folder=folder, maps=maps)
                for atlas in atlases
            ]
        found += [finding for atlas in atlases for finding in atlas.findings]
        result = replace(result, atlases=tuple(numbers))
    if case is not None and bend is not None and mni and folder is not None:
        with journal.step("mask in MNI space"):
            _write_in_mni(result.mask, case, bend, folder=folder)
    return replace(result, findings=tuple(dict.fromkeys((*result.findings, *found))))


def _placed(result: Result, image: Image) -> tuple[OnTemplate | None, tuple[Finding, ...]]:
    grid = image.grid.canonical()
    if result.anatomy is None:
        return None, landing_findings(None)
    if not image.grid.oriented:
        return None, landing_findings(None, oriented=False)
    anatomy = tissues_of(to_canonical(result.anatomy.data.astype(np.uint8), image.grid))
    labels = to_canonical(result.lesions.data.astype(np.int32), image.grid)
    placement = place_on_template(anatomy, spacing=grid.spacing)
    findings = landing_findings(placement)
    if placement is None or findings:
        return None, findings
    return OnTemplate(grid, labels, anatomy, placement), ()


def _lobes(case: OnTemplate) -> tuple[LobeNumbers, Parts]:
    """Lobes by the template, sides by the brain's own mid-sagittal plane."""
    spacing = case.grid.spacing
    lesions = case.labels > 0
    lobes = lobe_map(
        case.anatomy,
        from_template=case.placement.from_template,
        spacing=spacing,
        lesions=lesions,
    )
    plane = fit_midsagittal_plane(case.anatomy, spacing=spacing)
    assert plane is not None  # there is brain enough: it landed
    right = right_of_plane(lobes.shape, spacing=spacing, plane=plane)
    numbers = measure_lobes(
        case.labels,
        lobes=lobes,
        right=right,
        anatomy=case.anatomy,
        voxel_mm3=case.grid.voxel_mm3,
    )
    return numbers, Parts(lobes, right, case.anatomy)


def _scales(result: Result, case: OnTemplate, parts: Parts) -> Scales | None:
    """The scales with the grades that are given lobe by lobe."""
    spacing = case.grid.spacing
    return result.scales and with_lobes(
        result.scales,
        case.labels,
        table=result.table,
        parts=parts,
        spacing=spacing,
        across=slice_axis(spacing),
    )


def _measured(
    case: OnTemplate,
    atlas: Atlas,
    *,
    to_mni: Transform,
    image: Image,
    folder: Path | None,
    maps: bool,
) -> AtlasNumbers:
    """One atlas on the case's voxels: its numbers, and its files where a folder is given."""
    here = labels_through(
        atlas.image.data.astype(np.int32),
        grid=atlas.image.grid,
        transform=to_mni,
        onto=case.to_mm,
        where=(case.anatomy != Tissue.BACKGROUND) | (case.labels > 0),
    ).astype(np.int32)
    numbers = measure_atlas(
        case.labels,
        atlas=here,
        names=atlas.names,
        voxel_mm3=case.grid.voxel_mm3,
        name=atlas.name,
        sha256=atlas.sha256,
    )
    if folder is not None:
        with writing(folder.name):
            (folder / f"atlas_{atlas.name}.tsv").write_bytes(atlas_tsv(numbers))
            if maps:
                values = _small(np.ascontiguousarray(from_canonical(here, image.grid)))
                name = f"atlas_{atlas.name}.nii.gz"
                write(image.with_data(values), folder / name, like=image, labels=True)
    return numbers


def _small(values: npt.NDArray[np.int32]) -> npt.NDArray[np.integer]:
    """Labels in as few bytes as hold them all."""
    top = int(values.max(initial=0))
    kind: type[np.integer] = np.uint8 if top < 256 else np.int16 if top < 1 << 15 else np.int32
    return values.astype(kind)


def _write_in_mni(mask: Image, case: OnTemplate, bend: Transform, *, folder: Path) -> None:
    """The mask in MNI space, and the way there for other images of the scan."""
    to_scan = compose(bend, case.placement.to_world(case.grid))
    moved = mask_in_mni(np.asarray(mask.data != 0), grid=mask.grid, transform=to_scan)
    with writing(folder.name):
        write(Image(moved, template_grid()), folder / IN_MNI, labels=True)
        for suffix in (".json", ".h5"):
            save_transform(to_scan, folder / f"{FROM_MNI}{suffix}")
