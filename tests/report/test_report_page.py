"""report.html: whole, safe, offline, the same every time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup

from leuko.findings import Finding, Severity
from leuko.image.image import Source
from leuko.progress import Step
from leuko.report.html import html

VOID = {"meta", "img", "br", "link", "input", "hr"}
HOSTILE = "<script>alert('x')</script>\"onload=\"x\n.nii.gz"


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""  # without the style sheet
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text += data


def test_everything_is_on_the_page(some_case: Any, warning: Finding) -> None:
    document = some_case.document(findings=(warning,))
    page = Page(html(document))
    text = re.sub(r"\s+", " ", page.text)
    said = [
        *document.summary,
        *document.care,
        *(item.value for item in document.headline),
        *(item.value for group in document.groups for item in group.measures),
        *(row.centre for row in document.lesions),
        *(item.text for item in document.methods),
        *(item.doi for item in document.references),
        *(item.value for item in document.provenance),
        *(row.count_text for row in document.sizes),
        *(bar.text for bar in document.sides if bar.name != "midline"),
        *(section.title for section in (*document.where, *document.readings)),
        document.profile.peak_text,
        "Scan it again.",
        "scan.cut",
        "threshold 0.45; voxels 12",
        "Research use only. Not a medical device.",
    ]
    for line in said:
        assert line.replace("\u00a0", " ") in text, line
    assert sum(tag == "img" for tag, _ in page.tags) == len(document.pictures)
    assert sum(tag == "svg" for tag, _ in page.tags) == 4


def test_the_picture_and_the_sentence_come_first(some_page: Any) -> None:
    text = html(some_page)
    order = [
        text.index("<h1>"),
        text.index('class="lead"'),
        text.index('<figure class="key">'),
        text.index('class="headline"'),
        text.index('<section class="sizes">'),
        text.index('<section class="lesions">'),
        text.index('<section class="methods">'),
        text.index('<section class="provenance">'),
    ]
    assert order == sorted(order)


def test_nothing_is_loaded_and_nothing_runs(some_page: Any) -> None:
    text = html(some_page)
    page = Page(text)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "action", "poster", "background"}:
                assert (value or "").startswith("data:image/jpeg;base64,")
    assert "url(" not in text
    assert "@import" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_hostile_texts_stay_text(some_case: Any) -> None:
    bad = Finding("x<b>", Severity.WARNING, HOSTILE, HOSTILE)
    source = Source(HOSTILE, "nifti", "ab" * 32)
    image = replace(some_case.image, source=source)
    case = replace(some_case, image=image)
    burden = replace(case.rest["burden"], region_ml=((HOSTILE, 1.0),))
    table = tuple(replace(lesion, region=HOSTILE) for lesion in case.rest["table"])
    page = Page(
        html(
            case.document(
                findings=(bad,),
                burden=burden,
                table=table,
                steps=(Step(HOSTILE, 1.0, {HOSTILE: HOSTILE}),),
                provenance={HOSTILE: HOSTILE, "time": HOSTILE, "version": HOSTILE},
                table_file=HOSTILE,
            )
        )
    )
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any("onload" in attributes for _, attributes in page.tags)
    assert "<script>" in page.text


def test_the_same_document_gives_the_same_page(some_case: Any) -> None:
    assert html(some_case.document()) == html(some_case.document())


def test_an_empty_mask_has_a_whole_page(empty_page: Any) -> None:
    page = Page(html(empty_page))
    assert "No white matter hyperintensities were found." in page.text
    assert "There are no lesions to list." in page.text
    assert "No slice holds a lesion." in page.text
    assert not re.search(r"\bnan\b", page.text, re.IGNORECASE)
    assert "None" not in page.text


def test_many_lesions_are_folded(some_case: Any) -> None:
    first = some_case.rest["table"][0]
    table = tuple(replace(first, label=number) for number in range(1, 701))
    text = html(some_case.document(table=table, labels=None))
    page = Page(text)
    assert "The 200 largest of 700 lesions. Every lesion is in lesions.tsv." in page.text
    assert sum(tag == "details" for tag, _ in page.tags) == 1
    assert text.index('<details class="more">') < text.index('<td class="number">21</td>')
    assert '<td class="number">200</td>' in text
    assert '<td class="number">201</td>' not in text, "the file has the rest"


def test_not_measured_sides_have_no_chart(make_case: Any, left_box: Any) -> None:
    page = Page(html(make_case(left_box, anatomy=False).document()))
    labels = [attributes["aria-label"] for tag, attributes in page.tags if tag == "svg"]
    assert labels == ["Lesion sizes", "Lesions by size", "Slice by slice"]
    assert "not measured" in page.text


def test_a_viewer_finds_its_place_after_the_headline(some_page: Any) -> None:
    text = html(some_page, viewer=Markup("<div id='scene'></div>"))
    assert text.index("headline") < text.index("<div id='scene'>") < text.index('class="sizes"')
    assert 'id="viewer"' not in html(some_page)
