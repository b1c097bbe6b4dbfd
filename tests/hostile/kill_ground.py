"""Where commands are killed: their words, and what an unbroken run leaves."""

import hashlib
import json
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from fercomp.core.files import write_json
from tests.forks import ANNOTATE, Forked, Forks
from tests.make_tiny import TINY

from .base import face, write_out_of_fold
from .clips import clip

TINY_TRAINING = "--set train.size=32 --set train.batch_size=16 --set inference.views=false"

COMMANDS = {
    "fetch a zip": (5, "fetch --source {sources}/competition.zip"),
    "fetch drawn": (3, "fetch --source demo"),
    "prepare": (5, "prepare"),
    "uncertain": (4, "uncertain --model tiny"),
    "evaluate": (4, "evaluate --model tiny"),
    "predict": (4, "predict --model tiny"),
    "submission": (4, "submission --model tiny"),
    "relabel": (5, "relabel --export-folders sorted"),
    "ensemble": (4, "ensemble both tiny second --force"),
    "export": (4, "export out --model tiny --precision float16"),
    "annotate photos": (6, "annotate {sources}/photos --model tiny --detector whole --output out"),
    "annotate photos in lines": (
        3,
        "annotate {sources}/photos --model tiny --detector whole --output out --records jsonl",
    ),
    "annotate a clip": (6, "annotate {sources}/clip.mp4 --model tiny --detector whole --output out"),
    "train": (6, f"train --name new --set train.epochs=2 {TINY_TRAINING}"),
    "train anew": (2, f"train --name tiny --set train.epochs=1 {TINY_TRAINING}"),
    "refit": (1, "refit tiny"),
    "crossval": (1, f"crossval --name folds --set train.epochs=1 {TINY_TRAINING}"),
    "demo": (1, "demo"),
}
"""How often each is killed, and its words. A third of the kills is by time, the rest when files change."""

PATIENCE = 900.0
"""Seconds after which a command hangs; five networks are trained in one of them."""

IMPORTS = (
    ANNOTATE
    + """
import pandas, sklearn.metrics, matplotlib.figure, av, psutil
import fercomp.kaggle.submissions.csv_file, fercomp.stages.crossval
import fercomp.stages.evaluate, fercomp.stages.refit, fercomp.stages.demo, fercomp.modeling.backbones.compact
compact = fercomp.modeling.backbones.compact
compact.BLOCKS, compact.CHANNELS = 1, {"compact": (8, 12, 16)}
fercomp.stages.demo.FEW_PHOTOS = {**fercomp.stages.demo.FEW_PHOTOS, "epochs": 1}
drawn = fercomp.demo.competition
drawn.TRAIN_PER_CLASS, drawn.TEST_PHOTOS, drawn.CLIP_FRAMES, drawn.GROUPS = 8, 9, 8, (1, 2)
drawn.PHOTO_SIZE, drawn.CLIP_SIZE = (400, 300), (160, 90)
"""
)

CHILD = """
import os, sys, time
sys.dont_write_bytecode = True  # or the first run changes more files than the others
number, moment, report, limit, clock = (*map(int, sys.argv[1:3]), sys.argv[3], *map(int, sys.argv[4:6]))
seen, real = 0, time.time
def watch(event, arguments):
    global seen
    if event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate") or (
        event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    ):
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), number)
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
if clock:
    time.time = lambda: real() + clock
sys.addaudithook(watch)
sys.argv = ["fercomp", *sys.argv[6:]]
from fercomp.cli.app import main
try:
    main()
finally:
    changes = seen
    open(report, "w").write(str(changes))
"""
"""Becomes fercomp, and counts how often it opens a file for writing, renames or removes one."""


@dataclass
class Whole:
    """What a command does when nothing stops it.

    Attributes:
        lock: Held while it is found out.
        seconds: How long it takes; 0: not yet known.
        changes: How often it changes files.
        files: What is there afterwards, by name.
    """

    lock: Lock = field(default_factory=Lock)
    seconds: float = 0.0
    changes: int = 0
    files: dict[str, str] = field(default_factory=dict)


class Ground:
    """Where commands are killed: the workspace that each gets a copy of, and files that all read.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.start, self.sources = folder, folder / "start", folder / "sources"
        self.forks, self.lock = Forks(IMPORTS), Lock()
        self.whole = {name: Whole() for name in COMMANDS}
        _write_sources(self.sources)
        shutil.copytree(TINY, self.start)
        self._write_second()
        if self.run(["predict", "--model", "tiny"], self.start).wait():
            raise RuntimeError("there are no probabilities to make a submission of")
        write_out_of_fold(self.start)

    def _write_second(self) -> None:
        """Writes a second model, for an ensemble."""
        second = self.start / "models" / "second"
        shutil.copytree(second.with_name("tiny"), second)
        card = json.loads((second / "card.json").read_text())
        write_json(second / "card.json", card | {"name": "second"})

    def run(
        self,
        words: Sequence[str],
        work: Path,
        number: int = 0,
        moment: int = 0,
        limit: int = 0,
        clock: int = 0,
    ) -> Forked:
        """Starts fercomp in a folder."""
        report = str(work.with_suffix(".changes"))
        arguments = [str(number), str(moment), report, str(limit), str(clock), *words]
        with self.lock:
            return self.forks.start(
                CHILD, *arguments, cwd=work, env={**os.environ, "NO_COLOR": "1", "HOME": str(self.folder)}
            )

    def words(self, name: str) -> list[str]:
        """Returns what is typed after `fercomp`."""
        return COMMANDS[name][1].format(sources=self.sources).split()

    def unbroken(self, name: str) -> Whole:
        """Runs a command to its end, where that was not done before."""
        whole = self.whole[name]
        with whole.lock:
            if not whole.seconds:
                work = self.copy()
                begin = time.monotonic()
                child = self.run(self.words(name), work)
                out, err = child.communicate(PATIENCE)
                if child.returncode:
                    raise RuntimeError(f"{name} failed: {out}{err}")
                whole.changes = int(work.with_suffix(".changes").read_text())
                whole.files, whole.seconds = listing(work), time.monotonic() - begin
        return whole

    def copy(self) -> Path:
        """Returns a new copy of the workspace."""
        work = Path(tempfile.mkdtemp(dir=self.folder)) / "work"
        shutil.copytree(self.start, work)
        return work


def _write_sources(folder: Path) -> None:
    (folder / "photos").mkdir(parents=True)
    for i in range(12):
        face("happy", i, 96).save(folder / "photos" / f"{i}.jpg")
    (folder / "clip.mp4").write_bytes(clip("mp4"))
    with zipfile.ZipFile(folder / "competition.zip", "w") as archive:
        for path in sorted((TINY / "datasets" / "raw").rglob("*")):
            archive.write(path, path.relative_to(TINY / "datasets" / "raw"))


def listing(work: Path) -> dict[str, str]:
    """Returns the digest of every file, but of those that say when others were written.

    These are decoded photos, which may be deleted at any time, and what the demo annotated, once unpacked.
    """
    left_out = {*work.glob("**/datasets/.photos"), work / "demo" / "annotated" / "run.json"}
    paths = [path for path in work.rglob("*") if left_out.isdisjoint((path, *path.parents))]
    return {
        str(path.relative_to(work)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in paths
    }
