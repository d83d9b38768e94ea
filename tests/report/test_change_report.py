"""The report of change says what was found, in words, pictures and tables."""

from __future__ import annotations

import io
import re
from datetime import date

import numpy as np
import pytest
from PIL import Image as Pictures

from leuko.anatomy.regions import Region
from leuko.change.classes import ChangeClass, classify, collect_evidence
from leuko.change.compare import Comparison
from leuko.change.half_way import HalfWay
from leuko.change.lesions import ChangedLesion
from leuko.change.repeatability import repeatability_of
from leuko.change.seen import Pair, Seen
from leuko.findings import Finding, Severity
from leuko.image.grid import Grid
from leuko.image.image import Image
from leuko.masks.components import connected_components
from leuko.quantify.burden import measure_burden
from leuko.registration.quality import Quality
from leuko.registration.transforms import Affine
from leuko.report.change_colours import COLOURS, colour_name
from leuko.report.change_compose import change_document
from leuko.report.change_document import ChangeDocument
from leuko.report.change_html import change_html
from leuko.report.change_pdf import change_pdf
from leuko.report.change_preview import change_preview
from leuko.report.change_values import ChangeValues, VisitValues

SHAPE = (48, 56, 24)
GRID = Grid.from_spacing(SHAPE, (1.0, 1.0, 1.0))
OLD = (slice(10, 18), slice(20, 30), slice(8, 14))
NEW = (slice(30, 36), slice(20, 26), slice(10, 16))


def scan(*lesions: tuple[slice, slice, slice]) -> tuple[Image, Seen]:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    for where in lesions:
        mask[where] = True
    labels = connected_components(mask).labels
    values = (100 + 60 * mask).astype(np.float32)
    known = np.ones(SHAPE, dtype=np.bool_)
    bright = mask.astype(np.float32)
    half = (0.5, 0.5, 0.5)
    seen = Seen(labels, 0.9 * bright, bright, known, half, 100.0, 0.6, known, ~known)
    return Image(values, GRID), seen


def composed(
    first: tuple[Image, Seen],
    second: tuple[Image, Seen],
    *,
    name: str = "a.nii.gz",
    language: str = "en",
    limit_ml: float = 0.1,
) -> ChangeDocument:
    still = Affine.identity()
    quality = Quality(1.0, 0.0, 0.01, 1.0, 0.0, 1.0, 100)
    pair = Pair(first[1], second[1], second[1].brightness - first[1].brightness, GRID)
    evidence, limits = collect_evidence(pair), repeatability_of(GRID.spacing)
    rows = classify(pair, evidence, repeatability=limits)
    done = Comparison(HalfWay(still, still, still, GRID, quality, ()), pair, evidence, rows, limits)
    lesions = tuple(
        ChangedLesion(
            n, row.kind, row.first, row.second, row.first_mm3, row.second_mm3, row.growth_mm3,
            row.regression_mm3, row.limit_mm3, row.brighter, (1.0, -2.0, 3.0), "left",
            Region.DEEP.value, row.first_mm3, row.second_mm3,
        )
        for n, row in enumerate(rows, start=1)
    )  # fmt: skip
    burdens = [
        measure_burden(one[1].labels, table=(), grid=GRID, file_grid=GRID, slice_axis=2)
        for one in (first, second)
    ]
    change = done.growth_ml - done.regression_ml
    net = burdens[1].volume_ml - burdens[0].volume_ml
    values = ChangeValues(
        visits=(
            VisitValues(name, "a1" * 32, first[0], burdens[0], date(2020, 1, 1)),
            VisitValues("b.nii.gz", "", second[0], burdens[1], date(2022, 1, 1)),
        ),
        comparison=done,
        lesions=lesions,
        growth_ml=done.growth_ml,
        regression_ml=done.regression_ml,
        smallest_lesion_change_ml=limit_ml,
        is_significant=abs(change) > limit_ml,
        smallest_net_change_ml=0.3,
        net_is_significant=abs(net) > 0.3,
        years=2.0,
        steps=(),
        findings=(Finding("change.same_scan", Severity.WARNING, "One <scan>.", "Look."),),
        provenance={
            "version": "1",
            "weights_name": "wmh-flair",
            "weights_version": "2",
            "weights_sha256": "f0" * 32,
            "engine": "openvino",
            "precision": "bf16",
            "definition": "ms",
            "time": "2026-01-01T00:00:00+00:00",
            "parameters": {"threshold": 0.5},
        },
    )
    return change_document(values, language=language)


@pytest.fixture(scope="module")
def grown() -> ChangeDocument:
    """One lesion as it was, and a new one."""
    return composed(scan(OLD), scan(OLD, NEW))


def test_the_first_sentence_says_what_changed(grown: ChangeDocument) -> None:
    document = grown
    assert document.summary[0] == (
        "1 lesion is new; lesions gained 0.22 ml and lost nothing: a lesion change of +0.22 ml, "
        "beyond what repeated scans differ by (0.10 ml)."
    )
    assert [row.count for row in document.classes] == ["1", "0", "1", "0", "0"]
    assert [(row.label, row.baseline, row.followup) for row in document.changed] == [
        ("new", "0", "216")
    ]
    assert len(document.stable) == 1


def test_what_is_gone_is_said_the_other_way_round() -> None:
    document = composed(scan(OLD, NEW), scan(OLD))
    assert document.summary[0].startswith(
        "1 lesion has disappeared; lesions gained nothing and lost 0.22 ml"
    )
    assert document.headline[0].value == "−0.22"


@pytest.mark.parametrize(
    ("lesions", "said"),
    [((), "No lesion was found at either visit."), ((OLD,), "No lesion is new")],
)
def test_nothing_new_is_said_too(
    lesions: tuple[tuple[slice, slice, slice], ...], said: str
) -> None:
    document = composed(scan(*lesions), scan(*lesions))
    assert document.summary[0].startswith(said)
    assert [picture.name for picture in document.pictures] == ["key", "map"]
    assert change_pdf(document).startswith(b"%PDF")


def test_a_small_sum_casts_no_doubt_on_a_lesion_that_changed() -> None:
    said = composed(scan(OLD), scan(OLD, NEW), limit_ml=0.5).summary[0]
    assert said.startswith("1 lesion is new;")
    assert "changed beyond its own limit; their sum is within" in said


def test_each_of_both_changes_has_one_name_everywhere(grown: ChangeDocument) -> None:
    """Lesion change is growth less regression, net change the difference of the masks."""
    document = grown
    named = {item.name: item for item in document.headline}
    assert (named["change"].label, named["change"].value) == ("Lesion change", "+0.22")
    assert (named["net"].label, named["net"].value) == ("Net change", "+0.22")
    assert (named["year"].label, named["year"].value) == ("Lesion change a year", "+0.11")
    assert "net change +0.11 ml a year" in named["year"].note
    assert document.summary[2].startswith("Net change of the masks: +0.22 ml")
    meant = {item.name for item in document.definitions}
    assert {"Lesion change", "Net change", "Growth", "Regression"} <= meant


def test_sizes_are_those_of_the_lesions_that_the_page_lists(grown: ChangeDocument) -> None:
    document = grown
    before = sum(float(row.baseline) for row in document.classes)
    after = sum(float(row.followup) for row in document.classes)
    assert document.tables[0].rows[-1] == ("all", "1", "2", f"{before:.2f}", f"{after:.2f}")
    assert [row[1:3] for row in document.tables[0].rows[:3]] == [("0", "0"), ("0", "0"), ("1", "2")]


def test_definitions_are_words_not_keys(grown: ChangeDocument) -> None:
    document = grown
    said = " ".join(f"{item.name} {item.text}" for item in document.definitions)
    assert not re.search(r"`|\w_\w|\{", said)


def test_it_says_where_it_comes_from(grown: ChangeDocument) -> None:
    made = {item.label: item.value for item in grown.provenance}
    assert made["Baseline"] == "a.nii.gz; 2020-01-01; 48 × 56 × 24 voxels of 1 × 1 × 1 mm, RAS"
    assert made["Baseline, SHA-256"] == "a1" * 32
    assert "Follow-up, SHA-256" not in made
    assert (made["Weights"], made["Version of the weights"]) == ("wmh-flair", "2")
    assert made["SHA-256 of the weights"] == "f0" * 32
    assert (made["Engine"], made["Precision"], made["Threshold"]) == ("openvino", "bf16", "0.5")


def test_page_pdf_and_preview_stand_alone() -> None:
    document = composed(scan(OLD), scan(OLD, NEW), name="<b>a</b>.nii.gz")
    page = change_html(document)
    assert "<b>a</b>" not in page
    assert "One &lt;scan&gt;." in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "<script" not in page
    assert change_html(document) == page
    assert change_pdf(document) == change_pdf(document)
    assert change_preview(document).startswith(b"\x89PNG")


def test_new_lesions_are_outlined_at_the_follow_up_alone(grown: ChangeDocument) -> None:
    key = grown.pictures[0]
    with Pictures.open(io.BytesIO(key.data)) as encoded:
        pixels = np.asarray(encoded).astype(int)
    wanted = np.array([int(COLOURS["new"][k : k + 2], 16) for k in (1, 3, 5)])
    found = np.abs(pixels - wanted).max(axis=2) < 40
    half = found.shape[1] // 2
    assert found[:, :half].sum() == 0
    assert found[:, half:].sum() > 200


def test_every_class_has_a_colour() -> None:
    assert {colour_name(kind) for kind in ChangeClass} == set(COLOURS)
    assert len(set(COLOURS.values())) == len(COLOURS)
