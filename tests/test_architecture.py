"""The rules of the house that a machine can check (docs/architecture.md says why)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "leuko"
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "core"}
# Declared and needed without being imported by name: Lightning's logger, pydicom's decoders.
INDIRECT = {
    "tensorboard",
    "pyjpegls",
    "pylibjpeg",
    "pylibjpeg-openjpeg",
    "pylibjpeg-rle",
    "python-gdcm",
}


EXTRAS = ("cluster", "features", "train")


def settings() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def normalised(requirement: str) -> str:
    """The distribution's name in `numpy>=2.0`, as PEP 503 compares names."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared(*, extra: str | None = None) -> set[str]:
    project = settings()["project"]
    assert isinstance(project, dict)
    listed = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {normalised(requirement) for requirement in listed}


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every third-party distribution that a module in `folder` imports by name."""
    distributions = packages_distributions()
    own = {"leuko", *(path.stem for path in folder.glob("*.py"))}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for package in {name.partition(".")[0] for name in names}:
                if package in sys.stdlib_module_names or package in own:
                    continue
                found = distributions.get(package, [package])
                yield normalised(found[0]), path


def test_imports_respect_the_layers() -> None:
    """The contracts of pyproject.toml: `lint-imports` shows the same with more detail."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_module_is_a_drawer() -> None:
    names = {path.stem for path in PACKAGE.rglob("*")} & DRAWERS
    assert names == set(), "name a module after what it knows, not after how it is used"


def test_every_import_is_a_declared_dependency() -> None:
    known = declared().union(*(declared(extra=extra) for extra in EXTRAS))
    missing = {(name, str(path.relative_to(ROOT))) for name, path in imported(PACKAGE)
               if name not in known}  # fmt: skip
    assert missing == set()


def test_every_declared_dependency_is_imported() -> None:
    used = {name for folder in (PACKAGE, ROOT / "benchmarks") for name, _ in imported(folder)}
    extras = set[str]().union(*(declared(extra=extra) for extra in EXTRAS))
    assert (declared() | extras) - used - INDIRECT == set()


def test_packaged_files_are_matched_by_package_data() -> None:
    """A file that no pattern matches would be missing from an installed leuko."""
    tool = settings()["tool"]
    assert isinstance(tool, dict)
    patterns = [Path(glob).name for glob in tool["setuptools"]["package-data"]["leuko"]]
    tracked = subprocess.run(
        ["git", "ls-files", "src/leuko"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    files = [Path(line) for line in tracked.stdout.splitlines() if not line.endswith(".py")]
    assert [f for f in files if not any(f.match(pattern) for pattern in patterns)] == []


def test_test_files_have_unique_names_and_no_packages() -> None:
    """Tests mirror the rooms as plain folders, which pytest imports by file name."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name, count in names.items() if count > 1} == set()
    assert list((ROOT / "tests").rglob("__init__.py")) == []
