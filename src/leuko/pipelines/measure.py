"""All numbers and the report from a mask that is there already: corrected, or from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leuko.errors import UsageError
from leuko.findings import Finding, Policy, Severity, gate
from leuko.formats.read import read_mask
from leuko.image.grid import require_same_grid
from leuko.image.image import Image, to_canonical
from leuko.image.place import placed
from leuko.pipelines.cases import find_cases, opened
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.files import write_objects, write_result, write_statistics
from leuko.pipelines.from_scanner import Taken, likeness, take
from leuko.pipelines.model import Model, checked, load_model, model_provenance
from leuko.pipelines.numbers import result_of
from leuko.pipelines.observe import observe
from leuko.pipelines.outputs import out_folder
from leuko.pipelines.provenance import name_of, now, sha_of
from leuko.pipelines.regions_map import write_regions_map
from leuko.pipelines.result import Result
from leuko.pipelines.statistics import Statistics, statistics
from leuko.pipelines.with_norm import require_norms, with_norm
from leuko.pipelines.with_template import asked_of_template, require_atlases, with_template
from leuko.progress import Journal, Watcher, silent

__all__ = ["CONTINUOUS", "counted", "measure", "measure_file", "on_canonical_grid"]

REAL_THRESHOLD = 0.5
MOST_VALUES = 50  # of a mask, unless neighbours share theirs
CONTINUOUS = Finding(
    "mask.continuous",
    Severity.REFUSAL,
    "The mask holds as many values as a scan does, where a mask holds 0 and 1, numbers of lesions "
    "or probabilities.",
    "Give the scan first and the mask after it; of another map make a mask of zeros and ones.",
)


def measure(
    image: Image,
    mask: Image,
    *,
    config: SegmentConfig | None = None,
    model: Model | None = None,
    watch: Watcher = silent,
) -> Result:
    """The numbers of a mask on its scan, as `segment` gives them for its own.

    Of integers every label above 0 counts, of real numbers 0.5 and more. Both images must lie on
    one grid, in whatever order and direction of axes, or GridMismatch (exit 5) is raised. The
    anatomy comes from `image`; of `config` only what concerns the network and the policy matters.
    """
    chosen = checked(config or SegmentConfig())
    used = model or load_model(chosen)
    journal = Journal(watch)
    result = _measure(Taken(image), mask, chosen, used, journal, began=now())
    result = with_template(result, image=image, config=chosen, journal=journal)
    return with_norm(result, config=chosen)


def measure_file(
    image: Path,
    mask: Path,
    *,
    out: Path,
    config: SegmentConfig | None = None,
    series: str = "",
    model: Model | None = None,
    weights: Path | str | None = None,
    force: bool = False,
    watch: Watcher = silent,
) -> Statistics:
    """Measure the mask in one file on the scan in another into the folder `out`.

    `image` may be DICOM of one study, as `segment_file` takes it; a mask may be a DICOM
    segmentation, which counts where it lies in space, also where it leaves out empty planes.
    """
    chosen = checked(config or SegmentConfig())
    began = now()
    with out_folder(out, force=force, inputs=(image, mask)) as folder, opened([image]) as inside:
        used = model or load_model(chosen, weights=weights)
        journal = Journal(watch)
        require_atlases(chosen)
        require_norms(chosen)
        with journal.step("read") as noted:
            cases = find_cases(inside)
            if len(cases) != 1:
                raise UsageError(
                    f"{image.name} holds {len(cases)} scans, where one is measured.",
                    hint="Give the scan that the mask was made on.",
                )
            scan = take(
                cases[0].path,
                cases[0].visit,
                config=chosen,
                series=series,
                score=partial(likeness, config=chosen, model=used),
            )
            given = read_mask(mask, policy=Policy(chosen.policy))
            noted.update(scan.noted())
        result = _measure(scan, given, chosen, used, journal, began=began)
        result = with_template(
            result, image=scan.image, config=chosen, folder=folder, journal=journal
        )
        result = with_norm(result, config=chosen, age=scan.age, sex=scan.sex)
        if chosen.regions_map:
            write_regions_map(result, folder, like=scan.image)
        with journal.step("report", pages=chosen.report):
            write_result(result, image=scan.image, folder=folder, definition=None, config=chosen)
            write_objects(result, origin=scan.origin, folder=folder, config=chosen)
        numbers = statistics(replace(result, steps=journal.steps))
        write_statistics(numbers, folder=folder)
    return numbers


def _measure(
    taken: Taken,
    mask: Image,
    config: SegmentConfig,
    model: Model,
    journal: Journal,
    *,
    began: str,
) -> Result:
    image = taken.image
    lesions, about = counted(on_canonical_grid(mask, image))
    gate(about, policy=Policy(config.policy))
    seen = observe(image, config=config, model=model, journal=journal)
    return result_of(
        lesions,
        image=image,
        seen=seen,
        config=config,
        findings=(*mask.findings, *about),
        provenance=model_provenance(
            model,
            input_name=taken.name,
            input_sha256=taken.sha256,
            mask_name=name_of(mask.source),
            mask_sha256=sha_of(mask.source),
            time=began,
            parameters={
                "engine": config.engine,
                "precision": config.precision,
                "policy": config.policy,
                "regions_map": config.regions_map,
                "report": config.report,
                "language": config.language,
                "viewer": config.viewer,
                "patient_page": config.patient_page,
                "dicom": config.dicom,
                "anatomy_seg": config.anatomy_seg,
                "patient": config.patient,
                **asked_of_template(config),
            },
            source=taken.source,
            patient=taken.patient,
        ),
        journal=journal,
    )


def on_canonical_grid(mask: Image, image: Image, *, what: str = "the mask") -> npt.NDArray[Any]:
    """The mask's values in the canonical axes of the scan.

    Of DICOM either one may leave out planes and rounds its positions: there voxels must coincide,
    not boxes. Raises GridMismatch (exit 5), naming `what`.
    """
    formats = {source.format for source in (mask.source, image.source) if source is not None}
    if any(name.startswith("dicom") for name in formats):
        return to_canonical(placed(mask, onto=image.grid), image.grid)
    require_same_grid(
        image.grid.canonical(), mask.grid.canonical(), what="The scan", other_what=what
    )
    return to_canonical(mask.data, mask.grid)


def counted(
    values: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.bool_], tuple[Finding, ...]]:
    """Which voxels of a mask count, and what is to be said about it.

    A refusal is among it where the values are those of a scan, not of a mask.
    """
    if values.dtype.kind == "f":
        lesions = np.ascontiguousarray(values >= REAL_THRESHOLD)
        between = np.any((values > 0) & (values != np.rint(values)))
        said = "values of 0.5 and more count as lesion" if between else ""
    else:
        lesions = np.ascontiguousarray(values > 0)
        several = np.any(lesions & (values != 1))
        said = "every label above 0 counts as lesion" if several else ""
    if _is_continuous(values):
        return lesions, (CONTINUOUS,)
    if not said:
        return lesions, ()
    note = Finding("mask.values", Severity.NOTE, f"The mask holds more than 0 and 1: {said}.")
    return lesions, (note,)


def _is_continuous(values: npt.NDArray[Any]) -> bool:
    """Whether values are no mask's: fractions beyond 0 to 1, or many that change by the voxel.

    Numbers of lesions and of regions may be many, too, but neighbours share theirs.
    """
    if values.dtype == np.bool_ or not values.size or values.max() <= 1:
        return False
    if values.dtype.kind == "f" and np.any(values != np.rint(values)):
        return True
    if len(np.unique(values[values > 0])) <= MOST_VALUES:
        return False
    both = alike = 0
    for axis in range(values.ndim):
        ahead = np.moveaxis(values, axis, 0)[1:]
        behind = np.moveaxis(values, axis, 0)[:-1]
        held = (ahead > 0) & (behind > 0)
        both += int(np.count_nonzero(held))
        alike += int(np.count_nonzero(held & (ahead == behind)))
    return alike < both / 2
