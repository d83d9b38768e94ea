"""Write the generated parts of the documentation: `make docs`.

- commands.md: the help of every command, as the program prints it
- images/report.png: the report of `make demo` in a browser, where chromium and demo-out/ are there

`python docs/generate.py --check` writes nothing and fails when commands.md is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent / "demo-out" / "report.html"
WIDTH = 96  # columns of the help texts
PICTURE = (1200, 850)  # pixels of the first screen
INTRODUCTION = """\
# Commands

What `leuko COMMAND --help` prints, one section a command. Written by `make docs`.
"""


def help_text(*command: str) -> str:
    """The help of a command, as a user sees it in a terminal of fixed width."""
    environment = os.environ | {"COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "leuko", *command, "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def command_names() -> list[tuple[str, ...]]:
    """The commands in the order of the help, those within a group after it."""
    import click

    from leuko.cli import program

    context = click.Context(program)
    names: list[tuple[str, ...]] = []
    for name in program.list_commands(context):
        names.append((name,))
        command = program.get_command(context, name)
        if isinstance(command, click.Group):
            names += [(name, inner) for inner in command.list_commands(context)]
    return names


def commands_page() -> str:
    """The whole page commands.md."""
    sections = [f"## leuko\n\n```text\n{help_text()}\n```"]
    sections += [
        f"## leuko {' '.join(name)}\n\n```text\n{help_text(*name)}\n```" for name in command_names()
    ]
    return "\n\n".join([INTRODUCTION.rstrip(), *sections]) + "\n"


def substance(page: str) -> list[str]:
    """Commands and options in order: what must agree; versions of click wrap help differently."""
    return re.findall(r"^## .*|--[a-z0-9-]+", page, flags=re.MULTILINE)


def picture(report: Path, target: Path) -> bool:
    """The first screen of a report as a PNG; False where there is no browser or no report."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None or not report.is_file():
        return False
    with tempfile.TemporaryDirectory(prefix="leuko-docs-") as profile:
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",  # root in a container has no other choice
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={PICTURE[0]},{PICTURE[1]}",
                f"--screenshot={target}",
                report.resolve().as_uri(),
            ],
            capture_output=True,
            check=True,
        )
    return True


def main() -> int:
    """Write, or check, what can be generated here."""
    parser = argparse.ArgumentParser(description="Write the generated parts of docs/.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    check: bool = parser.parse_args().check
    page, text = HERE / "commands.md", commands_page()
    if check:
        there = page.read_text(encoding="utf-8") if page.is_file() else ""
        return int(substance(there) != substance(text))
    page.write_text(text, encoding="utf-8")
    sys.stdout.write(f"written: {page.name}\n")
    (HERE / "images").mkdir(exist_ok=True)
    done = picture(REPORT, HERE / "images" / "report.png")
    note = "written: images/report.png" if done else "no chromium or no demo-out/: picture left"
    sys.stdout.write(note + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
