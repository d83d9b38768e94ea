"""The main job: one FLAIR to a mask, its numbers and a report.

What comes after the network is imported after it, where `loading_ahead` has loaded it by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from leuko.errors import UsageError
from leuko.findings import Finding
from leuko.image.image import Image
from leuko.pipelines.ahead import loading_ahead
from leuko.pipelines.cases import Case, find_cases, opened
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.from_scanner import Taken, input_hashes, likeness, take
from leuko.pipelines.model import (
    Model,
    checked,
    load_model,
    model_provenance,
    parameters,
    settings,
)
from leuko.pipelines.observe import observe
from leuko.pipelines.outputs import out_folder
from leuko.pipelines.provenance import Provenance, now
from leuko.pipelines.with_norm import require_norms, with_norm
from leuko.pipelines.with_template import require_atlases, with_template
from leuko.progress import Journal, Watcher, silent

if TYPE_CHECKING:
    from leuko.pipelines.result import Result
    from leuko.pipelines.statistics import Statistics
    from leuko.pipelines.t1_beside import T1Beside

__all__ = [
    "SegmentConfig",
    "expected",
    "segment",
    "segment_case",
    "segment_file",
]


def segment(
    image: Image,
    *,
    t1: Image | None = None,
    config: SegmentConfig | None = None,
    model: Model | None = None,
    watch: Watcher = silent,
) -> Result:
    """White matter hyperintensities of a FLAIR: mask, lesions, anatomy and numbers.

    Images of the result lie on the grid of `image`, in its axes. `t1` is the T1 of the same head,
    in any grid, for a network that takes one; another never looks at it. `model` saves loading the
    network again for further scans (`load_model`). Raises UnusableInput (exit 4) for what is no
    FLAIR of a head, as `config.policy` says, and UsageError (exit 2) for impossible parameters.
    """
    chosen = checked(config or SegmentConfig())
    used = model or load_model(chosen)
    journal = Journal(watch)
    result, _ = _segment(Taken(image, t1), chosen, used, journal, began=now())
    result = with_template(result, image=image, config=chosen, journal=journal)
    return with_norm(result, config=chosen)


def segment_file(
    path: Path,
    *,
    out: Path,
    config: SegmentConfig | None = None,
    series: str = "",
    t1_series: str = "",
    t1: Path | None = None,
    model: Model | None = None,
    weights: Path | str | None = None,
    force: bool = False,
    watch: Watcher = silent,
    also: Callable[[Result, Path], None] = lambda result, folder: None,  # noqa: ARG005
) -> Statistics:
    """Segment the scan at `path` into the folder `out`, whole or not at all; what stats.json says.

    `path` is an image, or DICOM of one study: a file, a folder or an archive. Of the study the
    FLAIR is found by itself, or named by `series`. `t1` is the T1 of the same head, for
    `config.t1_space` and for a network that takes one; else one of the study is taken. `also` may
    write further files into the folder before it becomes `out`. Raises what `formats.read`,
    `from_scanner.take`, `segment` and `outputs.out_folder` raise; UsageError (exit 2) for a folder
    of several scans.
    """
    with opened([path]) as inside:
        cases = find_cases(inside)
        if len(cases) != 1:
            raise UsageError(
                f"{path.name} holds {len(cases)} scans.",
                hint="Segment them as a cohort: leuko segment FOLDER, or segment_cohort.",
            )
        return segment_case(
            cases[0],
            out=out,
            config=config,
            series=series,
            t1_series=t1_series,
            t1=t1,
            model=model,
            weights=weights,
            force=force,
            watch=watch,
            also=also,
        )


def segment_case(
    case: Case,
    *,
    out: Path,
    config: SegmentConfig | None = None,
    series: str = "",
    t1_series: str = "",
    t1: Path | None = None,
    model: Model | None = None,
    weights: Path | str | None = None,
    force: bool = False,
    watch: Watcher = silent,
    also: Callable[[Result, Path], None] = lambda result, folder: None,  # noqa: ARG005
) -> Statistics:
    """Segment one of the scans that `cases.find_cases` found; else as `segment_file`."""
    chosen = checked(config or SegmentConfig())
    began = now()
    with out_folder(out, force=force, inputs=(case.path,)) as folder:
        used = model or load_model(chosen, weights=weights)
        journal = Journal(loading_ahead(watch, model=used, pages=chosen.report))
        require_atlases(chosen)
        require_norms(chosen)
        with journal.step("read") as noted:
            taken = take(
                case.path,
                case.visit,
                config=chosen,
                series=series,
                t1_series=t1_series,
                t1=t1,
                takes_t1=used.card.takes_t1,
                score=partial(likeness, config=chosen, model=used),
            )
            noted.update(taken.noted())
        result, beside = _segment(taken, chosen, used, journal, began=began)
        result = _with_extras(
            result, taken=taken, beside=beside, folder=folder, config=chosen, journal=journal
        )
        from leuko.pipelines.files import write_objects, write_result, write_statistics
        from leuko.pipelines.statistics import statistics

        with journal.step("report", pages=chosen.report):
            write_result(
                result if chosen.probability else replace(result, probability=None),
                image=taken.image,
                folder=folder,
                definition=chosen.definition,
                config=chosen,
            )
            write_objects(result, origin=taken.origin, folder=folder, config=chosen)
            also(result, folder)
        numbers = statistics(replace(result, steps=journal.steps))
        write_statistics(numbers, folder=folder)
    return numbers


def expected(
    case: Case,
    *,
    config: SegmentConfig,
    model: Model,
    series: str = "",
    t1_series: str = "",
) -> Provenance | None:
    """What stats.json would record if the case ran now (but for the time), without reading voxels.

    None where that cannot be told.
    """
    digest, t1_digest = input_hashes(
        case.path,
        case.visit,
        series=series,
        t1_series=t1_series,
        t1=case.t1,
        takes_t1=model.card.takes_t1,
        score=partial(likeness, config=config, model=model),
    )
    if not digest:
        return None
    wanted = _provenance(config, model, name=case.path.name, digest=digest, began=now())
    return structs.replace(wanted, t1_sha256=t1_digest)


def _segment(
    taken: Taken, config: SegmentConfig, model: Model, journal: Journal, *, began: str
) -> tuple[Result, T1Beside | None]:
    """The result, and the T1 as the network saw it."""
    used = settings(config, model.card)
    seen = observe(taken.image, config=config, model=model, journal=journal, t1=taken.t1)
    from leuko.pipelines.certainty import with_certainty
    from leuko.pipelines.mask import make_mask
    from leuko.pipelines.numbers import result_of

    made = make_mask(
        seen.prediction,
        data=seen.data,
        spacing=seen.grid.spacing,
        settings=used,
        journal=journal,
    )
    result = result_of(
        made.mask,
        image=taken.image,
        seen=seen,
        config=config,
        probability=made.probability,
        provenance=_provenance(
            config, model, name=taken.name, digest=taken.sha256, began=began, taken=taken
        ),
        journal=journal,
    )
    result = with_certainty(result, config=config, card=model.card)
    if seen.t1 is not None:
        from leuko.pipelines.t1_beside import with_t1

        result = replace(result, provenance=with_t1(result.provenance, seen.t1))
    return result, seen.t1


def _with_extras(
    result: Result,
    *,
    taken: Taken,
    beside: T1Beside | None,
    folder: Path,
    config: SegmentConfig,
    journal: Journal,
) -> Result:
    """Write what was asked for beside the usual files; the result with what was noticed."""
    findings: tuple[Finding, ...] = ()
    laid = beside.laid if beside else None
    if (config.t1_space or config.fill) and taken.t1 is not None:
        from leuko.pipelines.t1_space import lay_t1, write_in_t1

        laid = laid or lay_t1(taken.t1, flair=taken.image, journal=journal)
        if config.t1_space:
            findings += write_in_t1(
                result.mask, t1=taken.t1, laid=laid, folder=folder, journal=journal
            )
    if config.fill:
        from leuko.pipelines.fill import write_all_filled

        findings += write_all_filled(
            result, flair=taken.image, t1=taken.t1, laid=laid, folder=folder, journal=journal
        )
    result = with_template(result, image=taken.image, config=config, folder=folder, journal=journal)
    result = with_norm(result, config=config, age=taken.age, sex=taken.sex)
    if config.regions_map:
        from leuko.pipelines.regions_map import write_regions_map

        write_regions_map(result, folder, like=taken.image)
    if config.surface and result.burden.lesion_count:
        from leuko.pipelines.label_names import wmh_labels
        from leuko.pipelines.surfaces import write_surfaces

        with journal.step("surface"):
            written = write_surfaces(result.mask, folder, wmh_labels(), stem="wmh")
            findings += tuple(finding for one in written for finding in one.findings)
    return replace(result, findings=tuple(dict.fromkeys((*result.findings, *findings))))


def _provenance(
    config: SegmentConfig,
    model: Model,
    *,
    name: str,
    digest: str | None,
    began: str,
    taken: Taken | None = None,
) -> Provenance:
    return model_provenance(
        model,
        input_name=name,
        input_sha256=digest,
        time=began,
        parameters=parameters(config, model.card),
        source=taken.source if taken else None,
        patient=taken.patient if taken else None,
    )
