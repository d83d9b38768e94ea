"""The T1 of the same head laid over the FLAIR, for a network that takes it as a fourth channel."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import msgspec
import numpy as np
import numpy.typing as npt

from leuko.errors import UnusableInput
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.image.image import Image, to_canonical
from leuko.inference.predict import Prediction
from leuko.pipelines.provenance import Provenance, name_of, sha_of
from leuko.preparation.geometry import Geometry, to_pixels
from leuko.preparation.intensity import brain_level
from leuko.preparation.prepare import Prepared
from leuko.preparation.t1 import t1_stack
from leuko.progress import Journal
from leuko.quality.scan import input_checks
from leuko.quality.t1 import t1_checks, unused_t1
from leuko.registration.same_head import SameHead, register_same_head

__all__ = ["HINT", "T1Beside", "lay_over", "registration_noted", "with_t1"]

HINT = "Is the T1 of the same person? `leuko register T1 FLAIR -o OUT` shows what was tried."


@dataclass(frozen=True, slots=True, eq=False)
class T1Beside:
    """A T1 and how it lies to the FLAIR.

    `laid` is None where the two cannot be compared. `findings` say why the network must not see
    the T1: where there is none it is shown.
    """

    image: Image
    laid: SameHead | None
    level: float
    findings: tuple[Finding, ...]

    @property
    def shown(self) -> bool:
        """Whether the network may see it."""
        return not self.findings

    def stack(self, *, grid: Grid, geometry: Geometry) -> npt.NDArray[np.float32]:
        """The T1 on the pixels of the prepared FLAIR, whose canonical grid is `grid`."""
        assert self.laid is not None
        through = None if self.laid.how == "header" else self.laid.transform.matrix
        return t1_stack(self.image, grid=grid, geometry=geometry, through=through, level=self.level)

    def judged(self, prepared: Prepared, *, prediction: Prediction) -> T1Beside:
        """This T1, with a finding where the tissues that were found say that it is none."""
        assert prepared.t1 is not None
        geometry = prepared.geometry
        anatomy = to_pixels(prediction.anatomy, geometry, kernel="nearest").astype(np.uint8)
        lesions = to_pixels(prediction.perhaps_lesion, geometry, kernel="nearest") > 0
        findings = t1_checks(prepared.t1, anatomy=anatomy, lesions=lesions)
        return replace(self, findings=(*self.findings, *findings))


def lay_over(t1: Image, *, flair: Image, journal: Journal) -> T1Beside:
    """Check the T1 and find where it lies, as the step 't1' of the journal.

    Nothing about a T1 stops the run: what is wrong with it is a finding.
    """
    with journal.step("t1", t1=name_of(t1.source), sha256=sha_of(t1.source)) as noted:
        if why := _unfit(t1, flair=flair):
            return T1Beside(t1, None, 1.0, (unused_t1(why, hint="Give the T1 of this head."),))
        try:
            laid = register_same_head(flair, t1)
        except UnusableInput as error:
            return T1Beside(t1, None, 1.0, (unused_t1(error.what, hint=error.hint or HINT),))
        level = brain_level(to_canonical(t1.data, t1.grid))
        noted |= {"level": level, **registration_noted(laid)}
    doubts = tuple(unused_t1(finding.what, hint=HINT) for finding in laid.findings[:1])
    return T1Beside(t1, laid, level, doubts)


def registration_noted(laid: SameHead) -> dict[str, object]:
    """What the journal says of a registration."""
    noted: dict[str, object] = {"method": "rigid", "found_from": laid.how}
    noted["moved_mm"] = round(laid.moved_mm, 3)
    for name, value in asdict(laid.quality).items():
        noted[name] = None if value is None else round(float(value), 4)
    return noted


def with_t1(provenance: Provenance, t1: T1Beside) -> Provenance:
    """The record of a run with the T1, and whether the network saw it."""
    source = t1.image.source
    return msgspec.structs.replace(
        provenance, t1_name=name_of(source), t1_sha256=sha_of(source), t1_used=t1.shown
    )


def _unfit(t1: Image, *, flair: Image) -> str:
    """Why the T1 cannot lie beside the FLAIR, as a sentence; '' where it may."""
    if t1.volumes > 1:
        return f"It holds {t1.volumes} volumes."
    if not (t1.grid.oriented and flair.grid.oriented):
        return "Without an orientation in both files, left and right may be exchanged."
    grid = t1.grid.canonical()
    found = input_checks(np.ascontiguousarray(to_canonical(t1.data, t1.grid)), spacing=grid.spacing)
    return next((one.what for one in found if one.severity is Severity.REFUSAL), "")
