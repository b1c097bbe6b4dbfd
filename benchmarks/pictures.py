"""Makes the pictures of README and docs anew, from real runs of the shipped model.

Usage: python benchmarks/pictures.py

The photo is matplotlib's sample of Grace Hopper (U.S. Navy, public domain); the clip, and what the camera of
`live` shows, is drawn, as in `demo`. Its page needs a Chromium, and a machine with nothing else to do.
"""

import tempfile
from pathlib import Path

import av
import numpy as np
from live import live_page
from matplotlib.cbook import get_sample_data
from PIL import Image

from fercomp.annotate.batch import annotate_media
from fercomp.core.paths import SHIPPED
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import load_bundle
from tests.drawn import draw_clip

TARGET = Path(__file__).parents[1] / "docs" / "pictures"
CHANGES = [("happy", "sad"), ("neutral", "surprise"), ("surprise", "happy")]


def write_clip(target: Path) -> None:
    """Writes six seconds of drawn people."""
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for picture in draw_clip(CHANGES, np.random.default_rng(5), 640, 360, 150):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_live() -> None:
    """Takes the page of `live` when its ribbon is half full."""
    drawn = draw_clip(CHANGES, np.random.default_rng(5), 640, 480, 300)
    frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in drawn]
    with live_page(frames, SHIPPED) as page:
        page.wait_for_timeout(15_000)
        # Chromium calls such a camera by the file that it plays.
        page.evaluate("document.querySelector('#cameras option').text = 'camera'")
        page.screenshot(path=TARGET / "live.jpg", type="jpeg", quality=75, full_page=True)


def main() -> None:
    """Writes all pictures."""
    TARGET.mkdir(exist_ok=True)
    with get_sample_data("grace_hopper.jpg") as file, Image.open(file) as image:
        photo = image.convert("RGB")
    with tempfile.TemporaryDirectory() as name:
        media, annotated = Path(name) / "media", Path(name) / "annotated"
        media.mkdir()
        photo.save(media / "photo.png")
        write_clip(media / "clip.mp4")
        annotate_media(media, annotated, load_bundle(CAME_ALONG[SHIPPED]))
        with Image.open(annotated / "photo.png") as copy:
            copy.save(TARGET / "photo.jpg", quality=85)
        with Image.open(annotated / "clip.timeline.png") as timeline:
            timeline.convert("RGB").quantize(64).save(TARGET / "timeline.png", optimize=True)
    write_live()
    for picture in sorted(TARGET.iterdir()):
        print(f"{picture} {picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
