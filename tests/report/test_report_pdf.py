"""report.pdf and preview.png."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from leuko.findings import Finding, Severity
from leuko.image.image import Source
from leuko.progress import Step
from leuko.report.pdf import pdf
from leuko.report.preview import preview


def _pages(data: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", data))


def test_the_pdf_is_whole(some_page: Any) -> None:
    data = pdf(some_page)
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert 2 <= _pages(data) <= 6
    found = re.search(rb"startxref\s+(\d+)", data)
    assert found is not None
    assert data[int(found[1]) :].startswith(b"xref")


def test_its_pictures_are_the_pages_own(some_page: Any) -> None:
    document = some_page
    data = pdf(document)
    for picture in document.pictures:
        assert picture.data in data


def test_every_typeface_is_embedded(some_page: Any) -> None:
    data = pdf(some_page)
    assert data.count(b"/FontFile2") == 2
    assert b"Helvetica" not in data


def test_the_same_document_gives_the_same_pdf(some_case: Any) -> None:
    assert pdf(some_case.document()) == pdf(some_case.document())


def test_the_file_is_dated_by_its_run(some_page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert b"/CreationDate (D:20261121031200" in pdf(some_page)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert b"/CreationDate (D:19700102000000" in pdf(some_page)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)")
def test_every_lesion_of_the_page_is_on_paper(some_case: Any, tmp_path: Path) -> None:
    first = some_case.rest["table"][0]
    table = tuple(replace(first, label=number + 5000) for number in range(200))
    page = some_case.document(table=table, labels=None)
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf(page))
    done = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    )
    assert "All 200 lesions, the largest first." in done.stdout
    printed = {int(number) for number in re.findall(r"^ *(5\d\d\d) ", done.stdout, re.MULTILINE)}
    assert printed == {row.label for row in table}


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)")
def test_the_pdf_says_what_the_page_says(some_case: Any, warning: Finding, tmp_path: Path) -> None:
    document = some_case.document(findings=(warning,))
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf(document))
    done = subprocess.run(
        ["pdftotext", "-raw", str(file), "-"], check=True, capture_output=True, text=True
    )
    text = re.sub(r"\s+", "", done.stdout.replace("\u00a0", " "))
    said = [
        *document.summary,
        *document.care,
        *(item.value for item in document.headline),
        *(row.centre for row in document.lesions),
        *(item.text for item in document.methods),
        *(item.text for item in document.references),
        *(item.value for item in document.provenance),
        "Scan it again.",
        document.research_use,
        "Page 1 of",
    ]
    for line in said:
        assert re.sub(r"\s+", "", line) in text, line


def test_hostile_and_endless_texts_do_not_stop_it(some_case: Any) -> None:
    name = "<b>&</i>" + "名前" + "x" * 3000 + ".nii.gz"
    case = replace(some_case, image=replace(some_case.image, source=Source(name, "nifti", "ab")))
    endless = Finding("a.b", Severity.WARNING, "<font> " * 2000, "& " * 3000)
    document = case.document(
        findings=(endless, Finding("c.d", Severity.NOTE, "y" * 5000)),
        steps=(Step("x" * 300, 1.0, {"k": "<para> " * 4000}),),
        provenance={"version": name, "time": name, "other": name},
    )
    assert _pages(pdf(document)) > 4


def test_an_empty_mask_has_a_pdf_and_a_preview(empty_page: Any) -> None:
    document = empty_page
    assert _pages(pdf(document)) >= 2
    assert preview(document).startswith(b"\x89PNG")


def test_the_preview_is_one_picture_1200_wide(some_page: Any) -> None:
    document = some_page
    data = preview(document)
    with Pictures.open(io.BytesIO(data)) as picture:
        assert picture.size[0] == 1200
        pixels = np.asarray(picture)
    assert pixels.std() > 10
    assert data == preview(document)


def test_the_preview_bears_any_file_name(some_case: Any) -> None:
    source = Source("名" * 400, "nifti", "ab")
    case = replace(some_case, image=replace(some_case.image, source=source))
    assert preview(case.document())
