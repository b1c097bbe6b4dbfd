"""Compares `annotate` on a video with each of its stages run alone.

Usage: python benchmarks/annotate_video.py CLIP MODEL

A stage alone gets its input ready-made in memory and runs in one thread, as in the pipeline. All are measured
three times in turn; the best of each counts. The ratio says how close the whole comes to its slowest stage.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from fercomp.annotate.clip_recogniser import ClipRecogniser
from fercomp.annotate.clip_writer import ClipWriter
from fercomp.annotate.clips import BATCH
from fercomp.annotate.drawing import draw
from fercomp.annotate.run import annotate_media
from fercomp.data.clips import Clip
from fercomp.faces.detect import make_detector
from fercomp.modeling.bundle import Bundle, load_bundle


def seconds_of_stages(path: Path, bundle: Bundle, folder: Path) -> Iterator[tuple[str, float]]:
    """Runs one stage after the other over the whole clip; gives name and seconds of each."""
    recogniser = ClipRecogniser(bundle, make_detector(clip=True))
    begin = time.perf_counter()
    with Clip(path) as clip:
        frames = list(clip)
        yield "decode", time.perf_counter() - begin
        begin = time.perf_counter()
        found = [recogniser.find(frame) for frame in frames]
        yield "detect", time.perf_counter() - begin
        begin, left, named = time.perf_counter(), iter(found), []
        while group := list(islice(left, BATCH)):
            named += recogniser.name(group)
        yield "classify", time.perf_counter() - begin
        begin = time.perf_counter()
        drawn = [draw(each.frame.image, each.faces, each.decisions, each.tracks) for each in named]
        yield "draw", time.perf_counter() - begin
        begin = time.perf_counter()
        with ClipWriter(folder / "alone.mp4", clip) as writer:
            for frame, image in zip(frames, drawn, strict=True):
                writer.write(frame, image)
        yield "encode", time.perf_counter() - begin


def main() -> None:
    """Prints the rate of each stage and of the whole, and their ratio."""
    path, bundle = Path(sys.argv[1]), load_bundle(Path(sys.argv[2]))
    with Clip(path) as clip:
        count = len(list(clip))
    ClipRecogniser(bundle, make_detector(clip=True)).warm_up()
    best: dict[str, float] = {}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            times = dict(seconds_of_stages(path, bundle, Path(folder)))
            begin = time.perf_counter()
            annotate_media(path, Path(folder) / "annotated", bundle)
            times["whole"] = time.perf_counter() - begin
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in times.items()}
    for name, seconds in best.items():
        print(f"{name:9} {count / seconds:8.1f} frames/s {1000 * seconds / count:8.2f} ms a frame")
    whole = best.pop("whole")
    print(f"ratio of the whole to the slowest stage {max(best.values()) / whole:.2f}")


if __name__ == "__main__":
    main()
