"""Runs end to end: they learn, survive a kill, resume, and say clearly what went wrong."""

from __future__ import annotations

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra (torch)")
pytest.importorskip("lightning", reason="needs the train extra (lightning)")

from fake_generator import slices  # noqa: E402
from train_fake import recipe_text  # noqa: E402

from leuko.errors import LeukoError, ReadError, UsageError  # noqa: E402
from leuko.networks.catalogue import build  # noqa: E402
from leuko.synthesis.stream import StreamSettings  # noqa: E402
from leuko.training.averaging import average_into  # noqa: E402
from leuko.training.feed import Feed  # noqa: E402
from leuko.training.recipe import Recipe, parse_recipe  # noqa: E402
from leuko.training.run import train  # noqa: E402
from leuko.training.sources import generator_settings, plan_of  # noqa: E402
from leuko.training.validation import ValidationSet, validate  # noqa: E402
from leuko.training.weights import load_weights  # noqa: E402

HERE = Path(__file__).parent


def recipe(*, steps: int = 60, workers: int = 0, every_s: float = 1000.0) -> Recipe:
    return parse_recipe(recipe_text(__file__, steps=steps, every_s=every_s, workers=workers))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 60 steps on the fake problem."""
    out = tmp_path_factory.mktemp("runs")
    train(recipe(), out=out, generator="fake_generator:slices")
    return out / "fake"


def test_a_run_learns_an_easy_problem(trained: Path) -> None:
    last = [row for row in rows(trained) if row["valid_lesion"]][-1]
    assert int(last["step"]) == 60
    assert float(last["valid_lesion"]) > 0.9


def test_a_run_leaves_what_it_promises(trained: Path) -> None:
    names = {"last.ckpt", "metrics.csv", "curves.png", "final.pt", "recipe.json", "validation.npz"}
    assert names <= {path.name for path in trained.iterdir()}
    assert not list(trained.glob("*.part"))
    assert list((trained / "tensorboard").glob("events*"))
    assert json.loads((trained / "recipe.json").read_text())["name"] == "fake"


def test_final_weights_are_the_average_and_rebuild_the_network(trained: Path) -> None:
    final = torch.load(trained / "final.pt", weights_only=True)
    assert final["step"] == 60
    network = build(final["network"]["name"], **final["network"]["options"])
    network.load_state_dict(final["state_dict"])
    stored = torch.load(trained / "last.ckpt", weights_only=True)["state_dict"]
    for name, tensor in final["state_dict"].items():
        torch.testing.assert_close(tensor, stored["average." + name])
    stream = slices([], seed=77, settings=StreamSettings(pixels=(32, 32)))
    held = list(itertools.islice(stream, 16))
    scores = validate(
        network,
        ValidationSet(
            torch.from_numpy(np.stack([s.image for s in held])),
            torch.from_numpy(np.stack([s.allowed for s in held])),
        ),
        objective=lambda logits, allowed: {"loss": logits.mean()},
        batch=4,
    )
    assert scores["valid_lesion"] > 0.9


def test_a_finished_run_is_not_trained_again(trained: Path, tmp_path: Path) -> None:
    before = (trained / "last.ckpt").stat().st_mtime_ns
    outcome = train(recipe(), out=trained.parent, generator="fake_generator:slices")
    assert outcome.step == 60
    assert (trained / "last.ckpt").stat().st_mtime_ns == before


def test_a_run_can_start_from_the_weights_of_another(trained: Path, tmp_path: Path) -> None:
    tuned = msgspec.structs.replace(
        recipe(steps=1), name="tuned", init_from=str(trained / "final.pt")
    )
    train(tuned, out=tmp_path, generator="fake_generator:slices")
    first = next(row for row in rows(tmp_path / "tuned") if row["valid_lesion"])
    assert float(first["valid_lesion"]) > 0.8


def test_weights_of_another_network_are_refused(trained: Path, tmp_path: Path) -> None:
    wider = msgspec.structs.replace(recipe().network, width=4)
    for changed in (
        msgspec.structs.replace(recipe(), network=wider),
        msgspec.structs.replace(
            recipe(), name="other", network=wider, init_from=str(trained / "final.pt")
        ),
    ):
        with pytest.raises(UsageError, match="another network"):
            train(changed, out=trained.parent, generator="fake_generator:slices")
    (tmp_path / "x.pt").write_bytes(b"no weights")
    with pytest.raises(ReadError, match=r"x\.pt"):
        load_weights(tmp_path / "x.pt")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed in mid-training: the same command reaches the same step; learning continues."""
    command = [sys.executable, str(HERE / "train_fake.py"), str(tmp_path), "1500", "0.1"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    state = tmp_path / "fake" / "last.ckpt"
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and not state.is_file():
        time.sleep(0.02)
    time.sleep(1.0)
    os.kill(first.pid, signal.SIGKILL)
    # The pipe ends when the last process that holds it has: the generator goes with its parent.
    first.communicate(timeout=60)
    assert first.returncode == -signal.SIGKILL
    reached = torch.load(state, weights_only=True)
    step = reached["global_step"]
    assert 0 < step < 1500

    command[3] = str(step + 40)
    second = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert second.returncode == 0, second.stderr
    assert f"Resuming at step {step}." in second.stdout
    assert second.stdout.rstrip().endswith(f"end {step + 40}")
    after = torch.load(state, weights_only=True)
    assert after["global_step"] == step + 40
    assert after["seconds"] > reached["seconds"]
    # The optimiser went on too: its own count of steps is the run's.
    counts = {int(s["step"]) for s in after["optimizer_states"][0]["state"].values()}
    assert counts == {step + 40}
    told = [int(row["step"]) for row in rows(tmp_path / "fake")]
    assert told == sorted(told)
    losses = [float(r["loss"]) for r in rows(tmp_path / "fake") if r["loss"]]
    assert np.mean(losses[-3:]) < losses[0]


@pytest.mark.skipif(os.name != "posix", reason="signals to process groups need POSIX")
def test_ctrl_c_saves_the_state_and_ends_every_process(tmp_path: Path) -> None:
    command = [sys.executable, str(HERE / "train_fake.py"), str(tmp_path), "100000", "0.2"]
    run = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A test run in the background ignores Ctrl-C, and its children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert run.stdout is not None
    line = run.stdout.readline()
    assert line.startswith("step ")
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the generator too
    _, errors = run.communicate(timeout=120)
    assert "Interrupted" in errors.splitlines()[-1]
    saved = torch.load(tmp_path / "fake" / "last.ckpt", weights_only=True)
    assert saved["global_step"] >= int(line.split()[1])


def test_training_opens_no_connection(tmp_path: Path) -> None:
    """Neither Lightning nor TensorBoard calls anyone."""
    code = """
import sys
def watch(event, arguments):
    # Unix sockets between a process and its child have a path; an address is a tuple.
    if event == "socket.getaddrinfo" or (
        event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple)
    ):
        raise SystemExit(f"a connection: {event} {arguments[1:]}")
sys.addaudithook(watch)
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    script = HERE / "train_fake.py"
    command = [sys.executable, "-c", code, str(script), str(tmp_path), "5", "1000"]
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(HERE),
        # Its list of fonts takes seconds to make anew.
        "MPLCONFIGDIR": matplotlib.get_configdir(),
    }
    environment.pop("CI", None)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=500, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "end 5" in done.stdout


def test_a_resumed_run_sees_other_slices_than_the_first_start() -> None:
    plan = plan_of(recipe().data, generator="fake_generator:slices")
    batches = []
    for start_step in (0, 500):
        with Feed(plan, seed=1, start_step=start_step, batch=4) as feed:
            batches.append(next(feed.batches())["allowed"])
    assert not torch.equal(*batches)


def test_slices_come_from_a_process_of_their_own() -> None:
    plan = plan_of(recipe(workers=1).data, generator="fake_generator:slices")
    with Feed(plan, seed=1, start_step=0, batch=4) as feed:
        batches = list(itertools.islice(feed.batches(), 20))
        assert feed.flow.drawn == 80
    assert batches[0]["image"].dtype == torch.float32
    assert batches[0]["image"].shape == (4, 3, 32, 32)
    assert batches[0]["allowed"].dtype == torch.int16


def test_a_generator_that_fails_ends_the_run_with_its_message() -> None:
    plan = plan_of(recipe(workers=1).data, generator="fake_generator:broken")
    with (
        Feed(plan, seed=1, start_step=0, batch=4) as feed,
        pytest.raises(LeukoError, match="out of heads"),
    ):
        next(feed.batches())


def test_what_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    data = recipe().data
    with pytest.raises(UsageError, match="label map"):
        plan_of(msgspec.structs.replace(data, labelmaps=(str(tmp_path / "*.nii.gz"),)))
    with pytest.raises(UsageError, match="synthesis"):
        generator_settings(msgspec.structs.replace(data, synthesis={"colour": 1}))


def test_the_average_follows_the_weights_and_the_running_statistics() -> None:
    average, network = (build("unet", width=2, levels=2) for _ in range(2))
    old = {k: v.clone() for k, v in average.state_dict().items()}
    average_into(average, network, decay=0.75)
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            expected = 0.75 * old[name] + 0.25 * network.state_dict()[name]
            torch.testing.assert_close(value, expected)
