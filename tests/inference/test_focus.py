from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leuko.inference.focus import remaining, scouts, shows_brain
from leuko.models.classes import Tissue


@pytest.mark.parametrize(("count", "mm"), [(20, 6.5), (47, 1.0), (200, 2.0), (60, 5.0)])
def test_few_or_thick_slices_are_all_run_at_once(count: int, mm: float) -> None:
    assert tuple(range(count)) == scouts(count, slice_mm=mm)


@given(count=st.integers(48, 600), mm=st.floats(0.4, 1.3))
def test_scouts_lie_a_few_millimetres_apart(count: int, mm: float) -> None:
    chosen = scouts(count, slice_mm=mm)
    assert max(np.diff(chosen)) * mm <= 4.0 + mm
    assert chosen[0] * mm <= 4.0
    assert (count - 1 - chosen[-1]) * mm <= 4.0


@given(shown=st.lists(st.booleans(), min_size=1, max_size=30), stride=st.integers(1, 6))
def test_a_slice_is_left_out_only_where_both_scouts_show_no_brain(
    shown: list[bool], stride: int
) -> None:
    chosen = {stride // 2 + k * stride: brain for k, brain in enumerate(shown)}
    count = max(chosen) + stride
    rest = remaining(chosen, count=count)
    assert not set(rest) & set(chosen)
    for index in set(range(count)) - set(chosen):
        below = [chosen[k] for k in sorted(chosen) if k < index][-1:]
        above = [chosen[k] for k in sorted(chosen) if k > index][:1]
        assert (index in rest) == (any(below + above) or not any(shown))


def test_single_pixels_are_no_brain() -> None:
    tissues = np.zeros((32, 32), dtype=np.uint8)
    tissues[::4, 5] = Tissue.CORTEX
    tissues[2, 10:20] = Tissue.CSF
    assert not shows_brain(tissues)
    tissues[8, 8:12] = Tissue.BRAINSTEM
    assert shows_brain(tissues)
