"""Compares the peak memory of `annotate` on a clip of one minute and of ten.

Usage: python benchmarks/video_memory.py CLIP MODEL

Both are the pictures of the given clip, one time after the other.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av

CLI = (sys.executable, "-c", "from fercomp.cli.app import main; main()", "annotate")


def repeat(path: Path, seconds: int, target: Path) -> Path:
    """Writes the pictures of a clip again and again."""
    with av.open(str(path)) as source:
        rate = source.streams.video[0].average_rate
        pictures = [frame.to_ndarray(format="yuv420p") for frame in source.decode(video=0)]
    height, width = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(pictures[i % len(pictures)], format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return target


def peak_megabytes(clip: Path, model: str, output: Path) -> float:
    """Annotates in a process of its own; returns the most memory that it held."""
    process = subprocess.Popen([*CLI, str(clip), "--model", model, "--output", str(output)])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"annotate ended with {status}")
    return usage.ru_maxrss / 1024


def main() -> None:
    """Prints both peaks and their ratio."""
    peaks = []
    for minutes in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            clip = repeat(Path(sys.argv[1]), 60 * minutes, Path(folder) / "clip.mp4")
            peaks.append(peak_megabytes(clip, sys.argv[2], Path(folder) / "annotated"))
        print(f"{minutes:3} min {peaks[-1]:8.0f} MB", flush=True)
    print(f"ratio {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
