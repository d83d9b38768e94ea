"""The files of a result, written into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.lesions_table import lesions_tsv
from leuko.pipelines.our_files import STATISTICS
from leuko.pipelines.outputs import writing
from leuko.pipelines.provenance import Provenance
from leuko.pipelines.result import Result
from leuko.pipelines.statistics import Statistics, encode

if TYPE_CHECKING:
    from markupsafe import Markup

    from leuko.pipelines.dicom_outputs import Origin
    from leuko.report.document import Document

__all__ = ["write_objects", "write_pages", "write_result", "write_statistics"]

SCANNER_PARAMETERS = {"dicom", "anatomy_seg", "fractional_seg", "patient"}


def write_result(
    result: Result, *, image: Image, folder: Path, definition: str | None, config: SegmentConfig
) -> None:
    """Write images and tables, and the report that `config` asks for; all but stats.json.

    `definition` is None for a mask that was given. Raises WriteError (exit 6) or OutOfResources
    (exit 7).
    """
    named = [
        ("wmh.nii.gz", result.mask, True),
        ("lesions.nii.gz", result.lesions, True),
        ("anatomy.nii.gz", result.anatomy, True),
        ("probability.nii.gz", result.probability, False),
    ]
    with writing(folder.name), ThreadPoolExecutor(1) as pool:
        # Compressing releases the interpreter: it goes on beside the drawing of the report.
        pending = [
            pool.submit(write, content, folder / name, like=image, labels=labels)
            for name, content, labels in named
            if content is not None
        ]
        (folder / "lesions.tsv").write_bytes(lesions_tsv(result.table))
        if config.report:
            write_pages(result, image=image, folder=folder, definition=definition, config=config)
        for written in pending:
            written.result()


def write_pages(
    result: Result, *, image: Image, folder: Path, definition: str | None, config: SegmentConfig
) -> None:
    """Write report.html, report.pdf and preview.png, and on request the page for the patient."""
    from leuko.report.html import html
    from leuko.report.pdf import pdf
    from leuko.report.preview import preview

    with ThreadPoolExecutor(1) as pool:
        # Volumes and pictures are compressed beside the drawing and the laying out.
        viewer = pool.submit(_viewer, result, image=image, config=config)
        composed = _document(result, image=image, definition=definition, config=config)
        shown = pool.submit(preview, composed)
        (folder / "report.pdf").write_bytes(pdf(composed))
        (folder / "report.html").write_text(
            html(composed, viewer=viewer.result()), encoding="utf-8"
        )
        (folder / "preview.png").write_bytes(shown.result())
    if config.patient_page:
        from leuko.report.patient import patient_page

        text = patient_page(composed, burden=result.burden, definition=definition)
        (folder / "for_patient.html").write_text(text, encoding="utf-8")


def _document(
    result: Result, *, image: Image, definition: str | None, config: SegmentConfig
) -> Document:
    """What the report says."""
    from leuko.report.compose import document
    from leuko.report.readings import Readings

    composed = document(
        image,
        mask=result.mask,
        table=result.table,
        burden=result.burden,
        labels=result.lesions,
        anatomy=result.anatomy,
        findings=result.findings,
        steps=result.steps,
        provenance=_shown(result.provenance),
        definition=definition,
        language=config.language,
        interval=result.interval,
        readings=Readings(
            regions=result.regions,
            scales=result.scales,
            lobes=result.lobes,
            atlases=result.atlases,
            norm=result.norm,
        ),
    )
    if result.provenance.patient:
        composed = replace(composed, subject=_subject(result.provenance.patient))
    return composed


def _viewer(result: Result, *, image: Image, config: SegmentConfig) -> Markup | None:
    """The viewer of the report, where it is to have one."""
    if not config.viewer:
        return None
    from leuko.report.embedded import embedded_viewer
    from leuko.report.wording import wording

    return embedded_viewer(
        image,
        mask=result.mask,
        labels=result.lesions,
        table=result.table,
        words=wording(config.language),
    )


def _subject(patient: Mapping[str, str]) -> str:
    """Whose report it is, where that was asked for: name, number, day of the study."""
    name = " ".join(part for part in patient.get("patient_name", "").split("^")[:2] if part)
    day = patient.get("study_date", "")
    day = f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == len("YYYYMMDD") else day
    parts = (name, patient.get("patient_id", ""), f"study of {day}" if day else "")
    return ", ".join(part for part in parts if part)


def _shown(provenance: Provenance) -> dict[str, object]:
    """What pages show of the record: of a scan that was no DICOM nothing about DICOM."""
    known = msgspec.structs.asdict(provenance)
    if provenance.source is None:
        known["parameters"] = {
            name: value
            for name, value in provenance.parameters.items()
            if name not in SCANNER_PARAMETERS
        }
    return known


def write_objects(
    result: Result, *, origin: Origin | None, folder: Path, config: SegmentConfig
) -> None:
    """Write the DICOM objects of a scan that came as DICOM; nothing for any other."""
    if origin is None:
        return
    from leuko.pipelines.dicom_outputs import write_dicom

    write_dicom(result, origin=origin, folder=folder, config=config)


def write_statistics(content: Statistics, *, folder: Path) -> None:
    """Write stats.json, the last file of a result."""
    with writing(STATISTICS):
        (folder / STATISTICS).write_bytes(encode(content))
