"""The report of change in German: the same strings, numbers with a comma, no English left."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest
from test_change_report import NEW, OLD, composed, scan
from test_report_languages import ENGLISH, FIELDS, Words

from leuko.report.change_document import ChangeDocument
from leuko.report.change_html import change_html
from leuko.report.change_pdf import change_pdf
from leuko.report.change_preview import change_preview
from leuko.report.wording import change_words


def strings(name: str) -> dict[str, str]:
    text = resources.files("leuko.report.wording").joinpath(name).read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def test_both_languages_have_the_same_strings_and_places_in_them() -> None:
    ours, theirs = strings("change.json"), strings("change_german.json")
    assert list(ours) == list(theirs)
    for key, text in ours.items():
        assert sorted(set(FIELDS.findall(text))) == sorted(set(FIELDS.findall(theirs[key]))), key
        assert theirs[key], key


@pytest.fixture(scope="module")
def document() -> ChangeDocument:
    return composed(scan(OLD), scan(OLD, NEW), language="de")


def test_no_english_remains_on_the_page(document: ChangeDocument) -> None:
    """What has no translation is marked as English, but in the box above the numbers."""
    page = change_html(document)
    assert '<html lang="de">' in page
    page = re.sub("<code>.*?</code>|One &lt;scan&gt;", "", page)
    seen = Words(page).seen
    assert {word for word in seen if word.lower() in ENGLISH} == set()


def test_sentences_numbers_and_classes_are_german(document: ChangeDocument) -> None:
    assert document.summary[0].startswith("1 Läsion ist neu; Läsionen gewannen 0,22 ml")
    values = [*(item.value for item in document.headline), *document.summary]
    assert not re.search(r"\d\.\d", " ".join(values))
    assert document.changed[0].label == "neu"
    assert (document.changed[0].side, document.changed[0].centre) == ("links", "1,0; −2,0; 3,0")
    assert change_pdf(document).startswith(b"%PDF")
    assert change_preview(document).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (
            "From baseline to follow-up the net change of the masks is +0.97 ml, the lesion change "
            "−2.11 ml: each mask has its own edge of brightness, lesions are compared where the "
            "scans differ.",
            "Von Ausgang zu Verlauf ist die Nettoänderung der Masken +0,97 ml, die "
            "Läsionsänderung −2,11 ml",
        ),
        ("Visit 2 and follow-up are one scan, voxel by voxel.", "Untersuchung 2 und Verlauf sind"),
    ],
)
def test_findings_about_visits_are_translated_with_their_numbers(said: str, wanted: str) -> None:
    assert change_words("de").translated(said).startswith(wanted)
