"""What the report adds where more was measured: regions, scales, norms, lobes, interval."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from leuko.anatomy.lobes import Lobe
from leuko.quantify.lobes import LobeNumbers, LobeShare
from leuko.quantify.norms import place_among_norms
from leuko.quantify.regions import (
    Amount,
    DistanceBin,
    JuxtacorticalRule,
    MsRegionAmount,
    PeriventricularRule,
    RegionNumbers,
    SidedAmount,
)
from leuko.quantify.scales_grades import Grade, Measured, Scales
from leuko.quantify.uncertainty import VolumeInterval
from leuko.report.drawing import Area, Bar, Drawing, Text
from leuko.report.histograms import distance_histogram, size_histogram
from leuko.report.html import html
from leuko.report.norms import norm_chart, norm_sentence
from leuko.report.pdf import pdf
from leuko.report.readings import Readings
from leuko.report.region_diagram import Zone, region_diagram
from leuko.report.wording import english, wording


def _sided(left: float, right: float, lesions: int = 2) -> SidedAmount:
    return SidedAmount(
        Amount(left + right, lesions), Amount(left, 1), Amount(right, 1), Amount(0.0, 0)
    )


def _regions() -> RegionNumbers:
    names = ("continuity", "voxel_10mm", "cluster_2mm", "touching")
    edges = [*range(21), 25, 30, 40]
    ends = [*edges[1:], None]
    bins = tuple(
        DistanceBin(float(start), None if end is None else float(end), 0.5 if start < 4 else 0.0)
        for start, end in zip(edges, ends, strict=True)
    )
    return RegionNumbers(
        supratentorial=_sided(1.0, 1.0),
        infratentorial=_sided(0.1, 0.0, 1),
        infratentorial_rule="mostly brainstem or cerebellum within 3 mm",
        rules=tuple(
            PeriventricularRule(name, f"rule {name}", _sided(0.6, 0.8), _sided(0.4, 0.2))
            for name in names
        ),
        juxtacortical=(
            JuxtacorticalRule("cortex_3mm", "near", _sided(0.3, 0.0)),
            JuxtacorticalRule("touching", "touches", None),
        ),
        distances=bins,
        median_distance_mm=2.0,
        ms_regions=(
            MsRegionAmount("periventricular", _sided(0.5, 0.5)),
            MsRegionAmount("juxtacortical", _sided(0.11, 0.07)),
            MsRegionAmount("infratentorial", _sided(0.1, 0.0)),
            MsRegionAmount("deep_white", _sided(0.4, 0.5)),
        ),
    )


def _scales() -> Scales:
    def grade(name: str, value: int | None, maximum: int = 3) -> Grade:
        measured = (Measured("x", 7.6, "mm", "longest piece"),)
        return Grade(name, value, maximum, f"The rule of {name}.", measured)

    return Scales(
        fazekas_periventricular=grade("fazekas_periventricular", 2),
        fazekas_deep=grade("fazekas_deep", 1),
        fazekas_total=grade("fazekas_total", 3, 6),
        by_volume=grade("by_volume", 2),
        csvd_point=grade("csvd_point", 0, 1),
        arwmc=grade("arwmc", None, 30),
        scheltens_periventricular=grade("scheltens_periventricular", 4, 6),
        scheltens_deep=grade("scheltens_deep", None, 24),
    )


def _lobes() -> LobeNumbers:
    shares = {lobe: LobeShare(0.25, 3, 1.5) for lobe in Lobe}
    return LobeNumbers(left=shares, right={**shares, Lobe.INSULAR: LobeShare(0.0, 0, None)})


INTERVAL = VolumeInterval(1.2, 3.4, 0.9, "where an expert's volume is expected")


@pytest.fixture(scope="module")
def full_page(some_case: Any) -> Any:
    norm = place_among_norms(20.0, age=70.0, mni_volume_ml=25.0)
    known = Readings(regions=_regions(), scales=_scales(), lobes=_lobes(), norm=norm)
    return some_case.document(interval=INTERVAL, readings=known)


def _texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if isinstance(shape, Text)]


def test_what_was_measured_stands_on_page_and_paper(full_page: Any) -> None:
    names = [section.name for section in full_page.readings]
    assert names == ["scales", "norm", "histograms", "rules", "lobes"]
    text = re.sub(r"\s+", " ", html(full_page)).replace("\u00a0", " ")
    for said in (
        "Fazekas, algorithmic estimate: periventricular 2, deep 1.",
        "between 1.2 and 3.4 ml (90 % interval)",
        "The rule of fazekas_deep.",
        "2 of 3",
        "longest piece: 7.6 mm",
        "rule touching",
        "Half of it lies within 2.0 mm.",
        "above percentile 50 of published norms",
        "Basal ganglia",
        "not a reader&#39;s grades",
    ):
        assert said in text, said
    assert pdf(full_page).count(b"/Type /Page") > 4


def test_what_was_not_measured_is_not_mentioned(some_page: Any) -> None:
    assert [section.name for section in some_page.readings] == ["histograms"]
    text = html(some_page)
    for word in ("Fazekas", "percentile", "interval", "Lobes", "juxtacortical"):
        assert word not in text


def test_a_grade_that_is_not_known_is_left_out(full_page: Any) -> None:
    (table,) = next(s for s in full_page.readings if s.name == "scales").tables
    assert [row[0].text for row in table.rows] == [
        "Fazekas, periventricular",
        "Fazekas, deep",
        "Fazekas, sum",
        "Fazekas by volume, a check",
        "Small vessel disease score, point for white matter",
        "Scheltens-like, periventricular",
    ]


def test_references_are_numbered_as_the_text_cites_them(full_page: Any) -> None:
    cited = " ".join(item.text for item in full_page.methods)
    assert [item.number for item in full_page.references] == list(range(1, 16))
    for item in full_page.references:
        assert re.search(rf"[\[ ]{item.number}[\],]", cited), item.text
    fazekas = next(item for item in full_page.references if item.text.startswith("Fazekas"))
    assert f"Fazekas [{fazekas.number}]" in cited


def test_the_source_of_the_norms_is_cited(full_page: Any) -> None:
    norm = next(item for item in full_page.references if item.text.startswith("de Kort"))
    said = next(item.text for item in full_page.methods if item.title == "Norms")
    assert f"[{norm.number}]" in said
    assert "doi:<" not in html(full_page)


def test_the_plot_of_norms_says_why_its_volume_is_another(some_case: Any, full_page: Any) -> None:
    own = some_case.rest["burden"].volume_ml
    note = next(s.note for s in full_page.readings if s.name == "norm")
    assert f"{own:.2f} ml in this head are 25.0 ml in a head of the template's size" in note
    same = Readings(norm=place_among_norms(own, age=70.0))
    section = some_case.document(readings=same).readings[0]
    assert section.name == "norm"
    assert "in this head are" not in section.note


def test_lobes_say_why_they_differ_from_regions(full_page: Any) -> None:
    note = next(s.note for s in full_page.readings if s.name == "lobes")
    assert "Volumes go by voxel here" in note


def test_methods_tell_of_edge_and_interval_where_there_are_any(some_case: Any) -> None:
    known = {**some_case.rest["provenance"], "parameters": {"refine": True}}
    told = some_case.document(provenance=known, interval=INTERVAL).methods
    plain = some_case.document(provenance={**known, "parameters": {"refine": False}}).methods
    for said in ("drifts of brightness", "interval of the volume"):
        assert any(said in item.text for item in told)
        assert not any(said in item.text for item in plain)


def test_the_diagram_gives_each_side_its_volumes(full_page: Any, some_case: Any) -> None:
    texts = _texts(full_page.where[0].charts[0].drawing)
    total = some_case.rest["burden"].volume_ml
    assert f"0.80 ml ({100 * 0.8 / total:.1f} %)" in texts  # periventricular, right
    assert texts.count("Periventricular") == 2
    assert "Juxtacortical" not in texts
    assert "0.30 ml in 2 lesions" in full_page.where[0].charts[0].note


def test_the_diagram_of_multiple_sclerosis_shows_its_four_regions(some_case: Any) -> None:
    page = some_case.document(definition="ms", readings=Readings(regions=_regions()))
    texts = _texts(page.where[0].charts[0].drawing)
    for name in ("Periventricular", "Juxtacortical", "Infratentorial", "Deep"):
        assert texts.count(name) == 2
    assert any(text.startswith("0.07 ml") for text in texts)


def test_without_ventricles_or_sides_there_is_no_diagram(some_case: Any, make_case: Any) -> None:
    regions = _regions()
    blind = replace(
        regions, rules=tuple(replace(r, periventricular=None, deep=None) for r in regions.rules)
    )
    assert some_case.document(readings=Readings(regions=blind)).where == ()
    assert make_case(oriented=False).document().where == ()


def test_the_patients_right_is_on_the_left_of_the_diagram_and_more_is_darker() -> None:
    zones = [Zone("deep", "right", "deep", "much", 0.9), Zone("deep", "left", "deep", "no", 0.0)]
    drawing = region_diagram(zones, heads={"right": ("Right", ""), "left": ("Left", "")})
    edges = {shape.text: shape.x for shape in drawing.shapes if isinstance(shape, Text)}
    assert edges["much"] < edges["no"]
    middle = drawing.width / 2
    areas = [shape for shape in drawing.shapes if isinstance(shape, Area)]
    inside = {
        side: [
            a.colour for a in areas if all((x < middle) == (side == "right") for x, _ in a.points)
        ]
        for side in ("right", "left")
    }
    light = {side: min(int(c[1:3], 16) for c in colours) for side, colours in inside.items()}
    assert light["right"] < light["left"]


def test_sizes_fall_into_the_classes_of_their_colours() -> None:
    drawing = size_histogram([4.0, 9.99, 10.0, 60.0, 100.0, 100.0, 3000.0], words=english())
    bars = [shape for shape in drawing.shapes if isinstance(shape, Bar)]
    numbers = [int(text) for text in _texts(drawing) if text.isdigit() and int(text) < 5]
    assert len(bars) == 6  # 2-5, 5-10, 10-20, 50-100, 100-200, 2000-5000
    assert [bar.colour for bar in bars] == ["#3fa9e0"] * 2 + ["#f2a900"] * 2 + ["#e5532d"] * 2
    assert sum(numbers) >= 7


def test_distances_keep_their_volume() -> None:
    bins = (DistanceBin(0, 1, 0.5), DistanceBin(1, 5, 2.0), DistanceBin(5, None, 1.0))
    drawing = distance_histogram(bins, words=english())
    gap = 1.0  # between bars
    areas = [(bar.width + gap) * bar.height for bar in drawing.shapes if isinstance(bar, Bar)]
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.02)
    assert areas[2] / areas[0] == pytest.approx(2, rel=0.02)


def test_the_norm_says_a_range_and_its_source(full_page: Any) -> None:
    place = place_among_norms(0.1, age=30.0, mni_volume_ml=0.1)
    assert norm_sentence(place, english()).endswith("below percentile 50 of published norms.")
    assert "unter der Perzentile 50" in norm_sentence(place, wording("de"))
    assert "0.10 ml" in _texts(norm_chart(place, words=english()))
    (section,) = (s for s in full_page.readings if s.name == "norm")
    assert "de Kort" in section.charts[0].note
    assert "no judgement on health" in section.note


def test_close_ups_show_the_largest_lesions_where_labels_tell_them_apart(some_case: Any) -> None:
    names = [picture.name for picture in some_case.document().pictures]
    assert "largest" in names
    assert "largest" not in [p.name for p in some_case.document(labels=None).pictures]
    shown = next(p for p in some_case.document().pictures if p.name == "largest")
    assert "3 largest" in shown.caption
    assert shown.width == 1400


def test_multiple_sclerosis_has_its_regions_in_sentence_and_table(some_case: Any) -> None:
    table = tuple(
        replace(lesion, ms_region="juxtacortical" if lesion.label == 1 else "deep_white")
        for lesion in some_case.rest["table"]
    )
    known = Readings(regions=_regions())
    page = some_case.document(table=table, definition="ms", readings=known)
    assert [row.region for row in page.lesions] == ["juxtacortical", "deep", "deep"]
    assert page.definitions[5].name.startswith("Periventricular, juxtacortical")
    vascular = some_case.document(table=table, definition="vascular", readings=known)
    assert [row.region for row in vascular.lesions] == ["deep"] * 3
