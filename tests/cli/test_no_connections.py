"""No command opens a connection: telemetry, downloads, look-ups of names, all would show."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# Runs a command line under an audit hook that sees every use of a socket by Python, in this
# process and its threads; native code would have to resolve or connect, which strace would show.
WATCHED = textwrap.dedent(
    """
    import sys
    seen = []

    def watch(event, arguments):
        if event.startswith(("socket.", "urllib.", "http.", "ssl.", "ftplib.", "smtplib.")):
            seen.append((event, str(arguments)))

    sys.addaudithook(watch)
    from leuko.cli import main
    code = main(sys.argv[1:])
    sys.stderr.write(f"{seen}\\n")
    sys.exit(code or (99 if seen else 0))
    """
)


def run(script: str, *arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    """In a fresh home, and as on a user's machine: some packages call home unless CI is set."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home), "XDG_CONFIG_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["segment", "measure"])
def test_no_connection_is_opened(
    command: str, tmp_path: Path, scan: Path, small_weights: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    inputs = [scan] if command == "segment" else [scan, scan]
    if command == "measure":
        from leuko.formats.read import read_scan
        from leuko.formats.write import write

        image = read_scan(scan)
        inputs[1] = tmp_path / "mask.nii.gz"
        write(image.with_data((image.data > 800).astype("uint8")), inputs[1])
    done = run(
        WATCHED, command, *inputs, "-o", tmp_path / "out", "--weights", small_weights, home=home
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    assert (tmp_path / "out" / "report.pdf").is_file()
    assert list(home.iterdir()) == []  # and nothing is left in the user's home


# Every other command that reads images, on the scan, its mask and a DICOM study.
OTHERS = {
    "info": ["info", "{study}"],
    "list": ["dicom", "list", "{study}"],
    "convert": ["convert", "{study}", "{out}", "--to", "mgz"],
    "deidentify": ["deidentify", "{study}", "-o", "{out}"],
    "view": ["view", "{scan}", "--overlay", "{mask}", "--png", "{out}.png", "-o", "{out}.html"],
    "register": ["register", "{scan}", "{scan}", "-o", "{out}", "--mask", "{mask}", "--lenient"],
    "preprocess": ["preprocess", "{scan}", "-o", "{out}", "--n4", "--resample", "3"],
    "surface": ["surface", "{mask}", "-o", "{out}.glb"],
    "evaluate": ["evaluate", "{mask}", "{mask}", "-o", "{out}.html", "--images", "{scan}"],
    "compare": ["compare", "{mask}", "a={mask}", "b={mask}", "-o", "{out}.html"],
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_command_opens_a_connection(name: str, tmp_path: Path, scan: Path) -> None:
    from classic_mr import write_series
    from leuko.formats.read import read_scan
    from leuko.formats.write import write

    home, image = tmp_path / "home", read_scan(scan)
    home.mkdir()
    places = {"scan": scan, "mask": tmp_path / "mask.nii.gz", "out": tmp_path / "out"}
    write(image.with_data((image.data > 800).astype("uint8")), places["mask"], labels=True)
    places["study"] = tmp_path / "study"
    write_series(places["study"], image.data, image.grid.affine)
    done = run(WATCHED, *(part.format(**places) for part in OTHERS[name]), home=home)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    assert list(home.iterdir()) == []


def test_the_watch_sees_connections(tmp_path: Path) -> None:
    script = WATCHED.replace(
        "code = main(sys.argv[1:])", "import socket; socket.socket(); code = 0"
    )
    assert run(script, home=tmp_path).returncode == 99
