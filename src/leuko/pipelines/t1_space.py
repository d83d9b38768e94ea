"""The mask in the space of the same head's T1, where that was asked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from leuko.findings import Finding, Severity
from leuko.formats.write import write
from leuko.image.image import Image
from leuko.pipelines.outputs import writing
from leuko.pipelines.provenance import name_of, sha_of
from leuko.progress import Journal

__all__ = ["IN_T1", "write_in_t1"]

IN_T1 = "wmh_in_t1.nii.gz"


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """The mask on the T1's grid, None where the T1 could not be laid over the FLAIR."""

    mask: Image | None
    findings: tuple[Finding, ...]
    details: dict[str, object]


def write_in_t1(
    mask: Image, *, flair: Image, t1: Image, folder: Path, journal: Journal
) -> tuple[Finding, ...]:
    """Write the mask on the T1's own grid into `folder`, after a rigid registration.

    What was doubtful comes back as findings; where the registration failed no file is written,
    and a finding says so.
    """
    with journal.step("t1", t1=name_of(t1.source), sha256=sha_of(t1.source)) as noted:
        moved = _moved(mask, flair=flair, t1=t1)
        noted.update(moved.details)
        if moved.mask is not None:
            with writing(IN_T1):
                write(moved.mask.data, folder / IN_T1, like=t1, labels=True)
    return moved.findings


def _moved(mask: Image, *, flair: Image, t1: Image) -> _Moved:
    from leuko.registration.apply import apply_to_mask
    from leuko.registration.register import Settings, register_images

    fit = register_images(t1, flair, settings=Settings("rigid"))
    details: dict[str, object] = {"method": "rigid"}
    details |= {
        name: None if value is None else round(float(value), 4)
        for name, value in asdict(fit.quality).items()
    }
    failed = [finding for finding in fit.findings if finding.severity is Severity.REFUSAL]
    if failed:
        missing = Finding(
            "t1.not_registered",
            Severity.WARNING,
            f"There is no mask in the T1's space. {failed[0].what}",
            "Is the T1 of the same person? `leuko register T1 FLAIR -o OUT` shows what was tried.",
        )
        return _Moved(None, (missing,), details)
    moved = apply_to_mask(mask, transform=fit.transform, onto=t1.grid)
    return _Moved(moved, fit.findings, details)
