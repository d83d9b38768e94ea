"""Whatever goes wrong ends in one clear message and the documented exit code."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, ModuleType

import click
import pytest

from leuko import cli, errors

Run = Callable[..., int]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[BaseException], Run]:
    """Makes a command line whose only command raises the given error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def make(error: BaseException) -> Run:
        @click.command()
        @click.option("--debug", is_flag=True, expose_value=False)
        def broken() -> None:
            raise error

        module = ModuleType("leuko_broken")
        module.broken = broken  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "leuko_broken", module)
        monkeypatch.setattr(
            cli, "COMMANDS", MappingProxyType({"broken": ("leuko_broken", "Fails.")})
        )
        return lambda *options: cli.main(["broken", *options])

    return make


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, 2),
        (errors.ReadError, 3),
        (errors.UnusableInput, 4),
        (errors.SafetyRefusal, 5),
        (errors.GridMismatch, 5),
        (errors.WriteError, 6),
        (errors.OutOfResources, 7),
        (errors.Interrupted, 8),
        (errors.MissingExtra, 9),
    ],
)
def test_our_errors_show_what_and_hint_and_no_traceback(
    kind: type[errors.LeukoError],
    code: int,
    failing: Callable[[BaseException], Run],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing(kind("It broke.", hint="Mend it."))() == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(r"(Error|Stopped): It broke\.\nHint: Mend it\.\n", shown.err)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_is_8(
    error: BaseException,
    failing: Callable[[BaseException], Run],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing(error)() == 8
    assert "Stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("std::bad_alloc"), OSError(errno.ENOMEM, "")]
)
def test_no_memory_is_7(
    error: BaseException,
    failing: Callable[[BaseException], Run],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing(error)() == 7
    assert "memory" in capsys.readouterr().err


def test_a_bug_is_70_with_the_traceback_in_a_file_only(
    tmp_path: Path,
    failing: Callable[[BaseException], Run],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing(ZeroDivisionError("deep inside"))() == 70
    shown = capsys.readouterr().err
    assert "our bug" in shown
    assert "Traceback" not in shown
    assert "deep inside" not in shown
    (report,) = tmp_path.glob("leuko-bug-*.txt")
    assert str(report) in shown
    assert "ZeroDivisionError: deep inside" in report.read_text()
    assert "leuko " in report.read_text()


def test_a_bare_error_of_ours_is_a_bug_too(failing: Callable[[BaseException], Run]) -> None:
    assert failing(errors.LeukoError("impossible"))() == 70


def test_debug_shows_the_traceback(
    failing: Callable[[BaseException], Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(errors.ReadError("It broke."))("--debug") == 3
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_failure() -> None:
    """What `leuko ... | head` does, with the reading end of the pipe closed from the start."""
    script = (
        "import sys, types, click\n"
        "from leuko import cli\n"
        "module = types.ModuleType('leuko_long')\n"
        "module.long = click.Command('long', callback=lambda: click.echo('x' * 1_000_000))\n"
        "sys.modules['leuko_long'] = module\n"
        "cli.COMMANDS = {'long': ('leuko_long', '')}\n"
        "sys.exit(cli.main(['long']))\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_request_to_end_is_treated_like_ctrl_c() -> None:
    """SIGTERM reaches a command that sleeps, in a process of its own."""
    script = (
        "import sys, types, click, os, signal, time\n"
        "from leuko import cli\n"
        "module = types.ModuleType('leuko_slow')\n"
        "@click.command()\n"
        "def slow():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(30)\n"
        "module.slow = slow\n"
        "sys.modules['leuko_slow'] = module\n"
        "cli.COMMANDS = {'slow': ('leuko_slow', '')}\n"
        "sys.exit(cli.main(['slow']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 8
    assert done.stderr.strip().startswith("Stopped")


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["no-such-command"]) == 2
    assert cli.main(["segment", "--no-such-option"]) == 2
    assert cli.main(["segment"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["info", "{}"],
        ["dicom", "list", "{}"],
        ["segment", "{}", "-o", "out"],
        ["convert", "{}", "out"],
        ["view", "{}", "-o", "out.html"],
        ["preprocess", "{}", "-o", "out", "--n4"],
    ],
    ids=lambda command: command[0],
)
def test_what_may_not_be_read_is_exit_3_without_its_folders(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    closed = tmp_path / "Zebulon" / "closed"
    closed.mkdir(parents=True)
    (closed / "scan.nii").write_bytes(bytes(400))
    closed.chmod(0)
    if os.access(closed, os.R_OK):
        pytest.skip("this user may read everything")
    assert cli.main([part.format(closed) for part in command]) == 3
    assert "Zebulon" not in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["Zebulon"]
    closed.chmod(0o700)
