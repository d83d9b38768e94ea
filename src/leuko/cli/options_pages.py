"""Options of what a run writes for readers: pages, and DICOM objects for the archive."""

from __future__ import annotations

import click

from leuko.cli.options import together

__all__ = ["fractional_option", "language_option", "page_options", "scanner_options"]

language_option = click.option(
    "--language",
    type=click.Choice(["en", "de"]),
    default="en",
    show_default=True,
    help="The language of the report; pages of cohorts are in English.",
)

page_options = together(
    language_option,
    click.option(
        "--viewer/--no-viewer",
        default=True,
        show_default=True,
        help="Put the scan with its mask into report.html, to look through.",
    ),
    click.option(
        "--patient-page/--no-patient-page",
        default=False,
        show_default=True,
        help="Write a page in plain words for the patient, for_patient.html.",
    ),
)

scanner_options = together(
    click.option(
        "--dicom/--no-dicom",
        default=True,
        show_default=True,
        help="Of a DICOM scan: write wmh.seg.dcm, report.sr.dcm and report.pdf.dcm.",
    ),
    click.option(
        "--anatomy-seg/--no-anatomy-seg",
        default=False,
        show_default=True,
        help="Of a DICOM scan: write the anatomy as a segmentation, anatomy.seg.dcm.",
    ),
    click.option(
        "--patient/--no-patient",
        default=False,
        show_default=True,
        help="Of a DICOM scan: name patient and study in stats.json and in the report.",
    ),
)

fractional_option = click.option(
    "--fractional-seg/--no-fractional-seg",
    default=False,
    show_default=True,
    help="Of a DICOM scan: write the probabilities as a segmentation, probability.seg.dcm.",
)
