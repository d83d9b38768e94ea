"""The mask in the space of the same head's T1, where that was asked for."""

from __future__ import annotations

from pathlib import Path

from leuko.findings import Finding, Severity
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.outputs import writing
from leuko.pipelines.provenance import name_of, sha_of
from leuko.pipelines.t1_beside import HINT, registration_noted
from leuko.progress import Journal
from leuko.registration.apply import apply_to_mask
from leuko.registration.same_head import SameHead, register_same_head

__all__ = ["IN_T1", "lay_t1", "write_in_t1"]

IN_T1 = "wmh_in_t1.nii.gz"


def lay_t1(t1: Image, *, flair: Image, journal: Journal) -> SameHead:
    """How the FLAIR lies to the T1, as the step 't1' of the journal."""
    with journal.step("t1", t1=name_of(t1.source), sha256=sha_of(t1.source)) as noted:
        laid = register_same_head(flair, t1)
        noted.update(registration_noted(laid))
    return laid


def write_in_t1(
    mask: Image, *, t1: Image, laid: SameHead, folder: Path, journal: Journal
) -> tuple[Finding, ...]:
    """Write the mask on the T1's own grid into `folder`.

    `laid` is how the FLAIR lies to the T1. What was doubtful comes back as findings; where the
    registration failed no file is written, and a finding says so.
    """
    failed = [finding for finding in laid.findings if finding.severity is Severity.REFUSAL]
    if failed:
        missing = Finding(
            "t1.not_registered",
            Severity.WARNING,
            f"There is no mask in the T1's space. {failed[0].what}",
            HINT,
        )
        return (missing,)
    with journal.step("mask in T1 space"):
        moved = apply_to_mask(mask, transform=laid.transform.inverse(), onto=t1.grid)
        with writing(IN_T1):
            write(moved.data, folder / IN_T1, like=t1, labels=True)
    return laid.findings
