"""The documentation is right: every command it shows is run, and what it shows as output appears.

A page is a Markdown file. In a ```console block, `$ ` begins a command and the lines below are its
output, compared as doctest does (`...` stands for anything, white space does not count); a command
without output below it only has to succeed. A ```python block is run as a script. The blocks of a
page run in order in one folder, which holds the packaged sample as FLAIR.nii.gz, its true mask as
truth.nii.gz, study/ with two scans, dicom_study/ with the sample as a scanner exports it, and the
lessons' heads.py. An HTML comment on the line before a block changes that:
`<!-- long -->` (run by `make docs-test` only) or `<!-- not run: why -->`. A ```yaml block becomes a
file where the comment before it names one: `<!-- file: mine.yaml -->`, `<!-- long, file: ... -->`.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from classic_mr import sample_study

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"(?:^<!-- (?P<note>long|not run: [^\n]+|(?:long, )?file: [^\n]+) -->\n)?"
    r"^```(?P<kind>console|python|yaml)\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"\]\((?!https?://|#)(?P<path>[^)#\s]+)")
CHECKER = doctest.OutputChecker()
LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Example:
    """A command of a page and the output that the page shows for it."""

    command: list[str]
    shown: str
    output: str
    long: bool


def examples(page: Path) -> list[Example]:
    """Every example of a page, in order."""
    found = []
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        note = block["note"] or ""
        if note.startswith("not run"):
            continue
        if block["kind"] == "yaml":
            name = note.partition("file: ")[2]
            if name:
                write = f"open({name!r}, 'w').write({block['body']!r})"
                found.append(Example([sys.executable, "-c", write], name, "",
                                     note.startswith("long")))  # fmt: skip
            continue
        if block["kind"] == "python":
            found.append(Example([sys.executable, "-c", block["body"]], block["body"], "",
                                 note == "long"))  # fmt: skip
            continue
        for part in re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]:
            first, _, output = part.partition("\n")
            while first.endswith("\\"):
                more, _, output = output.partition("\n")
                first = f"{first[:-1]}{more.strip()}"
            found.append(Example(["bash", "-c", first], first, output, note == "long"))
    return found


def run(page: Path, folder: Path, *, long: bool) -> None:
    """Run a page's examples in `folder` and compare what they print."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    for example in examples(page):
        if example.long and not long:
            continue
        done = subprocess.run(
            example.command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        told = f"{page.name}: {example.shown}\n{done.stdout}"
        assert done.returncode == 0, told
        if example.output.strip():
            assert CHECKER.check_output(example.output, done.stdout, LENIENT), told


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """The folder that a page's examples find themselves in."""
    sample = ROOT / "src" / "leuko" / "models" / "sample"
    shutil.copy(sample / "flair.nii.gz", tmp_path / "FLAIR.nii.gz")
    shutil.copy(sample / "truth.nii.gz", tmp_path / "truth.nii.gz")
    shutil.copy(ROOT / "docs" / "learn" / "heads.py", tmp_path)
    (tmp_path / "study").mkdir()
    for case in ("scan_01", "scan_02"):
        shutil.copy(sample / "flair.nii.gz", tmp_path / "study" / f"{case}.nii.gz")
    sample_study(tmp_path / "dicom_study")
    return tmp_path


def named(page: Path) -> str:
    return page.stem


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(not e.long for e in examples(page))], ids=named
)
def test_the_examples_of_a_page_work(page: Path, workplace: Path) -> None:
    run(page, workplace, long=False)


@pytest.mark.long_docs
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(e.long for e in examples(page))], ids=named
)
def test_the_long_examples_of_a_page_work(page: Path, workplace: Path) -> None:
    run(page, workplace, long=True)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_inside_the_documentation_lead_somewhere(page: Path) -> None:
    links = [link["path"] for link in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_key_of_stats_json_is_defined_on_its_page() -> None:
    from leuko.pipelines.statistics import Statistics

    page = (ROOT / "docs" / "stats.md").read_text(encoding="utf-8")
    names = [name for name in Statistics.__struct_fields__ if f"`{name}" not in page]
    assert names == []


def test_the_command_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], check=False, timeout=120
    )
    assert done.returncode == 0, "run `make docs`"
