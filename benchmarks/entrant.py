"""Does what a new entrant does, from the first download to a score, and says what each step takes.

    python benchmarks/entrant.py FOLDER [--share 0.02] [--params params.quick.yaml]

The photos are a share of the drawn set (`real_set.py`). Kaggle is the loopback server of the tests, to which
the real client talks; it scores by accuracy. Each step is a command in a process of its own, as somebody
would type it. Times are by the clock: nothing else should run. Labels are right here, so the score means
nothing.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.real_set import draw_all, photos
from tests.kaggle.conftest import SLUG, Handler, Loopback, Server, no_kaggle

MODEL = "quick"
STEPS = (
    ("fetch", "--source", "kaggle"),
    ("prepare",),
    ("train", "--name", MODEL),
    ("uncertain", "--model", MODEL),
    ("evaluate", "--model", MODEL),
    ("predict", "--model", MODEL),
    ("submission", "--model", MODEL),
    ("submit", "-m", "first try"),
)


class Competition(Loopback):
    """Kaggle with a drawn set: a submission scores its accuracy."""

    def __init__(self, drawn: Path, share: float) -> None:
        files = sorted(path for path in drawn.rglob("*") if path.is_file())
        archive = drawn.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w") as file:
            for path in files:
                file.write(path, path.relative_to(drawn))
        listing = {path.relative_to(drawn).as_posix(): path.stat().st_size for path in files}
        super().__init__(archive=archive.read_bytes(), listing=listing, page=200)
        self.answers = {Path(photo.path).name: photo.emotion for photo in photos(share)[1]}

    def CreateSubmission(self, body: dict[str, Any]) -> dict[str, Any]:
        """Scores a submission and takes it."""
        lines = self.uploads[body["blobFileTokens"]].decode().split()[1:]
        right = [self.answers[name] == emotion for name, emotion in (line.split(",") for line in lines)]
        self.score = f"{sum(right) / len(right):.5f}"
        return super().CreateSubmission(body)


def main() -> None:
    """Prints a table of the steps."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=0.02, help="of the whole set")
    parser.add_argument("--params", type=Path, default=Path(f"params.{MODEL}.yaml"))
    given = parser.parse_args()
    work, drawn = given.folder / "work", given.folder / "drawn"
    draw_all(drawn, given.share)
    (work / "home").mkdir(parents=True)  # an entrant begins with nothing
    yaml = YAML(typ="safe")
    params = yaml.load(given.params)
    params["fetch"]["competition"] = SLUG
    yaml.dump(params, work / "params.yaml")
    kaggle = Competition(drawn, given.share)
    server = Server(("127.0.0.1", 0), Handler)
    server.state, server.errors, kaggle.port = kaggle, [], server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rows = [measured(words, work, kaggle) for words in STEPS]
    print("| step | time | disk | memory |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(f"\n{len(kaggle.listing):,} files, score {kaggle.score}, {len(kaggle.submissions)} submission")


def measured(words: tuple[str, ...], work: Path, kaggle: Loopback) -> tuple[str, ...]:
    """Runs a step and returns its row: seconds, what it adds to the disk, and its largest process."""
    before, start = size(work), time.perf_counter()
    env = {**no_kaggle(), **kaggle.environment(work / "home")}
    process = subprocess.Popen([sys.executable, "-m", "fercomp", *words], cwd=work, env=env)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"fercomp {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return (
        f"`fercomp {' '.join(words)}`",
        f"{seconds:,.0f} s",
        f"{(size(work) - before) / 1e6:+,.1f} MB",
        f"{used.ru_maxrss / 1e6:.1f} GB",
    )


def size(folder: Path) -> int:
    """Returns the bytes on disk of all files below a folder; one that has two names counts once."""
    stats = {(s.st_dev, s.st_ino): s.st_blocks * 512 for s in map(os.lstat, folder.rglob("*"))}
    return sum(stats.values())


if __name__ == "__main__":
    main()
