"""The report in a browser and on paper: the viewer starts by a click, nothing is cut."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from viewer_chromium import BROWSER, PATIENCE, Browser, browser

from leuko.report.embedded import embedded_viewer, lesion_places
from leuko.report.html import html
from leuko.report.patient import patient_page
from leuko.report.viewer_scene import turn_of
from leuko.report.wording import wording

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium here")
A4 = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True, "printBackground": True}

CONTRAST = """
const linear = (c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
const parts = (rgb) => rgb.match(/[0-9]+/g).slice(0, 3).map((c) => linear(c / 255));
const light = (rgb) => parts(rgb).reduce((sum, c, k) => sum + c * [.2126, .7152, .0722][k], 0);
const poor = (e) => 1.05 / (light(getComputedStyle(e).color) + .05) < 4.5;
const names = 'main p, main td, main th, main dt, main dd, main li, figcaption';
const said = [...document.querySelectorAll(names)].filter((e) => e.textContent.trim());
[...new Set(said.filter((e) => !e.closest('.lv') && poor(e)).map((e) => e.className))]
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as driven:
        yield driven


def _viewer(case: Any, *, language: str = "en", **changes: Any) -> Any:
    known = {**case.rest, **changes}
    return embedded_viewer(
        case.image,
        mask=known["mask"],
        labels=known["labels"],
        table=known["table"],
        words=wording(language),
    )


def _open(page: Browser, folder: Path, text: str) -> None:
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    page.events.clear()
    page.call("Page.navigate", url=path.resolve().as_uri())
    end = time.monotonic() + PATIENCE
    while page.run("document.readyState") != "complete" and time.monotonic() < end:
        time.sleep(0.05)


def _wait(page: Browser) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        state = page.run("v && (v.ready ? 'ready' : v.failed)")
        if state == "ready":
            return
        assert not state, state
        time.sleep(0.05)
    raise AssertionError("the viewer did not start")


@needs_browser
def test_a_click_on_a_row_starts_the_viewer_at_that_lesion(
    page: Browser, tmp_path: Path, some_case: Any, left_box: Any
) -> None:
    _open(page, tmp_path, html(some_case.document(), viewer=_viewer(some_case)))
    assert page.run("v.nv === null && v.ready === false"), "it costs nothing before"
    assert page.run("document.querySelector('.lv-start').textContent") == "Open the viewer"
    page.run("document.querySelector('tr[data-lesion=\"1\"]').click()")
    _wait(page)
    page.run("await new Promise((done) => setTimeout(done, 50))")
    at = page.run("v.here()")
    assert all(side.start <= index < side.stop for side, index in zip(left_box, at, strict=True))
    page.run("v.nv.drawScene()")
    assert len(page.pixels()) > 5000, "something is drawn"
    assert page.problems() == []


@needs_browser
def test_the_viewer_of_a_german_report_speaks_german(
    page: Browser, tmp_path: Path, some_case: Any
) -> None:
    document = some_case.document(language="de")
    _open(page, tmp_path, html(document, viewer=_viewer(some_case, language="de")))
    page.run("document.querySelector('.lv-start').click()")
    _wait(page)
    said = page.run("document.getElementById('leuko-viewer').innerText")
    for word in ("Ebenen", "Fadenkreuz", "Schichten", "Fenster", "Radiologisch"):
        assert word.lower() in said.lower(), word
    left = re.findall(r"\b(window|slices|planes|show|level|width|overlays)\b", said.lower())
    assert left == []


@needs_browser
def test_nothing_is_cut_on_paper_or_screen(page: Browser, tmp_path: Path, some_case: Any) -> None:
    text = html(some_case.document(), viewer=_viewer(some_case))
    _open(page, tmp_path, text)
    for width in (1280, 420):
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        wide = page.run("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{wide} px stick out at {width}"
    page.call("Emulation.clearDeviceMetricsOverride")
    data = base64.b64decode(page.call("Page.printToPDF", **A4)["data"])
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 8
    assert re.search(rb"/MediaBox\s*\[\s*0 0 59[456][.\d]* 84[12]", data), "A4"
    page.call("Emulation.setEmulatedMedia", media="print")
    page.call(
        "Emulation.setDeviceMetricsOverride", width=680, height=1000, deviceScaleFactor=1,
        mobile=False,
    )  # fmt: skip
    assert page.run("getComputedStyle(document.getElementById('viewer')).display") == "none"
    # 180 mm between the margins of A4 are 680 px: nothing may be wider.
    script = """
    const wide = (e) => e.getBoundingClientRect().right > 681 && !e.closest('#viewer');
    [...document.querySelectorAll('main *')].filter(wide).map((e) => e.className || e.tagName)
    """
    assert page.run(script) == []
    page.call("Emulation.setEmulatedMedia", media="")
    page.call("Emulation.clearDeviceMetricsOverride")


@needs_browser
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)")
def test_what_is_folded_on_the_page_is_printed(
    page: Browser, tmp_path: Path, some_case: Any
) -> None:
    first = some_case.rest["table"][0]
    table = tuple(replace(first, label=number) for number in range(1, 41))
    _open(page, tmp_path, html(some_case.document(table=table, labels=None)))
    assert page.run("document.querySelector('details.more').open") is False
    file = tmp_path / "printed.pdf"
    file.write_bytes(base64.b64decode(page.call("Page.printToPDF", **A4)["data"]))
    done = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    )
    rows = re.findall(r"^ *(\d+) .*(?:left|right|links|rechts).*\d$", done.stdout, re.MULTILINE)
    assert {int(number) for number in rows} >= set(range(1, 41))


@needs_browser
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_patients_page_is_one_sheet(
    page: Browser, tmp_path: Path, some_case: Any, language: str
) -> None:
    document = some_case.document(language=language)
    _open(page, tmp_path, patient_page(document, burden=some_case.rest["burden"], definition="ms"))
    data = base64.b64decode(page.call("Page.printToPDF", **A4)["data"])
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1
    assert page.problems() == []


@needs_browser
def test_headings_tables_and_contrast_are_accessible(
    page: Browser, tmp_path: Path, some_case: Any
) -> None:
    _open(page, tmp_path, html(some_case.document(), viewer=_viewer(some_case)))
    levels = page.run(
        "[...document.querySelectorAll('h1, h2, h3')].filter((e) => !e.closest('.lv'))"
        ".map((e) => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.run("[...document.images].every((i) => i.alt.length > 10)")
    assert page.run("[...document.querySelectorAll('main th')].every((t) => t.scope)")
    poor = page.run(CONTRAST)
    assert poor == [], "at least 4.5 to 1 against white"


def test_places_of_lesions_lie_in_them_whatever_the_axes(make_case: Any, left_box: Any) -> None:
    other = (slice(40, 44), slice(20, 22), slice(22, 23))
    for code in ("RAS", "LPI", "SAL"):
        case = make_case(left_box, other, code=code)
        labels = case.rest["labels"]
        turn = turn_of(labels.grid)
        places = lesion_places(labels, table=case.rest["table"], turn=turn)
        shown = turn.shown(np.asarray(labels.data))
        assert {number: int(shown[place]) for number, place in places.items()} == {1: 1, 2: 2}


def test_the_page_stays_small_and_values_close(some_case: Any) -> None:
    text = str(_viewer(some_case))
    assert len(text) < 2_000_000
    empty = some_case.image.with_data(np.zeros_like(some_case.image.data))
    assert "lv-start" in str(
        embedded_viewer(empty, mask=some_case.rest["mask"], labels=None, table=(),
                        words=wording("en"))
    )  # fmt: skip
