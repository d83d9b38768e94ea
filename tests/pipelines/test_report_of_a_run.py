"""One real scan through the whole job: what its report and its stats.json promise."""

from __future__ import annotations

import importlib.util
import json
from importlib import resources
from pathlib import Path

import pytest
from test_statistics import violations

from leuko.pipelines.config import SegmentConfig
from leuko.pipelines.segment import segment_file

MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def out(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of a scan, its report in German, with the page for the patient."""
    folder = tmp_path_factory.mktemp("run") / "out"
    config = SegmentConfig(language="de", patient_page=True)
    segment_file(shared_data / "wmh/tabriz/105465/flair.nii.gz", out=folder, config=config)
    return folder


def test_the_report_is_there_in_its_language_and_small(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in page
    assert "Hyperintensitäten der weißen Substanz" in page
    assert 'class="lv-start"' in page
    assert len(page) < MOST_BYTES
    assert "keine Diagnose" in (out / "for_patient.html").read_text(encoding="utf-8")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-1.")


def test_what_the_run_measured_is_on_its_page(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    for section in ("places", "largest", "scales", "histograms", "rules", "definitions"):
        assert f'class="part {section}"' in page or f'class="{section}"' in page, section
    assert "Fazekas, algorithmische Schätzung" in page


def test_stats_json_of_a_run_follows_the_packaged_schema(out: Path) -> None:
    packaged = resources.files("leuko.pipelines").joinpath("stats.schema.json")
    rules = json.loads(packaged.read_text(encoding="utf-8"))
    content = json.loads((out / "stats.json").read_bytes())
    assert list(violations(content, rules, rules)) == []
    if importlib.util.find_spec("jsonschema"):
        importlib.import_module("jsonschema").validate(content, rules)
