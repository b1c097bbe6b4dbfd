"""Compares `annotate` on a video with each of its stages run alone.

Usage: python benchmarks/annotate_video.py CLIP MODEL

A stage alone gets its input ready-made in memory and uses as many threads as in the pipeline. All are
measured three times in turn; the best of each counts. Two ratios say how good the whole is: to the rate of
the slowest stage alone, which has all cores then, and to what the cores could do at most: the processor time
of all stages, spread over them without a gap.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.clips import BETWEEN, FRAME_BATCH
from fercomp.annotate.drawing.draw import draw
from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.annotate.workers import workers
from fercomp.core.parallel import in_order
from fercomp.faces.detect import make_detector
from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip
from fercomp.modeling.bundle.model import Bundle, load_bundle

Spent = tuple[float, float]
"""Seconds on the clock, and of the processor."""


def spent(work: Callable[[], object]) -> Spent:
    """Times a call."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def cost_of_stages(path: Path, bundle: Bundle, folder: Path) -> Iterator[tuple[str, Spent]]:
    """Runs one stage after the other over the whole clip; gives name and cost of each."""
    recogniser = ClipRecogniser(bundle, partial(make_detector, clip=True))
    frames, looked, followed, named, drawn = [], [], [], [], []
    with Clip(path) as clip, workers(os.cpu_count() or 1) as lookers:

        def name() -> None:
            left = iter(followed)
            while group := list(islice(left, FRAME_BATCH)):
                named.extend(recogniser.name(group))

        def write() -> None:
            with ClipWriter(folder / "alone.mp4", clip) as writer:
                for frame, image in zip(frames, drawn, strict=True):
                    writer.write(frame, image)

        yield "decode", spent(lambda: frames.extend(clip))
        yield "detect", spent(lambda: looked.extend(in_order(lookers, recogniser.detect, frames, BETWEEN)))
        yield "follow", spent(lambda: followed.extend(map(recogniser.follow, frames, looked)))
        yield "classify", spent(name)
        yield "draw", spent(lambda: drawn.extend(draw(n.frame.image, n.faces) for n in named))
        yield "encode", spent(write)


def main() -> None:
    """Prints the rate of each stage and of the whole, and their ratios."""
    path, bundle = Path(sys.argv[1]), load_bundle(Path(sys.argv[2]))
    with Clip(path) as clip:
        count = len(list(clip))
    ClipRecogniser(bundle, partial(make_detector, clip=True)).warm_up()
    best: dict[str, Spent] = {}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            costs = dict(cost_of_stages(path, bundle, Path(folder)))
            costs["whole"] = spent(lambda: annotate_media(path, Path(folder) / "annotated", bundle))
        best = {name: min(cost, best.get(name, cost)) for name, cost in costs.items()}
    for name, (clock, processor) in best.items():
        each = f"{1000 * clock / count:6.2f} ms a frame, {1000 * processor / count:6.2f} ms of a core"
        print(f"{name:9} {count / clock:8.1f} frames/s {each}")
    whole, _ = best.pop("whole")
    print(f"ratio of the whole to the slowest stage {max(clock for clock, _ in best.values()) / whole:.2f}")
    least = sum(processor for _, processor in best.values()) / (os.cpu_count() or 1)
    print(f"ratio of the whole to what the cores could do at most {least / whole:.2f}")


if __name__ == "__main__":
    main()
