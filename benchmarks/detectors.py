"""Compares the face detectors on clips.

Usage: python benchmarks/detectors.py CLIP...

For each clip and detector: the share of frames with a face, the faces in all frames, the tracks that they
make (many short ones where faces come and go), and the milliseconds of one core that a frame takes.
"""

import sys
import time
from pathlib import Path

import cv2

from fercomp.faces.detect import DETECTORS, make_detector
from fercomp.faces.track import Tracker
from fercomp.media.clips import Clip


def main() -> None:
    """Prints a row for each clip and detector."""
    cv2.setNumThreads(1)
    for path in map(Path, sys.argv[1:]):
        with Clip(path) as clip:
            frames = list(clip)
        print(f"{path.name}, {clip.width}x{clip.height}, {len(frames)} frames")
        for name in DETECTORS:
            detector, tracker = make_detector(name, clip=True), Tracker()
            detector.detect(frames[0].image)  # sets itself up for this size
            begin = time.process_time()
            found = [detector.detect(frame.image) for frame in frames]
            spent = time.process_time() - begin
            tracks = {
                int(track)
                for frame, faces in zip(frames, found, strict=True)
                for track in tracker.update(faces, frame.image, frame.time)
            }
            seen, count = sum(len(faces) > 0 for faces in found), sum(map(len, found))
            print(
                f"  {name:14} {seen / len(frames):6.1%} of frames {count:5} faces {len(tracks):4} tracks "
                f"{1000 * spent / len(frames):6.1f} ms"
            )


if __name__ == "__main__":
    main()
