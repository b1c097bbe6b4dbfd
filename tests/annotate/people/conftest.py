from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.drawn.cast import CAST, distinct_person, draw_scene

SHOTS = {
    "a.mp4": [(0, 1), (2,), (0, 3)],
    "b.mp4": [(4, 1), (3,)],
    "c.jpg": [(3, 4)],
    "d.jpg": [(0,)],
    "e.jpg": [(2, 1)],
}
"""Who is seen, from left to right, in the shots of each clip and in each photo."""

FRAMES = 6
SIZE = 400, 240


@pytest.fixture(scope="session")
def shots() -> dict[str, list[list]]:
    """The frames of each shot."""
    cast = [distinct_person(seed) for seed in CAST]
    return {
        file: [
            list(draw_scene([cast[i] for i in who], 10 * len(file) + n + ord(file[0]), *SIZE, frames=frames))
            for n, who in enumerate(each)
        ]
        for file, each in SHOTS.items()
        for frames in [FRAMES if file.endswith(".mp4") else 1]
    }


@pytest.fixture
def media(tmp_path: Path, shots: dict[str, list[list]], write_clip: Callable[..., Path]) -> Path:
    """Two clips with cuts and three photos with a cast of five."""
    folder = tmp_path / "media"
    folder.mkdir()
    for file, each in shots.items():
        frames = [frame for shot in each for frame in shot]
        if file.endswith(".mp4"):
            write_clip(folder / file, frames)
        else:
            Image.fromarray(frames[0]).save(folder / file, quality=92)
    return folder
