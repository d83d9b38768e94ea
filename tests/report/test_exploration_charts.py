"""Charts of a data set's page."""

from __future__ import annotations

import pytest

from leuko.report.drawing import Text
from leuko.report.exploration_charts import Density, density_chart


@pytest.mark.parametrize("wide", [True, False])
def test_the_last_number_of_an_axis_is_not_cut_by_the_edge(wide: bool) -> None:
    """Ticks at 1,500 on an axis that ends there; a digit is at most 0.6 of its size wide."""
    density = Density(-1000.0, 1500.0, (0.02,) * 50, (0.02,) * 50, "HU")
    drawing = density_chart(density, wide=wide)
    texts = [shape for shape in drawing.shapes if isinstance(shape, Text) and shape.y < 20]
    assert "1,500" in {text.text for text in texts}
    ends = [text.x + 0.3 * text.size * len(text.text) for text in texts]
    assert max(ends) <= drawing.width
