"""Whether what was given as the T1 is one, told by the brightness of the tissues found."""

from __future__ import annotations

import numpy as np
import pytest

from leuko.findings import Severity
from leuko.models.classes import Tissue
from leuko.quality.t1 import t1_checks

ANATOMY = np.repeat(
    np.array([Tissue.VENTRICLES, Tissue.CORTEX, Tissue.WHITE_MATTER, Tissue.DEEP_GREY], np.uint8),
    400,
).reshape(4, 20, 20)


def scan(fluid: float, cortex: float, deep: float) -> np.ndarray:
    found = np.ones(ANATOMY.shape, np.float32)
    for tissue, level in (
        (Tissue.VENTRICLES, fluid),
        (Tissue.CORTEX, cortex),
        (Tissue.DEEP_GREY, deep),
    ):
        found[ANATOMY == tissue] = level
    return found


@pytest.mark.parametrize("levels", [(0.57, 0.83, 0.94), (0.15, 0.74, 0.96), (0.31, 0.72, 1.15)])
def test_levels_measured_on_t1s_pass(levels: tuple[float, float, float]) -> None:
    """Tabriz 104252, Ljubljana 19, NiChart 18."""
    assert t1_checks(scan(*levels), anatomy=ANATOMY) == ()


@pytest.mark.parametrize("levels", [(0.16, 0.94, 0.95), (0.46, 1.11, 1.01), (2.4, 1.3, 1.1)])
def test_flairs_and_t2s_do_not(levels: tuple[float, float, float]) -> None:
    (finding,) = t1_checks(scan(*levels), anatomy=ANATOMY)
    assert finding.code == "t1.not_used"
    assert finding.severity is Severity.WARNING


def test_what_a_t1_does_not_cover_says_nothing() -> None:
    """A slab that shows a third of the head: its levels count, not the zeros around it."""
    covered = np.zeros(ANATOMY.shape, bool)
    covered[:, :7] = True
    t1, t2 = (np.where(covered, scan(*levels), 0) for levels in ((0.3, 0.8, 0.9), (2.4, 1.3, 1.1)))
    assert t1_checks(t1, anatomy=ANATOMY) == ()
    assert len(t1_checks(t2, anatomy=ANATOMY)) == 1
