"""Damage real files at random and read them, in processes with little memory and little time.

    python tests/fuzz/fuzz_run.py --data ../shared/data --seconds 600 --keep found

Every case follows from its number, so that `--only NUMBER` repeats it. Ends with 1 where a
case was read wrongly; the files of such cases are kept.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_mutations import mutate
from fuzz_seeds import Seed, real_seeds
from fuzz_verdict import digest, verdict

BATCH = 400
SECONDS_EACH = 20
MEMORY = 1_200 << 20  # on top of what the process holds
FOLDER = "DOE^JANE"  # may not appear in any message


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run until time or cases are used up; returns the exit code."""
    options = _options()
    home = Path(tempfile.mkdtemp(prefix="fuzz-"))
    tempfile.tempdir = str(home)
    try:
        seeds = [seed for seed in real_seeds(options.data) if options.of in seed.name]
        truths = _truths(seeds, home)
        found: Counter[str] = Counter()
        last = options.first + options.cases
        numbers = iter(range(options.first, last) if options.only < 0 else [options.only])
        end = time.monotonic() + options.seconds
        done = 0
        while time.monotonic() < end:
            batch = list(islice(numbers, BATCH))
            if not batch:
                break
            for number, problem in _run(batch, seeds, truths, home, options):
                seed, damage, files = _case(number, seeds)
                if options.keep:
                    _keep(files, options.keep / str(number))
                found[problem.split(": ")[0]] += 1
                if found[problem.split(": ")[0]] <= options.show:
                    say(f"{number} {seed.name} [{damage}] {problem}"[:400])
            done += len(batch)
        say(f"{done} cases of {len(seeds)} files, {sum(found.values())} read wrongly")
        return 1 if found else 0
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--cases", type=int, default=10**9)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", type=int, default=-1, help="this case alone")
    parser.add_argument("--of", default="", help="only files whose name holds this")
    parser.add_argument("--show", type=int, default=5, help="cases shown of each kind")
    parser.add_argument("--keep", type=Path, help="folder for the files of wrong cases")
    return parser.parse_args()


def _case(number: int, seeds: list[Seed]) -> tuple[Seed, str, dict[str, bytes]]:
    """The seed of a case, what is done to it, and the damaged files."""
    draw = random.Random(number)
    seed = seeds[draw.randrange(len(seeds))]
    names = sorted(seed.files)
    name = draw.choice([seed.main or names[0], draw.choice(names)])
    damage, content = mutate(seed.files[name], draw)
    return seed, damage, {**seed.files, name: content}


def _truths(seeds: list[Seed], home: Path) -> dict[str, str]:
    """The digest of every seed that can be read as it is."""
    from leuko.errors import LeukoError
    from leuko.formats.read import read

    truths = {}
    for seed in seeds:
        try:
            truths[seed.name] = digest(read(_write(seed.files, seed.main, home)))
        except LeukoError:
            truths[seed.name] = ""
    return truths


def _write(files: dict[str, bytes], main: str, home: Path) -> Path:
    folder = home / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / main if main else folder


def _keep(files: dict[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _run(
    batch: list[int], seeds: list[Seed], truths: dict[str, str], home: Path,
    options: argparse.Namespace,
) -> list[tuple[int, str]]:  # fmt: skip
    """What went wrong in a batch; a child that dies or hangs is replaced behind that case."""
    problems = []
    while batch:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _child(batch, seeds, truths, home, writing, options)
        os.close(writing)
        lines, hung = _listen(reading)
        os.close(reading)
        if hung:
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        for line in lines:
            number, problem = line.split(" ", 1)
            if problem:
                problems.append((int(number), problem))
        batch = batch[len(lines) :]
        if batch and (hung or status):
            what = "hangs" if hung else f"kills the process: status {status}"
            problems.append((batch[0], what))
            batch = batch[1:]
    return problems


def _listen(reading: int) -> tuple[list[str], bool]:
    """The child's lines, one a finished case, and whether it hung."""
    text = b""
    while True:
        if not select.select([reading], [], [], SECONDS_EACH)[0]:
            hung = True
            break
        piece = os.read(reading, 65536)
        if not piece:
            hung = False
            break
        text += piece
    return text.decode(errors="replace").splitlines(), hung


def _child(
    batch: list[int], seeds: list[Seed], truths: dict[str, str], home: Path, writing: int,
    options: argparse.Namespace,
) -> None:  # fmt: skip
    try:
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if options.only < 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        for number in batch:
            seed, damage, files = _case(number, seeds)
            path = _write(files, seed.main, home)
            strict = seed.checked or (damage == "cut" and not seed.open_ended)
            problem = verdict(path, secret=FOLDER, unchanged=truths[seed.name] if strict else "")
            left = [p.name for p in home.iterdir() if p.name != FOLDER]
            problem = problem or (f"leaves files: {left}" if left else "")
            os.write(writing, f"{number} {problem!r}\n".replace("''\n", "\n").encode())
    except BaseException as error:
        os.write(2, repr(error).encode())
        os._exit(9)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
