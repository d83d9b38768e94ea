"""Start-up is a feature: importing leuko and asking for help must not load heavy packages."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

HEAVY = {
    "PIL", "isal", "jinja2", "lightning", "matplotlib", "msgspec", "nibabel", "numpy", "openvino",
    "reportlab", "scipy", "torch", "transformers", "yaml",
}  # fmt: skip
HELP_CPU_SECONDS = 0.3


def loaded_packages(statement: str) -> set[str]:
    """Top-level packages in memory after `statement` ran in a fresh interpreter."""
    listing = "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", statement + listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def help_of(*command: str) -> str:
    """A call of the command line that only prints help, without ending the interpreter."""
    return (
        f"import sys\nsys.argv = {['leuko', *command, '--help']!r}\n"
        "from leuko.cli import main\n"
        "assert main() == 0"
    )


@pytest.mark.parametrize("statement", ["import leuko", "import leuko.cli"])
def test_import_loads_no_heavy_package(statement: str) -> None:
    assert loaded_packages(statement) & HEAVY == set()


def test_help_loads_no_heavy_package() -> None:
    assert loaded_packages(help_of()) & HEAVY == set()


def test_a_name_is_loaded_on_first_use() -> None:
    assert "numpy" in loaded_packages("import leuko\nleuko.Grid")


def test_help_is_quick() -> None:
    """Processor time, not wall time, so that a busy machine does not fail it; best of three."""

    def cpu_seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "leuko", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_seconds() for _ in range(3)) < HELP_CPU_SECONDS
