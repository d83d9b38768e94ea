from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import graphs
import numpy as np
import pytest

from leuko.compute import has_fast_bf16
from leuko.errors import ReadError, UsageError
from leuko.inference import openvino_engine
from leuko.inference.openvino_engine import load

GUARD = """
import os, sys
record = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def guard(event, arguments):
    # Threads and forked children share this hook and the open file, whatever they catch.
    if event in REFUSED:
        os.write(record, (event + chr(10)).encode())
        raise OSError("refused")

REFUSED = {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
    "urllib.Request", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen",
}
sys.addaudithook(guard)
"""
OURS = """
from pathlib import Path
import numpy
from leuko.inference import openvino_engine
engine = openvino_engine.load(Path(sys.argv[2]), precision="f32", threads=1)
engine(numpy.zeros((1, 3, 32, 32), dtype=numpy.float32))
"""
CONVERTING = """
import torch
openvino_engine.save(
    torch.nn.Conv2d(3, 4, 3), Path(sys.argv[2]).with_name("made.xml"),
    example=torch.zeros(1, 3, 16, 16),
)
"""
THEIRS = """
import openvino
"""
AND_WAIT = """
import time
time.sleep(1.0)
"""


def refused_calls(code: str, graph: Path, folder: Path) -> list[str]:
    """What Python code tried to reach, run outside of CI and with a fresh, empty home."""
    home = folder / "home"
    home.mkdir()
    record = folder / "record"
    environment = {k: v for k, v in os.environ.items() if k != "CI"}
    environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GUARD + code + AND_WAIT, str(record), str(graph)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return record.read_text().split()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "small.xml"
    graphs.save_graph(path)
    return path


def slices(n: int = 5, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    return np.random.default_rng(4).random((n, 3, *size), dtype=np.float32)


def test_it_computes_the_network(graph: Path) -> None:
    found = load(graph, precision="f32", threads=1)(slices())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, graphs.expected(slices()), atol=1e-5)


def test_threads_and_company_change_no_bit(graph: Path) -> None:
    shown = slices(7)
    alone = load(graph, threads=1)
    expected = np.concatenate([alone(shown[i : i + 1]).copy() for i in range(7)])
    for threads in (1, 2, 3):
        engine = load(graph, threads=threads)
        np.testing.assert_array_equal(engine(shown), expected)
        with ThreadPoolExecutor(engine.workers) as pool:
            found = list(pool.map(lambda i, e=engine: e(shown[i : i + 1]).copy(), range(7)))
        np.testing.assert_array_equal(np.concatenate(found), expected)


def test_slices_may_change_their_size(graph: Path) -> None:
    engine = load(graph, precision="f32", threads=2)
    for size in ((32, 48), (64, 32), (32, 48)):
        shown = slices(2, size)
        np.testing.assert_allclose(engine(shown), graphs.expected(shown), atol=1e-5)


def compiled_for(
    graph: Path, sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch, *, threads: int
) -> list[tuple[int, ...]]:
    """The shapes for which an engine compiled, in their order, when it met slices of `sizes`."""
    made: list[tuple[int, ...]] = []
    compile_for = openvino_engine._compile

    def watched(network: object, shape: tuple[int, ...], **options: object) -> object:
        made.append(shape[2:])
        return compile_for(network, shape, **options)

    monkeypatch.setattr(openvino_engine, "_compile", watched)
    engine = load(graph, precision="f32", threads=threads)
    for size in sizes:
        engine(slices(1, size))
    return made


def test_sizes_of_earlier_scans_need_no_compiling(
    graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = [(32, 48), (64, 32), (32, 48), (64, 32), (32, 48)]
    assert compiled_for(graph, sizes, monkeypatch, threads=1) == sizes[:2]


def test_only_so_many_sizes_are_kept(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "KEPT", 4)
    sizes = [(32, 48), (64, 32), (32, 48), (16, 16), (32, 48), (64, 32)]
    assert compiled_for(graph, sizes, monkeypatch, threads=2) == [
        (32, 48),
        (64, 32),
        (16, 16),
        (64, 32),
    ]
    assert compiled_for(graph, sizes[:3], monkeypatch, threads=16) == sizes[:3]


@pytest.mark.skipif(not has_fast_bf16(), reason="this processor has no fast bf16")
def test_bf16_agrees_with_f32(graph: Path) -> None:
    automatic = load(graph)
    assert "bf16" == automatic.precision
    difference = automatic(slices()) - graphs.expected(slices())
    assert 0 < np.abs(difference).max() < 0.03


def test_bf16_is_refused_where_it_would_be_slow(
    graph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "has_fast_bf16", lambda: False)
    assert "f32" == load(graph).precision
    with pytest.raises(UsageError, match="bf16"):
        load(graph, precision="bf16")


def test_a_broken_graph_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "broken.xml").write_text("<net")
    with pytest.raises(ReadError, match=r"broken\.xml"):
        load(tmp_path / "broken.xml")


def test_nothing_calls_home(graph: Path, tmp_path: Path) -> None:
    assert [] == refused_calls(OURS, graph, tmp_path)
    assert [] == list((tmp_path / "home").iterdir())


@pytest.mark.slow
def test_nothing_calls_home_while_converting(graph: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="converting needs leuko[train]")
    calls = refused_calls(OURS + CONVERTING, graph, tmp_path)
    assert [] == [call for call in calls if call.startswith(("socket", "urllib"))]


def test_without_our_door_something_would(graph: Path, tmp_path: Path) -> None:
    """The watch of the two tests above sees what it is meant to see (and lets nothing out)."""
    if importlib.metadata.packages_distributions().get("openvino_telemetry") is None:
        pytest.skip("openvino came without its telemetry")
    assert refused_calls(THEIRS, graph, tmp_path)
