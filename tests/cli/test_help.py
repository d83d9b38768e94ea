"""Help: complete, with examples, and true."""

from __future__ import annotations

import click
import msgspec
import pytest

from leuko import __version__, cli
from leuko.cli.options_mask import mask_options
from leuko.cli.options_pages import fractional_option, page_options, scanner_options
from leuko.cli.options_place import norm_options, template_options
from leuko.cli.options_run import job_options
from leuko.pipelines.config import SegmentConfig


def help_of(*command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main([*command, "--help"]) == 0
    return capsys.readouterr().out


def test_the_main_help_lists_every_command_and_the_exit_codes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = help_of(capsys=capsys)
    for name, (_, line) in cli.COMMANDS.items():
        assert f"{name} " in text
        assert line in text
    for code in (0, 2, 3, 4, 5, 6, 7, 8, 9, 70):
        assert f"  {code} " in text


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(name, capsys=capsys)
    assert f"  leuko {name} " in text
    assert "-h, --help" in text


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"leuko {__version__}\n"


def test_every_parameter_of_the_main_job_is_an_option_with_the_same_default() -> None:
    @click.command()
    @mask_options
    @job_options
    @template_options
    @norm_options
    @page_options
    @scanner_options
    @fractional_option
    def command(**chosen: object) -> None:
        given.update(chosen)

    given: dict[str, object] = {}
    command.main([], standalone_mode=False)
    assert given.pop("weights") is None  # files are no parameters
    wanted = msgspec.structs.asdict(SegmentConfig())
    del wanted["t1_space"]  # on the command line it follows from --t1, where not said
    assert given == wanted


@pytest.mark.parametrize(("option", "policy"), [("--strict", "strict"), ("--lenient", "lenient")])
def test_policies_are_flags(option: str, policy: str) -> None:
    @click.command()
    @job_options
    def command(**chosen: object) -> None:
        given.update(chosen)

    given: dict[str, object] = {}
    command.main([option], standalone_mode=False)
    assert given["policy"] == policy
