"""Compares the peak memory of `annotate` on a clip of one minute and of ten.

Usage: python benchmarks/video_memory.py CLIP MODEL

Both are the given clip, one time after the other, without its sound.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av

CLI = (sys.executable, "-c", "from fercomp.cli.app import main; main()", "annotate")


def repeat(path: Path, seconds: int, target: Path) -> Path:
    """Writes the pictures of a clip again and again, as they are stored."""
    with av.open(str(path)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        template = source.streams.video[0]
        begin, step = packets[0].dts, packets[1].dts - packets[0].dts
        length = max(packet.dts for packet in packets) - begin + step
        base, rounds = template.time_base, 0
        with av.open(str(target), "w") as container:
            stream = container.add_stream_from_template(template)
            while rounds * length * base < seconds:
                for packet in packets:
                    again = av.Packet(bytes(packet))
                    again.stream, again.time_base = stream, base
                    again.pts = packet.pts - begin + rounds * length
                    again.dts = packet.dts - begin + rounds * length
                    again.is_keyframe = packet.is_keyframe
                    container.mux(again)
                rounds += 1
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
