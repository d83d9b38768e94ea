"""`leuko networks`: the networks and their costs, without torch."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from leuko.cli.networks import networks
from leuko.errors import UsageError
from leuko.networks.catalogue import NETWORKS


def said(*arguments: str) -> str:
    done = CliRunner().invoke(
        networks,
        arguments,
        catch_exceptions=False,
        env={"COLUMNS": "100"},
        help_option_names=["-h", "--help"],
    )
    assert done.exit_code == 0
    return done.output


def test_every_network_is_listed_with_its_costs() -> None:
    output = said()
    for name in NETWORKS:
        assert name in output
    assert "parameters" in output
    assert "256 x 256 (2D) and 96 x 96 x 96 (3D)" in output


def test_one_network_is_shown_with_options_and_variants() -> None:
    output = said("mit-unet")
    for text in ("variant", "b0, b1, b2, b3, b4, b5", "upsampling", "121.89 M"):
        assert text in output


def test_json_holds_the_same_for_programs() -> None:
    listed = json.loads(said("--json"))
    assert list(NETWORKS) == [record["name"] for record in listed]
    one = json.loads(said("resunet++", "--json"))
    assert one == listed[4]
    assert 16 == one["options"]["width"]["default"]
    assert {"parameters", "flops", "prediction_bytes", "training_bytes"} < set(one["sizes"][0])


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(UsageError, match="vnet"):
        said("vnet")


def test_neither_torch_nor_numpy_is_loaded() -> None:
    code = (
        "import sys; from leuko.cli.networks import networks; "
        "networks(['unet'], standalone_mode=False); "
        "sys.exit(bool({'torch', 'numpy', 'openvino'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
